"""What `given` is in every task."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Boxes, Case, Geometry, Image, Instances, NotEvaluated, Probabilities, Segmentation
from isocenter.errors import LabelError, MissingFileError, NotFoundError, RecipeError
from isocenter.tasks._given import Elsewhere

IMAGE = Image.from_array(np.zeros((4, 5)), spacing=(1.0, 1.0))
OTHER = Geometry.from_spacing((4, 5), (2.0, 1.0))
EYE = np.eye(4, 5, dtype=np.uint8)
ONE = np.zeros(1, np.int64)


def finding(task: str, geometry: Geometry):
    return {
        "segment": lambda: Segmentation(EYE, ("background", "a"), geometry),
        "classify": lambda: Probabilities(("a", "b"), (0.5, 0.5)),
        "detect": lambda: Boxes(np.array([[[0.0, 0.0], [1.0, 1.0]]]), ONE, ("a",), geometry),
        "instances": lambda: Instances.from_label_map(EYE, geometry),
    }[task]()


def case(load) -> Case:
    return Case("a", {"image": IMAGE}, load_given=load)


each_task = pytest.mark.parametrize("task", ["segment", "classify", "detect", "instances"])


@each_task
def test_what_was_given_is_passed_on_and_another_kind_is_refused(task: str) -> None:
    given = catalog.find(task, "given")(column="second")
    there = finding(task, IMAGE.geometry)
    assert given.predict(case(lambda name: {"second": there}[name])) is there
    wrong = finding("classify" if task != "classify" else "segment", IMAGE.geometry)
    with pytest.raises(LabelError, match=type(wrong).__name__):
        given.predict(case(lambda name: wrong))


@pytest.mark.parametrize("task", ["segment", "detect", "instances"])
def test_another_grid_is_not_evaluated(task: str) -> None:
    found = catalog.find(task, "given")(folder="x").predict(case(lambda name: finding(task, OTHER)))
    assert isinstance(found, NotEvaluated) and "another grid" in found.reason


def test_nothing_given_and_no_such_column() -> None:
    def missing(name: str):
        raise MissingFileError("no file for this case", got="a", wanted="a.*")

    def unknown(name: str):
        raise NotFoundError("neither a column nor a folder")

    assert isinstance(Elsewhere(column="x").found(case(missing), Boxes), NotEvaluated)
    with pytest.raises(NotFoundError):
        Elsewhere(column="x").found(case(unknown), Boxes)


def test_one_place_must_be_named() -> None:
    for settings in ({}, {"column": "a", "folder": "b"}):
        with pytest.raises(RecipeError, match="column=NAME"):
            Elsewhere(**settings)
