"""What a plan may say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from isocenter.data import Normalisation, Plan
from isocenter.infer.plans import AXES, MANY, RANGES, Range, flaws

NAMES = ("background", "a")
CONTOURS = Plan(
    "instances", 2, 1, NAMES, head="contours", patch=(64, 64), divisor=(8, 8),
    settings={"outputs": 5, "scale": 4.0, "diameter": 8.0, "probability": 0.5, "prominence": 0.4, "score": 0.1,
              "window": 640, "margin": 96, "counterstain": True},
)  # fmt: skip
DETECT = Plan(
    "detect", 2, 1, ("a",), head="detect", size=(64, 96), divisor=(32, 32),
    settings={"least": 0.01, "overlap": 0.5, "most": 300, "candidates": 2000, "windows": None, "window": [1024, 1024],
              "reach": [18, 18.5], "seen": [480, 640.0], "pixel": None},
)  # fmt: skip
RCNN = Plan(
    "instances", 2, 1, ("a",), head="rcnn", divisor=(32, 32),
    settings={"strides": [4, 8], "anchors": [[[8.0, 8.0]], [[16.0, 12.5], [30.0, 30.0]]], "features": 64,
              "spreads": [[0.1, 0.2], [0.05, 0.1]], "bins": [7, 14], "proposals": [2000, 1000], "least": 0.1,
              "limit": 0.3, "most": 500, "window": [1024, 1024]},
)  # fmt: skip
PLANS = {"contours": CONTOURS, "detect": DETECT, "rcnn": RCNN}
# What no number is, and what no setting is.
WRONG: tuple[Any, ...] = (
    -1, -0.5, float("nan"), float("inf"), float("-inf"), 10**400, 1e30, "7", "", [], {}, [[]], True, [float("nan")] * 2,
    [-1, -1], ["a", "b"], [1e30, 1e30], [64.5], [64.5] * 4,
)  # fmt: skip


def with_setting(plan: Plan, name: str, value: Any) -> Plan:
    return replace(plan, settings=plan.settings | {name: value})


@pytest.mark.parametrize("kind", PLANS)
def test_plans_as_they_are_trained(kind: str) -> None:
    plan = PLANS[kind]
    assert plan.kind == kind and not flaws(plan)
    wanted = RANGES[kind]
    assert set(plan.settings) >= set(wanted), "each setting is tried below"
    least = {k: v for k, v in plan.settings.items() if not isinstance(wanted.get(k), Range) or wanted[k].needed}  # type: ignore[union-attr]
    assert not flaws(replace(plan, settings=least))
    assert not flaws(with_setting(plan, "of_somebody_else", "anything"))


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, plan in PLANS.items() for name in plan.settings])
def test_what_no_setting_can_be_is_named(kind: str, name: str) -> None:
    for value in WRONG:
        if value is True and isinstance(RANGES[kind].get(name), str):
            continue
        found = flaws(with_setting(PLANS[kind], name, value))
        assert len(found) == 1 and found[0].startswith(f"settings.{name} is "), (value, found)
        assert "\n" not in found[0] and len(found[0]) < 160


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, plan in PLANS.items() for name in plan.settings])
def test_null_is_no_number_but_an_unknown_grid(kind: str, name: str) -> None:
    wanted = RANGES[kind].get(name)
    free = isinstance(wanted, str) or (isinstance(wanted, Range) and wanted.count == AXES)
    assert bool(flaws(with_setting(PLANS[kind], name, None))) != free


@pytest.mark.parametrize("name", ["strides", "anchors", "features", "spreads", "bins", "proposals", "least", "most"])
def test_what_a_region_network_cannot_do_without(name: str) -> None:
    settings = {k: v for k, v in RCNN.settings.items() if k != name}
    [found] = flaws(replace(RCNN, settings=settings))
    assert f"settings.{name} is missing" in found


def test_contours_answer_classes_depth_and_offsets() -> None:
    assert flaws(with_setting(CONTOURS, "outputs", 6)) == ["settings.outputs is 6, not 5"]
    assert not flaws(replace(with_setting(CONTOURS, "outputs", 6), rank=3, patch=(), divisor=()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strides", [4.5, 8]), ("strides", [4] * (MANY + 1)), ("strides", 4), ("anchors", [[[8.0, 8.0]]]),
        ("anchors", [[[8.0]], [[8.0, 8.0]]]), ("anchors", [[], [[8.0, 8.0]]]), ("anchors", [[[0.0, 8.0]], [[8, 8]]]),
        ("spreads", [[0.1]]), ("spreads", [[0.0, 0.2]]), ("bins", [7, 14.5]), ("bins", [7]),
    ],
)  # fmt: skip
def test_pyramids_that_cannot_be(name: str, value: Any) -> None:
    [found] = flaws(with_setting(RCNN, name, value))
    assert found.startswith(f"settings.{name} is ")


def test_numbers_an_axis_follow_the_rank() -> None:
    deep = replace(DETECT, rank=3, size=None, divisor=(), settings={"window": [64, 64, 64]})
    assert not flaws(deep)
    assert flaws(with_setting(deep, "window", [64, 64])) == [
        "settings.window is [64, 64], not 3 whole numbers 16 to 65536"
    ]


def test_fields_that_contradict_come_before_settings() -> None:
    assert flaws(replace(DETECT, rank=4, size=None, divisor=(), settings={"most": -1})) == ["rank"]
    assert flaws(replace(DETECT, overlap=0.99, tolerance=float("nan"))) == ["overlap", "tolerance"]


def test_other_questions_may_name_their_outputs() -> None:
    plan = Plan("segment", 2, 1, NAMES)
    assert not flaws(plan) and not flaws(with_setting(plan, "outputs", 2))
    assert flaws(with_setting(plan, "outputs", "two")) == ["settings.outputs is 'two', not a whole number 1 to 4096"]


@pytest.mark.parametrize(
    ("wanted", "good", "bad"),
    [
        (Range(), (0, 1, 0.5), (-1e-9, 1.1, True, None, "0")),
        (Range(1, 9, whole=True), (1, 9, 2.0), (1.5, 0, 10, float("nan"))),
        (Range(0, 9, count=AXES), ([1, 2.5, 3], (0, 0, 9)), ([1, 2], 5, "123", [1, 2, True], {1, 2, 3})),
    ],
)
def test_ranges(wanted: Range, good: tuple[Any, ...], bad: tuple[Any, ...]) -> None:
    assert all(wanted.holds(v, 3) for v in good)
    assert not any(wanted.holds(v, 3) for v in bad)
    assert Range(1, 9, whole=True, count=2).said(3) == "2 whole numbers 1 to 9"


def test_a_map_to_probabilities_must_be_one():
    plan = Plan("classify", 2, 1, ("a", "b"), size=(8, 8), divisor=(1, 1))
    good = {"kind": "platt", "slope": [1.0, 1.0], "offset": [0.1, -0.1]}
    assert not flaws(plan) and not flaws(replace(plan, settings={"calibration": good}))
    for bad in (None, {}, "platt", good | {"slope": [0.0, 1.0]}, good | {"offset": [0.1]}):
        assert flaws(replace(plan, settings={"calibration": bad}))


def test_landmarks_rise_and_are_there_for_every_channel() -> None:
    rising = tuple(v / 10 for v in range(11))
    bare = Plan("segment", 2, 2, NAMES, normalisation=Normalisation("landmarks", landmarks=rising * 2))
    assert flaws(bare) == []
    wrong = (rising, rising[::-1] * 2, (*rising[:10], float("nan")) * 2, ())
    for marks in wrong:
        assert flaws(replace(bare, normalisation=Normalisation("landmarks", landmarks=marks))) == ["normalisation"]
    assert flaws(replace(bare, normalisation=Normalisation("standardise", landmarks=rising * 2))) == ["normalisation"]
