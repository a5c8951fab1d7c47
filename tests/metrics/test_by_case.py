"""Values per case, their units and their means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter.metrics import tables, values_of
from isocenter.metrics.by_case import means


def row(*, unit: str | None = None, px: dict[str, Any] | None = None, union: float | None = None,
        **values: float | None) -> dict[str, Any]:
    out: dict[str, Any] = {"values": values}
    out |= {} if unit is None else {"unit": unit}
    out |= {} if px is None else {"px": {"values": px}}
    return out | ({} if union is None else {"union": union})


def at(found: Any, target: str) -> float:
    return float(found[target].at(np.ones((1, len(found[target].entered))))[0])


def test_means_leave_out_cases_that_do_not_enter() -> None:
    found = means([row(a=1.0, b=None), row(a=0.0, b=0.5)])
    assert (at(found, "a"), at(found, "b")) == (0.5, 0.5)
    assert found["b"].entered.tolist() == [False, True] and found["all"].parts == ("a", "b")


def test_the_union_takes_no_part_in_the_mean_over_classes() -> None:
    found = means([row(a=1.0, b=0.0, union=0.9)])
    assert found["all"].parts == ("a", "b") and at(found, "foreground") == 0.9
    only = means([row(foreground=0.4)])
    assert only["all"].parts == ("foreground",)
    assert "all" not in means([row(union=0.4)])


def objects(true: dict[str, int], **values: float | None) -> dict[str, Any]:
    return {"values": values, "true": true, "merged": "object"}


def test_of_objects_the_classes_that_occur_are_averaged() -> None:
    records = [objects({"a": 1, "b": 0, "object": 1}, a=1.0, b=0.0, object=0.5),
               objects({"a": 0, "b": 0, "object": 0}, a=0.0, b=None, object=0.0)]
    found = means(records)
    assert found["all"].parts == ("a",) and at(found, "object") == 0.25 and at(found, "b") == 0.0
    assert values_of(records, "all").tolist() == [1.0, 0.0]
    nowhere = [objects({"a": 0, "b": 0}, a=1.0, b=0.0)]
    assert means(nowhere)["all"].parts == ("a", "b") and values_of(nowhere, "all").tolist() == [0.5]


def test_one_unit_is_kept_and_two_become_pixels() -> None:
    mm = row(unit="mm", px={"a": 2.0}, a=4.0)
    px = row(unit="px", px={"a": 3.0}, a=3.0)
    assert tables([mm, mm])[1:] == ("mm", ())
    table, unit, flags = tables([mm, px])
    assert table["a"].tolist() == [2.0, 3.0] and unit == "px" and flags == ("mixed_units",)


def test_values_of_all_are_means_over_the_classes_of_a_case() -> None:
    records = [row(a=1.0, b=None, union=0.1), row(a=0.0, b=0.5, union=0.2), row(a=None, b=None, union=0.3)]
    assert values_of(records, "all").tolist()[:2] == [1.0, 0.25] and np.isnan(values_of(records, "all")[2])
    assert values_of(records, "foreground").tolist() == [0.1, 0.2, 0.3]
    assert np.isnan(values_of(records, "c")).all()


def test_targets_are_those_of_answered_cases() -> None:
    silent = row(a=0.0, b=0.0, union=0.0) | {"answered": False}
    assert set(means([row(union=0.8), silent])) == {"foreground"}
    assert set(means([silent])) == {"a", "b", "foreground", "all"}


def test_no_records() -> None:
    assert means([]) == {} and values_of([], "all").tolist() == []


@pytest.mark.parametrize("weights", [[[0.0, 0.0]], [[0.0, 1.0]]])
def test_undefined_without_weight(weights: list[list[float]]) -> None:
    found = means([row(a=1.0), row(a=None)])
    assert np.isnan(found["a"].at(np.array(weights))).all()


def test_of_numbers_an_unanswered_case_is_as_far_off_as_the_mean_of_the_truths() -> None:
    told = [{"truths": {"age": t}, "values": {"age": v}, "answered": v is not None}
            for t, v in ((10.0, 1.0), (20.0, None), (60.0, 2.0))]
    assert values_of(told, "age").tolist() == [1.0, 10.0, 2.0]
    assert at(means(told), "age") == pytest.approx(13 / 3)
