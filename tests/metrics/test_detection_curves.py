"""Curves of pooled boxes against counting image by image, also where images count several times."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.metrics import detection_curves
from isocenter.metrics.detection_curves import RATES, Answered, average_precision, sensitivity_at
from isocenter.ops.matching import FALSE, OUT, TRUE

Rows = list[tuple[float, int]]


def drawn(rng: np.random.Generator, n: int, *, criteria: int = 1, most: int = 12) -> Answered:
    per = rng.integers(0, most, n)
    image = np.repeat(np.arange(n), per)
    hits = rng.choice([FALSE, TRUE, OUT], (criteria, len(image)), p=[0.5, 0.4, 0.1]).astype(np.int8)
    right = np.array([(hits[:, image == i] == TRUE).sum(axis=1).max(initial=0) for i in range(n)])
    return Answered(image, rng.permutation(len(image)) / 100, hits, right + rng.integers(0, 3, n).astype(float))


def pooled(a: Answered, weights: np.ndarray, criterion: int = 0) -> tuple[Rows, int]:
    """The boxes with every image repeated as often as it counts, by falling score; and the number to find."""
    rows = [(float(s), int(h)) for i, s, h in zip(a.image, a.scores, a.hits[criterion], strict=True)
            for _ in range(int(weights[i]))]
    return sorted(rows, key=lambda r: -r[0]), int(weights @ a.true)


def plain_precision(rows: Rows, total: int) -> float:
    right = wrong = 0
    points = []
    for _, kind in rows:
        right, wrong = right + (kind == TRUE), wrong + (kind == FALSE)
        points.append((right / total, right / max(right + wrong, 1)))
    at = [max((p for r, p in points if r >= x), default=0.0) for x in np.linspace(0, 1, 101)]
    return float(np.mean(at))


def plain_sensitivity(rows: Rows, total: int, most: float) -> float:
    best = 0.0
    for threshold in {s for s, _ in rows}:
        chosen = [k for s, k in rows if s >= threshold]
        if chosen.count(FALSE) <= most:
            best = max(best, chosen.count(TRUE) / total)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_average_precision_equals_copying_images(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = drawn(rng, 6, criteria=3)
    weights = rng.integers(0, 4, (5, 6)).astype(float)
    got = average_precision(a)(weights)
    for value, w in zip(got, weights, strict=True):
        each = [plain_precision(*pooled(a, w, k)) for k in range(3)]
        assert value == pytest.approx(np.mean(each), abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("first", [1, 1024])
def test_sensitivity_equals_copying_images(seed: int, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection_curves, "FIRST", first)
    rng = np.random.default_rng(seed)
    a = drawn(rng, 6)
    a = Answered(a.image, np.round(a.scores, 1) if seed % 2 else a.scores, a.hits, a.true)
    weights = rng.integers(0, 4, (5, 6)).astype(float)
    for rates in (RATES, (1.0,)):
        for value, w in zip(sensitivity_at(a, rates)(weights), weights, strict=True):
            each = [plain_sensitivity(*pooled(a, w), most=r * w.sum()) for r in rates]
            assert value == pytest.approx(np.mean(each), abs=1e-12)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a, weights = drawn(rng, 9, criteria=2), rng.integers(0, 3, (7, 9)).astype(float)
    one = Answered(a.image, a.scores, a.hits[:1], a.true)
    whole = average_precision(a)(weights), sensitivity_at(one, RATES)(weights)
    monkeypatch.setattr(detection_curves, "BLOCK", 1)
    np.testing.assert_allclose(average_precision(a)(weights), whole[0], rtol=1e-14)
    np.testing.assert_allclose(sensitivity_at(one, RATES)(weights), whole[1], rtol=1e-14)


def test_no_box_and_nothing_to_find() -> None:
    nothing = Answered(np.zeros(0, int), np.zeros(0), np.zeros((1, 0), np.int8), np.array([0.0, 2.0]))
    for at in (average_precision(nothing), sensitivity_at(nothing, RATES)):
        values = at(np.array([[1.0, 1.0], [1.0, 0.0]]))
        assert values[0] == 0.0 and np.isnan(values[1]) and at(np.zeros((0, 2))).shape == (0,)


def test_a_recall_that_is_a_whole_hundredth_is_read_as_coco_reads_it() -> None:
    # 57 of 100 found, then only false ones: 57 * 0.01 lies above 0.57 in floats, so 57 recalls are met, not 58.
    n = 57
    a = Answered(np.zeros(n, int), np.linspace(1, 0.5, n), np.full((1, n), TRUE, np.int8), np.array([100.0]))
    assert average_precision(a)(np.ones((1, 1)))[0] == pytest.approx(57 / 101)
    b = Answered(np.zeros(50, int), np.linspace(1, 0.5, 50), np.full((1, 50), TRUE, np.int8), np.array([100.0]))
    assert average_precision(b)(np.ones((1, 1)))[0] == pytest.approx(51 / 101)
