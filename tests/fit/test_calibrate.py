from __future__ import annotations

import numpy as np
import pytest

from isocenter.fit.calibrate import SHARPEST, temperature, threshold
from isocenter.fit.validation import log_loss


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_found(true: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (8000, 3))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    chosen = (p.cumsum(1) > rng.random((len(p), 1))).argmax(1)
    truth = np.eye(3)[chosen]
    assert temperature(logits * true, truth) == pytest.approx(true, rel=0.06)


def test_several_labels_have_a_temperature_too() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (8000, 2))
    truth = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(float)
    assert temperature(logits * 2, truth, multilabel=True) == pytest.approx(2.0, rel=0.06)


def test_it_never_makes_val_worse_and_never_grows_certain() -> None:
    logits, truth = np.array([[9.0, -9.0], [-9.0, 9.0]]), np.eye(2)
    warm = temperature(logits, truth)
    assert warm >= SHARPEST * 0.999
    assert log_loss(logits / warm, truth) <= log_loss(logits, truth)


def test_the_threshold_has_the_best_balanced_accuracy() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.35, 0.4, 0.9])
    truth = np.array([0, 0, 0, 1, 1, 1])
    cut = threshold(p, truth)
    assert cut == pytest.approx(0.325)
    assert ((p >= cut) == truth).all()


def test_one_half_where_it_is_as_good_or_nothing_can_be_said() -> None:
    assert threshold(np.array([0.2, 0.8]), np.array([0, 1])) == 0.5
    assert threshold(np.array([0.2, 0.8]), np.array([1, 1])) == 0.5
