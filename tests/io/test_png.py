from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isocenter.data import Image
from isocenter.errors import IsocenterError, OutputError, ResourceError, UnreadableError, UsageError
from isocenter.io import png, problems, read_image, read_labels, write


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw(path: Path, width: int, height: int, *, depth: int, kind: int = 0, rows: bytes = b"") -> Path:
    """A PNG of unfiltered rows that no encoder had to agree to."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    path.write_bytes(png.MAGIC + head + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_grey_of_8_and_16_bits_comes_back_exactly(dtype: str, tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, np.iinfo(dtype).max, (5, 7)).astype(dtype)
    image = read_image(write(Image.from_array(array), tmp_path / "a.png"))
    assert (image.axes, image.dtype, image.geometry.spacing, image.modality) == ("yx", dtype, None, None)
    assert image.pixels().dtype == dtype
    assert np.array_equal(image.pixels(), array)


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("RGBA", 4)])
def test_colours_are_named_channels(mode: str, channels: int, tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 255, (5, 7, channels)).astype(np.uint8)
    PIL.Image.fromarray(array, mode).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.channels == ("red", "green", "blue", "alpha")[:channels]
    assert (image.axes, image.shape) == ("cyx", (channels, 5, 7))
    assert np.array_equal(np.moveaxis(image.pixels(), 0, -1), array)
    back = read_image(write(image, tmp_path / "b.png"))
    assert np.array_equal(back.pixels(), image.pixels())


def test_grey_with_alpha_has_two_channels(tmp_path: Path) -> None:
    array = np.stack([np.arange(6), np.full(6, 255)], -1).astype(np.uint8).reshape(2, 3, 2)
    PIL.Image.fromarray(array, "LA").save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").channels == ("grey", "alpha")
    labels, _ = read_labels(tmp_path / "a.png")
    assert labels.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_one_bit_is_zero_and_one(tmp_path: Path) -> None:
    mask = np.asarray([[True, False, True], [False, False, True]])
    PIL.Image.fromarray(mask).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.dtype == "uint8"
    assert image.pixels().tolist() == mask.astype(int).tolist()
    assert read_labels(tmp_path / "a.png")[0].tolist() == mask.astype(int).tolist()


@pytest.mark.parametrize(
    ("depth", "rows", "numbers"), [(2, b"\0\x1b", [0, 1, 2, 3]), (4, b"\0\x0f\x5a", [0, 15, 5, 10])]
)
def test_grey_of_2_and_4_bits_keeps_its_numbers(depth: int, rows: bytes, numbers: list[int], tmp_path: Path) -> None:
    path = raw(tmp_path / "a.png", 4, 1, depth=depth, rows=rows)
    assert read_image(path).pixels().tolist() == [numbers]
    assert read_labels(path)[0].tolist() == [numbers]


def test_a_palette_gives_colours_as_image_and_indices_as_labels(tmp_path: Path) -> None:
    indices = np.asarray([[0, 1], [2, 1]], np.uint8)
    picture = PIL.Image.fromarray(indices, "P")
    picture.putpalette([0, 0, 0, 250, 0, 0, 0, 0, 200])
    picture.save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.pixels()[:, 0, 1].tolist() == [250, 0, 0]
    assert np.array_equal(read_labels(tmp_path / "a.png")[0], indices)


def test_a_palette_of_greys_is_one_channel(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(np.asarray([[0, 1]], np.uint8), "P")
    picture.putpalette([10, 10, 10, 90, 90, 90])
    picture.save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").pixels().tolist() == [[10, 90]]


def test_colour_of_16_bits_is_refused_rather_than_halved(tmp_path: Path) -> None:
    path = raw(tmp_path / "a.png", 2, 1, depth=16, kind=2, rows=b"\0" + bytes(12))
    with pytest.raises(UnreadableError, match=r"a\.png: colour of 16 bits.*TIFF"):
        read_image(path)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, little_memory: Callable[[int], object]) -> None:
    row = bytes(1 + 10_000 // 8)
    path = raw(tmp_path / "a.png", 10_000, 10_000, depth=1, rows=row * 10_000)
    assert path.stat().st_size < 20_000
    words = r"a\.png: refused as a decompression bomb"
    with little_memory(128), pytest.raises(ResourceError, match=words):  # type: ignore[attr-defined]
        read_image(path)


@pytest.mark.parametrize("size", [(0, 5), (2**31 - 1, 2**31 - 1), (65_535, 65_535)])
def test_impossible_sizes_are_refused(size: tuple[int, int], tmp_path: Path) -> None:
    path = raw(tmp_path / "a.png", *size, depth=8, rows=b"\0" * 10)
    with pytest.raises(IsocenterError, match=r"a\.png"):
        read_image(path).pixels()


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.3, 0.5, 0.8, 0.95])
def test_a_file_that_is_cut_short_is_refused(share: float, tmp_path: Path, rng: np.random.Generator) -> None:
    path = write(Image.from_array(rng.integers(0, 255, (40, 40)).astype(np.uint8)), tmp_path / "a.png")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(IsocenterError, match=r"a\.png"):
        read_image(path).pixels()


def test_damaged_pixels_are_noticed(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write(Image.from_array(rng.integers(0, 255, (40, 40)).astype(np.uint8)), tmp_path / "a.png")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(bytes(data))
    image = read_image(path)
    with pytest.raises(UnreadableError, match=r"a\.png"):
        image.pixels()


def test_only_the_first_picture_of_an_animation_is_read_and_it_is_said(tmp_path: Path) -> None:
    frames = [PIL.Image.fromarray(np.full((4, 4), v, np.uint8)) for v in (10, 200)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    assert [p.code for p in problems(tmp_path / "a.png")] == ["animated"]
    assert read_image(tmp_path / "a.png").pixels().max() == 10


def test_a_volume_or_a_film_is_not_a_picture(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.png: a PNG holds one grey or colour picture"):
        write(Image.from_array(np.zeros((5, 6, 7), np.uint8)), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_values_that_do_not_fit_are_not_rounded(tmp_path: Path) -> None:
    for values in ([0.5, 1.0], [-1, 5], [70_000, 5], [np.nan, 1]):
        with pytest.raises(OutputError, match=r"a\.png: values that 8 or 16 bits cannot hold"):
            write(Image.from_array(np.asarray([values])), tmp_path / "a.png")
    kept = write(Image.from_array(np.asarray([[0.0, 300.0]])), tmp_path / "b.png")
    assert read_image(kept).pixels().tolist() == [[0, 300]]


def test_axes_of_a_picture_may_be_said_and_must_fit(tmp_path: Path) -> None:
    path = write(Image.from_array(np.zeros((4, 5), np.uint8)), tmp_path / "a.png")
    assert read_image(path, axes="yx", spacing=(0.1, 0.2)).geometry.spacing == (0.1, 0.2)
    with pytest.raises(UsageError, match=r"a\.png: axes do not fit"):
        read_image(path, axes="zyx")


def test_names_outside_ascii_are_read_and_written(tmp_path: Path) -> None:
    array = np.eye(4, dtype=np.uint8)
    path = write(Image.from_array(array), tmp_path / "视网膜 血管.png")
    assert np.array_equal(read_image(path).pixels(), array)


