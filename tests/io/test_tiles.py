from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isocenter.errors import UnreadableError
from isocenter.io import read_image, tiles


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([y, x, (y + x) // 2], -1).astype(np.uint8)


def jpeg(tile: np.ndarray) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(tile).save(out, "JPEG", quality=98, **({"subsampling": 0} if tile.ndim == 3 else {}))
    return out.getvalue()


def slide(path: Path, streams: list[bytes], size: tuple[int, int], *, side: int, samples: int) -> Path:
    """A TIFF whose tiles are these JPEG streams, as scanners of slides write it."""
    width, tail = 8 + 2 + 12 * 11 + 4, bytearray()
    starts = []
    for stream in streams:
        starts.append(width + 2 * 4 * len(streams) + 8 + len(tail))
        tail += stream

    def entry(tag: int, kind: int, *values: int, at: int | None = None) -> bytes:
        value = struct.pack("<I", at if at is not None else values[0])
        return struct.pack("<HHI", tag, kind, len(values)) + value

    offsets = struct.pack(f"<{len(starts)}I", *starts)
    counts = struct.pack(f"<{len(streams)}I", *(len(s) for s in streams))
    many = len(streams) > 1
    entries = [
        entry(256, 4, size[1]), entry(257, 4, size[0]),
        entry(258, 3, *[8] * samples, at=width + 8 * len(streams) if samples == 3 else None), entry(259, 3, 7),
        entry(262, 3, 6 if samples == 3 else 1), entry(277, 3, samples), entry(284, 3, 1), entry(322, 4, side),
        entry(323, 4, side), entry(324, 4, *starts, at=width if many else None),
        entry(325, 4, *[len(s) for s in streams], at=width + 4 * len(streams) if many else None),
    ]
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    path.write_bytes(head + offsets + counts + struct.pack("<4H", 8, 8, 8, 0) + tail)
    return path


def tiled(path: Path, array: np.ndarray, side: int, *, damage: bool = False) -> Path:
    """A slide of this picture."""
    height, width = array.shape[:2]
    padded = np.pad(array, ((0, -height % side), (0, -width % side)) + ((0, 0),) * (array.ndim - 2), mode="edge")
    streams = [jpeg(padded[y : y + side, x : x + side]) for y in range(0, height, side) for x in range(0, width, side)]
    if damage:
        streams[-1] = streams[-1][: len(streams[-1]) // 3]
    return slide(path, streams, (height, width), side=side, samples=3 if array.ndim == 3 else 1)


@pytest.mark.parametrize("size", [(64, 96), (70, 90)])
def test_colour_tiles_are_put_together(size: tuple[int, int], tmp_path: Path) -> None:
    array = smooth(*size)
    image = read_image(tiled(tmp_path / "a.tif", array, 32))
    assert (image.axes, image.shape) == ("cyx", (3, *size))
    assert np.abs(image.pixels().astype(int) - np.moveaxis(array, -1, 0)).mean() < 2


def test_grey_tiles_are_put_together(tmp_path: Path) -> None:
    array = smooth(70, 90)[..., 2]
    assert np.abs(read_image(tiled(tmp_path / "a.tif", array, 32)).pixels().astype(int) - array).max() <= 4


def test_a_tile_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    image = read_image(tiled(tmp_path / "a.tif", smooth(64, 64), 32, damage=True))
    with pytest.raises(UnreadableError, match=r"a\.tif: cannot be read as JPEG tile"):
        image.pixels()


def test_a_tile_larger_than_declared_is_refused(tmp_path: Path) -> None:
    path = slide(tmp_path / "a.tif", [jpeg(smooth(400, 400)[..., 0])], (32, 32), side=32, samples=1)
    with pytest.raises(UnreadableError, match=r"a\.tif: a tile of another size than declared"):
        read_image(path).pixels()


def test_a_tile_smaller_than_declared_is_refused(tmp_path: Path) -> None:
    path = slide(tmp_path / "a.tif", [jpeg(smooth(8, 8)[..., 0])], (32, 32), side=32, samples=1)
    with pytest.raises(UnreadableError, match=r"a\.tif: a tile of another size than declared"):
        read_image(path).pixels()


def test_real_slides_are_read(real_data: Callable[[str], Path]) -> None:
    paths = sorted((real_data("registration-2d") / "openslide").glob("*.tif"))
    assert paths
    image = read_image(paths[0])
    pixels = image.pixels()
    assert image.channels == ("red", "green", "blue")
    assert image.geometry.spacing is not None and 1e-4 < image.geometry.spacing[0] < 1e-3
    # Stained tissue on white: more red and blue than green.
    means = pixels.mean((1, 2))
    assert means[1] < means[0] and means[1] < means[2]


def test_the_tables_of_the_file_go_into_each_stream() -> None:
    class Page:
        jpegtables, photometric, samplesperpixel = b"\xff\xd8TABLES\xff\xd9", 6, 3

    stream = tiles._whole(b"\xff\xd8PICTURE", Page)
    assert stream.startswith(b"\xff\xd8\xff\xee") and b"Adobe" in stream
    assert stream.endswith(b"TABLESPICTURE")
