"""Points of the curves against counting boxes by hand, and against the metrics that are read off them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Boxes, CaseScore, Geometry, Scores
from isocenter.metrics import records, summarise
from isocenter.metrics.detection_points import curve

TASK = replace(catalog.task("detect"), metrics=("ap50", "froc", "sensitivity_at_1"))
GRID = Geometry((40, 40))


def boxes(places: list[int], scores: list[float] | None = None) -> Boxes:
    """Boxes of 8 x 8 pixels in numbered places of a grid."""
    edges = np.array([[(10.0 * (p // 4), 10.0 * (p % 4)), (10.0 * (p // 4) + 8, 10.0 * (p % 4) + 8)] for p in places])
    sure = None if scores is None else np.asarray(scores)
    return Boxes(edges.reshape(-1, 2, 2), np.zeros(len(places), np.int64), ("cell",), GRID, sure)


def scored(pairs: list[tuple[Boxes, Boxes]]) -> Scores:
    cases = [CaseScore(f"c{i}", f"g{i}", records(TASK, *p)) for i, p in enumerate(pairs)]
    return summarise(TASK, cases, method="m", split="test", resamples=50)


def test_points_are_those_that_a_threshold_reaches() -> None:
    found = scored([(boxes([0, 5], [0.9, 0.7]), boxes([0, 1])), (boxes([2, 3], [0.9, 0.6]), boxes([2, 3]))])
    precision = curve(found, "ap50")
    assert precision is not None and np.allclose(precision, [[0.5, 0.5, 0.75], [1.0, 2 / 3, 0.75]])
    free = curve(found, "froc", "cell")
    assert free is not None and np.allclose(free, [[0, 0, 0.5, 0.5], [0, 0.5, 0.5, 0.75]])


@pytest.mark.parametrize("seed", range(4))
def test_sensitivity_at_one_is_read_off_the_curve(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(5):
        answer = rng.permutation(16)[: rng.integers(1, 9)].tolist()
        pairs.append((boxes(answer, rng.uniform(0, 1, len(answer)).tolist()), boxes(rng.permutation(16)[:4].tolist())))
    found = scored(pairs)
    x, y = curve(found, "froc")
    assert y[x <= 1].max() == pytest.approx(found.metrics["sensitivity_at_1"]["cell"].value)


def test_without_objects_there_is_no_curve() -> None:
    assert curve(scored([(boxes([1], [0.5]), boxes([]))]), "ap50") is None
    only = curve(scored([(boxes([]), boxes([1]))]), "froc")
    assert only is not None and only.tolist() == [[0.0], [0.0]]
