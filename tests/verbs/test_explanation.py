"""The checks of an explanation as numbers, sentence, lines and page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Attribution, Case, Geometry, Image, Segmentation
from isocenter.errors import GeometryError
from isocenter.tasks.explain.occlusion import Occlusion
from isocenter.tasks.segment.histogram import Histogram
from isocenter.verbs._explanation import (
    Examined,
    examined,
    explain_run,
    explanation,
    recipe_of,
    sentence,
    truth_of,
    words,
)
from isocenter.verbs._method import Method

GOOD = {"answer": 0.934, "deletion": 0.2, "deletion_random": 0.5, "insertion": 0.9, "insertion_random": 0.6}


def map_(shape: tuple[int, ...] = (6, 8)) -> Attribution:
    values = np.zeros(shape, np.float32)
    values[..., 2, 3] = 1.0
    return Attribution(values, Geometry(shape), "tumour", "occlusion")


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (GOOD, 'cnn gives "tumour" the probability 0.93. The map by occlusion beats a random order at deletion'),
        (GOOD | {"deletion": 0.6}, "at one of deletion and insertion, not at both."),
        (GOOD | {"deletion": 0.6, "insertion": 0.1}, "does no better than a random order."),
        (GOOD | {"randomised": -0.6}, "it shows the image more than the method."),
        (GOOD | {"randomised": 0.4}, "beats a random order at deletion and at insertion."),
        ({}, 'cnn, asked about "tumour".'),
        (GOOD | {"pointing_game": 0.0}, "Its highest pixel lies outside the truth."),
    ],
)
def test_the_sentence(numbers, said):
    assert said in sentence(Examined(map_(), {}, numbers), name="cnn")


def test_a_line_a_check():
    numbers = GOOD | {"randomised": 0.1, "completeness": 0.004, "pointing_game": 1.0, "iou_same_size": 0.5}
    lines = words(Examined(map_(), {}, numbers))
    assert len(lines) == 5 and "area 0.2" in lines[0] and "lies in the truth" in lines[-1]
    assert words(Examined(map_())) == []


def spotted() -> Case:
    pixels = np.random.default_rng(0).normal(20, 2, (24, 24))
    pixels[6:14, 6:14] += 100
    return Case.of(Image.from_array(pixels))


def test_all_that_is_measured():
    method, case = Occlusion(of=Histogram(), patch=6, stride=6), spotted()
    labels = np.zeros((24, 24), np.uint8)
    labels[6:14, 6:14] = 1
    truth = Segmentation(labels, ("background", "x"), case.image().geometry)
    found = method.predict(case)
    seen = examined(method, method.of, case, found=found, truth=truth, checks=True)
    assert seen.numbers["pointing_game"] == 1.0 and seen.truth.sum() == 64
    assert set(seen.curves) == {"deletion", "insertion"}
    document = seen.as_json()
    assert document["curves"]["deletion"]["answers"][0] == pytest.approx(1.0)
    assert seen.found.checks["deletion"] == document["checks"]["deletion"]
    bare = examined(method, method.of, case, found=found, truth=None, checks=False)
    assert bare.numbers == {} and bare.truth is None
    other = Segmentation(np.ones((4, 4), np.uint8), ("background", "x"), Geometry((4, 4)))
    with pytest.raises(GeometryError, match="another grid"):
        examined(method, method.of, case, found=found, truth=other, checks=False)


def test_the_truth_in_a_file(tmp_path: Path):
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4] = 255
    iso.write(Image.from_array(mask), tmp_path / "mask.png")
    found = truth_of(tmp_path / "mask.png", spotted())
    assert np.array_equal(found.labels, mask // 255)
    assert truth_of(None, spotted()) is None


def test_of_a_volume_the_slice_with_the_strongest_map():
    values = np.zeros((5, 6, 8), np.float32)
    values[3, 2, 2] = -4.0
    case = Case.of(Image.from_array(np.random.default_rng(0).random((5, 6, 8)), spacing=(3.0, 1.0, 2.0)))
    seen = Examined(Attribution(values, Geometry((5, 6, 8)), "x", "m"), {}, {}, values != 0)
    drawn = explanation(seen, case, task="segment")
    assert drawn.text.startswith("slice 4 of 5") and drawn.values[2, 2] == -4.0 and drawn.truth.sum() == 1
    assert drawn.spacing == (1.0, 2.0) and drawn.answer == "mean probability in the region of x"
    flat = explanation(Examined(map_((24, 24))), spotted(), task="classify")
    assert flat.text == "" and flat.answer == "probability of tumour"


def test_the_page_names_recipe_and_no_person():
    method = Occlusion(of=Histogram(), patch=(4, 4))
    asked = Method("histogram", "segment", "histogram", Histogram())
    case = Case("Mustermann", spotted().images, subject="Erika")
    run = explain_run(Examined(map_((24, 24)), {}, GOOD), case, asked=asked, explainer=method)
    assert run.plan == recipe_of(method) == {"patch": [4, 4], "fill": "mean"}
    assert {"Mustermann", "Erika"} <= set(run.identifiers) and "Mustermann" not in run.title + run.headline
    assert run.explanations[0].case == "Mustermann" and run.verb == "explain"
