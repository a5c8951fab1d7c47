"""Which objects stand against which, and how records of classes come together."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Boxes, Geometry, Instances, NotEvaluated
from isocenter.errors import GeometryError, LabelError
from isocenter.metrics import records
from isocenter.metrics.objects import column, in_words_of, names_of, record, sides, summed, with_all

GRID = Geometry((10, 12))
Pair = tuple[list[bool], list[bool]]


def boxes(*labels: int, classes: tuple[str, ...] = ("a", "b"), geometry: Geometry = GRID) -> Boxes:
    edges = np.tile(np.array([[1.0, 1], [3, 3]]), (len(labels), 1, 1)).reshape(-1, 2, 2)
    return Boxes(edges, np.array(labels, np.int64), classes, geometry)


def listed(answer: np.ndarray, truth: np.ndarray) -> Pair:
    return answer.tolist(), truth.tolist()


def test_classes_by_name_and_all_together() -> None:
    found = sides(boxes(0, 1, 2, classes=("b", "a", "c")), boxes(0, 1, 1), listed)
    assert found.classes == {
        "a": ([False, True, False], [True, False, False]), "b": ([True, False, False], [False, True, True]),
        "object": ([True] * 3, [True] * 3),
    }
    assert found.merged == "object" and found.answered


def test_a_single_class_has_nothing_beside_it() -> None:
    found = sides(boxes(0, classes=("object",)), boxes(0, 0, classes=("cell",)), listed)
    assert found.classes == {"cell": ([True], [True, True])} and found.merged == ""


def test_a_truth_with_a_class_called_object_keeps_it() -> None:
    found = sides(boxes(1, classes=("a", "object")), boxes(0, 1, classes=("a", "object")), listed)
    assert list(found.classes) == ["a", "object"] and found.merged == ""
    assert found.classes["object"] == ([True], [False, True])


@pytest.mark.parametrize("nameless", ["object", "foreground"])
def test_a_nameless_answer_has_no_single_class(nameless: str) -> None:
    assert list(sides(boxes(0, classes=(nameless,)), boxes(0, 1), listed).classes) == ["object"]


def test_no_answer_has_no_object() -> None:
    found = sides(NotEvaluated("dark"), boxes(0, 1), listed)
    assert found.classes["a"] == ([], [True, False]) and not found.answered


def test_names_are_spelt_as_the_truth_spells_them() -> None:
    assert in_words_of(("1", "2"), ("2.0", "01", "x")) == ("2", "1", "x")
    assert in_words_of(("cell",), ("object",)) == in_words_of(("cell",), ("cell",)) == ("cell",)
    assert in_words_of(("object",), ("nucleus",)) == ("object",)


def test_findings_that_do_not_fit_are_refused() -> None:
    truth = boxes(0, 1)
    task = catalog.task("detect")
    with pytest.raises(LabelError, match="no class in common"):
        records(task, boxes(0, classes=("x", "y")), truth)
    with pytest.raises(LabelError, match="no class in common"):
        in_words_of(("a", "object"), ("foreground",))
    with pytest.raises(GeometryError, match="another grid"):
        records(task, boxes(0, geometry=Geometry((10, 13))), truth)
    masks = Instances.none(("a", "b"), GRID)
    for name, answer, wrong in (("detect", masks, truth), ("instances", truth, masks), ("detect", truth, None)):
        with pytest.raises(LabelError, match="one kind"):
            records(catalog.task(name), answer, wrong)
    with pytest.raises(GeometryError, match="another grid"):
        records(catalog.task("instances"), masks, Instances.none(("a", "b"), Geometry((9, 12))))


def test_records_are_by_number_and_class() -> None:
    found = sides(boxes(0), boxes(0, 1), listed)
    made = record(found, lambda pair: {"true": sum(pair[1]), "values": None})
    assert made == {"true": {"a": 1, "b": 1, "object": 2}, "values": {"a": None, "b": None, "object": None},
                    "merged": "object"}
    silent = record(sides(NotEvaluated("dark"), boxes(0), listed), lambda pair: {"true": sum(pair[1])})
    assert silent["answered"] is False


ROWS = [
    {"true": {"a": 2, "b": 0, "object": 2}, "top": {"a": 1.0, "b": 0.0, "object": 1.0},
     "bottom": {"a": 2.0, "b": 1.0, "object": 4.0}, "merged": "object"},
    {"true": {"a": 0, "b": 0, "object": 0}, "top": {"a": 3.0, "b": 0.0, "object": 1.0},
     "bottom": {"a": 4.0, "b": 0.0, "object": 1.0}, "merged": "object"},
    {"true": {"a": 1, "c": 1}, "top": {"a": 0.0, "c": 1.0}, "bottom": {"a": 1.0, "c": 1.0}, "answered": False},
]


def test_sums_are_over_the_set_and_all_over_classes_that_occur() -> None:
    found = summed(ROWS)
    assert list(found) == ["a", "b", "object", "all"] and found["all"].parts == ("a",)
    once = np.ones((1, 3))
    assert found["a"].at(once)[0] == pytest.approx(4 / 7) and found["b"].at(once)[0] == 0.0
    assert found["a"].at(np.array([[2.0, 0, 0]]))[0] == 0.5 and found["a"].rarer == 2
    assert np.isnan(found["b"].at(np.array([[0.0, 1, 0]]))[0])


def test_classes_are_those_of_answered_cases() -> None:
    assert names_of(ROWS) == ["a", "b", "object"] and names_of(ROWS[2:]) == ["a", "c"]
    assert column(ROWS, "top", "c").tolist() == [0.0, 0.0, 1.0]
    assert with_all(ROWS, {}) == {}
