from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import IGNORE, Plan
from isocenter.fit import questions
from isocenter.fit.feed import Shelf
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.validation import answers, dice, labels, log_loss, mean_dice
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.segment.unet import UNet

PLAN = Plan("segment", 2, 1, ("background", "a", "b"), patch=(16, 16), divisor=(4, 4))


class Bright(nn.Module):
    """Says class 1 where the first channel is above 1/2."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat((0.5 - x[:, :1], x[:, :1] - 0.5, torch.full_like(x[:, :1], -9)), 1)


def test_dice_by_hand() -> None:
    found = np.array([[1, 1, 0, 2]], np.uint8)
    truth = np.array([[1, 0, 0, IGNORE]], np.uint8)
    assert dice(found, truth, PLAN) == {"a": pytest.approx(2 / 3)}
    assert mean_dice([{"a": 1.0, "b": 0.5}, {"a": 0.5}]) == pytest.approx((0.75 + 0.5) / 2)
    assert mean_dice([{}]) == 0.0


def test_whole_and_in_windows_alike() -> None:
    image = np.random.default_rng(0).random((1, 40, 37)).astype(np.float32)
    found = labels(Bright(), image, PLAN)
    assert found.shape == (40, 37)
    assert np.array_equal(found, (image[0] > 0.5).astype(np.uint8))


def test_a_perfect_network_scores_one(discs) -> None:
    cases = discs()
    shelf = Shelf(cases.split("val"), plan(UNet(), fingerprint(cases, "segment")))

    class Knows(Bright):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            smooth = nn.functional.avg_pool2d(x, 3, 1, 1)
            return torch.cat((0.7 - smooth, smooth - 0.7), 1)

    assert questions.of("segment").score(Knows(), shelf) > 0.9


def test_classify_scores_minus_log_loss(pictures) -> None:
    cases = pictures()
    shelf = Shelf(cases.split("val"), plan(Cnn(), fingerprint(cases, "classify")))

    class Even(Bright):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.new_zeros(len(x), 2)

    assert questions.of("classify").score(Even(), shelf) == pytest.approx(-np.log(2))
    found, truth = answers(Even(), shelf)
    assert found.shape == truth.shape == (4, 2)


def test_log_loss_agrees_with_torch() -> None:
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(6, 3)), np.eye(3)[[0, 1, 2, 0, 1, 2]]
    expected = nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(target))
    assert log_loss(logits, target) == pytest.approx(float(expected))
    many = (rng.random((6, 3)) > 0.5).astype(float)
    expected = nn.functional.binary_cross_entropy_with_logits(torch.from_numpy(logits), torch.from_numpy(many))
    assert log_loss(logits, many, multilabel=True) == pytest.approx(float(expected))
