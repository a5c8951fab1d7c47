"""Sizes and shapes beside scikit-image's and beside plain sums over all pixels."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import pdist
from skimage.measure import regionprops_table
from skimage.morphology import convex_hull_image

from isocenter.errors import InputError, LabelError
from isocenter.ops.morphometry import Shapes, angles, crops, equivalent_diameter, grey_values, shapes


def field(shape: tuple[int, ...], *, seed: int, smooth: float, level: float = 0.6) -> np.ndarray:
    """Irregular blobs with holes and specks, one number each."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), smooth)
    return ndimage.label(noise > level * noise.std())[0]


def measured(numbers: np.ndarray, matrix: np.ndarray | None = None) -> Shapes:
    _, starts, masks = crops(numbers)
    return shapes(starts, masks, shape=numbers.shape, matrix=matrix)


@pytest.mark.parametrize(
    ("shape", "smooth", "level"), [((90, 120), 3, 0.6), ((64, 64), 1, 0.6), ((24, 36, 40), 1.6, 1.0)]
)
def test_every_number_is_that_of_scikit_image(shape: tuple[int, ...], smooth: float, level: float) -> None:
    numbers = field(shape, seed=len(shape), smooth=smooth, level=level)
    # Their 3D hull needs an object that is not flat; their axes are not defined for lines of pixels in 3D.
    thick = [i for i, box in enumerate(ndimage.find_objects(numbers), 1)
             if len(shape) == 2 or min(s.stop - s.start for s in box) > 1]
    numbers = np.where(np.isin(numbers, thick), numbers, 0)
    names = ("label", "area", "centroid", "axis_major_length", "axis_minor_length", "solidity")
    truth = regionprops_table(numbers, properties=(*names, "equivalent_diameter_area"))
    ours = measured(numbers)
    assert len(ours.pixels) > 8
    assert (ours.pixels == truth["area"]).all() and (crops(numbers)[0] == truth["label"]).all()
    assert np.allclose(ours.centroids, np.stack([truth[f"centroid-{i}"] for i in range(len(shape))], 1))
    assert np.allclose(ours.axes[:, 0], truth["axis_major_length"], atol=1e-6)
    assert np.allclose(ours.axes[:, -1], truth["axis_minor_length"], atol=1e-6)
    assert np.allclose(ours.solidity, truth["solidity"], atol=1e-9)
    assert np.allclose(equivalent_diameter(ours.pixels, len(shape)), truth["equivalent_diameter_area"])


def test_the_angle_is_that_of_scikit_image_from_the_x_axis() -> None:
    numbers = field((90, 120), seed=5, smooth=3)
    ours = measured(numbers)
    # Theirs runs from the row axis counter-clockwise, between -90 and 90 degrees.
    theirs = np.degrees(regionprops_table(numbers, properties=("orientation",))["orientation"]) + 90
    apart = (angles(ours.directions) - theirs + 90) % 180 - 90
    long = ours.axes[:, 0] > 1.05 * ours.axes[:, 1]
    assert long.sum() > 5 and np.abs(apart[long]).max() < 1e-6


def test_the_largest_caliper_is_that_of_the_face_middles() -> None:
    for numbers in (field((60, 70), seed=1, smooth=2), field((16, 18, 20), seed=2, smooth=2)):
        ours = measured(numbers)
        for i, number in enumerate(crops(numbers)[0]):
            at = np.argwhere(numbers == number)
            faces = np.concatenate([at + sign * np.eye(numbers.ndim)[a] / 2
                                    for a, sign in product(range(numbers.ndim), (-1, 1))])
            assert ours.feret[i] == pytest.approx(pdist(faces).max())
    theirs = regionprops_table(field((60, 70), seed=1, smooth=2), properties=("feret_diameter_max",))
    assert np.abs(measured(field((60, 70), seed=1, smooth=2)).feret - theirs["feret_diameter_max"]).max() < 0.75


def test_single_pixels_lines_and_boxes() -> None:
    numbers = np.zeros((9, 30), np.uint16)
    numbers[1, 1], numbers[4, 3:8], numbers[2:8, 12:22] = 7, 9, 300
    ours = measured(numbers)
    assert ours.pixels.tolist() == [1, 5, 60] and ours.solidity.tolist() == [1.0, 1.0, 1.0]
    assert ours.feret == pytest.approx([1.0, 5.0, np.hypot(10, 5)])
    assert ours.axes[0].tolist() == [0.0, 0.0] and ours.axes[1] == pytest.approx([4 * np.sqrt(2), 0.0])
    assert not ours.border.any() and crops(numbers)[0].tolist() == [7, 9, 300]
    assert shapes(*crops(numbers * 0)[1:], shape=(9, 30)).axes.shape == (0, 2)


def test_solidity_of_a_dented_square_by_hand() -> None:
    mask = np.ones((11, 11), bool)
    mask[:6, 4:7] = False
    found = shapes(np.zeros((1, 2), np.int64), (mask,), shape=(20, 20))
    assert found.solidity[0] == pytest.approx(103 / 121)
    assert found.solidity[0] == pytest.approx(mask.sum() / convex_hull_image(mask).sum())


@pytest.mark.parametrize("spacing", [(2.0, 0.5), (0.3, 1.1)])
def test_a_disc_on_any_grid_is_a_disc(spacing: tuple[float, float]) -> None:
    y, x = np.mgrid[: int(60 / spacing[0]), : int(60 / spacing[1])]
    disc = (y * spacing[0] - 30) ** 2 + (x * spacing[1] - 30) ** 2 <= 20**2
    ours = measured(disc.astype(np.uint8), np.fliplr(np.diag(spacing[::-1])))
    assert ours.axes[0] == pytest.approx([40, 40], rel=0.015) and ours.feret[0] == pytest.approx(40, abs=max(spacing))


def rotation(*degrees: float) -> np.ndarray:
    """Turned about z, then about x."""
    (c, s), (d, t) = ((np.cos(np.radians(g)), np.sin(np.radians(g))) for g in degrees)
    return np.array([[1, 0, 0], [0, d, -t], [0, t, d]]) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def test_an_oblique_grid_changes_nothing_but_the_direction() -> None:
    z, y, x = np.mgrid[:20, :40, :60]
    body = (((z - 10) * 3 / 24) ** 2 + ((y - 20) / 14) ** 2 + ((x - 30) / 27) ** 2 <= 1).astype(np.uint8)
    straight = np.fliplr(np.diag([1.0, 1.0, 3.0]))
    turn = rotation(30, 20)
    plain, oblique = measured(body, straight), measured(body, turn @ straight)
    assert plain.axes[0] == pytest.approx([54, 48, 28], rel=0.02)
    assert oblique.axes == pytest.approx(plain.axes) and oblique.feret == pytest.approx(plain.feret)
    assert oblique.solidity == plain.solidity
    assert plain.directions[0] == pytest.approx([1, 0, 0], abs=1e-6)
    assert np.abs(oblique.directions[0] @ turn[:, 0]) == pytest.approx(1)


def test_the_angle_follows_the_grid_in_its_plane() -> None:
    y, x = np.mgrid[:80, :80]
    bar = (np.abs((x - 40) * np.sin(np.radians(30)) + (y - 40) * np.cos(np.radians(30))) < 4).astype(np.uint8)
    bar &= (np.hypot(x - 40, y - 40) < 30).astype(np.uint8)
    assert angles(measured(bar).directions)[0] == pytest.approx(30, abs=0.5)
    # Rows twice as high: the picture is stretched upwards.
    tall = np.fliplr(np.diag([1.0, 2.0]))
    stretched = np.degrees(np.arctan(2 * np.tan(np.radians(30))))
    assert angles(measured(bar, tall).directions, tall)[0] == pytest.approx(stretched, abs=1)
    # A slice in the patient: 3D world, two columns, rows running down the body.
    slanted = np.array([[0.0, 1.0], [0.0, 0.0], [-1.0, 0.0]])
    assert angles(measured(bar, slanted).directions, slanted)[0] == pytest.approx(30, abs=0.5)


@pytest.mark.parametrize(("shape", "border"), [((8, 8), [True, True, False]), ((1, 8, 8), [True, True, False])])
def test_the_border_counts_on_axes_longer_than_one_pixel(shape: tuple[int, ...], border: list[bool]) -> None:
    numbers = np.zeros(shape, np.uint8)
    flat = numbers[..., :, :].reshape(8, 8)
    flat[0, 3], flat[4, 7], flat[3:5, 3:5] = 1, 2, 3
    assert measured(numbers).border.tolist() == border
    # A crop that is larger than its object.
    loose = shapes(np.zeros((1, 2), np.int64), (np.pad(np.ones((2, 2), bool), 1),), shape=(8, 8))
    assert not loose.border[0]


def test_numbers_that_are_large_or_wrong() -> None:
    numbers = np.zeros((6, 6), np.int64)
    numbers[1, 1], numbers[3:5, 3] = 2**40, 12
    ids, starts, masks = crops(numbers)
    assert ids.tolist() == [12, 2**40] and starts.tolist() == [[3, 3], [1, 1]] and masks[0].shape == (2, 1)
    with pytest.raises(LabelError, match="below 0"):
        crops(-numbers)
    with pytest.raises(LabelError, match="whole"):
        crops(numbers / 2)
    with pytest.raises(InputError, match="no pixel"):
        shapes(np.zeros((1, 2), np.int64), (np.zeros((2, 2), bool),), shape=(4, 4))
    with pytest.raises(InputError, match="2D or 3D"):
        shapes(np.zeros((0, 1), np.int64), (), shape=(4,))


def test_grey_values_leave_out_what_is_no_number() -> None:
    assert grey_values(np.array([1, 3, 5, 7], np.uint8)) == pytest.approx((4.0, np.sqrt(5), 1, 7))
    assert grey_values(np.array([np.nan, 2.0, np.inf])) == (2.0, 0.0, 2.0, 2.0)
    assert np.isnan(grey_values(np.array([np.nan]))).all() and np.isnan(grey_values(np.zeros(0))).all()


def test_five_hundred_objects_of_a_large_picture_are_quick() -> None:
    y, x = np.mgrid[:1024, :1024]
    cell = (y // 45) * 23 + x // 45 + 1
    numbers = np.where(((y % 45 - 22) / 18) ** 2 + ((x % 45 - 22) / 21) ** 2 <= 1, cell, 0).astype(np.int32)
    measured(numbers[:100, :100])
    seconds = []
    for _ in range(3):
        start = time.process_time()
        ours = measured(numbers)
        seconds.append(time.process_time() - start)
    assert len(ours.pixels) >= 500 and min(seconds) < 0.3
