from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.isotonic import IsotonicRegression

from isocenter.ops.calibration import LEAST, MOST, calibrated, flaw, isotonic, platt

rng = np.random.default_rng(0)


def drawn(n: int, k: int, *, slope: float = 1.0, offset: np.ndarray | float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits and truths of which softmax(slope * logits + offset) is the true probability."""
    x = rng.normal(0, 2, (n, k))
    p = softmax(slope * x + offset, axis=1)
    return x, np.eye(k)[(p.cumsum(1) > rng.random((n, 1))).argmax(1)]


def loss(p: np.ndarray, y: np.ndarray) -> float:
    return float(-np.log((p * y).sum(1)).mean())


def test_platt_finds_slope_and_offsets() -> None:
    true = np.array([0.8, -0.3, -0.5])
    x, y = drawn(20000, 3, slope=0.5, offset=true)
    found = platt(x, y)
    assert found["slope"] == pytest.approx([0.5] * 3, abs=0.03) and found["offset"] == pytest.approx(true, abs=0.06)
    assert sum(found["offset"]) == pytest.approx(0, abs=1e-9)
    assert loss(calibrated(x, found), y) < loss(softmax(x, axis=1), y)


def test_platt_of_labels_finds_each() -> None:
    x = rng.normal(0, 2, (20000, 2))
    y = (rng.random(x.shape) < expit(x * [2.0, 0.5] + [1.0, -1.0])).astype(float)
    found = platt(x, y, multilabel=True)
    assert found["slope"] == pytest.approx([2.0, 0.5], rel=0.06) and found["offset"] == pytest.approx([1, -1], abs=0.1)


def test_platt_keeps_the_order_of_cases_and_is_never_certain() -> None:
    x, y = np.array([[3.0, -3.0], [2.0, -2.0], [-2.0, 2.0], [-3.0, 3.0]]), np.eye(2)[[0, 0, 1, 1]]
    p = calibrated(x, platt(x, y))[:, 1]
    assert (np.diff(p) > 0).all() and p[0] > 0 and p[-1] < 0.9
    one_class = calibrated(x, platt(x, np.eye(2)[[0, 0, 0, 0]]))
    assert np.isfinite(one_class).all() and (one_class > 0).all()


def test_isotonic_is_pool_adjacent_violators() -> None:
    x, y = drawn(500, 2, slope=0.3)
    p = softmax(x, axis=1)[:, 1]
    how = isotonic(x, y)
    mine = calibrated(x, how)[:, 1]
    theirs = IsotonicRegression(out_of_bounds="clip").fit_transform(p, y[:, 1])
    assert how["value"][1] == pytest.approx(np.clip(np.unique(theirs), LEAST, 1 - LEAST))
    assert how["at"][1] == pytest.approx([p[theirs == v].mean() for v in np.unique(theirs)])
    # The blocks are joined by lines, so that most ties are broken.
    order = np.argsort(p)
    assert (np.diff(mine[order]) >= -1e-12).all() and len(np.unique(mine)) > len(np.unique(theirs))


def test_isotonic_sums_to_one_and_mends_many_classes() -> None:
    for k in (2, 4):
        x, y = drawn(4000, k, slope=0.4)
        new, truth = drawn(4000, k, slope=0.4)
        how = isotonic(x, y)
        p = calibrated(new, how)
        assert p.sum(1) == pytest.approx(1) and (p > 0).all() and loss(p, truth) < loss(softmax(new, axis=1), truth)
        assert max(map(len, how["at"])) <= MOST


def test_the_two_classes_of_an_isotonic_map_agree() -> None:
    x, y = drawn(300, 2)
    how = isotonic(x, y)
    raw = [np.interp(softmax(x, axis=1)[:, k], how["at"][k], how["value"][k]) for k in (0, 1)]
    assert raw[0] + raw[1] == pytest.approx(1)


@pytest.mark.parametrize("make", [platt, isotonic])
@pytest.mark.parametrize("multilabel", [False, True])
def test_they_are_plain_numbers_without_flaw(make, multilabel) -> None:
    x, y = drawn(60, 3)
    how = make(x, y, multilabel=multilabel)
    again = json.loads(json.dumps(how, allow_nan=False))
    assert flaw(again, 3) == "" and "3" not in flaw(again, 3) and "2 entries" in flaw(again, 2)
    same = calibrated(x, again, multilabel=multilabel)
    assert np.array_equal(same, calibrated(x, how, multilabel=multilabel))


@pytest.mark.parametrize("how", [
    None, {}, {"kind": "spline"}, {"kind": "platt", "slope": [1.0, -1.0], "offset": [0.0, 0.0]},
    {"kind": "platt", "slope": [1.0, float("nan")], "offset": [0.0, 0.0]},
    {"kind": "platt", "slope": "ab", "offset": [0, 0]},
    {"kind": "platt", "slope": [1.0, True], "offset": [0.0, 0.0]},
    {"kind": "isotonic", "at": [[0.1, 0.5], [0.5, 0.4]], "value": [[0.1, 0.2], [0.3, 0.4]]},
    {"kind": "isotonic", "at": [[0.1], [0.5]], "value": [[0.0], [0.4]]},
    {"kind": "isotonic", "at": [[0.1], []], "value": [[0.1], []]},
    {"kind": "isotonic", "at": [[0.1], [0.5]], "value": [[0.1], [1.4]]},
])  # fmt: skip
def test_what_cannot_be_is_told(how) -> None:
    assert flaw(how, 2)
