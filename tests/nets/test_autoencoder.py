from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from torch import nn

from isocenter import nets
from isocenter.errors import RecipeError
from isocenter.nets.autoencoder import KINDS, Autoencoder, divergence, restoring
from isocenter.nets.small import Small

SPEC = {"name": "autoencoder", "channels": 1, "outputs": 2, "sizes": [4, 3, 5], "seed": 1}


def made(rank: int = 2, **more: object) -> Autoencoder:
    return nets.build(SPEC | {"rank": rank, "grid": [4] * rank} | more)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_shapes_in_training_and_in_answering(rank: int, kind: str) -> None:
    net = made(rank, kind=kind, channels=3)
    x = torch.randn(2, 3, *(16,) * rank)
    logits = net(x)
    assert logits.shape == (2, 2) and torch.allclose(logits.sum(1), torch.zeros(2), atol=1e-5)
    assert net.restored(x).shape == x.shape
    restored, mean, spread = net.train()(x)
    assert restored.shape == x.shape and mean.shape == spread.shape == (2, 5)
    assert bool(spread.abs().sum() > 0) == (kind == "variational")


def test_its_stages_are_those_of_small_by_name_and_shape() -> None:
    small = {k: v.shape for k, v in Small(2, 1, 2, width=4, depth=3).state_dict().items() if k.startswith("stages")}
    mine = {k: v.shape for k, v in made().state_dict().items() if k.startswith("stages")}
    assert small == mine and small
    assert nets.layers(SPEC | {"rank": 2}) == ("stages.0", "stages.1", "stages.2")
    assert nets.last({"name": "small"}) == "fc"


def test_logits_grow_with_the_error_in_standard_deviations_of_its_logarithm() -> None:
    net, x = made(), torch.randn(3, 1, 16, 16)
    error, _, code = net.measured(x)
    wanted = ((net.restored(x) - x) ** 2).mean((1, 2, 3))
    assert torch.allclose(error, wanted) and code.shape == (3, 5)
    net.moments.copy_(torch.tensor([0.5, 2.0]))
    z = (torch.log(wanted + 1e-8) - 0.5) / 2
    assert torch.allclose(net(x)[:, 1], z / 2, atol=1e-5)
    net.settle(centre=torch.zeros(5), white=torch.eye(5), variance=1.0, abnormal=0)
    assert torch.allclose(net(x)[:, 0], z / 2, atol=1e-5)


def test_the_distance_of_codes_is_mahalanobis() -> None:
    net, x = made(score="mahalanobis"), torch.randn(2, 1, 16, 16)
    rng = np.random.default_rng(0)
    root = rng.normal(size=(5, 5))
    covariance, centre = root @ root.T + np.eye(5), rng.normal(size=5)
    white = np.linalg.inv(np.linalg.cholesky(covariance))
    net.settle(centre=torch.from_numpy(centre), white=torch.from_numpy(white), variance=1.0, abnormal=1)
    code = net.coded(x)[0].detach().double().numpy() - centre
    squared = np.einsum("ni,ij,nj->n", code, np.linalg.inv(covariance), code) / 5
    assert np.allclose(net.scored(x).detach(), np.log(squared), atol=1e-4)


def test_the_lower_bound_is_that_of_a_gaussian_decoder() -> None:
    net, x = made(kind="variational", score="elbo"), torch.randn(2, 1, 16, 16)
    net.settle(centre=torch.zeros(5), white=torch.eye(5), variance=0.3, abnormal=1)
    mean, spread = net.coded(x)
    pixels = torch.distributions.Normal(net.decoded(mean), math.sqrt(0.3))
    prior = torch.distributions.Normal(torch.zeros(5), torch.ones(5))
    code = torch.distributions.Normal(mean, torch.exp(0.5 * spread))
    bound = pixels.log_prob(x).sum((1, 2, 3)) - torch.distributions.kl_divergence(code, prior).sum(1)
    # What is the same for all images is left out.
    constant = 256 * 0.5 * math.log(2 * math.pi * 0.3)
    assert torch.allclose(net.scored(x), torch.log(-bound - constant), atol=1e-4)
    assert torch.allclose(divergence(mean, spread), torch.distributions.kl_divergence(code, prior).sum(1), atol=1e-5)


def test_the_variance_in_the_loss_is_the_most_likely_one() -> None:
    restored, wanted = torch.zeros(2, 1, 4, 4), torch.full((2, 1, 4, 4), 0.5)
    mean = spread = torch.zeros(2, 3)
    found = float(restoring((restored, mean, spread), wanted, kind="variational"))
    variances = np.linspace(0.05, 1.0, 2000)
    by_pixel = 0.5 * np.log(variances) + 0.25 / (2 * variances) - 0.5
    assert found == pytest.approx(by_pixel.min(), abs=1e-4)
    assert float(restoring((restored, mean, spread), wanted, kind="convolutional")) == pytest.approx(0.25)


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_to_restore(kind: str) -> None:
    torch.manual_seed(0)
    net, x = made(kind=kind).train(), torch.zeros(4, 1, 16, 16)
    for i in range(4):
        x[i, :, 4 * i : 4 * i + 4] = 2.0
    step = torch.optim.AdamW(net.parameters(), lr=5e-3)
    for _ in range(60):
        step.zero_grad()
        restoring(net(x), x, kind=kind).backward()
        step.step()
    error = net.eval().measured(x)[0]
    assert float(error.detach().max()) < 0.3 * float(x.var())


def test_what_cannot_be_is_refused() -> None:
    for wrong, said in (({"kind": "sparse"}, "no kind"), ({"score": "auc"}, "no score"),
                        ({"outputs": 3}, "normal from the rest"), ({"score": "elbo"}, "only a variational")):
        with pytest.raises(RecipeError, match=said):
            made(**wrong)


def test_the_export_answers_as_the_module() -> None:
    import onnxruntime

    from isocenter.fit.export import onnx_bytes

    for rank in (2, 3):
        net = made(rank, kind="variational", score="elbo")
        x = torch.randn(1, 1, *(16,) * rank)
        session = onnxruntime.InferenceSession(io.BytesIO(onnx_bytes(net, x.numpy(), dense=False)).getvalue())
        answer = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
        assert np.allclose(answer, net(x).detach(), atol=1e-4)
    assert isinstance(net, nn.Module)
