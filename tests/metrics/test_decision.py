from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import NotFoundError
from isocenter.metrics.decision import THRESHOLDS, decision_curve

rng = np.random.default_rng(0)


def test_net_benefit_is_the_published_formula(binary, scored) -> None:
    truth, p = rng.integers(0, 2, 60), rng.random(60)
    curve = decision_curve(scored(binary(truth, p), resamples=10), "ill", resamples=50)
    assert curve is not None and curve.n == 60 and np.array_equal(curve.threshold, THRESHOLDS)
    for i in (4, 49, 80):
        t = THRESHOLDS[i]
        tp, fp = ((p >= t) & (truth == 1)).sum(), ((p >= t) & (truth == 0)).sum()
        assert curve.benefit[i] == pytest.approx(tp / 60 - fp / 60 * t / (1 - t))
        assert curve.treat_all[i] == pytest.approx(truth.mean() - (1 - truth.mean()) * t / (1 - t))
    assert curve.low is not None and (curve.low <= curve.benefit + 0.05).all() and (curve.high >= curve.low).all()


def test_a_good_method_gains_and_a_random_one_does_not(binary, scored) -> None:
    truth = np.arange(200) % 2
    better = np.clip(0.7 * truth + 0.3 * rng.random(200), 0, 1)
    good = decision_curve(scored(binary(truth, better), resamples=10), "ill", resamples=300)
    assert good is not None and good.useful is not None and good.useful[0] <= 0.3 and good.useful[1] >= 0.6
    assert good.benefit[49] == pytest.approx(0.5) and good.gain[49] == pytest.approx(0.5)
    poor = decision_curve(scored(binary(truth, rng.random(200)), resamples=10), "ill", resamples=300)
    assert poor is not None and poor.useful is None


def test_the_interval_covers_the_truth(binary, scored) -> None:
    inside = 0
    for seed in range(20):
        own = np.random.default_rng(seed)
        p = own.random(150)
        truth = (own.random(150) < p).astype(int)
        curve = decision_curve(scored(binary(truth, p), resamples=5), "ill", resamples=200)
        # At a threshold t a calibrated uniform p has the benefit (1 - t^2) / 2 - (1 - t)^2 / 2 * t / (1 - t).
        t = 0.3
        true = (1 - t * t) / 2 - (1 - t) * t / 2
        inside += bool(curve.low[29] <= true <= curve.high[29])
    assert inside >= 17


def test_no_answer_is_wrong_at_every_threshold(binary, scored) -> None:
    curve = decision_curve(scored(binary([1, 0, 1, 0], [None, None, 0.9, 0.1]), resamples=5), "ill", resamples=20)
    assert curve is not None and curve.benefit[49] == pytest.approx(1 / 4 - 1 / 4)


def test_where_there_is_no_curve(binary, scored, classify) -> None:
    scores = scored(binary([1, 1], [0.3, 0.4]), resamples=5)
    assert decision_curve(scores, "ill") is None
    with pytest.raises(NotFoundError):
        decision_curve(scores, "il")
    decided = scored(binary([1, 0], [0.3, 0.4], only=("accuracy",)), only=("accuracy",), resamples=5)
    assert decision_curve(decided, "ill") is None
    alone = scored(binary([1, 0], [0.3, 0.4], groups=["a", "a"]), resamples=5)
    curve = decision_curve(alone, "ill")
    assert curve is not None and curve.low is None and curve.useful is None
