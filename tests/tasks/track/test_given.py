"""Tracks made elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Boxes, Case, Geometry, Image, NotEvaluated, Tracks
from isocenter.errors import LabelError, RecipeError
from isocenter.tasks.track.given import Given

GRID = Geometry((8, 9))


def case(found: object) -> Case:
    film = Case.of(Image.from_array(np.zeros((3, 8, 9)), axes="tyx"))
    return replace(film, load_given=lambda name: found)  # type: ignore[arg-type,return-value]


def test_what_was_given_is_the_answer() -> None:
    tracks = Tracks.of(np.array([0, 1]), np.array([1, 1]), np.ones((2, 2)), GRID, length=3)
    assert Given(column="reader").predict(case(tracks)) is tracks


def test_another_grid_another_kind_and_nothing() -> None:
    elsewhere = Tracks.none(Geometry((4, 4)), 3)
    found = Given(column="reader").predict(case(elsewhere))
    assert isinstance(found, NotEvaluated) and "another grid" in found.reason
    with pytest.raises(LabelError, match="another kind"):
        Given(column="reader").predict(case(Boxes.none(("cell",), GRID)))
    nothing = Given(column="reader").predict(Case.of(Image.from_array(np.zeros((3, 8, 9)), axes="tyx")))
    assert isinstance(nothing, NotEvaluated)


def test_one_place_is_named() -> None:
    with pytest.raises(RecipeError, match="one place"):
        Given()
