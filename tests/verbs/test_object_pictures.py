"""What is drawn of a case with boxes or objects: kinds, places, slices of volumes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter.data import Boxes, Case, Geometry, Image, Instances, NotEvaluated
from isocenter.verbs._object_pictures import objects_picture
from isocenter.verbs._pictures import _sample, picture

SHAPE = (30, 40)


def instances(*squares: tuple[int, int, int], score: float | None = None, shape: tuple[int, ...] = SHAPE) -> Instances:
    numbers = np.zeros(shape, np.int32)
    for i, (y, x, side) in enumerate(squares):
        numbers[..., y : y + side, x : x + side] = i + 1
    sure = None if score is None else [score] * len(squares)
    return Instances.from_label_map(numbers, Geometry(shape), scores=sure)


def case(truth: Any, shape: tuple[int, ...] = SHAPE, axes: str = "yx") -> Case:
    image = Image.from_array(np.zeros(shape, np.uint8), axes=axes)
    return Case("x", {"image": image}, load_truth=lambda: truth)


def test_hits_misses_and_false_ones_are_told() -> None:
    truth, answer = instances((2, 2, 8), (2, 20, 8)), instances((2, 2, 8), (20, 20, 6), score=0.7)
    drawn = picture(case(truth), answer)
    assert drawn is not None and [m.kind for m in drawn.marks] == ["found", "missed", "hit", "false"]
    assert drawn.text == "2 objects, 1 found, 1 missed, 1 false" and drawn.marks[0].start == (2, 2)
    assert drawn.marks[2].text == "hit 0.70" and drawn.marks[2].label == ""
    boxes = picture(case(truth.boxes()), answer.boxes())
    assert boxes is not None and [m.kind for m in boxes.marks] == ["found", "missed", "hit", "false"]
    assert boxes.marks[2].label == "0.70" and boxes.marks[0].shape.tolist() == [[1.5, 1.5], [9.5, 9.5]]


def test_boxes_below_one_half_are_left_out() -> None:
    truth = instances((2, 2, 8)).boxes()
    faint = Boxes(truth.edges, truth.labels, truth.classes, truth.geometry, np.array([0.4]))
    drawn = picture(case(truth), faint)
    assert drawn is not None and [m.kind for m in drawn.marks] == ["missed"]


def test_without_truth_the_answer_alone_is_drawn_and_counted() -> None:
    drawn = picture(case(None), instances((2, 2, 8), (2, 20, 8), score=0.5))
    assert drawn is not None and {m.kind for m in drawn.marks} == {"answered"} and drawn.text == "2 objects"


def test_no_answer_is_said_and_films_are_not_drawn() -> None:
    silent = picture(case(instances((2, 2, 8))), NotEvaluated("too dark"))
    assert silent is not None and "too dark" in silent.text and [m.kind for m in silent.marks] == ["missed"]
    film = Case("x", {"image": Image.from_array(np.zeros((2, 4, 4), np.uint8), axes="tyx")}, load_truth=lambda: None)
    assert objects_picture(film, instances((1, 1, 2), shape=(4, 4))) is None


@pytest.mark.parametrize("kind", ["boxes", "objects"])
def test_of_a_volume_the_fullest_slice_is_drawn(kind: str) -> None:
    numbers = np.zeros((6, 30, 40), np.int32)
    numbers[1:5, 2:10, 2:10], numbers[3, 20:26, 20:26] = 1, 2
    truth: Any = Instances.from_label_map(numbers, Geometry(numbers.shape))
    truth = truth.boxes() if kind == "boxes" else truth
    drawn = picture(case(truth, numbers.shape, "zyx"), truth)
    assert drawn is not None and drawn.image.shape == (30, 40)
    assert [m.kind for m in drawn.marks] == ["found", "found", "hit", "hit"]
    assert drawn.text == "2 objects, 2 found"


def test_training_samples_of_boxes_and_of_objects() -> None:
    rows = np.array([[1.5, 2.5, 9.5, 8.5, 1.0]], np.float32)
    drawn = _sample(np.zeros((3, 32, 32), np.float32), rows, names=("red", "white"))
    assert [m.text for m in drawn.marks] == ["white"] and drawn.text == "1 boxes"
    deep = np.array([[0.5, 1, 1, 3.5, 9, 9, 0.0], [5.5, 1, 1, 6.5, 9, 9, 0.0]], np.float32)
    sliced = _sample(np.zeros((1, 8, 16, 16), np.float32), deep, names=("lesion",))
    assert len(sliced.marks) == 1 and sliced.image.shape == (16, 16)
    classes = np.zeros((32, 32), np.uint8)
    classes[4:9, 4:9] = 1
    both = (classes, classes.astype(np.float32))
    parts = _sample(np.zeros((1, 32, 32), np.float32), both, names=("background", "cell"))
    assert parts.truth is not None and parts.truth.sum() == 25
