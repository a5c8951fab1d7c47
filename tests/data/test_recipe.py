"""Recipes: unknown fields and values out of range are refused, with the nearest name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from isocenter.data import Study, as_settings, build, knob, knobs, merged
from isocenter.errors import RecipeError


@dataclass(frozen=True)
class Inner:
    depth: int = knob(3, "depth", low=1, high=6, tunable=True)
    range: tuple[float, float] | None = knob(None, "range", low=0, high=9, unit="mm")


@dataclass(frozen=True)
class Outer:
    inner: Inner = knob(Inner, "inside")
    name: str = knob("a", "name", choices=("a", "bee"))
    on: bool | None = knob(None, "on or off")
    rate: float = knob(0.5, "rate", source="somebody 2020")
    kind: Literal["x", "y"] = knob("x", "kind")
    part: Any = knob(None, "anything")


def test_nested_and_dotted_settings() -> None:
    made = build(Outer, {"inner.depth": 4, "name": "bee", "rate": 1})
    assert made == Outer(inner=Inner(depth=4), name="bee", rate=1.0)
    assert build(Outer, {"inner": {"range": [1, 2]}}).inner.range == (1.0, 2.0)
    assert build(Outer, as_settings(made)) == made
    assert merged(made, {"inner.range": (0, 3)}).inner == Inner(4, (0.0, 3.0))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"nmae": "a"}, "Did you mean name"),
        ({"inner.dpth": 1}, "Did you mean depth"),
        ({"inner.depth": 9}, "out of range"),
        ({"inner.depth": float("nan")}, "wrong type"),
        ({"inner.depth": float("inf")}, "wrong type"),
        ({"inner.range": [0, float("nan")]}, "out of range"),
        ({"inner.depth": 1.5}, "wrong type"),
        ({"inner.depth": True}, "wrong type"),
        ({"inner.range": [1, 2, 3]}, "wrong type"),
        ({"inner.range": [1, 20]}, "out of range"),
        ({"name": "be"}, "Did you mean bee"),
        ({"rate": "fast"}, "wrong type"),
        ({"kind": "z"}, "wrong type"),
        ({"name": "a", "name.x": 1}, "not a nested field"),
    ],
)
def test_refusals(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        build(Outer, settings)


def test_every_knob_is_described() -> None:
    rows = {k.name: k for k in knobs(Outer)}
    assert rows["inner.depth"].high == 6 and rows["inner.depth"].tunable and rows["inner.range"].unit == "mm"
    assert rows["rate"].source == "somebody 2020" and rows["name"].choices == ("a", "bee")


def test_a_refused_object_does_not_fill_the_screen() -> None:
    with pytest.raises(RecipeError) as refused:
        build(Outer, {"inner.depth": list(range(10000))})
    assert len(str(refused.value)) < 400 and "(list)" in str(refused.value)


def test_merging_into_a_plain_field_is_refused() -> None:
    with pytest.raises(RecipeError):
        merged(Outer(), {"rate.deeper": 1})


def test_study_is_a_recipe_with_texts() -> None:
    assert all(k.text for k in knobs(Study))
    assert merged(Study(), {"augment.spatial.flip": ["x"]}).augment.spatial.flip == ("x",)
