"""Numbers found elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated, Probabilities, Values
from isocenter.errors import LabelError, RecipeError, TableError
from isocenter.tasks.regress.given import Given

IMAGE = Image.from_array(np.zeros((4, 5)))
READ = Values.truth("age", 60.0, "years")


def test_a_readers_number_is_passed_on() -> None:
    assert Given(column="reader").predict(Case("a", {"image": IMAGE}, load_given=lambda name: READ)) is READ


def test_an_empty_cell_is_not_evaluated_and_a_class_is_no_number() -> None:
    def empty(name: str) -> Values:
        raise TableError(f"column {name!r} is empty for this case")

    found = Given(column="reader").predict(Case("a", {"image": IMAGE}, load_given=empty))
    assert isinstance(found, NotEvaluated) and "is empty" in found.reason
    read = Probabilities.truth(("a", "b"), ["a"])
    with pytest.raises(LabelError, match="another kind"):
        Given(folder="x").predict(Case("a", {"image": IMAGE}, load_given=lambda name: read))
    with pytest.raises(RecipeError):
        Given()
