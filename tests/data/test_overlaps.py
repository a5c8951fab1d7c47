"""Pairs of tiles are found by key points, shifts or headers, exactly; strangers are not taken for neighbours."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Geometry, Image
from isocenter.data.overlaps import overlaps, shared, tied, tile
from isocenter.errors import GeometryError
from isocenter.ops.transforms import apply_matrix
from isocenter.simulate.tiles import Cutting, cut


def scene(shape=(300, 360), seed=0):
    rng = np.random.default_rng(seed)
    made = sum(ndimage.gaussian_filter(rng.normal(size=shape), s) * s for s in (1.5, 4.0, 12.0))
    return np.clip(110 + 30 * made / made.std(), 0, 255).astype(np.uint8)


def errors(found, tiles, cuts):
    true = np.linalg.inv(cuts[found.second].matrix) @ cuts[found.first].matrix
    tie = tied(tiles, found)
    return np.linalg.norm(apply_matrix(true, tie.here) - tie.there, axis=1)


@pytest.fixture(scope="module")
def cuts():
    return cut(Image.from_array(scene()), Cutting(grid=(1, 3), overlap=0.3), seed=2)


@pytest.fixture(scope="module")
def tiles(cuts):
    return [tile(c.image) for c in cuts]


def test_neighbours_are_found_by_key_points_to_a_tenth_of_a_pixel(tiles, cuts):
    found = overlaps(tiles, kind="rigid", headers=False)
    assert len(found) == 2
    assert {o.how for o in found} == {"key points"}
    assert all(o.pairs > 8 and o.likeness > 0.9 and 0.2 < o.share < 0.4 for o in found)
    assert max(errors(o, tiles, cuts).mean() for o in found) < 0.15


def test_without_key_points_every_shift_is_tried(cuts):
    smooth = [Image.from_array(np.uint8(ndimage.gaussian_filter(c.image.pixels().astype(float), 5))) for c in cuts]
    blurred = [tile(i) for i in smooth]
    without = [type(t)(t.image, t.grey, None, t.broad, t.clipped) for t in blurred]
    found = overlaps(without, kind="rigid", headers=False)
    assert {o.how for o in found} == {"correlation"}
    assert len(found) == 2
    assert max(errors(o, without, cuts).mean() for o in found) < 0.5


def test_strangers_are_no_neighbours(tiles):
    others = [tile(Image.from_array(scene((200, 200), seed))) for seed in (7, 8)]
    assert overlaps([tiles[0], *others], kind="rigid", headers=False) == []
    blank = tile(Image.from_array(np.full((80, 80), 9, np.uint8)))
    assert overlaps([blank, blank], kind="rigid", headers=False) == []


def test_spacings_in_mm_may_differ(cuts):
    whole = scene((240, 240), 3)
    fine = Image.from_array(whole[:, :150], spacing=(0.5, 0.5))
    half = ndimage.zoom(whole[:, 90:].astype(float), 0.5, order=1, grid_mode=True, mode="grid-constant")
    coarse = Image.from_array(np.uint8(half), spacing=(1.0, 1.0))
    [found] = overlaps([tile(fine), tile(coarse)], kind="rigid", headers=False)
    # Pixel 0 of the coarse image is centred between pixels 90 and 91 of the whole.
    expected = np.array([[1, 0, -45.25], [0, 1, -0.25], [0, 0, 1]])
    at = np.array([[50.0, 10], [70, 100]])
    assert np.abs(apply_matrix(found.matrix, at) - apply_matrix(expected, at)).max() < 0.15


def volumes(wrong=(0.0, 0.0, 0.0), kind=np.int16):
    rng = np.random.default_rng(4)
    whole = sum(ndimage.gaussian_filter(rng.normal(size=(40, 60, 60)), s) * s for s in (1.5, 4.0))
    whole = (whole / whole.std() * 200).astype(kind)
    step = (3.0, 2.0, 2.0)
    first = Image.from_array(whole[:24], geometry=Geometry.from_spacing((24, 60, 60), step, origin=(-60, -60, 10)))
    at = np.array([-60.0, -60, 10 + 3 * 16]) + wrong
    second = Image.from_array(whole[16:], geometry=Geometry.from_spacing((24, 60, 60), step, origin=tuple(at)))
    return first, second


def test_volumes_begin_at_their_headers_and_are_refined():
    made = [tile(v) for v in volumes(wrong=(7.0, -5.0, 6.0))]
    [found] = overlaps(made, kind="translation", headers=True)
    assert found.how == "headers"
    # Own coordinates begin at pixel 0: the second lies 16 slices of 3 mm above the first.
    assert np.allclose(found.matrix[:3, 3], [0, 0, -48], atol=0.3)
    far = volumes(wrong=(0.0, 0.0, 500.0))
    assert overlaps([tile(v) for v in far], kind="translation", headers=True) == []


def test_volumes_without_positions_are_compared_at_every_shift():
    [found] = overlaps([tile(v) for v in volumes()], kind="translation", headers=False)
    assert found.how == "correlation"
    assert np.allclose(found.matrix[:3, 3], [0, 0, -48], atol=0.3)


def test_axes_that_run_elsewhere_are_refused():
    first, second = volumes()
    turned = second.geometry.reoriented((0, 1, 2), (True, False, False))
    other = second.replaced(lambda: second.pixels()[::-1], geometry=turned)
    with pytest.raises(GeometryError, match="different directions"):
        overlaps([tile(first), tile(other)], kind="translation", headers=True)


def test_values_at_the_same_places_know_what_is_clipped(tiles, cuts):
    found = overlaps(tiles, kind="rigid", headers=False)[0]
    seen = shared(tiles, found)
    ratio = np.median(seen.here / seen.there)
    assert ratio == pytest.approx(cuts[found.first].gain / cuts[found.second].gain, rel=0.02)
    assert np.corrcoef(seen.here[:, 0], seen.there[:, 0])[0, 1] > 0.97
    bright = [tile(Image.from_array(np.minimum(c.image.pixels(), 140) + np.uint8(115))) for c in cuts]
    clipped = shared(bright, found)
    assert 0.02 < 1 - clipped.good.mean() < 0.9


def test_what_is_not_finite_is_the_lowest_value_and_not_good():
    pixels = scene((120, 140)).astype(np.float32)
    pixels[:20, :20] = np.nan
    made = tile(Image.from_array(pixels))
    assert np.isfinite(made.grey).all()
    assert made.clipped[0, :5, :5].all() and not made.clipped[0, 6:, 6:].any()
