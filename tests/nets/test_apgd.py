"""Auto-PGD: its checkpoints, and that it is never weaker than steps of one length."""

from __future__ import annotations

import warnings
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from isocenter.nets.adversarial import Aim, Ball, Found, Walk, lengths, pgd
from isocenter.nets.apgd import apgd, checkpoints


@cache
def victim(classes: int = 4) -> tuple[nn.Module, Tensor, Tensor]:
    """A network, inputs, and what it says of them."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(128, classes)
    )
    x = torch.rand(200, 1, 11, 11)
    return module.eval(), x, module(x).argmax(1).detach()


def robust(found: Found) -> float:
    return float((found.margins > 0).float().mean())


def test_checkpoints_come_closer_and_closer() -> None:
    marks = checkpoints(100)
    gaps = [b - a for a, b in zip([0, *marks], marks, strict=False)]
    assert gaps[0] == 22 and gaps == sorted(gaps, reverse=True) and min(gaps) >= 5
    assert all(0 < m < 5 for m in checkpoints(5)) and not checkpoints(0)


@pytest.mark.parametrize("loss", ["ce", "dlr"])
@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.003), ("linf", 0.008), ("l2", 0.02), ("l2", 0.06)])
def test_it_is_not_weaker_than_steps_of_one_length(norm: str, epsilon: float, loss: str) -> None:
    module, x, y = victim()
    ball, walk = Ball(norm, epsilon), Walk(25, 0.1)
    plain = robust(pgd(module, x, Aim(y, loss), ball=ball, walk=walk))
    found = apgd(module, x, Aim(y, loss), ball=ball, walk=walk)
    assert robust(found) <= plain + 0.01
    assert 0.05 < plain < 1, "a case between the two ends"
    away = found.x - x
    assert float(away.abs().max() if norm == "linf" else lengths(away).max()) <= epsilon * 1.001


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.003), ("linf", 0.008), ("l2", 0.06)])
def test_it_agrees_with_a_long_walk_of_foolbox(norm: str, epsilon: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        foolbox = pytest.importorskip("foolbox", reason="pip install foolbox")
        module, x, y = victim()
        torch.manual_seed(0)
        kind = foolbox.attacks.LinfPGD if norm == "linf" else foolbox.attacks.L2PGD
        model = foolbox.PyTorchModel(module, bounds=(0, 1))
        _, _, success = kind(rel_stepsize=0.05, steps=60)(model, x, y, epsilons=epsilon)
    theirs = 1 - float(success.float().mean())
    ours = robust(apgd(module, x, Aim(y), ball=Ball(norm, epsilon), walk=Walk(40)))
    assert ours == pytest.approx(theirs, abs=0.01)


def test_it_climbs_where_the_start_is_flat_for_long_steps() -> None:
    """A narrow ridge: only shorter and shorter steps reach its top, and the best point is never given up."""
    def answers(u: Tensor) -> Tensor:
        s = -((u.flatten(1) - 0.537) * 60).square().sum(1, keepdim=True)
        return torch.cat([-s, s], dim=1) / 10

    x, y = torch.full((1, 1, 2, 2), 0.4), torch.tensor([0])
    aim, ball = Aim(y, "dlr"), Ball("linf", 0.3)
    auto = apgd(answers, x, aim, ball=ball, walk=Walk(40, random=False))
    fixed = pgd(answers, x, aim, ball=ball, walk=Walk(40, 0.5, random=False))
    assert auto.margins < fixed.margins
    assert float((auto.x - 0.537).abs().max()) < 0.02


def test_the_same_twice_and_nothing_when_nothing_is_allowed() -> None:
    module, x, y = victim()
    ball, walk = Ball("linf", 0.003), Walk(6, restarts=2)
    a, b = (apgd(module, x, Aim(y), ball=ball, walk=walk) for _ in range(2))
    assert torch.equal(a.x, b.x)
    assert robust(apgd(module, x, Aim(y), ball=Ball("linf", 0.0), walk=Walk(3))) == 1.0
    assert robust(apgd(module, x, Aim(y), ball=Ball("linf", 0.2), walk=Walk(10))) == 0.0


def test_it_stops_as_soon_as_all_are_lost() -> None:
    module, x, y = victim()
    found = apgd(module, x[:3], Aim(y[:3]), ball=Ball("linf", 0.2), walk=Walk(100, restarts=3))
    assert len(found.trace) < 20 and found.slope is not None
