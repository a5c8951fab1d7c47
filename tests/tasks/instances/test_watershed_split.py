"""Watershed split."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image, Instances, NotEvaluated
from isocenter.errors import LabelError
from isocenter.fit.questions.contours import ap50
from isocenter.ops.stain import DYES
from isocenter.simulate import cohort
from isocenter.tasks.instances.watershed_split import CHANNELS, WatershedSplit, contrast, grey


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
    for channel in ("he-hematoxylin", "stain"):
        stain = grey(colours, channel)
        assert stain is not None
        assert stain[7, 7] < 0.1 and stain[15, 15] > 0.5
    # Beside eosin the mean is what is seen unless somebody says otherwise.
    assert np.array_equal(grey(colours), grey(colours, "mean"))
    for channel in CHANNELS:
        assert np.array_equal(grey(colours[:1], channel), grey(colours[:1]))


def section() -> tuple[np.ndarray, np.ndarray]:
    """Blue nuclei and, beside them, larger patches of brown: (3, 96, 96) of 8 bits, and the numbers of the nuclei."""
    grid = np.indices((96, 96))
    numbers, brown = np.zeros((96, 96), np.int32), np.zeros((96, 96))
    for i, (y, x) in enumerate([(20, 20), (20, 60), (50, 30), (60, 70), (78, 20)]):
        numbers[((grid - np.reshape((y, x), (2, 1, 1))) ** 2).sum(0) <= 64] = i + 1
        brown[((grid - np.reshape((y + 2, x + 14), (2, 1, 1))) ** 2).sum(0) <= 60] = 0.7
    amounts = np.stack([0.05 + 0.5 * (numbers > 0), np.where(numbers > 0, 0, brown)])
    rows = np.array([np.asarray(DYES[d]) / np.linalg.norm(DYES[d]) for d in ("hematoxylin", "dab")])
    return np.round(255 * 10 ** -np.tensordot(rows.T, amounts, axes=1)).astype(np.uint8), numbers


def test_beside_the_brown_of_an_antibody_only_hematoxylin_shows_nuclei() -> None:
    colours, numbers = section()
    case = Case.of(Image.from_array(colours, axes="cyx"))

    def agreement(**settings: object) -> float:
        found = WatershedSplit(diameter=16.0, **settings).predict(case)
        assert isinstance(found, Instances)
        return ap50(found.label_map(), numbers)

    assert agreement() == agreement(channel="stain") == agreement(channel="hdab-hematoxylin") == 1.0
    assert agreement(channel="mean") < 0.8
    assert agreement(channel="hdab-dab") == 0.0


def test_training_chooses_the_stain_and_older_bundles_keep_theirs() -> None:
    colours, numbers = section()
    image = Image.from_array(colours, axes="cyx")
    truth = Instances.from_label_map(numbers, image.geometry)
    one = Case("a", {"image": image}, load_truth=lambda: truth)
    made = Cases.from_arrays(np.zeros((2, 8, 8)))
    cases = made.__class__(
        tuple(e.__class__(e.id, lambda: one) for e in made.entries), "x", "instances", ("object",)
    )  # fmt: skip
    fitted = WatershedSplit(channel=None).fit(cases, cases)
    assert len(fitted.predict(one)) == 5
    # The picture's own rule already finds all: nothing else is better.
    assert fitted.channel is None
    former = {**fitted.about["recipe"], "channel": "hematoxylin"}
    assert WatershedSplit.from_state({"recipe": former}, {}).channel == "he-hematoxylin"


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
