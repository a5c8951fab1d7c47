"""The smallest change: exact for linear answers, as another program's for networks."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.nets.deepfool import OVERSHOOT, deepfool


def linear(classes: int = 3, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, classes)).eval()
    # Boundaries near the middle of the range, so that no edge of it is met on the way.
    module[1].bias.data = 0.2 * module[1].bias.data - 0.5 * module[1].weight.data.sum(1)
    return module


def size(away: torch.Tensor, norm: str) -> float:
    return float(away.abs().max() if norm == "linf" else away.norm())


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_of_a_linear_answer_it_is_the_distance_to_the_nearest_boundary(norm: str, classes: int) -> None:
    module = linear(classes)
    x = torch.full((1, 1, 4, 4), 0.5) + 0.02 * torch.randn(1, 1, 4, 4)
    scores = module(x)[0]
    own = int(scores.argmax())
    weight = module[1].weight.detach()
    found, reached = deepfool(module, x, own, norm=norm)
    gaps = (scores - scores[own]).abs().detach()
    spans = [(weight[k] - weight[own]).abs().sum() if norm == "linf" else (weight[k] - weight[own]).norm()
             for k in range(classes)]  # fmt: skip
    wanted = min(float(gaps[k] / spans[k]) for k in range(classes) if k != own)
    assert reached and int(module(found)[0].argmax()) != own
    assert size(found - x, norm) == pytest.approx(wanted * (1 + OVERSHOOT), rel=0.01)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_sizes_are_those_of_foolbox(norm: str) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 49, 4)).eval()
    x = torch.rand(24, 1, 9, 9)
    y = module(x).argmax(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        foolbox = pytest.importorskip("foolbox", reason="pip install foolbox")
        kind = foolbox.attacks.L2DeepFoolAttack if norm == "l2" else foolbox.attacks.LinfDeepFoolAttack
        model = foolbox.PyTorchModel(module, bounds=(0, 1))
        raw, _, success = kind(steps=50, overshoot=OVERSHOOT)(model, x, y, epsilons=None)
    ours = [deepfool(module, x[i : i + 1], int(y[i]), norm=norm) for i in range(len(x))]
    assert bool(success.all()) and all(reached for _, reached in ours)
    mine = np.array([size(found - x[i : i + 1], norm) for i, (found, _) in enumerate(ours)])
    other = np.array([size(raw[i : i + 1] - x[i : i + 1], norm) for i in range(len(x))])
    assert np.median(mine) == pytest.approx(np.median(other), rel=0.03)
    assert np.median(np.abs(mine / other - 1)) < 0.05


def test_an_answer_that_never_changes_is_not_reached() -> None:
    flat: Any = lambda u: torch.cat([u.flatten(1).sum(1, keepdim=True) * 0 + 1, u.flatten(1)[:, :1] * 1e-9], 1)  # noqa: E731
    x = torch.full((1, 1, 2, 2), 0.5)
    found, reached = deepfool(flat, x, 0, steps=5)
    assert not reached and found.min() >= 0 and found.max() <= 1


def test_what_is_wrong_already_needs_no_change() -> None:
    module = linear()
    x = torch.rand(1, 1, 4, 4)
    other = int(module(x)[0].argmin())
    found, reached = deepfool(module, x, other)
    assert reached and torch.equal(found, x)
