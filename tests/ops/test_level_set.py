"""Contours that move, beside scikit-image's."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.segmentation import chan_vese as slow
from skimage.segmentation import inverse_gaussian_gradient, morphological_geodesic_active_contour

from isocenter.ops.gradient import gradient, size
from isocenter.ops.level_set import chan_vese, geodesic, stopping
from isocenter.ops.thresholds import otsu


def ball(shape: tuple[int, ...], radius: float) -> np.ndarray:
    middle = [(i - (n - 1) / 2) ** 2 for i, n in zip(np.indices(shape), shape, strict=True)]
    return np.sqrt(sum(middle)) < radius


def noisy(shape: tuple[int, ...], radius: float, sd: float = 25.0) -> np.ndarray:
    return 40.0 * ball(shape, radius) + np.random.default_rng(0).normal(0, sd, shape)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize(("shape", "radius"), [((60, 64), 16), ((24, 26, 28), 8)])
def test_even_regions_are_found_in_noise_where_a_threshold_is_not(shape: tuple[int, ...], radius: float) -> None:
    image, truth = noisy(shape, radius), ball(shape, radius)
    start = image >= otsu(image)
    found = chan_vese(image, start, smoothness=2.0)
    assert overlap(start, truth) < 0.75
    assert overlap(found, truth) > 0.95


def test_it_ends_where_the_scheme_of_scikit_image_ends() -> None:
    image = noisy((60, 64), 16, sd=15.0)
    start = image >= otsu(image)
    ours = chan_vese(image, start, smoothness=1.0, steps=500)
    # There values are scaled to 0 .. 1, so that the weight is in other units.
    mu = (image.std() / np.ptp(image)) ** 2
    theirs = slow(image, mu=mu, tol=0, max_num_iter=500, init_level_set=np.where(start, 1.0, -1.0))
    assert overlap(ours, theirs) > 0.98


def test_a_longer_boundary_costs_more() -> None:
    image = noisy((60, 64), 16)
    start = image >= otsu(image)
    lengths = []
    for smoothness in (0.0, 0.5, 4.0):
        mask = chan_vese(image, start, smoothness=smoothness)
        lengths.append(sum(np.count_nonzero(np.diff(mask, axis=a)) for a in (0, 1)))
    assert lengths[0] > lengths[1] > lengths[2]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (1, 1, 4), (2, 2)])
def test_tiny_flat_and_empty(shape: tuple[int, ...]) -> None:
    flat, none = np.full(shape, 3.0), np.zeros(shape, bool)
    assert not chan_vese(flat, none, smoothness=1.0).any()
    assert chan_vese(flat, ~none, smoothness=1.0).all()
    assert not geodesic(stopping(flat * 0), none, steps=3).any()
    ramp = np.arange(flat.size, dtype=float).reshape(shape)
    assert chan_vese(ramp, ramp > ramp.mean(), smoothness=1.0).shape == shape
    assert geodesic(stopping(ramp), ramp > 0, steps=3, balloon=-1).shape == shape


@pytest.mark.parametrize(("shape", "radius"), [((40, 44), 10), ((20, 22, 21), 6)])
@pytest.mark.parametrize("balloon", [-1, 0, 1])
@pytest.mark.parametrize("smoothing", [0, 1, 2])
def test_geodesic_is_that_of_scikit_image(shape: tuple[int, ...], radius: float, balloon: int, smoothing: int) -> None:
    stop = inverse_gaussian_gradient(noisy(shape, radius, sd=4.0), alpha=5, sigma=1)
    start = ball(shape, radius + (3 if balloon <= 0 else -3))
    # An even number of steps: its two smoothings take turns across calls.
    theirs = morphological_geodesic_active_contour(
        stop, 6, init_level_set=start.astype(np.int8), smoothing=smoothing, threshold="auto", balloon=balloon
    )
    assert np.array_equal(geodesic(stop, start, steps=6, smoothing=smoothing, balloon=balloon), theirs == 1)


@pytest.mark.parametrize(("shape", "radius"), [((60, 64), 16), ((24, 26, 28), 8)])
@pytest.mark.parametrize("balloon", [-1, 1])
def test_a_balloon_stops_at_edges(shape: tuple[int, ...], radius: float, balloon: int) -> None:
    image = noisy(shape, radius, sd=1.0)
    stop = stopping(size(gradient(image, 1.0, (1.0,) * len(shape))))
    assert 0 < stop.min() < 0.1
    assert stop.max() <= 1
    start = ball(shape, radius - 3 * balloon)
    assert overlap(geodesic(stop, start, steps=12, balloon=balloon), ball(shape, radius)) > 0.93
