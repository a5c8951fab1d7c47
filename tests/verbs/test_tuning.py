"""Which fields a search tries."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from isocenter.data import knob
from isocenter.errors import OutputError, RecipeError, UsageError
from isocenter.fit.tuning import Dimension
from isocenter.verbs._method import Method, resolve
from isocenter.verbs._recipe import settings_of
from isocenter.verbs._tuning import again, dimensions, kept, named, recipe_text, remembered, searchable, started


@dataclass(frozen=True)
class Own:
    """A method of one's own."""

    size: int = knob(3, "of nothing", low=1, high=9)


def asked(task: str, method: str, **settings: Any) -> Method:
    return resolve(f"{task}/{method}", settings=settings_of(settings))


NETWORK = SimpleNamespace(about={
    "scheme": {"study": {"learning_rate": 0.002, "batch_size": 4}},
    "network": {"widths": [16, 32], "strides": [[2, 2]] * 3},
})  # fmt: skip


def test_words_to_fields() -> None:
    assert named(["a=1..4", "b=0.1..2e1", "c", "d=x,y", "e=1,true"]) == {
        "a": (1, 4), "b": (0.1, 20.0), "c": None, "d": ["x", "y"], "e": [1, True]
    }  # fmt: skip


@pytest.mark.parametrize("word", ["=3", "a=", "a=x..y", "a=1..", "a=true..false"])
def test_words_that_say_nothing(word: str) -> None:
    with pytest.raises(UsageError):
        named([word])


def test_fields_are_those_that_the_method_marks() -> None:
    names = [k.name for k in searchable(asked("segment", "unet"), {})]
    assert {"width", "depth", "study.batch_size", "study.learning_rate"} <= set(names)
    assert [k.name for k in searchable(asked("segment", "unet"), {"form.attention": None})] == ["form.attention"]
    with pytest.raises(RecipeError, match=r"unknown field.*width"):
        searchable(asked("segment", "unet"), {"widht": None})
    with pytest.raises(RecipeError, match="no field"):
        searchable(Method("own", "segment", "own", Own()), {})


def test_a_network_starts_where_its_plan_puts_it() -> None:
    unet = asked("segment", "unet", **{"study.batch_size": 6})
    assert started(unet.object, NETWORK, "width") == 16 and started(unet.object, NETWORK, "depth") == 3
    assert started(unet.object, NETWORK, "study.learning_rate") == 0.002
    assert started(unet.object, NETWORK, "study.batch_size") == 6, "what was asked wins"
    assert started(unet.object, NETWORK, "before.coarser") is None
    found, starts, left = dimensions(unet, NETWORK, {})
    ranges = {d.name: (d.low, d.high) for d in found}
    assert ranges["width"] == (4, 64) and ranges["study.batch_size"] == (2, 24) and starts["width"] == 16
    assert all(d.whole for d in found if d.name in ("width", "depth", "study.batch_size"))
    assert not set(left) & set(ranges)


def test_what_the_method_refuses_is_left_out_unless_somebody_names_it() -> None:
    linear = asked("classify", "linear")
    fitted = SimpleNamespace(about={})
    found, _, left = dimensions(linear, fitted, {})
    assert "before.coarser" in left and "size" in [d.name for d in found]
    named_, _, none = dimensions(linear, fitted, {"before.coarser": None})
    assert [d.name for d in named_] == ["before.coarser"] and none == []


def test_ranges_and_choices_that_a_person_names() -> None:
    words = ["width=8..24", "study.learning_rate=1e-4..1e-2", "network=unet,other", "form.attention=true,false"]
    found, _, _ = dimensions(asked("segment", "unet"), NETWORK, named(words))
    by = {d.name: d for d in found}
    assert by["width"] == Dimension("width", 8, 24, whole=True)
    assert by["study.learning_rate"].log and by["network"].choices == ("unet", "other")
    assert by["form.attention"].choices == (True, False)
    with pytest.raises(RecipeError, match="known range"):
        dimensions(asked("segment", "unet"), SimpleNamespace(about={}), {"study.epochs": None})


def test_a_search_remembers_what_was_asked(tmp_path: Path) -> None:
    known = remembered(tmp_path, {"method": "segment/unet", "seed": 0, "over": {"width": (8, 24)}})
    assert known["asked"]["over"] == {"width": [8, 24]} and again(known) == []
    space = [Dimension("width", 8, 24, whole=True), Dimension("k", choices=("a", "b"))]
    kept(tmp_path, {**known, "dimensions": [asdict(d) for d in space], "left": []})
    back = remembered(tmp_path, {"method": "segment/unet", "seed": 0, "over": {"width": (8, 24)}})
    assert again(back) == space
    with pytest.raises(OutputError, match="another search"):
        remembered(tmp_path, {"method": "segment/unet", "seed": 1, "over": {"width": (8, 24)}})


def test_a_recipe_is_what_differs_from_the_defaults(tmp_path: Path) -> None:
    unet = asked("segment", "unet", **{"study.epochs": 3, "study.patch": [32, 32], "width": 8})
    (tmp_path / "r.json").write_text(recipe_text(unet, {"width": 12, "form.attention": True}), encoding="utf-8")
    assert json.loads(recipe_text(asked("segment", "unet"))) == {"recipe": {}}
    read = settings_of(tmp_path / "r.json")
    assert read.values == {"study.epochs": 3, "study.patch": [32, 32], "width": 12, "form.attention": True}
    assert resolve("segment/unet", settings=read).object.study.patch == (32, 32)
