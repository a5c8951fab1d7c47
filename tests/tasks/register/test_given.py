"""Transforms that others made stand in the same table."""

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated, Transform, Values
from isocenter.errors import LabelError, RecipeError
from isocenter.tasks.register.given import Given


def case():
    image = Image.from_array(np.zeros((4, 5)))
    return Case("x", {"fixed": image, "moving": image}, "fixed")


def test_what_was_given_is_the_answer():
    grid = case().image("fixed").geometry
    held = Transform.identity(grid, grid)
    assert Given(column="reader").predict(replace(case(), load_given=lambda name: held)) is held
    assert isinstance(Given(column="reader").predict(case()), NotEvaluated)


def test_another_finding_and_no_place_are_refused():
    with pytest.raises(LabelError, match="another kind"):
        Given(column="r").predict(replace(case(), load_given=lambda name: Values.truth("a", 1.0, "")))
    with pytest.raises(RecipeError, match="one place"):
        Given()
