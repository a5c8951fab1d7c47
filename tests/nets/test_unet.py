from __future__ import annotations

import pytest
import torch

from isocenter.errors import RecipeError
from isocenter.nets.unet import Gate, UNet


def test_two_and_three_dimensions_answer_on_the_own_grid() -> None:
    flat = UNet(2, 3, 2, widths=[4, 8, 8], strides=[[2, 2], [2, 2]]).eval()
    deep = UNet(3, 1, 4, widths=[4, 8], strides=[[1, 2, 2]]).eval()
    assert flat(torch.randn(2, 3, 16, 24)).shape == (2, 2, 16, 24)
    assert deep(torch.randn(1, 1, 5, 8, 6)).shape == (1, 4, 5, 8, 6)


def test_coarse_heads_answer_in_training_only() -> None:
    net = UNet(2, 1, 2, widths=[4, 8, 8, 8], strides=[[2, 2]] * 3, deep=2)
    x = torch.randn(1, 1, 16, 16)
    heads = net.train()(x)
    assert [tuple(h.shape[2:]) for h in heads] == [(16, 16), (8, 8), (4, 4)]
    assert torch.is_tensor(net.eval()(x))


def test_every_weight_gets_a_gradient() -> None:
    net = UNet(2, 1, 2, widths=[4, 8, 8], strides=[[2, 2]] * 2, deep=1, residual=True).train()
    sum(h.square().mean() for h in net(torch.randn(2, 1, 8, 8))).backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters() if p.ndim > 1)


def test_the_answer_moves_with_the_image() -> None:
    net = UNet(2, 1, 2, widths=[4, 8], strides=[[2, 2]]).eval()
    x = torch.zeros(1, 1, 32, 32)
    x[..., 12:16, 12:16] = 1
    moved = torch.roll(x, (2, 2), (2, 3))
    assert torch.allclose(torch.roll(net(x), (2, 2), (2, 3))[..., 8:24, 8:24], net(moved)[..., 8:24, 8:24], atol=1e-4)


def test_widths_and_strides_must_fit() -> None:
    with pytest.raises(RecipeError, match="do not fit"):
        UNet(2, 1, 2, widths=[4, 8], strides=[[2, 2], [2, 2]])
    with pytest.raises(RecipeError, match="do not fit"):
        UNet(3, 1, 2, widths=[4, 8], strides=[[2, 2]])


def test_the_plain_network_opens_the_weights_of_bundles_that_are_out_there() -> None:
    from isocenter import nets
    from isocenter.bundle import open_bundle, state

    bundle = open_bundle("retina-vessels")
    arrays = state(bundle)
    weights = {k.removeprefix("weights/"): v for k, v in arrays.items() if k.startswith("weights/")}
    module = nets.build(bundle.about["about"]["network"], weights)
    with torch.inference_mode():
        answer = module(torch.from_numpy(arrays["vector/input"].copy()))
    assert float((answer - torch.from_numpy(arrays["vector/output"].copy())).abs().max()) < 1e-3


@pytest.mark.parametrize("rank", [2, 3])
def test_gates_weigh_the_skips_by_the_coarse_features(rank: int) -> None:
    strides = [[2] * rank, [1, 2, 2][-rank:]]
    net = UNet(rank, 1, 2, widths=[4, 8, 8], strides=strides, attention=True).eval()
    x = torch.randn(1, 1, *(8,) * rank)
    assert net(x).shape == (1, 2, *(8,) * rank)
    assert len(net.gate) == 2
    before = net(x)
    for gate in net.gate:
        torch.nn.init.zeros_(gate.weight.weight)
        torch.nn.init.constant_(gate.weight.bias, 20.0)
    open_ = net(x)
    assert not torch.allclose(before, open_)
    plain = UNet(rank, 1, 2, widths=[4, 8, 8], strides=strides).eval()
    plain.load_state_dict({k: v for k, v in net.state_dict().items() if not k.startswith("gate.")})
    assert torch.allclose(plain(x), open_, atol=1e-5)


def test_a_gate_gives_shares_of_the_skip() -> None:
    gate = Gate(2, 4, 8, stride=(2, 2))
    skip = torch.rand(1, 4, 6, 6) + 0.1
    share = gate(skip, torch.randn(1, 8, 3, 3)).detach() / skip
    assert float(share.min()) > 0
    assert float(share.max()) < 1
    assert torch.allclose(share, share[:, :1].expand_as(share), atol=1e-6)


@pytest.mark.parametrize("context", [0, 1, 2])
def test_a_slice_sees_its_context_alone(context: int) -> None:
    net = UNet(3, 1, 2, widths=[4, 8], strides=[[1, 2, 2]], context=context)
    # Without normalisation, which looks at the whole window, what is left is how far the convolutions see.
    for name, part in list(net.named_modules()):
        if isinstance(part, torch.nn.InstanceNorm3d):
            net.set_submodule(name, torch.nn.Identity())
    x = torch.randn(1, 1, 7, 8, 8, requires_grad=True)
    net.eval()(x)[:, :, 3].sum().backward()
    seen = [z for z in range(7) if float(x.grad[0, 0, z].abs().sum()) > 0]
    assert seen == list(range(3 - context, 4 + context))


def test_context_needs_volumes_and_steps_in_the_plane() -> None:
    with pytest.raises(RecipeError, match="context"):
        UNet(2, 1, 2, widths=[4, 8], strides=[[2, 2]], context=1)
    with pytest.raises(RecipeError, match="context"):
        UNet(3, 1, 2, widths=[4, 8], strides=[[2, 2, 2]], context=1)
