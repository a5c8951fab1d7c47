"""Boxes."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry
from isocenter.errors import LabelError

GRID = Geometry.from_spacing((10, 20), (2.0, 0.5))
TWO = np.array([[[-0.5, 1.5], [3.5, 9.5]], [[4.5, 4.5], [5.5, 6.5]]])


def boxes(edges: np.ndarray = TWO, labels: tuple[int, ...] = (0, 1), **more: object) -> Boxes:
    return Boxes(edges, np.array(labels, np.int64), ("red", "white"), GRID, **more)  # type: ignore[arg-type]


def test_sizes_in_pixels_and_millimetres() -> None:
    found = boxes()
    assert len(found) == 2
    assert found.sizes.tolist() == [[4.0, 8.0], [1.0, 2.0]]
    assert found.sizes_mm is not None and found.sizes_mm.tolist() == [[8.0, 4.0], [2.0, 1.0]]
    unknown = Boxes(TWO, np.zeros(2, np.int64), ("a",), Geometry((10, 20)))
    assert unknown.sizes_mm is None


def test_ranked_by_score_and_stable() -> None:
    found = boxes(scores=np.array([0.2, 0.9]), ignored=np.array([True, False])).ranked()
    assert found.labels.tolist() == [1, 0]
    assert found.scores is not None and found.scores.tolist() == [0.9, 0.2]
    assert found.ignored is not None and found.ignored.tolist() == [False, True]
    assert boxes().ranked().labels.tolist() == [0, 1]
    assert boxes(scores=np.array([0.5, 0.5])).ranked().labels.tolist() == [0, 1]


def test_none_is_an_answer_and_a_truth() -> None:
    answer, truth = Boxes.none(("a",), GRID), Boxes.none(("a",), GRID, scored=False)
    assert len(answer) == 0 and answer.scores is not None and len(answer.scores) == 0
    assert truth.scores is None and truth.edges.shape == (0, 2, 2)


def test_chosen_by_position_and_by_condition() -> None:
    found = boxes(scores=np.array([0.2, 0.9]))
    assert found.chosen(np.array([1])).labels.tolist() == [1]
    assert found.chosen(np.array([True, False])).edges.tolist() == TWO[:1].tolist()


@pytest.mark.parametrize(
    ("edges", "labels", "more"),
    [
        (TWO[:, ::-1], (0, 1), {}),
        (np.full((2, 2, 2), np.nan), (0, 1), {}),
        (TWO[:1], (0, 1), {}),
        (np.zeros((2, 2, 3)), (0, 1), {}),
        (TWO, (0, 2), {}),
        (TWO, (-1, 0), {}),
        (TWO, (0, 1), {"scores": np.array([0.5])}),
        (TWO, (0, 1), {"scores": np.array([0.5, 1.5])}),
        (TWO, (0, 1), {"scores": np.array([0.5, np.nan])}),
        (TWO, (0, 1), {"ignored": np.array([True])}),
    ],
)
def test_refusals(edges: np.ndarray, labels: tuple[int, ...], more: dict[str, object]) -> None:
    with pytest.raises(LabelError):
        boxes(edges, labels, **more)
