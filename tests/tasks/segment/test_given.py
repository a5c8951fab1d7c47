"""Findings made elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Case, Geometry, Image, NotEvaluated, Probabilities, Segmentation
from isocenter.errors import LabelError, MissingFileError, NotFoundError, RecipeError
from isocenter.tasks.segment.given import Given

IMAGE = Image.from_array(np.zeros((4, 5)), spacing=(1.0, 1.0))
MASK = Segmentation(np.eye(4, 5, dtype=np.uint8), ("background", "vessel"), IMAGE.geometry)


def case(load) -> Case:
    return Case("a", {"image": IMAGE}, load_given=load)


def test_a_column_is_passed_on() -> None:
    asked = []
    found = Given(column="second").predict(case(lambda name: asked.append(name) or MASK))
    assert found is MASK
    assert asked == ["second"]


def test_a_folder_is_passed_on(tmp_path: Path) -> None:
    assert Given(folder=str(tmp_path)).predict(case(lambda name: MASK if name == str(tmp_path) else None)) is MASK


def test_no_table_and_no_file_are_not_evaluated() -> None:
    def missing(name: str):
        raise MissingFileError("no file for this case", got="a", wanted="a.*")

    for c in (Case.of(IMAGE), case(missing)):
        found = Given(column="second").predict(c)
        assert isinstance(found, NotEvaluated)
        assert "given" in found.line()


def test_another_grid_is_not_evaluated() -> None:
    other = Segmentation(MASK.labels, MASK.names, Geometry.from_spacing((4, 5), (2.0, 1.0)))
    found = Given(column="x").predict(case(lambda name: other))
    assert isinstance(found, NotEvaluated)
    assert "another grid" in found.reason


def test_an_unknown_column_is_refused() -> None:
    def unknown(name: str):
        raise NotFoundError("neither a column nor a folder")

    with pytest.raises(NotFoundError):
        Given(column="nope").predict(case(unknown))


def test_another_kind_of_finding_is_refused() -> None:
    with pytest.raises(LabelError, match="Probabilities"):
        Given(column="x").predict(case(lambda name: Probabilities(("a", "b"), (0.5, 0.5))))


@pytest.mark.parametrize("settings", [{}, {"column": "a", "folder": "b"}])
def test_one_place_must_be_named(settings: dict[str, str]) -> None:
    with pytest.raises(RecipeError, match="column=NAME"):
        Given(**settings)
