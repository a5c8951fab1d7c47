"""What each object is, on arrangements that are drawn by hand, and in number as the metrics count."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Boxes, Geometry, Instances, NotEvaluated
from isocenter.metrics import records
from isocenter.metrics.matched import acted, matched

SHAPE = (20, 40)


def boxes(*edges: tuple[float, float, float, float], labels: list[int] | None = None,
          classes: tuple[str, ...] = ("cell",), scores: list[float] | None = None,
          ignored: list[bool] | None = None) -> Boxes:
    array = np.asarray(edges, float).reshape(-1, 2, 2)
    kinds = np.asarray(labels or [0] * len(array), np.int64)
    sure = None if scores is None else np.asarray(scores, float)
    return Boxes(array, kinds, classes, Geometry(SHAPE), sure, None if ignored is None else np.asarray(ignored))


def objects(text: str) -> Instances:
    """One line of letters, drawn three pixels high; each letter is an object."""
    line = np.asarray([0 if c == "." else ord(c) for c in text], np.int32)
    return Instances.from_label_map(np.repeat(line[None], 3, axis=0), Geometry((3, len(text))))


def test_the_surest_box_takes_the_truth_and_the_second_is_false() -> None:
    truth = boxes((0, 0, 10, 10), (0, 20, 10, 30))
    answer = boxes((0, 1, 10, 11), (0, 0, 10, 10), (12, 30, 19, 39), scores=[0.9, 0.5, 0.4])
    found = matched(answer, truth)
    assert found.answered == ("hit", "false", "false") and found.true == ("found", "missed")
    assert found.text() == "2 objects, 1 found, 1 missed, 2 false"
    assert matched(acted(answer), truth).answered == ("hit", "false")


def test_a_wrong_class_is_told_from_a_wrong_place() -> None:
    names = ("red", "white")
    truth = boxes((0, 0, 10, 10), (0, 20, 10, 30), labels=[0, 1], classes=names)
    answer = boxes((0, 0, 10, 10), (0, 20, 10, 30), labels=[0, 0], classes=names, scores=[0.9, 0.8])
    found = matched(answer, truth)
    assert found.answered == ("hit", "swapped") and found.true == ("found", "missed")
    assert found.text() == "2 objects, 1 found, 1 missed, 1 of another class"
    nameless = boxes((0, 0, 10, 10), (0, 20, 10, 30), classes=("object",), scores=[0.9, 0.8])
    assert matched(nameless, truth).answered == ("hit", "hit")


def test_ignored_boxes_are_neither_to_be_found_nor_false() -> None:
    truth = boxes((0, 0, 10, 10), (0, 20, 10, 30), ignored=[False, True])
    found = matched(boxes((0, 21, 9, 29), scores=[0.9]), truth)
    assert found.answered == ("aside",) and found.true == ("missed", "ignored")
    assert found.text() == "1 object, 0 found, 1 missed"


def test_merged_and_split_objects() -> None:
    truth = objects("aaaabbbb....cccccccc..dddd")
    answer = objects("eeeeeeee....fffgghhh..dddd")
    found = matched(answer, truth)
    assert found.true == ("missed", "missed", "split", "found") or found.true == ("found", "missed", "split", "found")
    assert set(found.answered) <= {"hit", "false", "merge"} and found.answered[-2:] != ("hit", "hit")
    three = matched(objects("eeeeeeeeeeee"), objects("aaaabbbbcccc"))
    assert three.answered == ("merge",) and three.true == ("missed",) * 3
    assert three.text() == "3 objects, 0 found, 3 missed, 1 merging several"


def test_no_answer_misses_all() -> None:
    found = matched(NotEvaluated("too dark"), objects("aa.bb"))
    assert found.answered == () and found.true == ("missed", "missed")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("task", ["detect", "instances"])
def test_counts_agree_with_the_metrics(task: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = ("a", "b", "c")

    def drawn() -> Instances:
        numbers = np.zeros(SHAPE, np.int32)
        for i in range(1, 7):
            y, x = rng.integers(0, 14), rng.integers(0, 32)
            numbers[y : y + 6, x : x + 7] = i
        there = len(np.unique(numbers)) - 1
        labels, scores = rng.integers(0, 3, there).tolist(), rng.uniform(0, 1, there).tolist()
        return Instances.from_label_map(numbers, Geometry(SHAPE), classes=names, labels=labels, scores=scores)

    answer, truth = drawn(), drawn()
    pair = (acted(answer.boxes()), truth.boxes()) if task == "detect" else (answer, truth)
    found = matched(*pair)
    row = records(catalog.task(task), *pair)["recall_50"]
    hits = sum(len(row["hits"][c].split()) for c in names)
    assert found.answered.count("hit") == found.true.count("found") == hits
    assert len(found.answered) == sum(row["called"][c] for c in names)
