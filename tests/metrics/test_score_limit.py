from __future__ import annotations

import numpy as np
import pytest

from isocenter.metrics.detect import BoxSide
from isocenter.metrics.score_limit import best_limit


def side(scores: list[float], right: list[int], true: int) -> BoxSide:
    """Boxes of which those of `right` lie on a true one."""
    truth = np.array([[[40.0 * i, 0], [40.0 * i + 10, 10]] for i in range(true)]).reshape(-1, 2, 2)
    own = iter(truth)
    edges = [next(own) if r else [[0.0, 500 + 20.0 * i], [10.0, 510 + 20.0 * i]] for i, r in enumerate(right)]
    return BoxSide(np.array(edges).reshape(-1, 2, 2), np.array(scores), truth, np.zeros((0, 2, 2)))


def test_the_limit_of_the_greatest_f1() -> None:
    assert best_limit([side([0.9, 0.8, 0.4, 0.3], [1, 1, 0, 0], 2)]) == pytest.approx(0.6)
    assert best_limit([side([0.9, 0.2], [1, 1], 2), side([0.5, 0.1], [0, 0], 0)]) == pytest.approx(0.15)
    assert best_limit([side([0.9], [0], 1)]) == 0.5
    assert best_limit([]) == 0.5


def test_equal_scores_are_not_parted() -> None:
    assert best_limit([side([0.7, 0.5, 0.5, 0.2], [1, 1, 0, 0], 3)]) == pytest.approx(0.35)


def test_ignored_boxes_do_not_count() -> None:
    aside = np.array([[[0.0, 500.0], [10.0, 510.0]]])
    kept = side([0.9, 0.8, 0.4], [0, 1, 1], 2)
    out = BoxSide(kept.edges, kept.scores, kept.true, aside)
    assert best_limit([out]) == pytest.approx(0.2)
    assert out.coco[0].tolist() == [2, 1, 1]
