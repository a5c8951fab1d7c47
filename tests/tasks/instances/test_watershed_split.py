"""Watershed split."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image, Instances, NotEvaluated
from isocenter.errors import LabelError
from isocenter.fit.questions.contours import ap50
from isocenter.simulate import cohort
from isocenter.tasks.instances.watershed_split import WatershedSplit, contrast, grey


def fields(n: int = 8) -> Cases:
    return cohort(n, seed=0, kind="cells", shape=(96, 96), task="instances")


def mean_agreement(method: WatershedSplit, cases: Cases) -> float:
    return float(np.mean([ap50(method.predict(c).label_map(), c.truth().label_map()) for c in cases]))


def test_it_answers_without_training_and_with_it() -> None:
    cases = fields()
    plain = mean_agreement(WatershedSplit(), cases.split("test"))
    fitted = WatershedSplit().fit(cases.split("train"), cases.split("val"))
    learnt = mean_agreement(fitted, cases.split("test"))
    assert plain > 0.3
    assert learnt > 0.7
    assert fitted.diameter is not None and fitted.rule and fitted.prominence is not None
    again = WatershedSplit.from_state(fitted.about, fitted.state())
    assert again == fitted


def test_what_is_said_is_kept() -> None:
    cases = fields()
    made = WatershedSplit(diameter=9.0, rule="triangle", bright=True)
    fitted = made.fit(cases.split("train"), cases.split("val"))
    assert (fitted.diameter, fitted.rule, fitted.bright) == (9.0, "triangle", True)


def test_touching_discs_are_two_whatever_their_polarity() -> None:
    grid = np.indices((48, 64))
    discs = [((grid - np.reshape(c, (2, 1, 1))) ** 2).sum(0) <= 81 for c in ((24, 22), (24, 38))]
    pixels = np.where(discs[0] | discs[1], 200, 20).astype(np.uint8)
    for values in (pixels, 255 - pixels, pixels.astype(np.uint16) * 200):
        found = WatershedSplit(diameter=18.0).predict(Case.of(Image.from_array(values)))
        assert isinstance(found, Instances) and len(found) == 2
        assert found.scores is not None and (found.scores > 0.9).all()


def test_a_colour_picture_is_seen_by_its_nuclear_stain() -> None:
    colours = np.full((3, 20, 20), 230, np.uint8)
    colours[:, 5:10, 5:10] = np.array([80, 60, 150]).reshape(3, 1, 1)
    colours[:, 12:18, 12:18] = np.array([235, 120, 180]).reshape(3, 1, 1)
    stain = grey(colours, "hematoxylin")
    assert stain is not None
    assert stain[7, 7] < 0.1 and stain[15, 15] > 0.5
    assert np.array_equal(grey(colours[:1], "hematoxylin"), grey(colours[:1]))


def test_pixels_that_are_no_numbers() -> None:
    assert isinstance(WatershedSplit().predict(Case.of(Image.from_array(np.full((4, 4), np.nan)))), NotEvaluated)
    some = np.full((1, 4, 4), 2.0)
    some[0, 0, 0] = np.nan
    assert np.isfinite(grey(some)).all()


def test_contrast_without_objects_or_without_ground() -> None:
    assert len(contrast(np.zeros((3, 3), np.float32), np.zeros((3, 3), np.int32))) == 0
    assert contrast(np.ones((3, 3), np.float32), np.ones((3, 3), np.int32)).tolist() == [1.0]


def test_a_train_without_objects_is_refused() -> None:
    image = Image.from_array(np.zeros((8, 8)))
    none = Instances.none(("object",), image.geometry, scored=False)
    empty = Cases.from_arrays(np.zeros((2, 8, 8)))
    held = [Case("a", {"image": image}, load_truth=lambda: none)] * 2
    cases = empty.__class__(
        tuple(e.__class__(e.id, lambda c=c: c) for e, c in zip(empty.entries, held, strict=True)),
        "x", "instances", ("object",),
    )  # fmt: skip
    with pytest.raises(LabelError, match="no object"):
        WatershedSplit().fit(cases, cases)
