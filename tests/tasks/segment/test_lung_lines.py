"""Lines of simulated lungs, as a method."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Before, Case, Cases, Entry, Image, NotEvaluated, Segmentation, as_settings, build
from isocenter.errors import RecipeError
from isocenter.ops.lung import NAMES
from isocenter.simulate.lung import LungScene, lung
from isocenter.tasks.segment.lung_lines import LungLines
from isocenter.verbs.evaluate import evaluate

SHAPE = (180, 200)


def drawn(seed: int = 0, *, convex: bool = False, **scene: float) -> tuple[np.ndarray, np.ndarray]:
    pixels, truth = lung(SHAPE, np.random.default_rng(seed), LungScene(depth=0.25, **scene), convex=convex)
    return pixels[0], truth.labels[0]


def answer(array: np.ndarray, method: LungLines | None = None, **image) -> Segmentation:
    found = (method or LungLines()).predict(Case.of(Image.from_array(array, **image)))
    assert isinstance(found, Segmentation)
    return found


@pytest.mark.parametrize("convex", [False, True])
def test_the_lines_of_a_simulated_lung_are_named(convex: bool) -> None:
    pixels, _ = drawn(1, convex=convex, a_lines=1, b_lines=1)
    found = answer(pixels)
    assert found.names == NAMES
    assert set(np.unique(found.labels)) == {0, 1, 2, 3}


def test_it_is_evaluated_like_any_method() -> None:
    def case(seed: int) -> Case:
        pixels, labels = drawn(seed, a_lines=1, b_lines=1, thickness=6)
        image = Image.from_array(pixels)
        truth = Segmentation(labels, NAMES, image.geometry)
        return Case(f"s{seed}", {"image": image}, subject=f"s{seed}", split="test", load_truth=lambda: truth)

    made = [case(seed) for seed in range(3)]
    entries = tuple(Entry(c.id, lambda c=c: c, c.id, c.id, "test") for c in made)
    cases = Cases(entries, "simulated lungs", "segment", NAMES[1:], tasks=("segment",))
    scores = evaluate(LungLines(), cases).metrics["dice"]
    assert scores["pleural_line"].value > 0.75
    assert scores["b_line"].value > 0.7
    assert scores["a_line"].value > 0.4


def test_what_is_seen_does_not_depend_on_type_scale_or_colour() -> None:
    pixels, _ = drawn(2, b_lines=1)
    found = answer(pixels).labels
    assert np.array_equal(answer(pixels.astype(np.uint16) * 200).labels, found)
    colour = answer(np.stack([pixels] * 3), axes="cyx", channels=("red", "green", "blue"))
    assert np.array_equal(colour.labels, found)
    red = LungLines(before=Before(channel="red"))
    other = np.stack([pixels, 0 * pixels, 0 * pixels])
    assert np.array_equal(answer(other, red, axes="cyx", channels=("red", "green", "blue")).labels, found)


def test_pixels_that_are_not_square_are_seen_as_they_lie_in_space() -> None:
    pixels, truth = drawn(3, convex=True, b_lines=1, thickness=6)
    tall = answer(np.repeat(pixels, 2, axis=0), spacing=(0.5, 1.0)).labels
    line = np.repeat(truth, 2, axis=0) == 1
    assert 2 * np.count_nonzero((tall == 1) & line) / (np.count_nonzero(tall == 1) + np.count_nonzero(line)) > 0.7


def test_a_stack_is_answered_slice_by_slice() -> None:
    slices = [drawn(s)[0] for s in (4, 5)]
    found = answer(np.stack(slices), axes="zyx").labels
    assert np.array_equal(found[0], answer(slices[0]).labels)
    assert np.array_equal(found[1], answer(slices[1]).labels)


def test_a_probe_may_be_said() -> None:
    flat, _ = drawn(6)
    assert isinstance(LungLines(probe="convex").predict(Case.of(Image.from_array(flat))), NotEvaluated)
    fan, _ = drawn(6, convex=True)
    assert np.array_equal(answer(fan, LungLines(probe="convex")).labels, answer(fan).labels)
    assert not np.array_equal(answer(fan, LungLines(probe="linear")).labels, answer(fan).labels)
    with pytest.raises(RecipeError, match="probe"):
        build(LungLines, {"probe": "phased"})


@pytest.mark.parametrize("array", [np.full((40, 40), 3.0), np.full((40, 40), np.nan), np.arange(150.0).reshape(15, 10)])
def test_nothing_to_see_is_not_evaluated(array: np.ndarray) -> None:
    assert isinstance(LungLines().predict(Case.of(Image.from_array(array))), NotEvaluated)


def test_it_is_its_recipe_and_is_listed() -> None:
    method = LungLines(probe="linear")
    assert build(LungLines, as_settings(method)) == method
    assert LungLines.from_state(method.about, method.state()) == method
    assert "lung_lines" in catalog.methods("segment")
    with pytest.raises(RecipeError):
        LungLines(before=Before(spacing=(1.0, 1.0)))
