"""Objects, each by itself."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import OBJECT, Geometry, Instances
from isocenter.errors import LabelError

GRID = Geometry.from_spacing((6, 8), (1.0, 1.0))
MAP = np.zeros((6, 8), np.uint16)
MAP[1:3, 2:5] = 7
MAP[4, 0] = 900


def test_from_a_label_map_and_back() -> None:
    found = Instances.from_label_map(MAP, GRID)
    assert len(found) == 2 and found.classes == (OBJECT,) and found.areas.tolist() == [6, 1]
    assert np.array_equal(found.label_map(), np.select([MAP == 7, MAP == 900], [1, 2]))
    assert found.where(0) == (slice(1, 3), slice(2, 5))


def test_a_map_without_background() -> None:
    found = Instances.from_label_map(np.full((6, 8), 3), GRID)
    assert found.areas.tolist() == [48]


def test_an_object_in_two_parts_is_one() -> None:
    parts = np.zeros((6, 8), int)
    parts[0, 0] = parts[5, 7] = 2
    found = Instances.from_label_map(parts, GRID)
    assert len(found) == 1 and found.areas.tolist() == [2] and found.masks[0].shape == (6, 8)


def test_boxes_are_tight_even_where_a_crop_is_not() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    found = Instances(np.array([[2, 3]]), (mask,), np.zeros(1, np.int64), ("a",), GRID, np.array([0.5]))
    boxes = found.boxes()
    assert boxes.edges.tolist() == [[[2.5, 4.5], [3.5, 5.5]]]
    assert boxes.scores is not None and boxes.scores.tolist() == [0.5] and boxes.classes == ("a",)


def test_overlaps_survive_and_the_surer_one_shows() -> None:
    full = np.ones((2, 2), bool)
    both = Instances(
        np.array([[0, 0], [1, 1]]), (full, full), np.zeros(2, np.int64), ("a",), GRID, np.array([0.9, 0.3])
    )
    assert both.areas.tolist() == [4, 4]
    assert both.label_map()[1, 1] == 1
    assert both.chosen(np.array([False, True])).label_map()[1, 1] == 1
    unscored = Instances(both.starts, both.masks, both.labels, ("a",), GRID)
    assert unscored.label_map()[1, 1] == 1


def test_three_axes_and_classes() -> None:
    volume = np.zeros((3, 4, 5), int)
    volume[0, 0, 0], volume[2, 3, 4] = 1, 2
    geometry = Geometry((3, 4, 5))
    found = Instances.from_label_map(volume, geometry, classes=("b", "c"), labels=[1, 0], scores=[0.5, 1.0])
    assert found.labels.tolist() == [1, 0]
    assert found.chosen(np.array([1])).boxes().edges.tolist() == [[[1.5, 2.5, 3.5], [2.5, 3.5, 4.5]]]


def test_none_is_an_answer_and_a_truth() -> None:
    answer = Instances.none(("a",), GRID)
    assert len(answer) == 0 and not answer.label_map().any() and len(answer.boxes()) == 0
    assert Instances.none(("a",), GRID, scored=False).scores is None
    assert len(Instances.from_label_map(np.zeros((6, 8), int), GRID)) == 0


ONE = np.ones((2, 2), bool)


@pytest.mark.parametrize(
    ("start", "mask", "label", "scores"),
    [
        ((5, 0), ONE, 0, None),
        ((-1, 0), ONE, 0, None),
        ((0, 0), ~ONE, 0, None),
        ((0, 0), ONE.astype(int), 0, None),
        ((0, 0), ONE, 1, None),
        ((0, 0), ONE, 0, np.array([2.0])),
        ((0, 0), ONE, 0, np.array([0.5, 0.5])),
    ],
)
def test_refusals(start: tuple[int, int], mask: np.ndarray, label: int, scores: np.ndarray | None) -> None:
    with pytest.raises(LabelError):
        Instances(np.array([start]), (mask,), np.array([label], np.int64), ("a",), GRID, scores)


def test_numbers_that_differ_are_refused() -> None:
    with pytest.raises(LabelError, match="do not fit"):
        Instances(np.zeros((2, 2), np.int64), (ONE,), np.zeros(1, np.int64), ("a",), GRID)


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("numbers", [(1, 2, 3), (2, 5, 9), (7, 10**6, 2**31 + 5), (3, 4, 60_000)])
def test_objects_come_by_rising_number_however_far_apart(numbers: tuple[int, ...], background: bool) -> None:
    rng = np.random.default_rng(0)
    which = rng.integers(0 if background else 1, 4, (12, 15))
    labels = np.asarray([0, *numbers])[which]
    found = Instances.from_label_map(labels, Geometry((12, 15)))
    assert len(found) == 3
    for i, number in enumerate(numbers):
        whole = np.zeros((12, 15), bool)
        whole[found.where(i)] = found.masks[i]
        assert np.array_equal(whole, labels == number)
    assert len(Instances.from_label_map(np.zeros((12, 15), np.uint16), Geometry((12, 15)))) == 0
