"""Classes found elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated, Probabilities, Segmentation
from isocenter.errors import LabelError, RecipeError, TableError
from isocenter.tasks.classify.given import Given

IMAGE = Image.from_array(np.zeros((4, 5)))
READ = Probabilities.truth(("benign", "malignant"), ["malignant"])


def test_a_readers_answer_is_passed_on() -> None:
    assert Given(column="reader").predict(Case("a", {"image": IMAGE}, load_given=lambda name: READ)) is READ


def test_an_empty_cell_is_not_evaluated() -> None:
    def empty(name: str):
        raise TableError(f"column {name!r} is empty for this case")

    found = Given(column="reader").predict(Case("a", {"image": IMAGE}, load_given=empty))
    assert isinstance(found, NotEvaluated)
    assert "is empty" in found.reason


def test_a_mask_is_no_class() -> None:
    mask = Segmentation(np.zeros((4, 5), np.uint8), ("background",), IMAGE.geometry)
    with pytest.raises(LabelError):
        Given(folder="x").predict(Case("a", {"image": IMAGE}, load_given=lambda name: mask))


def test_one_place_must_be_named() -> None:
    with pytest.raises(RecipeError):
        Given()
