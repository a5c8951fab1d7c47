from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import UsageError
from isocenter.metrics.selective import answered_from, limit_for, risk_coverage


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return (rng.random(n) < p).astype(int), p


def test_the_curve_and_its_area(binary, scored) -> None:
    truth, p = [1, 0, 1, 0], [0.9, 0.2, 0.4, 0.55]
    found = risk_coverage(scored(binary(truth, p), resamples=5), resamples=20)
    assert found is not None
    assert found.confidence == pytest.approx([0.9, 0.8, 0.6, 0.55])
    assert found.coverage == pytest.approx([0.25, 0.5, 0.75, 1]) and found.risk == pytest.approx([0, 0, 1 / 3, 0.5])
    assert found.area.value == pytest.approx(np.mean([0, 0, 1 / 3, 0.5])) and found.area.n == 4


def test_ties_come_in_together(binary, scored) -> None:
    found = risk_coverage(scored(binary([1, 0, 1], [0.7, 0.7, 0.9]), resamples=5), resamples=5)
    assert found is not None and found.coverage == pytest.approx([1 / 3, 1]) and found.risk == pytest.approx([0, 1 / 3])
    assert found.area.value == pytest.approx((0 + 2 * (1 / 3)) / 3)


def test_a_limit_from_val_keeps_its_word_on_other_cases(binary, scored) -> None:
    val, test = (scored(binary(*drawn(1200, s)), resamples=5) for s in (0, 1))
    limit = limit_for(val, 0.1)
    assert limit is not None and 0.8 < limit < 0.95
    found = answered_from(test, limit, resamples=50)
    assert found["risk"].value <= 0.1 and 0.1 < found["answered"].value < 0.5
    assert found["risk"].low < found["risk"].value < found["risk"].high
    assert answered_from(val, limit, resamples=5)["risk"].value <= 0.1


def test_no_limit_suffices_or_none_is_needed(binary, scored) -> None:
    poor = scored(binary([0, 1] * 10, [0.9, 0.1] * 10), resamples=5)
    assert limit_for(poor, 0.1) is None
    good = scored(binary([0, 1] * 10, [0.1, 0.8] * 10), resamples=5)
    # 0 of 20 may still be 1 - 0.05 ** (1 / 20) = 0.139.
    assert limit_for(good, 0.14) == pytest.approx(0.8) and limit_for(good, 0.139) is None
    for risk in (0, 1, -1):
        with pytest.raises(UsageError):
            limit_for(good, risk)


def test_no_answer_is_wrong_and_least_sure(binary, scored) -> None:
    found = risk_coverage(scored(binary([1, 0, 1], [0.9, 0.1, None]), resamples=5), resamples=5)
    assert found is not None and found.risk[-1] == pytest.approx(1 / 3) and found.confidence[-1] == 0


def test_the_decision_counts_where_thresholds_decide(classified, scored) -> None:
    cases = classified([1, 0], [(0.7, 0.3), (0.9, 0.1)], decided=["ill", "normal"])
    found = risk_coverage(scored(cases, resamples=5), resamples=5)
    assert found is not None and found.risk.tolist() == [0, 0] and found.confidence == pytest.approx([0.9, 0.3])


def test_several_labels_have_no_curve(classified, scored) -> None:
    cases = classified([(1, 0), (1, 1)], [(0.7, 0.2), (0.6, 0.9)])
    scores = scored(cases, resamples=5)
    assert risk_coverage(scores) is None and limit_for(scores, 0.1) is None and answered_from(scores, 0.5) == {}
