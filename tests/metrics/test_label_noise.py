"""Flipped labels are found, and what is counted is what the paper counts."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.metrics.label_noise import margins, suspects, suspects_of


def flipped(n: int = 600, classes: int = 3, share: float = 0.1, seed: int = 0) -> tuple:
    """Out-of-fold probabilities of a fair model of known truth, and labels of which a share was flipped."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    logits = rng.normal(0, 1, (n, classes))
    logits[np.arange(n), truth] += 3
    p = np.exp(logits)
    p /= p.sum(1, keepdims=True)
    wrong = rng.random(n) < share
    given = np.where(wrong, (truth + rng.integers(1, classes, n)) % classes, truth)
    return p, given, wrong, truth


def area(score: np.ndarray, positive: np.ndarray) -> float:
    a, b = score[positive], score[~positive]
    return float((a[:, None] > b).mean() + 0.5 * (a[:, None] == b).mean())


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_flipped_labels_have_the_lowest_margins(classes: int) -> None:
    p, given, wrong, _ = flipped(classes=classes)
    assert area(-margins(p, given), wrong) > 0.95


def test_suspects_are_mostly_flips_and_name_the_true_class() -> None:
    p, given, wrong, truth = flipped()
    found = suspects(p, given)
    assert wrong[found.index].mean() > 0.75
    assert wrong[found.index].sum() > 0.6 * wrong.sum()
    both = found.index[wrong[found.index]]
    assert (found.likely[wrong[found.index]] == truth[both]).mean() > 0.95
    assert (np.diff(found.margin) >= 0).all()
    assert found.noise == pytest.approx(0.1, abs=0.04)
    # The worst first: among the first ten hardly one is right.
    assert wrong[found.index[:10]].sum() >= 9


def test_clean_labels_give_few_suspects() -> None:
    p, given, _, _ = flipped(share=0.0)
    assert len(suspects(p, given).index) < 0.06 * len(p)


def test_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9], [0.8, 0.2]])
    given = np.array([0, 0, 0, 1, 1, 1])
    # Limits: (0.9 + 0.7 + 0.2) / 3 = 0.6 and (0.6 + 0.9 + 0.2) / 3 = 0.567.
    found = suspects(p, given)
    assert found.index.tolist() == [2, 5]
    assert found.likely.tolist() == [1, 0]
    assert found.margin == pytest.approx([-0.6, -0.6])
    assert found.joint == pytest.approx(np.array([[2, 1], [1, 2]]) / 6)
    assert found.noise == pytest.approx(1 / 3)


def test_a_class_of_which_the_model_is_never_sure_asks_for_less() -> None:
    p = np.array([[0.9, 0.1], [0.95, 0.05], [0.62, 0.38], [0.6, 0.4], [0.65, 0.35]])
    given = np.array([0, 0, 0, 1, 1])
    # Limits 0.823 and 0.375: 0.38 for the second class is as sure as it ever is, though it is the less probable.
    found = suspects(p, given)
    assert found.index.tolist() == [2]
    assert found.margin[0] == pytest.approx(0.24)


def test_of_records_with_unanswered_cases() -> None:
    def record(truth: str, a: float | None) -> dict:
        p = None if a is None else {"a": a, "b": 1 - a}
        return {"truth": {c: int(c == truth) for c in "ab"}, "p": p}

    rows = [record("a", 0.9), record("a", None), record("a", 0.1), record("b", 0.1), record("b", 0.2)]
    found = suspects_of(rows)
    assert found.index.tolist() == [2]
    assert found.likely.tolist() == [1]
    several = [r | {"multilabel": True} for r in rows]
    with pytest.raises(InputError, match="one holds"):
        suspects_of(several)


def test_what_cannot_be_asked_is_refused() -> None:
    p = np.array([[0.5, 0.5], [0.2, 0.8]])
    with pytest.raises(InputError, match="do not fit"):
        suspects(p, np.array([0]))
    with pytest.raises(InputError, match="do not fit"):
        suspects(p[:, :1], np.array([0, 0]))
    with pytest.raises(InputError, match="each class needs a case"):
        suspects(p, np.array([0, 0]))
    with pytest.raises(InputError, match="each class needs a case"):
        suspects(p, np.array([0, 2]))
    with pytest.raises(InputError, match="not finite"):
        suspects(np.array([[np.nan, 1], [0.2, 0.8]]), np.array([0, 1]))
