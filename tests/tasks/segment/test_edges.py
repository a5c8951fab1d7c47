"""Regions that edges enclose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Cases, Image, NotEvaluated, build
from isocenter.errors import LabelError, RecipeError
from isocenter.tasks.segment.edges import Edges


def ball(shape: tuple[int, ...], radius: float, at: float = 0.5) -> np.ndarray:
    away = [(i - at * (n - 1)) ** 2 for i, n in zip(np.indices(shape), shape, strict=True)]
    return np.sqrt(sum(away)) < radius


def uneven(shape: tuple[int, ...] = (70, 80), seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A disc of 30 on a ramp of 150, so that no threshold finds it; and noise."""
    mask = ball(shape, min(shape) / 4)
    ramp = 150.0 * np.indices(shape)[-1] / shape[-1]
    return ramp + 30 * mask + np.random.default_rng(seed).normal(0, 1, shape), mask


def predicted(array: np.ndarray, method: Edges, **image) -> np.ndarray:
    return method.predict(Case.of(Image.from_array(array, **image))).labels == 1


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("shape", [(70, 80), (28, 32, 36)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_region_is_found_where_no_threshold_finds_it(shape: tuple[int, ...], sign: int) -> None:
    image, mask = uneven(shape)
    assert overlap(predicted(sign * image, Edges()), mask) > 0.9
    best_threshold = max(overlap(image > t, mask) for t in np.quantile(image, np.linspace(0.02, 0.98, 40)))
    assert best_threshold < 0.75


def test_side_chooses_among_regions() -> None:
    shape = (60, 90)
    light, dark = ball(shape, 12, 0.3), ball(shape, 12, 0.7)
    image = 100.0 + 40 * light - 40 * dark
    assert overlap(predicted(image, Edges(bright=True)), light) > 0.9
    assert overlap(predicted(image, Edges(bright=False)), dark) > 0.9
    assert overlap(predicted(image, Edges()), light | dark) > 0.9
    assert overlap(predicted(image, Edges(after=After(largest=True))), light) > 0.85


def test_gaps_are_closed_up_to_their_size() -> None:
    image = np.zeros((80, 80))
    image[20:60, [20, 21, 58, 59]] = 100
    image[[20, 21, 58, 59], 20:60] = 100
    image[37:43, 58:60] = 0
    how = {"scale": 1.0, "strong": 0.5}
    assert not predicted(image, Edges(gap=1.0, **how))[40, 40]
    assert predicted(image, Edges(gap=6.0, **how))[40, 40]


def test_weak_edges_need_a_share_of_strong_ones() -> None:
    shape = (60, 90)
    strong, weak = ball(shape, 12, 0.3), ball(shape, 12, 0.7)
    image = 100.0 * strong + 20.0 * weak
    assert overlap(predicted(image, Edges(strong=1.0)), strong) > 0.9
    assert overlap(predicted(image, Edges(strong=0.5)), strong | weak) > 0.9


def test_lengths_are_in_mm_where_the_spacing_is_known() -> None:
    image, _ = uneven()
    fine = predicted(image, Edges(scale=2.0, gap=2.0))
    assert np.array_equal(predicted(image, Edges(scale=1.0, gap=1.0), spacing=(0.5, 0.5)), fine)
    # Where nobody says, lengths are in pixels.
    assert np.array_equal(predicted(image, Edges(), spacing=(0.25, 0.25)), fine)


def test_fit_learns_side_scale_and_gap() -> None:
    shape = (60, 90)
    light, dark = ball(shape, 12, 0.3), ball(shape, 12, 0.7)
    rng = np.random.default_rng(0)
    x = [100 + 40.0 * light - 40.0 * dark + rng.normal(0, 12, shape) for _ in range(4)]
    train = Cases.from_arrays(x, [dark.astype(int)] * 4, task="segment", classes=("cyst",))
    found = Edges().fit(train, train)
    assert (found.bright, found.name) == (False, "cyst")
    assert None not in (found.scale, found.strong, found.gap)
    assert overlap(found.predict(train[0]).mask("cyst"), dark) > 0.9
    assert Edges.from_state(found.about, found.state()) == found
    said = Edges(bright=True, scale=3.0, strong=0.85, gap=1.5, after=After(largest=True), before=Before(channel="mean"))
    assert said.fit(train, train) == replace(said, name="cyst")


def test_train_without_labels_is_refused() -> None:
    empty = Cases.from_arrays([np.eye(8)] * 3, [np.zeros((8, 8), int)] * 3, task="segment", classes=("x",))
    with pytest.raises(LabelError):
        Edges().fit(empty, empty)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float64])
def test_types_of_pixels_do_not_matter(dtype: type) -> None:
    image = np.round(uneven()[0]).clip(0)
    assert np.array_equal(predicted(image.astype(dtype), Edges()), predicted(image, Edges()))


def test_sixteen_bits_of_full_range_and_colour() -> None:
    image, mask = uneven()
    wide = np.round((image - image.min()) / np.ptp(image) * 65535).astype(np.uint16)
    assert overlap(predicted(wide, Edges()), mask) > 0.9
    colour = np.stack([wide * 0, wide, wide * 0]).astype(np.uint16)
    names = ("red", "green", "blue")
    for channel in (None, "green", "hsv-value", "lab-lightness"):
        found = predicted(colour, Edges(before=Before(channel=channel)), axes="cyx", channels=names)
        assert overlap(found, mask) > 0.85


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 40), (2, 3, 4), (1, 1, 1)])
def test_tiny_images(shape: tuple[int, ...]) -> None:
    assert isinstance(Edges().predict(Case.of(Image.from_array(np.zeros(shape)))), NotEvaluated)
    found = Edges(bright=True).predict(Case.of(Image.from_array(np.arange(float(np.prod(shape))).reshape(shape))))
    assert isinstance(found, NotEvaluated) or found.labels.shape == shape


def test_settings_without_sense_are_refused() -> None:
    for settings in ({"strong": 1.5}, {"scale": -1}, {"before": {"spacing": [1.0, 1.0]}}, {"after": {"overlap": 0.5}}):
        with pytest.raises(RecipeError):
            build(Edges, settings)
