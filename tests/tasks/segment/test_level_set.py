"""Contours that move, as a method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Cases, Image, NotEvaluated, build
from isocenter.errors import LabelError, RecipeError
from isocenter.tasks.segment.histogram import Histogram
from isocenter.tasks.segment.level_set import BACKGROUNDS, MODELS, LevelSet


def ball(shape: tuple[int, ...], radius: float, at: float = 0.5) -> np.ndarray:
    away = [(i - at * (n - 1)) ** 2 for i, n in zip(np.indices(shape), shape, strict=True)]
    return np.sqrt(sum(away)) < radius


def noisy(shape: tuple[int, ...] = (64, 72), seed: int = 0, sd: float = 30.0) -> tuple[np.ndarray, np.ndarray]:
    mask = ball(shape, min(shape) / 4)
    return 100 + 40.0 * mask + np.random.default_rng(seed).normal(0, sd, shape), mask


def predicted(array: np.ndarray, method, **image) -> np.ndarray:
    return method.predict(Case.of(Image.from_array(array, **image))).labels == 1


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("shape", [(64, 72), (28, 30, 32)])
@pytest.mark.parametrize("sign", [1, -1])
def test_even_regions_are_found_in_noise(shape: tuple[int, ...], sign: int) -> None:
    image, mask = noisy(shape)
    smooth = Before(denoise="gaussian")
    found = predicted(sign * image, LevelSet(smoothness=2.0))
    assert overlap(found, mask) > 0.93
    assert overlap(predicted(sign * image, Histogram(before=smooth)), mask) < overlap(found, mask) - 0.01


@pytest.mark.parametrize("shape", [(64, 72), (28, 30, 32)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_geodesic_contour_rests_on_edges(shape: tuple[int, ...], sign: int) -> None:
    image, mask = noisy(shape, sd=8.0)
    assert overlap(predicted(sign * image, LevelSet(model="geodesic")), mask) > 0.9


def test_large_images_are_shrunk_on_a_coarser_grid() -> None:
    image, mask = noisy((420, 400), sd=8.0)
    found = predicted(image, LevelSet(model="geodesic"))
    assert overlap(found, mask) > 0.95


def test_enclosed_leaves_out_what_touches_the_edge() -> None:
    image = np.full((60, 60), 100.0)
    image[20:40, 20:40] = 20
    image[5:15, :20] = 20
    for model in MODELS:
        found = predicted(image, LevelSet(bright=False, background="enclosed", model=model))
        assert found[30, 30]
        assert not found[10, 2]
    assert predicted(image, LevelSet(bright=False))[10, 2]


def test_smoothness_rounds_corners() -> None:
    image = np.zeros((60, 60))
    image[15:45, 15:45] = 100
    sharp, round_ = (
        predicted(image, LevelSet(bright=True, smoothness=s, before=Before(denoise="none"))) for s in (0.0, 60.0)
    )
    assert sharp[15, 15]
    assert not round_[15, 15]
    assert round_[30, 16]


def test_fit_learns_side_background_and_model() -> None:
    shape = (60, 64)
    mask = ball(shape, 12)
    rng = np.random.default_rng(0)
    x = []
    for _ in range(4):
        image = 100 - 50.0 * mask + rng.normal(0, 10, shape)
        image[:, :10] -= 50
        x.append(image)
    train = Cases.from_arrays(x, [mask.astype(int)] * 4, task="segment", classes=("cyst",))
    found = LevelSet().fit(train, train)
    assert (found.bright, found.name) == (False, "cyst")
    assert found.background == "enclosed" or found.after.largest
    assert found.model in MODELS
    assert found.smoothness is not None
    assert overlap(found.predict(train[1]).mask("cyst"), mask) > 0.93
    assert LevelSet.from_state(found.about, found.state()) == found
    said = LevelSet(bright=True, model="chan_vese", background="none", smoothness=2.0, after=After(largest=True),
                    before=Before(channel="mean"))
    assert said.fit(train, train) == replace(said, name="cyst")


def test_train_without_labels_is_refused() -> None:
    empty = Cases.from_arrays([np.eye(8)] * 3, [np.zeros((8, 8), int)] * 3, task="segment", classes=("x",))
    with pytest.raises(LabelError):
        LevelSet().fit(empty, empty)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_sixteen_bits_and_colour(model: str, background: str) -> None:
    image, mask = noisy(sd=4.0)
    method = LevelSet(model=model, background=background)
    wide = np.round((image - image.min()) / np.ptp(image) * 65535).astype(np.uint16)
    assert overlap(predicted(wide, method), mask) > 0.9
    colour = np.stack([wide, wide, wide // 2])
    for channel in (None, "green", "hsv-value"):
        found = predicted(colour, replace(method, before=Before(channel=channel)), axes="cyx",
                          channels=("red", "green", "blue"))
        assert overlap(found, mask) > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 40), (2, 3, 4), (1, 1, 1)])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_tiny_images(shape: tuple[int, ...], model: str, background: str) -> None:
    method = LevelSet(model=model, background=background)
    assert isinstance(method.predict(Case.of(Image.from_array(np.zeros(shape)))), NotEvaluated)
    found = method.predict(Case.of(Image.from_array(np.arange(float(np.prod(shape))).reshape(shape))))
    assert isinstance(found, NotEvaluated) or found.labels.shape == shape


def test_settings_without_sense_are_refused() -> None:
    for settings in ({"model": "snake"}, {"smoothness": -1}, {"before": {"spacing": [1.0, 1.0]}}):
        with pytest.raises(RecipeError):
            build(LevelSet, settings)
