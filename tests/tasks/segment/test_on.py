"""What a method works on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.data import Before, Case, Image, NotEvaluated, Segmentation
from isocenter.errors import RecipeError
from isocenter.tasks.segment._on import Part, deep, features, probability, refuse_input, seen
from isocenter.tasks.segment.histogram import Histogram
from isocenter.tasks.segment.unet import UNet
from isocenter.verbs.load import load


@dataclass(frozen=True)
class Soft:
    """Says what it was made to say, with scores only where it is asked for them."""

    scores: Any

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        return replace(self.scored(case), scores=None)

    def scored(self, case: Case) -> Segmentation:
        labels = np.asarray(self.scores[0] < 0.5, np.uint8)
        return Segmentation(labels, ("background", "a", "b"), case.image().geometry, self.scores)


class Silent:
    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        return NotEvaluated("does not want to")


def test_intensity_is_the_grey_image_and_colours_are_kept_where_wanted(rng: np.random.Generator) -> None:
    array = rng.random((4, 9, 8)).astype(np.float32)
    case = Case.of(Image.from_array(array, axes="cyx", channels=("red", "green", "blue", "alpha")))
    assert np.allclose(seen(case, "intensity", Before()), array[:3].mean(axis=0))
    assert np.array_equal(features(case, "intensity", Before(), colours=True), array[:3])
    assert np.array_equal(features(case, "intensity", Before(channel="green"), colours=True), array[1:2])


def test_texture_is_three_maps_of_the_grey_image(rng: np.random.Generator) -> None:
    array = rng.normal(0, 0.1, (40, 60))
    array[:, 30:] += rng.normal(0, 5, (40, 30))
    case = Case.of(Image.from_array(array))
    maps = features(case, "texture", Before(), colours=True)
    assert maps.shape == (3, 40, 60)
    found = seen(case, "texture", Before())
    assert np.allclose(found, maps.mean(axis=0))
    assert found[:, 36:].mean() > found[:, :24].mean() + 0.3


def test_a_part_is_asked_for_its_scores_and_gives_the_probability_of_all_its_regions(rng: np.random.Generator) -> None:
    scores = rng.dirichlet((1, 1, 1), (6, 7)).transpose(2, 0, 1)
    case = Case.of(Image.from_array(np.zeros((6, 7))))
    found = seen(case, Soft(scores), Before())
    assert found.dtype == np.float32 and np.allclose(found, scores[1] + scores[2], atol=1e-6)
    assert deep(Soft(scores)) and not deep("texture")


def test_a_part_without_scores_gives_its_labels(rng: np.random.Generator) -> None:
    array = np.pad(np.full((4, 4), 9.0), 3)
    found = probability(Histogram(), Case.of(Image.from_array(array)))
    assert np.array_equal(found, array > 0) and found.dtype == np.float32


def test_a_networks_bundle_gives_its_softmax(disc_bundle: Path) -> None:
    array = np.array([[0, 100, 105, 110, 255]], np.uint8).repeat(3, axis=0)
    case = Case.of(Image.from_array(array))
    network = load(disc_bundle)
    assert isinstance(network, Part)
    found = seen(case, network, Before())
    wanted = 1 / (1 + np.exp(-(40.0 * array / 255 - 16.4)))
    assert np.allclose(found, wanted, atol=1e-4)
    assert network.predict(case).scores is None, "labels alone where nobody works on them"


def test_no_answer_stays_no_answer() -> None:
    case = Case.of(Image.from_array(np.zeros((3, 3))))
    assert seen(case, Silent(), Before()).reason == "does not want to"
    nothing = Case.of(Image.from_array(np.full((3, 3), np.nan)))
    for on in ("intensity", "texture"):
        assert isinstance(seen(nothing, on, Before()), NotEvaluated)


@pytest.mark.parametrize("on", ["intensiti", "x.bundle", 3, UNet()])
def test_what_nothing_can_be_worked_on_is_refused(on: Any) -> None:
    with pytest.raises(RecipeError, match="greedy: "):
        refuse_input(on, Before(), where="greedy")


@pytest.mark.parametrize("before", [Before(channel="red"), Before(window=(0.0, 1.0)), Before(denoise="median")])
def test_settings_of_the_image_have_no_meaning_for_a_part(before: Before) -> None:
    refuse_input("texture", before, where="x")
    with pytest.raises(RecipeError, match="has no meaning"):
        refuse_input(Silent(), before, where="x")
