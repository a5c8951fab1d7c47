from __future__ import annotations

import pytest
import torch

from isocenter.nets.losses import IGNORED, deep, dice_cross_entropy, multilabel, soft_cross_entropy


def sure(target: torch.Tensor, classes: int, strength: float = 40.0) -> torch.Tensor:
    return torch.nn.functional.one_hot(target, classes).movedim(-1, 1).float() * strength


def test_a_perfect_answer_costs_nothing_and_a_wrong_one_much() -> None:
    target = torch.randint(0, 3, (2, 8, 8))
    assert float(dice_cross_entropy(sure(target, 3), target)) == pytest.approx(0.0, abs=1e-3)
    assert float(dice_cross_entropy(sure((target + 1) % 3, 3), target)) > 10


def test_the_value_is_cross_entropy_plus_one_minus_dice() -> None:
    logits, target = torch.randn(2, 2, 4, 4), torch.randint(0, 2, (2, 4, 4))
    p = logits.softmax(1)[:, 1]
    dice = (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
    expected = torch.nn.functional.cross_entropy(logits, target) + 1 - dice
    assert float(dice_cross_entropy(logits, target)) == pytest.approx(float(expected), rel=1e-5)


def test_ignored_pixels_change_neither_value_nor_gradient() -> None:
    torch.manual_seed(0)
    target = torch.randint(0, 2, (1, 6, 6))
    target[:, :3] = IGNORED
    a = torch.randn(1, 2, 6, 6)
    b = a.clone()
    b[:, :, :3] += 7 * torch.randn(1, 2, 3, 6)
    a.requires_grad_()
    b.requires_grad_()
    la, lb = dice_cross_entropy(a, target), dice_cross_entropy(b, target)
    assert float(la.detach()) == pytest.approx(float(lb.detach()), rel=1e-6)
    lb.backward()
    assert float(b.grad[:, :, :3].abs().max()) == 0.0
    assert float(b.grad[:, :, 3:].abs().max()) > 0.0


def test_a_batch_of_ignored_pixels_alone_is_finite() -> None:
    target = torch.full((1, 4, 4), IGNORED)
    assert torch.isfinite(dice_cross_entropy(torch.randn(1, 3, 4, 4), target))


def test_soft_cross_entropy_agrees_with_torch() -> None:
    logits, target = torch.randn(5, 4), torch.randint(0, 4, (5,))
    hot = torch.nn.functional.one_hot(target, 4).float()
    for smoothing in (0.0, 0.2):
        expected = torch.nn.functional.cross_entropy(logits, target, label_smoothing=smoothing)
        assert float(soft_cross_entropy(logits, hot, smoothing=smoothing)) == pytest.approx(float(expected), rel=1e-5)


def test_several_labels_at_once() -> None:
    logits, target = torch.tensor([[3.0, -3.0]]), torch.tensor([[1.0, 0.0]])
    assert float(multilabel(logits, target)) == pytest.approx(0.0486, abs=1e-3)
    assert float(multilabel(logits, target, smoothing=0.2)) > float(multilabel(logits, target))


def test_coarser_heads_weigh_half_and_see_thinned_labels() -> None:
    target = torch.randint(0, 2, (1, 8, 8))
    coarse = target[:, 1::2, 1::2]
    perfect = deep(dice_cross_entropy, [sure(target, 2), sure(coarse, 2)], target)
    assert float(perfect) == pytest.approx(0.0, abs=1e-3)
    wrong = dice_cross_entropy(sure(1 - coarse, 2), coarse)
    both = deep(dice_cross_entropy, [sure(target, 2), sure(1 - coarse, 2)], target)
    assert float(both) == pytest.approx(float(wrong) * 0.5 / 1.5, rel=1e-3)
