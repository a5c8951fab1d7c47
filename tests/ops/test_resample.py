from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Geometry
from isocenter.ops.resample import labels_from_scores, labels_from_slabs, mix, nearest, resize, taps, winner

SHAPES = [((7,), (7,)), ((7,), (20,)), ((20,), (7,)), ((9, 14), (31, 5)), ((6, 11, 8), (13, 7, 8)), ((1, 5), (4, 1))]


@pytest.mark.parametrize(("old", "new"), SHAPES)
@pytest.mark.parametrize("order", [0, 1, 3])
def test_a_constant_stays_and_shape_and_type_are_as_said(old, new, order):
    array = np.full((2, *old), 7, np.int16)
    out = resize(array, new, order=order)
    assert out.shape == (2, *new)
    assert out.dtype == (np.int16 if order == 0 else np.float32)
    np.testing.assert_allclose(out, 7, rtol=1e-6)


@pytest.mark.parametrize("order", [1, 3])
def test_weights_of_every_pixel_sum_to_one(order):
    for old, new in [(10, 10), (10, 33), (33, 10), (1, 4), (1000, 3)]:
        index, weight = taps(old, new, order=order)
        assert index.min() >= 0 and index.max() < old
        np.testing.assert_allclose(weight.sum(1), 1, rtol=1e-6)


def test_positions_are_those_of_the_resampled_geometry():
    """Values that are the world coordinate itself must still be the world coordinate on the new, anisotropic grid."""
    geometry = Geometry.from_spacing((24, 20, 16), (5.0, 0.7, 1.3), origin=(-10.0, 4.0, 30.0))
    for shape in [(60, 11, 16), (10, 40, 9)]:
        there = geometry.resampled(shape)
        points = [np.indices(g.shape).reshape(3, -1).T for g in (geometry, there)]
        world, wanted = geometry.to_world(points[0]).T.reshape(3, *geometry.shape), there.to_world(points[1]).T
        wanted = wanted.reshape(3, *shape)
        inside = (slice(None), *(slice(n // 4, n - n // 4) for n in shape))
        for order in (1, 3):
            np.testing.assert_allclose(resize(world, shape, order=order)[inside], wanted[inside], atol=1e-3)


def test_linear_upsampling_agrees_with_scipy(rng):
    array = rng.normal(size=(9, 13)).astype(np.float32)
    wanted = ndimage.zoom(array, (3, 2), order=1, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(resize(array[None], (27, 26))[0], wanted, atol=1e-5)


def test_nearest_upsampling_agrees_with_repetition(rng):
    array = rng.integers(0, 9, (4, 5))
    assert np.array_equal(resize(array[None], (12, 10), order=0)[0], array.repeat(3, 0).repeat(2, 1))
    assert nearest(10, 5).tolist() == [1, 3, 5, 7, 9]


def test_shrinking_averages_instead_of_skipping():
    stripes = np.tile([0.0, 1.0], 64)[None]
    small = resize(stripes, (16,))
    np.testing.assert_allclose(small[0, 1:-1], 0.5, atol=1e-6)
    spot = np.zeros((1, 64, 64), np.float32)
    for y, x in [(30, 31), (13, 50), (40, 22)]:
        spot[0] = 0
        spot[0, y, x] = 1
        assert resize(spot, (16, 16)).sum() == pytest.approx(1 / 16, rel=0.25), "a single bright pixel is lost"


def test_there_and_back_on_an_anisotropic_grid_keeps_a_smooth_image(rng):
    smooth = ndimage.gaussian_filter(rng.normal(size=(12, 60, 50)), (2, 6, 6), mode="nearest").astype(np.float32)[None]
    again = resize(resize(smooth, (36, 45, 40)), smooth.shape[1:])
    assert np.abs(again - smooth).max() < 0.1 * np.ptp(smooth)
    assert np.corrcoef(again.ravel(), smooth.ravel())[0, 1] > 0.995


def test_cubic_passes_through_the_pixels_of_a_multiple_and_beats_linear():
    x = np.linspace(0, 6, 40)
    fine = (np.arange(200) + 0.5) * 40 / 200 - 0.5
    truth = np.sin(fine * 6 / 39)
    errors = {order: np.abs(resize(np.sin(x)[None], (200,), order=order)[0] - truth)[10:-10].max() for order in (1, 3)}
    assert errors[3] < errors[1] / 5
    np.testing.assert_allclose(resize(np.sin(x)[None], (120,), order=3)[0, 1::3], np.sin(x), atol=1e-6)


def test_mix_along_any_axis(rng):
    array = rng.normal(size=(3, 6, 5)).astype(np.float32)
    index, weight = taps(6, 4)
    dense = np.zeros((4, 6))
    np.add.at(dense, (np.arange(4)[:, None], index), weight)
    np.testing.assert_allclose(mix(array, 1, index, weight), np.einsum("ij,cjx->cix", dense, array), atol=1e-5)


@pytest.mark.parametrize(("old", "new"), [s for s in SHAPES if len(s[0]) > 1])
def test_labels_equal_the_argmax_of_the_full_scores(old, new, rng):
    scores = rng.normal(size=(5, *old)).astype(np.float32)
    labels = labels_from_scores(scores, new)
    full = np.sort(resize(scores, new), axis=0)
    clear = full[-1] - full[-2] > 1e-5
    assert labels.dtype == np.uint8 and labels.shape == new
    assert np.array_equal(labels[clear], resize(scores, new).argmax(0)[clear])
    assert clear.mean() > 0.99


def test_slabs_of_any_size_give_the_same_labels(rng, monkeypatch):
    scores = rng.normal(size=(4, 23, 17)).astype(np.float32)
    for shape in [(61, 30), (9, 30), (23, 17)]:
        wanted = labels_from_scores(scores, shape)
        for cuts in [[1] * 23, [20, 3], [5, 10, 8]]:
            pieces = np.split(scores, np.cumsum(cuts)[:-1], axis=1)
            assert np.array_equal(labels_from_slabs(pieces, (23, 17), shape), wanted)
        monkeypatch.setattr("isocenter.ops.resample.SLAB", 100)
        assert np.array_equal(labels_from_scores(scores, shape), wanted)
        monkeypatch.undo()


def test_the_full_scores_are_never_held(rng):
    import tracemalloc

    scores = rng.normal(size=(20, 24, 24, 24)).astype(np.float32)
    tracemalloc.start()
    labels_from_scores(scores, (96, 96, 96))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.6 * 20 * 96**3 * 4


def test_a_tie_goes_to_the_first_class():
    assert winner(np.zeros((3, 2, 2))).max() == 0
    assert winner(np.array([[0.0, 1.0], [2.0, 1.0], [2.0, 3.0]])).tolist() == [1, 2]
