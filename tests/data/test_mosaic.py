"""Tiles become one picture at the right places and at one exposure; what does not belong is told or refused."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Geometry, Image
from isocenter.data.mosaic import mosaic
from isocenter.errors import GeometryError, InputError, ResourceError
from isocenter.ops.transforms import apply_matrix
from isocenter.ops.warping import grid_points
from isocenter.simulate.tiles import Cutting, cut


def scene(shape=(300, 400), seed=0):
    rng = np.random.default_rng(seed)
    made = sum(ndimage.gaussian_filter(rng.normal(size=shape), s) * s for s in (1.5, 4.0, 12.0))
    return np.clip(110 + 28 * made / made.std(), 0, 255).astype(np.uint8)


def off(made, cuts):
    """Mean distance in pixels of where tiles lie in the anchor's frame from where they were cut."""
    out = []
    for one, transform in zip(cuts, made.transforms, strict=True):
        at = grid_points(one.image.shape[-2:], 5).reshape(-1, 2)
        there = made.transforms[made.anchor].indices(transform.inverse().indices(at))
        true = apply_matrix(one.matrix, at[:, ::-1])
        out.append(np.linalg.norm(apply_matrix(cuts[made.anchor].matrix, there[:, ::-1]) - true, axis=1).mean())
    return np.array(out)


@pytest.fixture(scope="module")
def cuts():
    return cut(Image.from_array(scene()), Cutting(overlap=0.3), seed=1)


@pytest.fixture(scope="module")
def joined(cuts):
    return mosaic([c.image for c in cuts])


def test_tiles_come_together_to_a_fraction_of_a_pixel(joined, cuts):
    assert len(joined.transforms) == 6
    assert off(joined, cuts).max() < 0.4
    assert off(joined, cuts)[joined.anchor] < 1e-9
    assert all(o.used and o.residual < 0.5 for o in joined.overlaps)
    assert len(joined.overlaps) >= 7


def test_exposures_are_matched_over_all_tiles(joined, cuts):
    made = np.array([c.gain for c in cuts]) * joined.exposures.gains[:, 0]
    assert np.allclose(made / made[0], 1, atol=0.01)
    assert max(o.steps[0] for o in joined.overlaps) > 0.1
    assert max(o.steps[1] for o in joined.overlaps) < 0.01


def test_the_panorama_is_the_picture_that_was_cut(joined, cuts):
    panorama = joined.panorama
    assert (panorama.axes, panorama.dtype) == ("yx", "uint8")
    at = grid_points(panorama.geometry.shape).reshape(-1, 2)
    anchor = joined.transforms[joined.anchor].indices(at)
    there = apply_matrix(cuts[joined.anchor].matrix, anchor[:, ::-1])[:, ::-1]
    whole, pixels = scene().astype(float), panorama.pixels().ravel().astype(float)
    inside = ((there > 30) & (there < np.array(whole.shape) - 31)).all(axis=1)
    true = ndimage.map_coordinates(whole, there[inside].T, order=1)
    scale = (pixels[inside] @ true) / (true @ true)
    assert np.corrcoef(pixels[inside], true)[0, 1] > 0.99
    assert np.abs(pixels[inside] / scale - true).mean() < 3.0


def test_the_order_of_the_tiles_does_not_matter(cuts):
    chosen = cuts[:4]
    first, other = (mosaic([c.image for c in order], exposure="none") for order in (chosen, chosen[::-1]))
    sizes = [sorted(m.panorama.shape) for m in (first, other)]
    assert np.abs(np.subtract(*sizes)).max() <= 12
    assert off(other, chosen[::-1]).max() < 0.6


def test_a_stranger_is_told_not_placed(cuts):
    stranger = Image.from_array(scene((120, 130), 9))
    made = mosaic([cuts[0].image, stranger, *[c.image for c in cuts[1:]]])
    assert made.transforms[1] is None
    assert sum(t is not None for t in made.transforms) == 6
    assert made.exposures.gains[1, 0] == 1


def test_geometry_in_mm_is_kept():
    whole = scene((200, 320), 2)
    geometry = Geometry.from_spacing((200, 190), (0.2, 0.25), origin=(40.0, -7.0))
    first = Image.from_array(whole[:, :190], geometry=geometry, modality="XR")
    second = Image.from_array(whole[:, 130:], spacing=(0.2, 0.25))
    made = mosaic([first, second], kind="translation")
    assert made.panorama.geometry.spacing == pytest.approx((0.2, 0.25))
    assert abs(made.panorama.shape[1] - 320) <= 1 and made.panorama.modality == "XR"
    at = np.array([[50.0, 20.0], [100.0, 100.0]])
    for number, shift in ((0, 0), (1, 130)):
        transform = made.transforms[number]
        there = transform.inverse().points(transform.moving.to_world(at))
        own = made.transforms[made.anchor].moving
        expected = own.to_world(at + np.array([0, shift - (0, 130)[made.anchor]]))
        assert np.allclose(there, expected, atol=0.03)
    pixels = made.panorama.pixels().astype(float)
    assert np.abs(pixels[:, 5:315] - whole[:, 5:315]).mean() < 1.5


def beds(unit="HU"):
    rng = np.random.default_rng(4)
    whole = sum(ndimage.gaussian_filter(rng.normal(size=(50, 48, 48)), s) * s for s in (1.5, 4.0))
    whole = (whole / whole.std() * 200).astype(np.int16)
    out = []
    for start, stop, wrong in ((30, 50, 5.0), (0, 20, 0.0), (14, 36, -4.0)):
        origin = (-60.0 + wrong, -60.0, 3.0 * start + wrong)
        grid = Geometry.from_spacing((stop - start, 48, 48), (3.0, 2.0, 2.0), origin=origin)
        out.append(Image.from_array(whole[start:stop], geometry=grid, modality="CT", unit=unit))
    return whole, out


def test_bed_positions_begin_at_their_headers_and_keep_their_values():
    whole, tiles = beds()
    made = mosaic(tiles)
    assert {o.how for o in made.overlaps} == {"headers"}
    assert made.anchor == 2 and (made.exposures.gains == 1).all()
    shape, pixels = made.panorama.shape, made.panorama.pixels()
    assert made.panorama.dtype == "int16" and np.abs(np.subtract(shape, whole.shape)).max() <= 1
    # The middle bed's own grid goes on, so that its pixels are where they were.
    low = np.rint(made.transforms[2].inverse().indices(np.zeros((1, 3))))[0].astype(int)
    inner = pixels[low[0] - 8 : low[0] + 28, 4:44, 4:44]
    true = whole[6:42, 4 - low[1] : 44 - low[1], 4 - low[2] : 44 - low[2]]
    assert np.corrcoef(inner.ravel(), true.ravel())[0, 1] > 0.98
    assert np.allclose(made.panorama.geometry.to_world(low[None]), tiles[2].geometry.to_world(np.zeros((1, 3))))


def test_air_is_where_no_bed_was_and_zero_elsewhere():
    _, tiles = beds()
    grid = Geometry.from_spacing((20, 40, 48), (3.0, 2.0, 2.0), origin=(-60.0, -60.0, 0.0))
    narrow = tiles[1].replaced(lambda: tiles[1].pixels()[:, :40], shape=(20, 40, 48), geometry=grid)
    assert mosaic([narrow, tiles[2]]).panorama.pixels()[0, -1, 0] == -1000


def test_a_pair_that_contradicts_the_others_is_left_out(cuts, monkeypatch):
    import isocenter.data.mosaic as module

    usual = module.overlaps

    def wrong(tiles, **how):
        found = usual(tiles, **how)
        worst = min((k for k in range(len(found)) if found[k].share > 0.2), key=lambda k: found[k].pairs)
        shift = np.array([[1.0, 0, 25], [0, 1, -20], [0, 0, 1]])
        # What lies wrong is less alike.
        found[worst] = module.replace(found[worst], matrix=shift @ found[worst].matrix, likeness=0.6)
        return found

    monkeypatch.setattr(module, "overlaps", wrong)
    made = mosaic([c.image for c in cuts])
    out = [o for o in made.overlaps if not o.used]
    assert len(out) == 1 and out[0].residual > 20
    assert off(made, cuts).max() < 0.5


def plain(shape=(60, 60), **more):
    return Image.from_array(scene(shape, 5), **more)


@pytest.mark.parametrize(
    ("images", "error", "said"),
    [
        ([], InputError, "one image is no mosaic"),
        ([plain()], InputError, "one image is no mosaic"),
        ([plain(), plain(spacing=(1, 1))], GeometryError, "spacing of some images"),
        ([plain(), Image.from_array(np.zeros((3, 60, 60), np.uint8), axes="cyx")], InputError, "axes"),
        ([plain(), Image.from_array(scene((60, 60)).astype(np.uint16) * 200)], InputError, "pixel type"),
        ([Image.from_array(np.zeros((n, 60, 60), np.uint8), axes="cyx") for n in (2, 3)], InputError, "channels"),
        ([Image.from_array(np.zeros((2, 60, 60), np.uint8), axes="tyx")] * 2, InputError, "film"),
        ([plain((90, 90)), Image.from_array(scene((90, 90), 6))], InputError, "no two of the images"),
        ([Image.from_array(np.full((50, 50), 7, np.uint8))] * 2, InputError, "no two of the images"),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_said_in_words(images, error, said):
    with pytest.raises(error, match=said):
        mosaic(images)


def test_ways_that_do_not_exist_are_refused():
    with pytest.raises(InputError, match="not a way"):
        mosaic([plain(), plain()], kind="perspective")


def test_a_wild_panorama_is_refused(cuts, monkeypatch):
    monkeypatch.setattr("isocenter.data.mosaic.LARGEST", 0.5)
    with pytest.raises(ResourceError, match="many times larger"):
        mosaic([c.image for c in cuts[:3]])


def test_nan_is_no_value():
    whole = scene((150, 260), 3).astype(np.float32)
    left, right = whole[:, :160].copy(), whole[:, 100:].copy()
    right[:, :20] = np.nan
    made = mosaic([Image.from_array(left), Image.from_array(right)], kind="translation")
    pixels = made.panorama.pixels()
    assert np.isfinite(pixels).all()
    assert np.abs(pixels[3:147, 5:255] - whole[3:147, 5:255]).mean() < 2


def test_offsets_are_matched_where_tiles_have_them():
    cuts = cut(Image.from_array(scene((240, 320), 4)), Cutting(grid=(1, 3), overlap=0.3, offset=12.0), seed=3)
    made = mosaic([c.image for c in cuts])
    joined = np.array([[c.gain, c.offset] for c in cuts])
    gains, offsets = made.exposures.gains[:, 0], made.exposures.offsets[:, 0]
    assert (offsets != 0).any()
    assert np.allclose(joined[:, 0] * gains / (joined[0, 0] * gains[0]), 1, atol=0.03)
    assert np.ptp(joined[:, 1] * gains + offsets) < 3
    plain = mosaic([c.image for c in cuts], exposure="gain")
    assert (plain.exposures.offsets == 0).all()
    assert max(o.steps[1] for o in made.overlaps) < max(o.steps[1] for o in plain.overlaps)


def test_every_channel_has_its_own_exposure():
    whole = np.stack([scene((160, 260), s) for s in (1, 2, 3)])
    left = Image.from_array(whole[..., :150], axes="cyx", channels=("red", "green", "blue"))
    tinted = np.rint(whole[..., 100:] * np.array([0.9, 0.6, 0.75])[:, None, None]).astype(np.uint8)
    made = mosaic([left, Image.from_array(tinted, axes="cyx", channels=("red", "green", "blue"))], kind="translation")
    ratio = made.exposures.gains[1] / made.exposures.gains[0]
    assert np.allclose(ratio, 1 / np.array([0.9, 0.6, 0.75]), rtol=0.01)
    assert made.panorama.channels == ("red", "green", "blue") and made.panorama.axes == "cyx"


@pytest.mark.parametrize(("kind", "zoom"), [("similarity", 1.15), ("affine", 1.1)])
def test_tiles_of_another_magnification_come_together(kind, zoom):
    whole = scene((200, 320), 6)
    left = whole[:, :200]
    size = (int(200 / zoom), int(180 / zoom))
    at = grid_points(size) * zoom + np.array([0.0, 130.0])
    right = ndimage.map_coordinates(whole.astype(float), np.moveaxis(at, -1, 0), order=3)
    made = mosaic([Image.from_array(left), Image.from_array(np.clip(right, 0, 255).astype(np.uint8))], kind=kind)
    first, second = made.transforms
    probe = np.array([[40.0, 30.0], [100.0, 90.0]])
    # Where a pixel of the second tile lies in the first, over the panorama.
    there = first.indices(second.inverse().indices(probe))
    assert np.abs(there - (probe * zoom + [0, 130])).max() < 0.3


def test_sixteen_bits_keep_their_range():
    whole = (scene((160, 260), 7).astype(np.uint16) * 200) + 3
    made = mosaic([Image.from_array(whole[:, :160]), Image.from_array(whole[:, 110:])], kind="translation")
    assert made.panorama.dtype == "uint16"
    assert np.abs(made.panorama.pixels()[3:-3, 3:-3].astype(float) - whole[3:-3, 3:-3]).mean() < 60


def test_flat_images_may_say_where_they_lie_too():
    whole = scene((160, 260), 7)
    leaning = np.array([[0.0, 0.5, 10.0], [0.3, 0.0, 20.0], [0.4, 0.0, 30.0], [0.0, 0.0, 1.0]])
    out = []
    for start, wrong in ((0, 0.0), (100, 3.0)):
        matrix = leaning.copy()
        matrix[:3, 2] += leaning[:3, 1] * (start + wrong)
        part = whole[:, start : start + 160]
        out.append(Image.from_array(part, geometry=Geometry(part.shape, tuple(map(tuple, matrix.tolist())))))
    made = mosaic(out, headers=True)
    [found] = made.overlaps
    assert found.how == "headers"
    assert np.allclose(found.matrix[:2, 2], [-50.0, 0.0], atol=0.05)
    assert made.panorama.geometry.spacing == pytest.approx((0.5, 0.5))
    with pytest.raises(GeometryError, match="say no positions"):
        mosaic([plain(), plain()], headers=True)
