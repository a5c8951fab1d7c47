"""Recall by thirds of the area against counting by hand, and the counts of every class."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Boxes, CaseScore, Geometry, Instances, NotEvaluated
from isocenter.metrics import records, summarise
from isocenter.metrics.sizes import KEY, THIRDS, counts, limits

SHAPE = (60, 60)


def squares(*sides: int, classes: tuple[str, ...] = ("cell",), labels: list[int] | None = None) -> Instances:
    """Squares of these sides, in places of their own; side 0 leaves its place empty."""
    numbers = np.zeros(SHAPE, np.int32)
    kinds: list[int] = []
    for i, side in enumerate(sides):
        y, x = 15 * (i // 4), 15 * (i % 4)
        numbers[y : y + side, x : x + side] = i + 1
        if side:
            kinds.append(labels[i] if labels else 0)
    return Instances.from_label_map(numbers, Geometry(SHAPE), classes=classes, labels=kinds)


def rows(pairs: list[tuple[Instances | NotEvaluated, Instances]], task: str) -> list[CaseScore]:
    def turned(found: Instances | NotEvaluated) -> Instances | NotEvaluated | Boxes:
        return found.boxes() if task == "detect" and isinstance(found, Instances) else found

    out = []
    for i, (answer, truth) in enumerate(pairs):
        found = records(catalog.task(task), turned(answer), turned(truth))
        json.dumps(found[KEY], allow_nan=False)
        out.append(CaseScore(f"c{i}", f"g{i}", found))
    return out


@pytest.mark.parametrize("task", ["detect", "instances"])
def test_each_third_has_its_own_recall_and_says_its_limits(task: str) -> None:
    first = squares(2, 3, 4, 6, 8, 12)
    cases = rows([(squares(0, 3, 4, 6, 8, 12), first), (squares(0, 0, 4, 0, 8, 12), first)], task)
    found = summarise(catalog.task(task), cases, method="m", split="test", resamples=50).metrics[KEY]
    # Sides 2 and 3, 4 and 6, 8 and 12 are the thirds.
    assert limits([c.records[KEY] for c in cases]) == (9.0, 36.0)
    wanted = dict(zip(THIRDS, (0.25, 0.75, 1.0), strict=True)) | {"cell": 8 / 12, "all": 8 / 12}
    assert {t: s.value for t, s in found.items()} == pytest.approx(wanted)
    assert all(s.n == 2 for s in found.values())
    assert "area up to 9 px" in found[THIRDS[0]].flags and "area above 36 px" in found[THIRDS[2]].flags


@pytest.mark.parametrize("task", ["detect", "instances"])
def test_classes_count_together_in_sizes_and_apart_in_counts(task: str) -> None:
    truth = squares(3, 3, 6, 6, classes=("round", "long"), labels=[0, 1, 0, 0])
    answer = squares(3, 3, 6, 0, 5, classes=("round", "long"), labels=[0, 0, 0, 0, 1])
    cases = rows([(answer, truth)] * 3, task)
    found = summarise(catalog.task(task), cases, method="m", split="test", resamples=50).metrics[KEY]
    # The class of a find does not matter for sizes, and equal areas stay together.
    classes = {"long": 0.0, "round": 2 / 3, "all": 1 / 3, "object": 0.75}
    assert {t: s.value for t, s in found.items()} == pytest.approx(classes | {THIRDS[0]: 1.0, THIRDS[1]: 0.5})
    assert counts([c.records[KEY] for c in cases]) == {"long": (3, 0, 3), "round": (9, 6, 9)}


@pytest.mark.parametrize("task", ["detect", "instances"])
def test_no_answer_finds_nothing_and_no_object_has_no_size(task: str) -> None:
    silent = rows([(NotEvaluated("too dark"), squares(3, 5, 7))], task)
    found = summarise(catalog.task(task), silent, method="m", split="test", resamples=50).metrics[KEY]
    assert [s.value for s in found.values()] == [0.0] * 5
    empty = rows([(squares(4), squares())], task)
    unfound = summarise(catalog.task(task), empty, method="m", split="test", resamples=50).metrics[KEY]
    assert {t: s.value for t, s in unfound.items()} == {"cell": None, "all": None}
    assert counts([c.records[KEY] for c in empty]) == {"cell": (0, 0, 1)}
