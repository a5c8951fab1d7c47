from __future__ import annotations

import numpy as np
import pytest

from isocenter.metrics.recalibration import CHECKED, Check, checked, gap, halves


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def simulated(n: int, k: int = 2) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Logits that are calibrated as they are, truth, and patients of two cases each."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (n, k))
    truth = np.eye(k)[(softmax(logits).cumsum(1) > rng.random((n, 1))).argmax(1)]
    return logits, truth, [f"p{i // 2}" for i in range(n)]


def test_halves_keep_patients_together_and_are_halves() -> None:
    groups = [f"p{i % 30}" for i in range(101)]
    first = halves(groups)
    assert not {g for g, f in zip(groups, first, strict=True) if f} & {
        g for g, f in zip(groups, first, strict=True) if not f
    }
    assert 40 <= first.sum() <= 60
    assert np.array_equal(first, halves(groups)) and not np.array_equal(first, halves(groups, seed=1))
    assert halves(["a"]).sum() == 1 and len(halves([])) == 0


def test_a_map_that_does_harm_is_seen_and_one_that_mends() -> None:
    logits, truth, groups = simulated(600)

    def sharper(some: np.ndarray, true: np.ndarray):
        assert len(some) == len(true) == halves(groups).sum()
        return lambda z: softmax(4 * z)

    harm = checked((logits, truth), groups, bare=softmax, fit=sharper)
    assert harm is not None and harm.harms and harm.n == (~halves(groups)).sum() and f"{harm.after:.4f}" in harm.text()
    good = checked((logits, truth), groups, bare=lambda z: softmax(4 * z), fit=lambda *_: softmax)
    assert good is not None and not good.harms and good.after < 0.3 * good.before
    assert not Check(0.1, 0.1, 50).harms


def test_few_cases_and_one_sided_halves_are_not_checked() -> None:
    logits, truth, groups = simulated(60)
    few = CHECKED - 1
    assert checked((logits[:few], truth[:few]), groups[:few], bare=softmax, fit=lambda *_: softmax) is None
    assert checked((logits, np.eye(2)[[0] * 60]), groups, bare=softmax, fit=lambda *_: softmax) is None


def test_the_gap_is_of_the_second_of_two_classes_else_the_mean() -> None:
    logits, truth, _ = simulated(4000, 3)
    assert gap(softmax(logits), truth) < 0.01 < gap(softmax(3 * logits), truth)
    p = np.tile([0.3, 0.7], (1000, 1))
    ten = np.eye(2)[(np.arange(1000) % 10 != 0).astype(int)]
    assert gap(p, ten) == pytest.approx(0.2, abs=0.01) == gap(p, ten, multilabel=True)
