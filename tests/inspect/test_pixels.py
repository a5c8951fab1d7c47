from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import PIL.Image
import pytest
import tifffile

from isocenter import io
from isocenter.data import Image
from isocenter.inspect import pixel_sha256
from isocenter.inspect.pixels import smallest

GREY = np.random.default_rng(0).integers(0, 256, (11, 13)).astype(np.uint8)


def test_the_same_pixels_in_another_file_are_the_same(tmp_path: Path) -> None:
    PIL.Image.fromarray(GREY).save(tmp_path / "a.png")
    PIL.Image.fromarray(GREY).save(tmp_path / "b.png", optimize=True, compress_level=1)
    PIL.Image.fromarray(GREY).convert("RGB").save(tmp_path / "rgb.png")
    tifffile.imwrite(tmp_path / "a.tif", GREY.astype(np.uint16))
    np.save(tmp_path / "a.npy", GREY.astype(np.float32))
    hashes = {pixel_sha256(io.read_image(tmp_path / n)) for n in ("a.png", "b.png", "rgb.png", "a.tif", "a.npy")}
    assert hashes == {pixel_sha256(GREY)}


def test_one_grey_level_makes_another(tmp_path: Path) -> None:
    other = GREY.copy()
    other[3, 4] ^= 1
    assert pixel_sha256(other) != pixel_sha256(GREY)
    assert pixel_sha256(GREY.reshape(13, 11)) != pixel_sha256(GREY)
    colour = np.stack([GREY, GREY, other])
    assert pixel_sha256(Image.from_array(colour, axes="cyx")) != pixel_sha256(GREY)


def test_the_header_does_not_matter(tmp_path: Path) -> None:
    volume = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    for name, affine in (("a", np.eye(4)), ("b", np.diag([2.0, 2, 2, 1]))):
        nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / f"{name}.nii.gz")
    a, b = (pixel_sha256(io.read_image(tmp_path / f"{n}.nii.gz")) for n in "ab")
    assert a == b


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([0, 255], "|u1"), ([0, 256], "<u2"), ([-1, 5], "|i1"), ([-1, 200], "<i2"), ([0.0, 3.0], "|u1"),
     ([0.5, 3.0], "<f4"), ([0.1, 1e300], "<f8"), ([True, False], "|u1"), ([0, 2**40], "<u8")],
)
def test_values_decide_the_type(values: list[Any], dtype: str) -> None:
    assert smallest(np.array(values)).dtype.str == dtype


def test_all_nan_and_both_zeros_are_one() -> None:
    odd = np.array([np.nan, 0.5, 0.0])
    other = odd.copy()
    other.view(np.uint64)[0] |= 7
    other[2] = -0.0
    assert pixel_sha256(odd) == pixel_sha256(other)
