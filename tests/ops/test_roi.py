from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.roi import align, level, pasted, pooled, positions


def by_hand(features, box, size, stride, samples):
    """RoI align of one region: every position, one after the other."""
    channels, *cells = features.shape
    out = np.zeros((channels, size, size))
    for i in range(size):
        for j in range(size):
            for a in range(samples):
                for b in range(samples):
                    at = []
                    for axis, (k, s) in enumerate(((i, a), (j, b))):
                        share = (k + (s + 0.5) / samples) / size
                        pixel = box[0, axis] + (box[1, axis] - box[0, axis]) * share
                        at.append(min(max((pixel + 0.5) / stride - 0.5, 0), cells[axis] - 1))
                    y, x = (int(np.floor(v)) for v in at)
                    v, u = at[0] - y, at[1] - x
                    down, right = min(y + 1, cells[0] - 1), min(x + 1, cells[1] - 1)
                    out[:, i, j] += (
                        (1 - v) * (1 - u) * features[:, y, x] + (1 - v) * u * features[:, y, right]
                        + v * (1 - u) * features[:, down, x] + v * u * features[:, down, right]
                    ) / samples**2
    return out


def test_the_level_of_the_paper():
    # Lin et al. 2017: 224 px belong to stride 16, a half of that to stride 8.
    sides = np.array([5.0, 111.0, 112.0, 223.0, 224.0, 447.0, 448.0, 5000.0])
    edges = np.stack([np.zeros((8, 2)), np.stack([sides, sides], 1)], 1)
    assert level(edges, (4, 8, 16, 32)).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert level(edges, (4, 8)).tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    long = np.array([[[0.0, 0.0], [56.0, 224.0]]])
    assert level(long, (4, 8, 16)).tolist() == [1]
    assert level(np.zeros((0, 2, 2)), (4, 8)).shape == (0,)


def test_positions_lie_evenly_within_the_edges():
    assert positions(np.array([-0.5]), np.array([3.5]), size=2, samples=2).tolist() == [[0.0, 1.0, 2.0, 3.0]]


@pytest.mark.parametrize(("size", "samples", "stride"), [(3, 2, 4), (7, 1, 2), (1, 3, 8)])
def test_align_is_what_the_definition_says(size, samples, stride, rng):
    features = rng.normal(size=(5, 11, 9)).astype(np.float32)
    low = rng.uniform(-6, 11 * stride - 4, (30, 2))
    edges = np.stack([low, low + rng.uniform(0.5, 9 * stride, (30, 2))], 1)
    out = align(features, edges, size=size, stride=stride, samples=samples)
    assert out.shape == (30, 5, size, size) and out.dtype == np.float32
    for box, mine in zip(edges, out, strict=True):
        assert np.allclose(mine, by_hand(features, box, size, stride, samples), atol=1e-5)


def test_align_of_a_grid_of_one_cell_and_of_no_region(rng):
    features = rng.normal(size=(2, 1, 4)).astype(np.float32)
    edges = np.array([[[0.0, 0.0], [4.0, 9.0]], [[-30.0, -30.0], [-20.0, -20.0]]])
    out = align(features, edges, size=2, stride=4)
    assert np.allclose(out[0], by_hand(features, edges[0], 2, 4, 2), atol=1e-6)
    assert np.allclose(out[1], features[:, :1, :1], atol=1e-6)
    assert align(features, edges[:0], size=2, stride=4).shape == (0, 2, 2, 2)


def test_a_region_over_one_cell_sees_that_cell():
    features = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    # Cell (1, 2) of stride 4 covers pixels 4..7 and 8..11.
    box = np.array([[[3.5, 7.5], [7.5, 11.5]]])
    assert align(features, box, size=1, stride=4, samples=1)[0, 0, 0, 0] == features[0, 1, 2]


def test_pooled_looks_each_region_up_at_its_level(rng):
    maps = [rng.normal(size=(3, 64 // 2**i, 64 // 2**i)).astype(np.float32) for i in range(2)]
    edges = np.array([[[0.0, 0.0], [150.0, 150.0]], [[10.0, 10.0], [30.0, 30.0]], [[0.0, 0.0], [120.0, 200.0]]])
    out = pooled(maps, edges, size=4, strides=(4, 8))
    assert np.array_equal(out[[1]], align(maps[0], edges[[1]], size=4, stride=4))
    assert np.array_equal(out[[0, 2]], align(maps[1], edges[[0, 2]], size=4, stride=8))


def test_a_full_mask_fills_its_box():
    starts, [mask] = pasted(np.ones((1, 7, 7)), np.array([[[1.5, 2.5], [5.5, 9.5]]]), (20, 20))
    assert starts.tolist() == [[2, 3]] and mask.shape == (4, 7) and mask.all()


def test_masks_are_cut_at_the_image_and_may_hold_nothing():
    masks = np.stack([np.ones((4, 4)), np.zeros((4, 4)), np.ones((4, 4))])
    edges = np.array([[[-3.5, -3.5], [2.5, 40.5]], [[1.0, 1.0], [5.0, 5.0]], [[6.1, 6.1], [6.4, 6.4]]])
    starts, found = pasted(masks, edges, (8, 10))
    assert starts[0].tolist() == [0, 0] and found[0].shape == (3, 10) and found[0].all()
    assert found[1].size == 0 and found[2].size == 0


def test_a_disc_comes_back_from_its_bins():
    y, x = np.mgrid[:40, :40]
    disc = (y - 20) ** 2 + (x - 17) ** 2 <= 12**2
    held = np.argwhere(disc)
    box = np.stack([held.min(0) - 0.5, held.max(0) + 0.5])[None].astype(float)
    bins = align(disc[None].astype(np.float32), box, size=14, stride=1)[:, 0]
    [start], [mask] = pasted(bins, box, disc.shape)
    back = np.zeros_like(disc)
    back[start[0] : start[0] + mask.shape[0], start[1] : start[1] + mask.shape[1]] = mask
    assert np.count_nonzero(back & disc) / np.count_nonzero(back | disc) > 0.93


def test_pasting_agrees_with_interpolation_pixel_by_pixel(rng):
    from scipy import ndimage

    mask = rng.random((5, 5))
    box = np.array([[2.3, 1.1], [14.8, 10.9]])
    [start], [found] = pasted(mask[None], box[None], (20, 20))
    rows, columns = (np.arange(start[a], start[a] + found.shape[a]) for a in (0, 1))
    at = [(p - box[0, a]) / (box[1, a] - box[0, a]) * 5 - 0.5 for a, p in enumerate((rows, columns))]
    values = ndimage.map_coordinates(mask, np.meshgrid(*at, indexing="ij"), order=1, mode="nearest")
    assert np.array_equal(found, values >= 0.5) and 0 < found.sum() < found.size
