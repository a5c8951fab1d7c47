"""Gradients and Canny's edges, beside scikit-image's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.feature import canny as theirs

from isocenter.ops.gradient import canny, gradient, size, thinned


def ball(shape: tuple[int, ...], radius: float) -> np.ndarray:
    middle = [(i - (n - 1) / 2) ** 2 for i, n in zip(np.indices(shape), shape, strict=True)]
    return (np.sqrt(sum(middle)) < radius).astype(float)


def noisy(shape: tuple[int, ...] = (60, 70)) -> np.ndarray:
    return 100 * ball(shape, 18) + np.random.default_rng(0).normal(0, 3, shape)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 2.0), (5.0, 1.0, 0.5)])
def test_a_ramp_has_its_slope_in_space(spacing: tuple[float, ...]) -> None:
    slopes = np.arange(1.0, len(spacing) + 1)
    points = np.indices((30,) * len(spacing)).T * spacing
    found = gradient((points @ slopes).T, 1.5, spacing)
    middle = (slice(None), *(slice(13, 17),) * len(spacing))
    assert np.allclose(found[middle].reshape(len(spacing), -1).T, slopes, rtol=0.02)
    assert size(found)[middle[1:]].mean() == pytest.approx(np.linalg.norm(slopes), rel=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 1, 4)])
def test_axes_of_one_pixel_have_no_slope(shape: tuple[int, ...]) -> None:
    spacing = (1.0,) * len(shape)
    found = gradient(np.arange(float(np.prod(shape))).reshape(shape), 1.0, spacing)
    assert found.shape == (len(shape), *shape)
    assert all((found[axis] == 0).all() for axis, n in enumerate(shape) if n == 1)
    assert not gradient(np.full(shape, 7), 1.0, spacing).any()
    assert canny(found, spacing, low=0.1, high=0.2).shape == shape


def test_edges_lie_where_scikit_image_sees_them() -> None:
    image = noisy()
    slopes = gradient(image, 2.0, (1.0, 1.0))
    ours = canny(slopes, (1.0, 1.0), low=4.0, high=8.0)
    # Sobel's filter there weighs by 1/4 of four, so that its gradient is that of the pixel pair.
    other = theirs(image, sigma=2.0, low_threshold=8.0, high_threshold=16.0)
    assert other.any()
    for a, b in ((ours, other), (other, ours)):
        away = ndimage.distance_transform_edt(~a)
        assert np.mean(away[b] <= 1.5) > 0.97


@pytest.mark.parametrize(("shape", "spacing"), [((64, 64), (1.0, 1.0)), ((40, 40, 40), (1.0, 1.0, 1.0))])
def test_crests_are_thin_and_lie_on_the_boundary(shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    mask = ball(shape, 12.5)
    slopes = gradient(100 * mask, 1.5, spacing)
    found = canny(slopes, spacing, low=8.0, high=15.0)
    inside = ndimage.distance_transform_edt(mask)
    outside = ndimage.distance_transform_edt(1 - mask)
    assert (inside + outside)[found].max() <= 1.5
    # Nothing leaks through the line or surface.
    holes, n = ndimage.label(~found)
    assert n == 2
    assert holes[0, 0].max() != holes[tuple(s // 2 for s in shape)]
    assert found.sum() < 1.6 * (ndimage.binary_dilation(mask) & (mask == 0)).sum()


def test_weak_edges_stay_only_where_a_strong_one_holds_them() -> None:
    image = np.zeros((60, 60))
    image[10:30] += np.linspace(10, 100, 60)
    image[45:] += 10
    slopes = gradient(image, 1.0, (1.0, 1.0))
    both = canny(slopes, (1.0, 1.0), low=2.0, high=20.0)
    assert both[9:11, 10].any()
    assert not both[40:50].any()
    assert canny(slopes, (1.0, 1.0), low=2.0, high=2.0)[40:50].any()


def test_thick_slices_are_seen_in_space() -> None:
    image = np.zeros((12, 40, 40))
    image[:, :, 20:] = 50
    spacing = (5.0, 1.0, 1.0)
    slopes = gradient(image, 1.0, spacing)
    found = thinned(slopes, spacing, size(slopes) > 5)
    assert set(np.unique(np.nonzero(found)[2])) <= {19, 20}
    assert found.any(axis=2).all()


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_turning_the_image_turns_the_edges(turn: int) -> None:
    image = noisy()

    def edges(array: np.ndarray) -> np.ndarray:
        return canny(gradient(array, 2.0, (1.0, 1.0)), (1.0, 1.0), low=4.0, high=8.0)

    assert np.mean(edges(np.rot90(image, turn)) == np.rot90(edges(image), turn)) > 0.999
