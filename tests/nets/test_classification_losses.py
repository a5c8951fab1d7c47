from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from isocenter.nets.classification_losses import ClassLoss, cut


def logits_of(*shares: float) -> torch.Tensor:
    """One row of logits whose softmax is these shares."""
    return torch.log(torch.tensor([shares], dtype=torch.float64)).float()


def hot(index: int, classes: int) -> torch.Tensor:
    return functional.one_hot(torch.tensor([index]), classes).float()


def drawn(n: int = 6, k: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(0)
    return torch.randn(n, k, generator=made), torch.randint(0, k, (n,), generator=made)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_with_everything_off_it_is_the_cross_entropy_of_torch(smoothing: float) -> None:
    logits, target = drawn()
    expected = functional.cross_entropy(logits, target, label_smoothing=smoothing)
    found = ClassLoss(smoothing=smoothing)(logits, functional.one_hot(target, 4).float())
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_several_labels_are_binary_cross_entropies() -> None:
    logits, target = torch.tensor([[3.0, -3.0], [0.5, 2.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    expected = functional.binary_cross_entropy_with_logits(logits, target)
    assert float(ClassLoss(multilabel=True)(logits, target)) == pytest.approx(float(expected), rel=1e-5)
    smoothed = functional.binary_cross_entropy_with_logits(logits, target * 0.8 + 0.1)
    assert float(ClassLoss(0.2, multilabel=True)(logits, target)) == pytest.approx(float(smoothed), rel=1e-5)


def test_focal_weighs_a_sure_answer_by_what_is_left() -> None:
    # (1 - 0.8)^2 of -log 0.8; and of -log 0.2 hardly less.
    assert float(ClassLoss(focal=2.0)(logits_of(0.8, 0.2), hot(0, 2))) == pytest.approx(0.04 * -math.log(0.8), rel=1e-4)
    assert float(ClassLoss(focal=2.0)(logits_of(0.8, 0.2), hot(1, 2))) == pytest.approx(0.64 * -math.log(0.2), rel=1e-4)
    # The sigmoid form of the paper: p = 0.9 for a class that holds, gamma 1.
    sigmoid = torch.tensor([[math.log(9.0)]])
    found = float(ClassLoss(focal=1.0, multilabel=True)(sigmoid, torch.ones(1, 1)))
    assert found == pytest.approx(0.1 * -math.log(0.9), rel=1e-4)


def test_weights_multiply_the_terms_of_their_class() -> None:
    weights = torch.tensor([0.5, 3.0])
    for index, expected in ((0, 0.5 * -math.log(0.7)), (1, 3.0 * -math.log(0.3))):
        found = float(ClassLoss(weights=weights)(logits_of(0.7, 0.3), hot(index, 2)))
        assert found == pytest.approx(expected, rel=1e-5)
    # Of several labels by class, where it holds and where not.
    by_side = torch.tensor([[4.0, 1.0], [1.0, 0.25]])
    zero = torch.zeros(1, 2)
    found = float(ClassLoss(weights=by_side, multilabel=True)(zero, torch.tensor([[1.0, 0.0]])))
    assert found == pytest.approx((4.0 + 0.25) / 2 * math.log(2), rel=1e-5)


def test_the_offset_is_the_adjusted_softmax_of_the_paper() -> None:
    # Frequencies 0.9 and 0.1, tau 1, equal logits: the softmax is 0.9 and 0.1.
    offset = torch.log(torch.tensor([0.9, 0.1]))
    zero = torch.zeros(1, 2)
    assert float(ClassLoss(offset=offset)(zero, hot(1, 2))) == pytest.approx(-math.log(0.1), rel=1e-5)
    # At its least the logits speak as if the classes were as frequent as each other.
    logits = torch.zeros(1, 2, requires_grad=True)
    target = torch.tensor([[0.9, 0.1]])
    ClassLoss(offset=offset)(logits, target).backward()
    assert float(logits.grad.abs().max()) < 1e-6


def test_the_loss_of_an_order_is_a_question_a_cut() -> None:
    # P(above first) = 0.5, P(above second) = 0.3; the truth is the middle class: above the first, below the second.
    found = float(ClassLoss(order=(0, 1, 2))(logits_of(0.5, 0.2, 0.3), hot(1, 3)))
    assert found == pytest.approx(-math.log(0.5) - math.log(0.7), rel=1e-5)
    # Another naming of the same order gives the same.
    assert float(ClassLoss(order=(2, 0, 1))(logits_of(0.2, 0.3, 0.5), hot(0, 3))) == pytest.approx(found, rel=1e-5)


def test_mistakes_of_two_steps_cost_more_than_of_one() -> None:
    near, far = logits_of(0.05, 0.9, 0.05), logits_of(0.05, 0.05, 0.9)
    ordinal, plain = ClassLoss(order=(0, 1, 2)), ClassLoss()
    assert float(ordinal(far, hot(0, 3))) > 1.4 * float(ordinal(near, hot(0, 3)))
    assert float(plain(far, hot(0, 3))) == pytest.approx(float(plain(near, hot(0, 3))), rel=1e-5)


def test_the_ranked_score_is_least_at_the_true_shares() -> None:
    truth = torch.tensor([[0.2, 0.5, 0.3]])
    logits = torch.log(truth).requires_grad_()
    ClassLoss(order=(0, 1, 2))(logits, truth).backward()
    assert float(logits.grad.abs().max()) < 1e-6


def test_cuts_of_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([[200.0, 0.0, -200.0]], requires_grad=True)
    loss = ClassLoss(order=(0, 1, 2), focal=1.0)(logits, hot(2, 3))
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(logits.grad).all()
    below, _ = cut(torch.log(torch.tensor([[0.2, 0.5, 0.3]])), hot(0, 3))
    assert torch.allclose(below.exp(), torch.tensor([[[0.2, 0.8], [0.7, 0.3]]]), atol=1e-6)


def test_weights_of_cuts() -> None:
    weights = torch.tensor([[2.0, 1.0], [1.0, 5.0]])
    found = float(ClassLoss(weights=weights, order=(0, 1, 2))(logits_of(0.5, 0.2, 0.3), hot(2, 3)))
    assert found == pytest.approx(1.0 * -math.log(0.5) + 5.0 * -math.log(0.3), rel=1e-5)


def test_heads_half_way_count_three_tenths_each() -> None:
    logits, target = drawn()
    shares = functional.one_hot(target, 4).float()
    one, two = ClassLoss()(logits, shares), ClassLoss()(2 * logits, shares)
    found = ClassLoss()([logits, 2 * logits, 2 * logits], shares)
    assert float(found) == pytest.approx(float(one + 0.6 * two), rel=1e-5)


def test_half_precision_is_computed_in_full() -> None:
    logits, target = drawn()
    assert ClassLoss()(logits.bfloat16(), functional.one_hot(target, 4).float()).dtype == torch.float32
