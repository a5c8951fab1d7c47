"""One marked, asymmetric pixel through every format, in all 48 orientations of a volume: no flip, no shift."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Segmentation, orienting
from isocenter.io import as_image, read_image, read_labels, to_nibabel, to_sitk, write, write_overlay

SHAPE = (5, 6, 7)
MARK = (1, 4, 2)
SPACING = (2.5, 1.25, 0.75)
CODES = tuple(
    "".join(pair[end] for pair, end in zip(order, ends, strict=True))
    for order in itertools.permutations((("R", "L"), ("A", "P"), ("I", "S")))
    for ends in itertools.product((0, 1), repeat=3)
)


def turned(code: str) -> Image:
    """A phantom whose array axes run in these directions: one bright mark, one half as bright beside it along x."""
    array = np.zeros(SHAPE, np.int16)
    array[MARK] = 1000
    array[MARK[0], MARK[1], MARK[2] + 1] = 500
    base = Geometry.from_spacing(SHAPE, SPACING, origin=(-31.0, 17.0, 203.0))
    order, flips = orienting(base, code)
    moved = np.flip(array.transpose(order), [i for i, f in enumerate(flips) if f])
    return Image.from_array(np.ascontiguousarray(moved), geometry=base.reoriented(order, flips))


def place(image: Image, value: int = 1000) -> np.ndarray:
    """World point of the mark, from pixels and geometry alone."""
    return image.geometry.to_world(np.argwhere(image.pixels() == value))[0]


WORLD = Geometry.from_spacing(SHAPE, SPACING, origin=(-31.0, 17.0, 203.0)).to_world(np.asarray([MARK]))[0]


def test_there_are_48_orientations_and_the_phantom_tells_them_apart() -> None:
    assert len(set(CODES)) == 48
    assert {turned(c).geometry.orientation for c in CODES} == set(CODES)
    assert len({turned(c).pixels().tobytes() + str(turned(c).shape).encode() for c in CODES}) == 48


@pytest.mark.parametrize("code", CODES)
def test_the_mark_stays_at_its_place(code: str, tmp_path: Path) -> None:
    image = turned(code)
    np.testing.assert_allclose(place(image), WORLD, atol=1e-9)
    for end in (".nii", ".nii.gz"):
        back = read_image(write(image, tmp_path / f"a{end}"))
        assert np.array_equal(back.pixels(), image.pixels())
        assert back.geometry.orientation == code
        np.testing.assert_allclose(place(back), WORLD, atol=1e-3)
        np.testing.assert_allclose(place(back, 500), place(image, 500), atol=1e-3)
    for there in (to_nibabel, to_sitk):
        back = as_image(there(image))
        assert np.array_equal(back.pixels(), image.pixels())
        np.testing.assert_allclose(place(back), WORLD, atol=1e-3)


@pytest.mark.parametrize("code", CODES)
def test_a_mask_comes_back_to_the_very_pixels_of_its_image(code: str, tmp_path: Path) -> None:
    image = read_image(write(turned(code), tmp_path / "image.nii.gz"))
    mask = (image.pixels() == 1000).astype(np.uint8)
    found = Segmentation(mask, ("background", "mark"), image.geometry)
    labels, geometry = read_labels(write(found, tmp_path / "mask.nii.gz", like=image))
    assert np.array_equal(labels, mask)
    assert geometry == image.geometry
    plain, geometry = read_labels(write(found, tmp_path / "plain.nii.gz"))
    assert np.array_equal(plain, mask)
    assert geometry.same_grid(image.geometry)


@pytest.mark.parametrize("code", CODES)
def test_a_dicom_series_puts_the_mark_where_it_was(code: str, tmp_path: Path, dicom: Callable[..., Path]) -> None:
    image = turned(code)
    matrix = image.geometry.matrix
    assert matrix is not None
    unit = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    names = np.random.default_rng(0).permutation(image.shape[0])
    for k, plane in enumerate(image.pixels()):
        dicom(
            tmp_path / f"{names[k]}.dcm", plane, InstanceNumber=k + 1,
            ImageOrientationPatient=[*unit[:, 2], *unit[:, 1]], PixelSpacing=list(image.geometry.spacing or ())[1:],
            ImagePositionPatient=list(matrix[:3, 3] + k * matrix[:3, 0]),
        )
    back = read_image(tmp_path)
    assert back.shape == image.shape
    np.testing.assert_allclose(place(back), WORLD, atol=1e-3)
    np.testing.assert_allclose(place(back, 500), place(image, 500), atol=1e-3)
    # A stack is ordered along its own normal: a left-handed grid comes back with its slices in reverse.
    right_handed = np.linalg.det(unit[:, ::-1]) > 0
    assert np.array_equal(back.pixels(), image.pixels() if right_handed else image.pixels()[::-1])


@pytest.mark.parametrize("end", [".tif", ".ome.tif", ".npy", ".png"])
def test_formats_without_directions_keep_the_mark_in_the_array(end: str, tmp_path: Path) -> None:
    array = turned("SPL").pixels().astype(np.uint16)
    array = array[MARK[0]] if end == ".png" else array
    spacing = SPACING[-array.ndim :]
    back = read_image(write(Image.from_array(array, spacing=spacing), tmp_path / f"a{end}"))
    assert np.array_equal(back.pixels(), array)
    assert back.geometry.spacing == pytest.approx(spacing, rel=1e-6) or end in (".npy", ".png")


def test_an_overlay_draws_the_mark_at_its_place(tmp_path: Path) -> None:
    image = turned("SPL")
    found = Segmentation((image.pixels() == 1000).astype(np.uint8), ("background", "mark"), image.geometry)
    pixels = read_image(write_overlay(image, found, tmp_path / "a.png")).pixels()
    factor = pixels.shape[1] // SHAPE[1]
    y, x = np.argwhere((pixels == np.asarray([230, 159, 0])[:, None, None]).all(0)).T
    box = [int(v) // factor for v in (y.min(), y.max(), x.min(), x.max())]
    assert box == [MARK[1], MARK[1], MARK[2], MARK[2]]


def test_a_slice_of_a_volume_keeps_its_place_through_a_file(tmp_path: Path) -> None:
    from isocenter.data.cut import take

    plane = take(turned("PSR"), "z", 3)
    back = read_image(write(plane, tmp_path / "a.nii.gz"))
    assert back.axes == "yx"
    assert back.geometry.same_grid(plane.geometry)
    assert np.array_equal(back.pixels(), plane.pixels())
