from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from isocenter.errors import RecipeError
from isocenter.nets.losses import (
    IGNORED,
    TERMS,
    USUAL,
    Seen,
    deep,
    dice_cross_entropy,
    parts_of,
    segmentation_loss,
    soft_skeleton,
)


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


def test_coarser_heads_weigh_half_and_see_thinned_labels() -> None:
    target = torch.randint(0, 2, (1, 8, 8))
    coarse = target[:, 1::2, 1::2]
    perfect = deep(dice_cross_entropy, [sure(target, 2), sure(coarse, 2)], target)
    assert float(perfect) == pytest.approx(0.0, abs=1e-3)
    wrong = dice_cross_entropy(sure(1 - coarse, 2), coarse)
    both = deep(dice_cross_entropy, [sure(target, 2), sure(1 - coarse, 2)], target)
    assert float(both) == pytest.approx(float(wrong) * 0.5 / 1.5, rel=1e-3)


def two(seed: int = 0, size: int = 8, rank: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(seed)
    grid = (size,) * rank
    return torch.randn(2, 3, *grid, generator=made), torch.randint(0, 3, (2, *grid), generator=made)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("name", list(TERMS))
def test_every_term_is_least_for_the_right_answer_and_has_a_gradient(name: str, rank: int) -> None:
    logits, target = two(size=6, rank=rank)
    target[:, 2:4] = 1
    loss = segmentation_loss(name)
    right, wrong = float(loss(sure(target, 3), target)), float(loss(sure((target + 1) % 3, 3), target))
    assert right < wrong
    if name != "boundary":
        assert right == pytest.approx(0.0, abs=2e-3)
    logits.requires_grad_()
    loss(logits, target).backward()
    assert torch.isfinite(logits.grad).all()
    assert float(logits.grad.abs().sum()) > 0


@pytest.mark.parametrize("name", list(TERMS))
def test_no_term_looks_at_ignored_pixels(name: str) -> None:
    logits, target = two()
    target[:, :3] = IGNORED
    other = logits.clone()
    other[:, :, :3] += 7
    logits.requires_grad_()
    value = segmentation_loss(name)(logits, target)
    if name != "boundary":
        # Distances to the edge of what is not known would be guesses, so that edge counts as one.
        assert float(value.detach()) == pytest.approx(float(segmentation_loss(name)(other, target)), rel=1e-5)
    value.backward()
    assert float(logits.grad[:, :, :3].abs().max()) == 0.0
    blank = torch.full_like(target, IGNORED)
    assert math.isfinite(float(segmentation_loss(name)(other, blank)))


def test_terms_have_the_values_of_their_papers() -> None:
    logits, target = two(1)
    p, hot = logits.softmax(1).double(), torch.nn.functional.one_hot(target, 3).movedim(-1, 1).double()
    own = (p * hot).sum(1)
    seen = Seen(logits, target)
    assert float(TERMS["cross_entropy"](seen)) == pytest.approx(float(-own.log().mean()), rel=1e-5)
    assert float(TERMS["focal"](seen)) == pytest.approx(float(-((1 - own) ** 2 * own.log()).mean()), rel=1e-5)
    axes = (0, 2, 3)
    both, found, there = (p * hot).sum(axes), p.sum(axes), hot.sum(axes)
    weight = 1 / there**2
    generalised = 1 - 2 * (weight * both).sum() / (weight * (found + there)).sum()
    assert float(TERMS["generalised_dice"](seen)) == pytest.approx(float(generalised), rel=1e-5)
    more, missed = (p * (1 - hot)).sum(axes), ((1 - p) * hot).sum(axes)
    tversky = 1 - (both + 0.5) / (both + 0.3 * more + 0.7 * missed + 0.5)
    assert float(TERMS["tversky"](seen)) == pytest.approx(float(tversky[1:].mean()), rel=1e-5)


def test_tversky_prefers_too_much_to_too_little() -> None:
    target = torch.zeros(1, 12, 12, dtype=torch.long)
    target[:, 3:9, 3:9] = 1
    more, less = target.clone(), target.clone()
    more[:, 2, 3:9] = 1
    less[:, 8, 3:9] = 0
    loss = segmentation_loss("tversky")
    assert float(loss(sure(more, 2), target)) < float(loss(sure(less, 2), target))


def test_a_class_that_the_batch_lacks_still_costs_in_generalised_dice() -> None:
    target = torch.zeros(1, 8, 8, dtype=torch.long)
    target[:, :2] = 1
    found = target.clone()
    found[:, 6:] = 2
    loss = segmentation_loss("generalised_dice")
    assert float(loss(sure(found, 3), target)) > float(loss(sure(target, 3), target)) + 0.1


def test_the_soft_skeleton_of_a_bar_is_its_middle_line() -> None:
    bar = torch.zeros(1, 1, 15, 40)
    bar[..., 5:10, 4:36] = 1
    skeleton = soft_skeleton(bar)[0, 0].numpy()
    rows = np.flatnonzero(skeleton[:, 12:28].sum(1) > 0)
    assert rows.tolist() == [7]
    assert skeleton[7, 8:32].min() == 1.0
    volume = torch.zeros(1, 1, 9, 9, 20)
    volume[:, :, 3:6, 3:6] = 1
    assert float(soft_skeleton(volume)[0, 0, 4, 4, 5:15].min()) == 1.0


def test_a_gap_in_a_tube_costs_more_on_the_centreline_than_in_overlap() -> None:
    target = torch.zeros(1, 24, 64, dtype=torch.long)
    target[:, 10:15] = 1
    thinner, broken = target.clone(), target.clone()
    thinner[:, 14] = 0
    broken[:, :, 26:39] = 0
    assert int((thinner != target).sum()) == int((broken != target).sum()) - 1
    centre, overlap = segmentation_loss("cldice"), segmentation_loss("dice")
    assert float(overlap(sure(thinner, 2), target)) == pytest.approx(float(overlap(sure(broken, 2), target)), abs=0.01)
    assert float(centre(sure(thinner, 2), target)) < 0.5 * float(centre(sure(broken, 2), target))


def test_terms_add_up_with_their_weights() -> None:
    logits, target = two(2)
    both = segmentation_loss("tversky+focal", focal=2.0)(logits, target)
    parts = [float(segmentation_loss(n)(logits, target)) for n in ("tversky", "focal")]
    assert float(both) == pytest.approx(parts[0] + 2 * parts[1], rel=1e-6)


def test_the_usual_loss_is_bit_for_bit_what_it_was_and_heads_are_weighed() -> None:
    logits, target = two(3)
    assert torch.equal(segmentation_loss(USUAL)(logits, target), dice_cross_entropy(logits, target))
    heads = [logits, logits[..., ::2, ::2]]
    for name in (USUAL, "focal"):
        loss = dice_cross_entropy if name == USUAL else segmentation_loss("focal")
        assert torch.equal(segmentation_loss(name)(heads, target), deep(loss, heads, target))
    assert float(segmentation_loss("cross_entropy+dice")(logits, target)) == pytest.approx(
        float(dice_cross_entropy(logits, target)), rel=1e-6
    )


def test_unknown_terms_and_weights_are_refused_with_the_nearest() -> None:
    assert parts_of("dice + focal") == ("dice", "focal")
    with pytest.raises(RecipeError, match="Did you mean focal"):
        segmentation_loss("dice+focall")
    with pytest.raises(RecipeError, match="stands twice"):
        segmentation_loss("dice+dice")
    with pytest.raises(RecipeError, match="does not hold"):
        segmentation_loss("dice", focal=1.0)
