"""Basins of the gradient, flooded and merged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Cases, Image, NotEvaluated, build
from isocenter.errors import LabelError, RecipeError
from isocenter.tasks.segment.watershed import MARKERS, MERGES, Watershed, _cores, _merged, _minima


def ball(shape: tuple[int, ...], radius: float, at: float = 0.5) -> np.ndarray:
    away = [(i - at * (n - 1)) ** 2 for i, n in zip(np.indices(shape), shape, strict=True)]
    return np.sqrt(sum(away)) < radius


def noisy(shape: tuple[int, ...] = (64, 72), seed: int = 0, sd: float = 12.0) -> tuple[np.ndarray, np.ndarray]:
    mask = ball(shape, min(shape) / 4)
    return 100 + 40.0 * mask + np.random.default_rng(seed).normal(0, sd, shape), mask


def predicted(array: np.ndarray, method: Watershed, **image) -> np.ndarray:
    return method.predict(Case.of(Image.from_array(array, **image))).labels == 1


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("shape", [(64, 72), (28, 30, 32)])
@pytest.mark.parametrize("markers", MARKERS)
@pytest.mark.parametrize("sign", [1, -1])
def test_noise_is_merged_away(shape: tuple[int, ...], markers: str, sign: int) -> None:
    image, mask = noisy(shape)
    # A wide Gaussian would move the crest around a small ball inwards.
    found = predicted(sign * image, Watershed(markers=markers, scale=2.0 if len(shape) == 2 else 1.0))
    assert overlap(found, mask) > 0.9
    if markers == "minima" and len(shape) == 2:
        assert overlap(image > 120, mask) < overlap(found, mask)


def test_minima_are_one_a_basin() -> None:
    length = np.ones((9, 11), np.float32)
    length[2:4, 2:4] = 0
    length[6, 8] = 0.2
    seeds = _minima(length)
    assert seeds.max() == 2
    assert seeds[2, 2] == seeds[3, 3] == 1
    assert seeds[6, 8] == 2
    # A dip of less than a level is no basin of its own.
    length[6, 2] = 0.99
    assert _minima(length).max() == 2


def test_cores_lie_inside_and_outside() -> None:
    mask = ball((40, 44), 10)
    seeds = _cores(mask.astype(float), (1.0, 1.0))
    assert seeds[20, 22] == 2
    assert seeds[0, 0] == 1
    assert not (seeds == 2)[~mask].any()
    assert not (seeds == 1)[mask].any()
    assert (seeds == 0).any()
    assert _cores(np.ones((4, 4)), (1.0, 1.0)) is None


def test_basins_are_merged_by_their_means_weighed_by_size() -> None:
    basins = np.repeat([1, 2, 3], [60, 30, 10]).reshape(10, 10)
    height = np.array([0, 0.0, 50, 90])[basins]
    assert np.array_equal(_merged(basins, height, classes=2), basins > 1)
    assert np.array_equal(_merged(basins, height, classes=3), basins > 1)
    assert _merged(np.ones((3, 3), int), np.arange(9.0).reshape(3, 3), classes=2) is None


def test_merging_after_the_edge_is_removed_leaves_bays_out() -> None:
    image = np.full((60, 60), 100.0)
    image[20:40, 20:40] = 20
    image[5:15, :20] = 20
    how = {"bright": False, "scale": 1.0}
    inside = predicted(image, Watershed(merge="enclosed", **how))
    both = predicted(image, Watershed(merge="otsu", **how))
    assert inside[30, 30]
    assert both[30, 30]
    assert not inside[10, 2]
    assert both[10, 2]


def test_the_lower_of_two_thresholds_takes_the_middle_class_too() -> None:
    image = np.zeros((60, 60))
    image[5:25, 10:50] = 100
    image[35:55, 10:50] = 40
    how = {"bright": True, "scale": 1.0, "before": Before(denoise="none")}
    assert predicted(image, Watershed(merge="low", **how))[45, 30]
    assert not predicted(image, Watershed(merge="otsu", **how))[45, 30]


def test_lengths_are_in_mm_where_the_spacing_is_known() -> None:
    image, _ = noisy()
    plain = predicted(image, Watershed(scale=2.0))
    assert np.array_equal(predicted(image, Watershed(scale=1.0), spacing=(0.5, 0.5)), plain)
    assert np.array_equal(predicted(image, Watershed(), spacing=(3.0, 3.0)), plain)


def test_fit_learns_side_markers_scale_and_merge() -> None:
    shape = (60, 64)
    mask = ball(shape, 12)
    rng = np.random.default_rng(0)
    x = []
    for _ in range(4):
        image = 100 - 50.0 * mask + rng.normal(0, 10, shape)
        image[:, :10] -= 50
        x.append(image)
    train = Cases.from_arrays(x, [mask.astype(int)] * 4, task="segment", classes=("cyst",))
    found = Watershed().fit(train, train)
    assert (found.bright, found.name) == (False, "cyst")
    assert found.markers in MARKERS
    assert found.merge in MERGES
    assert found.merge == "enclosed" or found.after.largest
    assert overlap(found.predict(train[1]).mask("cyst"), mask) > 0.93
    assert Watershed.from_state(found.about, found.state()) == found
    said = Watershed(bright=True, scale=3.0, markers="distance", merge="low", after=After(largest=True),
                     before=Before(channel="mean"))
    assert said.fit(train, train) == replace(said, name="cyst")


def test_train_without_labels_is_refused() -> None:
    empty = Cases.from_arrays([np.eye(8)] * 3, [np.zeros((8, 8), int)] * 3, task="segment", classes=("x",))
    with pytest.raises(LabelError):
        Watershed().fit(empty, empty)


@pytest.mark.parametrize("markers", MARKERS)
@pytest.mark.parametrize("merge", MERGES)
def test_sixteen_bits_and_colour(markers: str, merge: str) -> None:
    image, mask = noisy(sd=4.0)
    method = Watershed(markers=markers, merge=merge, bright=True)
    wide = np.round((image - image.min()) / np.ptp(image) * 65535).astype(np.uint16)

    def good(found: np.ndarray) -> bool:
        # The lower of two thresholds takes noise of the background along where there is no class between.
        return found[mask].mean() > 0.85 if merge == "low" else overlap(found, mask) > 0.85

    assert good(predicted(wide, method))
    colour = np.stack([wide, wide, wide // 2])
    for channel in (None, "green", "hsv-value"):
        method = replace(method, before=Before(channel=channel))
        assert good(predicted(colour, method, axes="cyx", channels=("red", "green", "blue")))


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 40), (2, 3, 4), (1, 1, 1)])
@pytest.mark.parametrize("markers", MARKERS)
@pytest.mark.parametrize("merge", MERGES)
def test_tiny_images(shape: tuple[int, ...], markers: str, merge: str) -> None:
    method = Watershed(markers=markers, merge=merge)
    assert isinstance(method.predict(Case.of(Image.from_array(np.zeros(shape)))), NotEvaluated)
    found = method.predict(Case.of(Image.from_array(np.arange(float(np.prod(shape))).reshape(shape))))
    assert isinstance(found, NotEvaluated) or found.labels.shape == shape


def test_settings_without_sense_are_refused() -> None:
    for settings in ({"markers": "seed"}, {"scale": -1}, {"before": {"spacing": [1.0, 1.0]}}, {"merge": "size"}):
        with pytest.raises(RecipeError):
            build(Watershed, settings)
