"""ROC, precision and recall, reliability and confusion of cases."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as oracle

from isocenter.data import CaseScore, Scores, Task
from isocenter.errors import InputError, NotFoundError
from isocenter.metrics import confusion, operating_point, precision_recall, reliability, roc, summarise

Cases = Callable[..., list[CaseScore]]
Scored = Callable[..., Scores]


def sample(seed: int, n: int = 80, digits: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.4
    return y, (1 / (1 + np.exp(-(rng.normal(size=n) + 1.5 * y)))).round(digits)


@pytest.mark.parametrize("digits", [8, 1])
@pytest.mark.parametrize("seed", range(4))
def test_roc_equals_scikit_learn(binary: Cases, scored: Scored, seed: int, digits: int) -> None:
    y, p = sample(seed, digits=digits)
    s = scored(binary(y, p), resamples=20)
    r = roc(s, resamples=50)
    x, t, threshold = oracle.roc_curve(y, p, drop_intermediate=False)
    every = {(round(a, 12), round(b, 12)): c for a, b, c in zip(x, t, threshold, strict=True)}
    for a, b, c in list(zip(r.rate, r.sensitivity, r.threshold, strict=True))[1:]:
        assert every[round(a, 12), round(b, 12)] == pytest.approx(c), "a corner of theirs at their threshold"
    assert np.trapezoid(r.sensitivity, r.rate) == pytest.approx(s.metrics["auc"]["all"].value, abs=1e-12)
    assert r.target == "ill" and r.array.shape[0] == 5 and np.isfinite(r.array).all()
    assert 1 < r.threshold[0] < 1.01, "nothing is decided for above every probability"


def test_band_holds_the_curve_and_narrows_with_more_cases(binary: Cases, scored: Scored) -> None:
    widths = []
    for n in (60, 600):
        r = roc(scored(binary(*sample(1, n)), resamples=5), resamples=200)
        assert (r.low <= r.sensitivity).all() and (r.sensitivity <= r.high).all()
        assert (r.low >= 0).all() and (r.high <= 1).all()
        widths.append((r.high - r.low).mean())
    assert widths[1] < 0.6 * widths[0]


def test_band_covers_pointwise(binary: Cases, scored: Scored) -> None:
    from scipy.stats import norm

    held, wanted = 0, norm.sf(norm.isf(0.3) - 1.5)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y = np.arange(120) < 60
        z = rng.normal(size=120) + 1.5 * y
        r = roc(scored(binary(y, 1 / (1 + np.exp(-z)), only=("auc",)), only=("auc",), resamples=1), resamples=200)
        held += np.interp(0.3, r.rate, r.low) <= wanted <= np.interp(0.3, r.rate, r.high)
    assert held >= 51


def test_band_resamples_groups(binary: Cases, scored: Scored) -> None:
    y, p = sample(2)
    groups = [f"g{i // 8}" for i in range(80)]
    r = roc(scored(binary(y, p, groups=groups)), resamples=100)
    assert not np.allclose(r.low, roc(scored(binary(y, p)), resamples=100).low)
    one = roc(scored(binary(y, p, groups=["g"] * 80)))
    assert one.low is None and one.array.shape[0] == 3


def test_unanswered_cases_rank_worst(binary: Cases, scored: Scored) -> None:
    r = roc(scored(binary([1, 0, 1, 0], [0.9, 0.1, None, None])), resamples=20)
    # The unanswered negative is an alarm at every threshold, the unanswered positive is found at none but the last.
    assert r.sensitivity[r.rate == 0.5].max() == 0.5 and r.rate[1] == 0.5
    assert np.isfinite(r.array).all()


def test_no_curve_without_both_kinds(binary: Cases, scored: Scored) -> None:
    s = scored(binary([1, 1], [0.3, 0.9]))
    assert roc(s) is None and operating_point(s) is None and precision_recall(s) is not None
    assert precision_recall(scored(binary([0, 0], [0.3, 0.9]))) is None


def test_the_operating_point_is_that_of_the_decisions(binary: Cases, scored: Scored) -> None:
    y, p = [1, 1, 0, 0], [0.4, 0.2, 0.35, 0.1]
    s = scored(binary(y, p, decided=["ill" if v >= 0.3 else "normal" for v in p]))
    assert operating_point(s) == (0.5, 0.5)
    r = roc(s, resamples=20)
    assert (0.5, 0.5) in set(zip(r.rate.tolist(), r.sensitivity.tolist(), strict=True)) or 0.5 in r.sensitivity
    assert s.metrics["specificity"]["all"].value == 1 - operating_point(s)[0]


@pytest.mark.parametrize("digits", [8, 1])
def test_precision_recall_equals_scikit_learn(binary: Cases, scored: Scored, digits: int) -> None:
    y, p = sample(3, digits=digits)
    s = scored(binary(y, p), resamples=20)
    recall, precision, threshold = precision_recall(s)
    q, r, t = oracle.precision_recall_curve(y, p)
    assert np.allclose(recall, r[:-1][::-1]) and np.allclose(precision, q[:-1][::-1])
    assert np.allclose(threshold, t[::-1])
    area = np.sum(np.diff(recall, prepend=0) * precision)
    assert area == pytest.approx(s.metrics["average_precision"]["all"].value)


def test_reliability_bins(binary: Cases, scored: Scored) -> None:
    y, p = sample(4, 200)
    s = scored(binary(y, p), resamples=20)
    r = reliability(s)
    assert r.array.shape == (5, 10) and r.n.sum() == 200 and set(r.n) == {20}
    assert (np.diff(r.claimed) > 0).all() and (r.low <= r.observed).all() and (r.observed <= r.high).all()
    share, claimed = oracle_bins(y, p, 10)
    assert np.allclose(r.observed, share) and np.allclose(r.claimed, claimed)
    assert r.error == s.metrics["ece"]["all"].value < r.plain
    assert reliability(s, bins=4).array.shape == (5, 4)


def oracle_bins(y: np.ndarray, p: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.calibration import calibration_curve

    return calibration_curve(y, p, n_bins=bins, strategy="quantile")


def test_reliability_of_groups_resamples_them(binary: Cases, scored: Scored) -> None:
    y, p = sample(5, 200)
    groups = [f"g{i // 4}" for i in range(200)]
    single, grouped = (reliability(scored(binary(y, p, **k))) for k in ({}, {"groups": groups}))
    assert np.allclose(single.observed, grouped.observed) and not np.allclose(single.low, grouped.low)
    assert np.isfinite(grouped.array).all()


def test_confusion_equals_scikit_learn(classified: Cases, scored: Scored) -> None:
    rng = np.random.default_rng(6)
    y, p = rng.integers(0, 3, 50), rng.dirichlet([1, 1, 1], 50)
    s = scored(classified(y, p, ("a", "b", "c")), resamples=20)
    c = confusion(s)
    assert c.rows == c.columns == ("a", "b", "c")
    assert np.array_equal(c.counts, oracle.confusion_matrix(y, p.argmax(axis=1)))
    one = confusion(s, "b")
    assert one.rows == ("not b", "b")
    assert np.array_equal(one.counts, oracle.confusion_matrix(y == 1, p.argmax(axis=1) == 1))


def test_confusion_has_a_column_for_no_answer(binary: Cases, scored: Scored) -> None:
    c = confusion(scored(binary([1, 0, 1], [0.9, None, 0.2])))
    assert c.columns == ("normal", "ill", "not evaluated") and c.counts.tolist() == [[0, 0, 1], [1, 1, 0]]


def test_several_labels_have_curves_by_class_only(classified: Cases, scored: Scored) -> None:
    rng = np.random.default_rng(7)
    s = scored(classified(list(rng.random((30, 3)) < 0.5), rng.random((30, 3)), ("a", "b", "c")), resamples=20)
    assert roc(s, "b", resamples=20).target == "b" and confusion(s, "c").counts.sum() == 30
    for asked in (lambda: confusion(s), lambda: roc(s)):
        with pytest.raises(InputError):
            asked()
    with pytest.raises(NotFoundError, match="no class"):
        roc(s, "d")


def test_a_segmentation_has_no_curves(segment: Task, overlaps: Cases) -> None:
    s = summarise(segment, overlaps([0.5, 0.6]), method="m", split="test", resamples=10)
    with pytest.raises(InputError, match="classification"):
        roc(s)
