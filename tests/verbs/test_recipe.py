from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from isocenter.data import After, Study, knob
from isocenter.errors import MissingFileError, RecipeError
from isocenter.verbs._recipe import Settings, flattened, made, settings_of


@dataclass(frozen=True)
class Part:
    width: int = knob(3, "width")


@dataclass(frozen=True)
class Whole:
    level: int | None = knob(None, "level", low=0, high=5)
    study: Study = knob(Study, "study")
    after: After = knob(After, "after")
    of: Any = knob(None, "a part")


def no_part(use: str, own: Settings) -> object:
    raise AssertionError(use)


def test_settings_reach_nested_fields() -> None:
    whole = made(
        Whole, settings_of({"study": {"epochs": 3}, "study.augment.spatial.flip": ["y"], "level": 2}), part=no_part
    )
    assert (whole.study.epochs, whole.study.augment.spatial.flip, whole.level) == (3, ("y",), 2)
    assert whole.after == After()


def test_the_nearest_field_is_named_even_without_its_path() -> None:
    with pytest.raises(RecipeError, match=r"Did you mean study\.batch_size\?"):
        made(Whole, settings_of({"batch_size": 4}), part=no_part)
    with pytest.raises(RecipeError, match=r"unknown field 'study\.epoch'.*Did you mean study\.epochs\?"):
        made(Whole, settings_of({"study.epoch": 4}), part=no_part)


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(RecipeError, match="0 to 5"):
        made(Whole, settings_of({"level": 6}), part=no_part)


def test_a_part_is_resolved_by_its_use() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def part(use: str, own: Settings) -> Part:
        asked.append((use, dict(own.values)))
        return Part(7)

    whole = made(Whole, settings_of({"of": {"use": "nuclei.bundle"}}), part=part)
    assert whole.of == Part(7) and asked == [("nuclei.bundle", {})]
    made(Whole, settings_of({"of": {"use": "a/b", "levels": 3, "after": {"fill": True}}}), part=part)
    assert asked[1] == ("a/b", {"levels": 3, "after.fill": True}), "what stands beside it is its own"


def test_several_parts_are_a_list() -> None:
    whole = made(Whole, settings_of({"of": [{"use": "a.bundle"}, {"use": "segment/unet"}]}), part=lambda use, own: use)
    assert whole.of == ["a.bundle", "segment/unet"]


def test_origins_follow_the_highest_level(tmp_path: Path) -> None:
    recipe = tmp_path / "r.json"
    recipe.write_text('{"method": "whole", "recipe": {"study": {"epochs": 1, "steps": 2}}}', encoding="utf-8")
    settings = settings_of(recipe).over({"study.epochs": 5}, "--set")
    assert settings.values == {"study.epochs": 5, "study.steps": 2}
    assert settings.origins == {"study.epochs": "--set", "study.steps": "recipe file"}


def test_settings_of_one_of_several_methods() -> None:
    settings = Settings({"unet.study.epochs": 5, "cnn.width": 3, "level": 1}, {"unet.study.epochs": "--set"})
    assert settings.of("unet") == Settings({"study.epochs": 5}, {"study.epochs": "--set"})


@pytest.mark.parametrize("text", ["{", "[1]", "3"])
def test_a_recipe_that_is_none(tmp_path: Path, text: str) -> None:
    recipe = tmp_path / "r.json"
    recipe.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError):
        settings_of(recipe)
    with pytest.raises(MissingFileError):
        settings_of(tmp_path / "none.json")


def test_an_empty_part_of_a_recipe_changes_nothing() -> None:
    assert flattened({"study": {}}) == {}
    assert made(Whole, settings_of(None), part=no_part) == Whole()
