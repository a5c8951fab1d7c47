from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from isocenter import nets
from isocenter.data import merged
from isocenter.errors import ResourceError
from isocenter.fit.checkpoint import Run
from isocenter.fit.feed import Shelf
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.step import loss_of, one_step, optimiser_of, rate_at, started
from isocenter.tasks.segment.unet import UNet


@pytest.fixture
def shelf(discs) -> Shelf:
    cases = discs()
    recipe = merged(UNet(), {"study.epochs": 2, "study.steps": 4, "study.batch_size": 4, "width": 4})
    return Shelf(cases, plan(recipe, fingerprint(cases, "segment")))


def run_of(shelf: Shelf, module: nn.Module | None = None) -> Run:
    return started(lambda: module or nets.build(shelf.scheme.network), shelf.scheme, torch.device("cpu"))


class Small(nn.Module):
    """A network that holds no more than a few samples at once."""

    def __init__(self, most: int, reason: str) -> None:
        super().__init__()
        self.conv, self.most, self.reason = nn.Conv2d(1, 2, 3, padding=1), most, reason

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.most:
            raise RuntimeError(self.reason)
        out: Tensor = self.conv(x)
        return out


FULL = "DefaultCPUAllocator: can't allocate memory"


def test_a_batch_too_large_goes_through_in_parts(shelf: Shelf) -> None:
    run = run_of(shelf, Small(1, FULL))
    value = one_step(run, shelf, loss_of(shelf.scheme), 0, seed=0)
    assert run.parts == 4
    assert value > 0


def test_parts_learn_as_the_whole_does_for_losses_per_pixel(shelf: Shelf) -> None:
    torch.manual_seed(0)
    module = Small(4, FULL)
    fp32 = replace(shelf.scheme, loop=replace(shelf.scheme.loop, precision="fp32"))
    shelf = Shelf(shelf.cases, fp32)

    def loss(out: Tensor, target: Tensor) -> Tensor:
        return ((out[:, 1] - (target == 1).float()) ** 2).mean()

    grads = []
    for most in (4, 1):
        module.most = most
        run = run_of(shelf, module)
        state = {k: v.clone() for k, v in module.state_dict().items()}
        one_step(run, shelf, loss, 0, seed=0)
        assert module.conv.weight.grad is not None
        grads.append(module.conv.weight.grad.clone())
        module.load_state_dict(state)
    assert torch.allclose(grads[0], grads[1], atol=1e-5)


def test_what_never_fits_is_refused_and_other_errors_stay(shelf: Shelf) -> None:
    with pytest.raises(ResourceError, match="one training sample"):
        one_step(run_of(shelf, Small(0, FULL)), shelf, loss_of(shelf.scheme), 0, seed=0)
    with pytest.raises(RuntimeError, match="another matter"):
        one_step(run_of(shelf, Small(0, "another matter")), shelf, loss_of(shelf.scheme), 0, seed=0)


def test_norms_and_biases_do_not_decay(shelf: Shelf) -> None:
    module = nets.build(shelf.scheme.network)
    full, flat = optimiser_of(module, shelf.scheme).param_groups
    assert full["weight_decay"] > 0 == flat["weight_decay"]
    assert all(p.ndim > 1 for p in full["params"])
    assert len(full["params"]) + len(flat["params"]) == len(list(module.parameters()))


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_at(s, 100, 1.0, 0.1) for s in range(100)]
    assert rates[0] == pytest.approx(0.04)
    assert rates[10] == max(rates) == pytest.approx(1.0)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert rates[-1] < 0.01


def test_the_running_mean_follows_the_weights(shelf: Shelf) -> None:
    run = run_of(shelf)
    before = {k: v.clone() for k, v in run.mean.items()}
    one_step(run, shelf, loss_of(shelf.scheme), 0, seed=0)
    name = "head.weight"
    now = run.module.state_dict()[name]
    # The decay of the first step is 1 / 10.
    assert torch.allclose(run.mean[name], 0.1 * before[name] + 0.9 * now, atol=1e-7)
    bare = replace(shelf.scheme, loop=replace(shelf.scheme.loop, ema=0.0))
    assert run_of(Shelf(shelf.cases, bare)).mean == {}
