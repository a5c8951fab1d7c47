"""Moves are exact where they can be, bring world points with them, and several are one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from isocenter.data import Boxes, Geometry, Image, Instances, Segmentation
from isocenter.data.moving import (
    carried,
    chained,
    cropped,
    exact,
    flipped,
    followed,
    moved,
    onto,
    padded,
    perspective,
    resampled,
    rotated,
    scaled,
)
from isocenter.data.warping import warped
from isocenter.errors import GeometryError

FLAT = Geometry((12, 17))
MM = Geometry.from_spacing((12, 17), (0.5, 2.0), origin=(30.0, -4.0))
SLICE = Geometry((12, 17), ((0.0, 1.5, 10.0), (0.7, 0.0, 20.0), (0.1, 0.0, 30.0), (0.0, 0.0, 1.0)))
OBLIQUE = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0] * [3.0, 1.0, 0.5]
VOLUME = Geometry((6, 7, 9), tuple(map(tuple, np.vstack([np.c_[OBLIQUE, [5.0, 6, 7]], [0, 0, 0, 1]]).tolist())))
GRIDS = [FLAT, MM, SLICE, VOLUME]


def noise(grid, kind=np.int16, seed=0):
    pixels = np.random.default_rng(seed).integers(-3000, 3000, grid.shape).astype(kind)
    return Image.from_array(pixels, axes="zyx"[-grid.ndim :], geometry=grid)


def world(grid, at):
    return grid.to_world(at) if grid.affine else np.asarray(at, float)[:, ::-1]


@pytest.mark.parametrize("grid", GRIDS)
def test_a_flip_mirrors_the_pixels_and_twice_is_nothing(grid):
    image = noise(grid)
    for axis, name in enumerate("zyx"[-grid.ndim :]):
        move = flipped(grid, name)
        once = carried(move, image)
        assert exact(move) and once.dtype == "int16"
        assert np.array_equal(once.pixels(), np.flip(image.pixels(), axis))
        assert once.geometry.same_grid(grid)
        assert np.array_equal(carried(chained([move, flipped(grid, name)]), image).pixels(), image.pixels())
    both = flipped(grid, "yx")
    assert np.array_equal(carried(both, image).pixels(), np.flip(image.pixels(), (-2, -1)))


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("quarters", [-3, -1, 0, 1, 2, 3, 4, 9])
def test_quarter_turns_are_numpys(grid, quarters):
    image = noise(grid)
    names = "zyx"[-grid.ndim :]
    for axis in names if grid.ndim == 3 else "z":
        planes = [k for k, name in enumerate(names) if name != axis]
        move = rotated(grid, 90 * quarters, axis=axis)
        turned = carried(move, image)
        assert exact(move)
        assert np.array_equal(turned.pixels(), np.rot90(image.pixels(), quarters, planes))
        middle = (np.array(grid.shape) - 1) / 2
        there = (np.array(turned.geometry.shape) - 1) / 2
        if grid.affine:
            assert np.allclose(world(turned.geometry, there[None]), world(grid, middle[None]))
            assert turned.geometry.pixel_volume == pytest.approx(grid.pixel_volume)


@pytest.mark.parametrize("grid", GRIDS)
@settings(max_examples=15, deadline=None)
@given(degrees=st.floats(-400, 400), seed=st.integers(0, 99))
def test_points_follow_a_turn_and_come_back(grid, degrees, seed):
    move = rotated(grid, degrees)
    at = np.random.default_rng(seed).random((5, grid.ndim)) * (np.array(grid.shape) - 1)
    points = world(grid, at)
    there = followed(move, points)
    assert np.allclose(move.points(there), points, atol=1e-6)
    places = move.inverse().indices(at)
    # The new grid holds all of the old one.
    assert (places > -0.51 - 1e-6).all() and (places < np.array(move.fixed.shape) - 0.49 + 1e-6).all()
    # A turn keeps distances.
    assert np.allclose(np.linalg.norm(np.diff(there, axis=0), axis=1), np.linalg.norm(np.diff(points, axis=0), axis=1))


def test_a_turn_goes_against_the_clock_and_one_back_undoes_it():
    grid = Geometry((101, 101))
    pixels = np.zeros(grid.shape, np.float32)
    pixels[48:53, 78:83] = 100.0
    turned = carried(rotated(grid, 30, grow=False), Image.from_array(pixels)).pixels()
    middle = np.array(ndimage.center_of_mass(turned))
    assert np.allclose(middle, [50 - 30 * np.sin(np.pi / 6), 50 + 30 * np.cos(np.pi / 6)], atol=0.05)
    there = rotated(grid, 30)
    back = chained([there, rotated(there.fixed, -30, grow=False)])
    margin = (np.array(there.fixed.shape) - 101) / 2
    assert np.allclose(back.inverse().points(np.array([[80.0, 50]])) - margin, [80, 50])


@pytest.mark.parametrize("grid", GRIDS)
def test_the_crop_of_a_pad_is_the_image_and_pixels_keep_their_world(grid):
    image = noise(grid)
    before, after = [2, 1, 3][: grid.ndim], [1, 4, 2][: grid.ndim]
    wide = padded(grid, before, after)
    made = carried(wide, image, outside=-7)
    assert exact(wide)
    wanted = np.pad(image.pixels(), list(zip(before, after, strict=True)), constant_values=-7)
    assert np.array_equal(made.pixels(), wanted)
    back = cropped(made.geometry, before, grid.shape)
    assert np.array_equal(carried(back, made).pixels(), image.pixels())
    assert np.array_equal(carried(chained([wide, back]), image).pixels(), image.pixels())
    if grid.affine:
        assert np.allclose(wide.matrix, np.eye(len(wide.matrix)))
        at = np.array([before])
        assert np.allclose(made.geometry.to_world(at), grid.to_world(at * 0))
        assert carried(back, made).geometry.same_grid(grid)
    part = cropped(grid, [1] * grid.ndim, [3] * grid.ndim)
    assert np.array_equal(carried(part, image).pixels(), image.pixels()[(slice(1, 4),) * grid.ndim])


def test_resampling_keeps_box_centre_and_mean():
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(40, 60)), 3)
    image = Image.from_array(smooth, spacing=(1.0, 1.0))
    move = resampled(image.geometry, spacing=(2.0, 3.0))
    made = carried(move, image)
    assert made.shape == (20, 20) and made.geometry.spacing == (2.0, 3.0)
    assert np.allclose(made.geometry.to_world([[9.5, 9.5]]), image.geometry.to_world([[19.5, 29.5]]))
    assert made.pixels().mean() == pytest.approx(image.pixels().mean(), abs=0.01)
    assert np.allclose(move.matrix, np.eye(3))
    same = resampled(image.geometry, shape=(40, 60))
    assert exact(same)
    fine = carried(resampled(FLAT, shape=(24, 34)), noise(FLAT, np.float32))
    assert fine.shape == (24, 34) and fine.geometry.affine is None


def test_what_is_finer_than_a_new_pixel_is_smoothed_away():
    stripes = Image.from_array(np.tile([0.0, 100.0], (64, 32)))
    small = carried(resampled(stripes.geometry, shape=(16, 16)), stripes).pixels()
    assert np.abs(small[2:-2, 2:-2] - 50).max() < 2
    rough = warped(resampled(stripes.geometry, shape=(16, 16)), stripes, order=0).pixels()
    assert np.abs(rough - 50).max() == 50


@pytest.mark.parametrize("grid", GRIDS)
def test_scaling_makes_things_larger_at_the_same_spacing(grid):
    factors = [2.0, 1.5, 3.0][: grid.ndim]
    move = scaled(grid, factors)
    assert move.fixed.shape == tuple(round(n * f) for n, f in zip(grid.shape, factors, strict=True))
    assert move.fixed.spacing == pytest.approx(grid.spacing) if grid.spacing else move.fixed.spacing is None
    at = np.array([[1.0] * grid.ndim, [3.0] * grid.ndim])
    there = move.inverse().indices(at)
    assert np.allclose(there[1] - there[0], 2 * np.array(factors))
    back = chained([move, scaled(move.fixed, [1 / f for f in factors])])
    if grid.ndim == 2 and grid.shape == back.fixed.shape:
        assert np.allclose(back.indices(at) - at, (back.indices(at) - at)[0])


def test_a_matrix_moves_the_content_and_its_inverse_brings_it_back():
    matrix = np.array([[1.1, 0.2, 3.0], [-0.1, 0.9, 2.0], [0, 0, 1]])
    points = np.array([[32.0, -3.0], [40.0, -2.0]])
    move = moved(MM, matrix)
    assert np.allclose(followed(move, points), points @ matrix[:2, :2].T + matrix[:2, 2])
    assert np.allclose(chained([move, moved(MM, np.linalg.inv(matrix))]).matrix, np.eye(3))
    with pytest.raises(GeometryError, match="singular"):
        moved(MM, np.array([[1.0, 2, 0], [2, 4, 0], [0, 0, 1]]))
    with pytest.raises(GeometryError):
        moved(MM, np.eye(4))


@pytest.mark.parametrize("grid", [FLAT, MM, SLICE])
def test_corners_go_where_they_are_told_and_lines_stay_lines(grid):
    corners = [(1.0, 2.0), (14.0, 0.0), (15.0, 10.0), (0.0, 9.0)]
    move = perspective(grid, corners)
    ends = np.array([[0, 0], [0, 16], [11, 16], [11, 0]])
    assert np.allclose(move.inverse().indices(ends)[:, ::-1], corners)
    line = move.inverse().indices(np.array([[2.0, 2], [5.0, 8], [8.0, 14]]))
    assert abs(np.linalg.det(np.c_[line, np.ones(3)])) < 1e-6
    assert not exact(move)
    with pytest.raises(GeometryError, match="do not determine"):
        perspective(grid, [(0, 0), (1, 1), (2, 2), (3, 3)])
    with pytest.raises(GeometryError, match="flat image"):
        perspective(VOLUME, corners)


def test_several_moves_are_one_and_everything_follows_alike():
    grid = Geometry.from_spacing((40, 50), (1.0, 1.0))
    labels = np.zeros(grid.shape, np.uint8)
    labels[10:16, 20:30] = 1
    first = rotated(grid, 90)
    second = cropped(first.fixed, (5, 3), (40, 30))
    whole = chained([first, second, flipped(second.fixed, "x")])
    out = warped(whole, Segmentation(labels, ("background", "a"), grid))
    expected = np.rot90(labels)[5:45, 3:33][:, ::-1]
    assert np.array_equal(out.labels, expected)
    held = np.argwhere(expected)
    boxes = Boxes(np.array([[[9.5, 19.5], [15.5, 29.5]]]), np.array([0]), ("a",), grid)
    assert np.allclose(warped(whole, boxes).edges[0], [held.min(0) - 0.5, held.max(0) + 0.5])
    made = warped(whole, Instances.from_label_map(labels, grid, classes=("a",)))
    assert np.array_equal(made.label_map(), expected)
    corner = grid.to_world(np.array([[10, 20]]))
    assert labels[10, 20] and expected[tuple(whole.fixed.to_index(followed(whole, corner))[0].round().astype(int))]


def test_onto_another_grid_keeps_the_world():
    other = Geometry.from_spacing((8, 9, 10), (2.0, 2.0, 2.0), origin=(1.0, 2.0, 3.0))
    assert np.allclose(onto(VOLUME, other).points(np.ones((1, 3))), 1)
    with pytest.raises(GeometryError):
        onto(VOLUME, MM)


@pytest.mark.parametrize(
    "move",
    [
        lambda: flipped(FLAT, "z"), lambda: flipped(VOLUME, "t"), lambda: rotated(FLAT, 30, axis="x"),
        lambda: rotated(FLAT, np.nan), lambda: scaled(FLAT, (2.0,)), lambda: scaled(FLAT, (2.0, 0.0)),
        lambda: scaled(FLAT, (900.0, 900.0)), lambda: resampled(FLAT, spacing=(1.0, 1.0)), lambda: resampled(MM),
        lambda: resampled(MM, spacing=(1, 1), shape=(3, 3)), lambda: resampled(MM, spacing=(-1.0, 1.0)),
        lambda: resampled(MM, spacing=(1e-5, 1e-5)), lambda: cropped(FLAT, (20, 0), (4, 4)),
        lambda: cropped(FLAT, (0, 0), (0, 4)), lambda: cropped(FLAT, (0,), (4,)),
        lambda: padded(FLAT, (-20, 0), (0, 0)),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_words(move):
    with pytest.raises(GeometryError):
        move()


def test_nearest_and_colours_and_frames():
    pixels = np.random.default_rng(0).integers(0, 255, (3, 20, 30)).astype(np.uint8)
    image = Image.from_array(pixels, axes="cyx", channels=("r", "g", "b"))
    move = rotated(image.geometry, 20)
    assert set(np.unique(carried(move, image, order=0).pixels())) <= set(np.unique(pixels)) | {0}
    made = carried(move, image)
    assert (made.axes, made.dtype, made.channels) == ("cyx", "uint8", ("r", "g", "b"))
    film = Image.from_array(pixels, axes="tyx")
    assert carried(flipped(film.geometry, "y"), film).pixels().tolist() == pixels[:, ::-1].tolist()


@pytest.mark.parametrize("degrees", [-37.0, 12.5, 100.0])
@pytest.mark.parametrize("order", [1, 3])
def test_turned_pixels_are_scipys(degrees, order):
    grid = Geometry((40, 51))
    pixels = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=grid.shape), 1.5).astype(np.float32)
    ours = carried(rotated(grid, degrees, grow=False), Image.from_array(pixels), order=order).pixels()
    theirs = ndimage.rotate(pixels, degrees, axes=(1, 0), reshape=False, order=order, mode="nearest")
    flipped_back = ndimage.rotate(pixels, -degrees, axes=(1, 0), reshape=False, order=order, mode="nearest")
    inner = (slice(13, 27), slice(18, 33))
    errors = [np.abs(ours[inner] - other[inner]).max() for other in (theirs, flipped_back)]
    # Scipy turns from the first axis to the second: one of the two senses is ours, the other is not.
    assert min(errors) < 1e-3 < max(errors)
    big = rotated(grid, degrees).fixed.shape
    scipys = ndimage.rotate(pixels, degrees, reshape=True).shape
    assert np.abs(np.subtract(big, scipys)).max() <= 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), st.sampled_from(["x", "y", "yx"])),
        st.tuples(st.just("turn"), st.integers(-4, 4)),
        st.tuples(st.just("pad"), st.tuples(st.integers(0, 3), st.integers(0, 3))),
        st.tuples(st.just("crop"), st.tuples(st.integers(0, 2), st.integers(0, 2))),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, known=st.booleans())
def test_any_row_of_exact_moves_is_what_numpy_does_step_by_step(steps, known):
    grid = MM if known else FLAT
    image = noise(grid)
    pixels, moves = image.pixels(), []
    for name, value in steps:
        now = moves[-1].fixed if moves else grid
        if name == "flip":
            moves.append(flipped(now, value))
            pixels = np.flip(pixels, ["yx".index(a) for a in value])
        elif name == "turn":
            moves.append(rotated(now, 90 * value))
            pixels = np.rot90(pixels, value)
        elif name == "pad":
            moves.append(padded(now, value, value[::-1]))
            pixels = np.pad(pixels, list(zip(value, value[::-1], strict=True)))
        else:
            shape = [n - 2 * v for n, v in zip(now.shape, value, strict=True)]
            if min(shape) < 1:
                continue
            moves.append(cropped(now, value, shape))
            pixels = pixels[tuple(slice(v, v + n) for v, n in zip(value, shape, strict=True))]
    if not moves:
        return
    whole = chained(moves)
    out = carried(whole, image)
    assert exact(whole) and out.geometry.shape == pixels.shape
    # A crop forgets, and a pad after it cannot remember; one move of all brings back what was there.
    seen = out.pixels()
    assert np.array_equal(seen[pixels != 0], pixels[pixels != 0])
    at = np.array([[2.0, 3.0], [7.0, 11.0]])
    assert np.allclose(whole.indices(whole.inverse().indices(at)), at)
    if known:
        assert sorted(np.round(out.geometry.spacing, 9)) == [0.5, 2.0]
