from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate

from isocenter.errors import UnreadableError
from isocenter.io import read_image
from isocenter.io.dicom import lossless

# Codes of 5 bits for the sizes 0 to 16; the last one is all ones and therefore one bit longer.
LENGTHS = [0, 0, 0, 0, 17, *[0] * 11]


def predicted(plane: np.ndarray, x: int, y: int, *, predictor: int, first: int, top: bool) -> int:
    """What a pixel is predicted to be (T.81, table H.1)."""
    if top:
        return int(plane[y, x - 1]) if x else first
    if not x:
        return int(plane[y - 1, x])
    a, b, c = int(plane[y, x - 1]), int(plane[y - 1, x]), int(plane[y - 1, x - 1])
    return {
        1: a, 2: b, 3: c, 4: a + b - c, 5: a + ((b - c) >> 1), 6: b + ((a - c) >> 1), 7: (a + b) >> 1,
    }[predictor]


def bits_of(difference: int) -> str:
    """Code and value bits of a difference."""
    difference = (difference + 32767) % 65536 - 32767
    size = 16 if difference == 32768 else abs(difference).bit_length()
    value = difference if difference > 0 else difference + (1 << size) - 1
    return f"{size:05b}" + (f"{value:0{size}b}" if 0 < size < 16 else "")


def encoded(
    image: np.ndarray, *, precision: int = 16, predictor: int = 1, lines: int = 0, shift: int = 0
) -> bytes:
    """A lossless JPEG stream of (rows, columns[, samples]); an encoder of textbook kind, pixel by pixel."""
    planes = image[..., None] if image.ndim == 2 else image
    rows, columns, samples = planes.shape
    small = planes.astype(np.int64) >> shift
    pieces = []
    for start in range(0, rows, lines or rows):
        stop = min(start + (lines or rows), rows)
        text = "".join(
            bits_of(int(small[y, x, k]) - predicted(
                small[..., k], x, y, predictor=predictor, first=1 << (precision - shift - 1), top=y == start
            ))
            for y in range(start, stop) for x in range(columns) for k in range(samples)
        )
        text += "1" * (-len(text) % 8)
        pieces.append(int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00"))
    body = b"".join(p + (bytes([0xFF, 0xD0 + i % 8]) if i < len(pieces) - 1 else b"") for i, p in enumerate(pieces))

    def segment(marker: int, content: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content

    frame = struct.pack(">BHHB", precision, rows, columns, samples)
    frame += b"".join(bytes([k + 1, 0x11, 0]) for k in range(samples))
    scan = bytes([samples]) + b"".join(bytes([k + 1, 0]) for k in range(samples)) + bytes([predictor, 0, shift])
    restart = segment(0xDD, struct.pack(">H", lines * columns)) if lines else b""
    table = segment(0xC4, bytes([0, *LENGTHS, *range(17)]))
    return b"\xff\xd8" + segment(0xC3, frame) + table + restart + segment(0xDA, scan) + body + b"\xff\xd9"


def decode(data: bytes, image: np.ndarray) -> np.ndarray:
    samples = image.shape[2] if image.ndim == 3 else 1
    return lossless.decoded("a.dcm", data, shape=image.shape[:2], samples=samples)


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("precision", [8, 12, 16])
def test_every_predictor_at_every_depth(predictor: int, precision: int, rng: np.random.Generator) -> None:
    image = rng.integers(0, 1 << precision, (11, 13))
    found = decode(encoded(image, precision=precision, predictor=predictor), image)
    assert found.dtype == (np.uint8 if precision == 8 else np.uint16)
    assert np.array_equal(found, image)


@pytest.mark.parametrize("predictor", [1, 4, 7])
def test_restarts(predictor: int, rng: np.random.Generator) -> None:
    image = rng.integers(0, 1 << 12, (10, 9))
    for lines in (1, 3, 10):
        assert np.array_equal(decode(encoded(image, precision=12, predictor=predictor, lines=lines), image), image)


def test_colour(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (6, 7, 3))
    assert np.array_equal(decode(encoded(image, precision=8), image), image)


def test_a_point_transform_drops_the_lowest_bits(rng: np.random.Generator) -> None:
    image = rng.integers(0, 1 << 12, (6, 7))
    assert np.array_equal(decode(encoded(image, precision=12, shift=2), image), image >> 2 << 2)


def test_the_largest_difference_has_no_bits() -> None:
    image = np.asarray([[0, 32768, 0, 65535, 32767]])
    assert np.array_equal(decode(encoded(image), image), image)


def test_smooth_images_of_the_size_of_a_slice() -> None:
    y, x = np.mgrid[:128, :128]
    image = (1000 + 3 * y + 2 * x).astype(np.int64)
    assert np.array_equal(decode(encoded(image, precision=12), image), image)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.2, 0.5, 0.9])
def test_a_stream_that_is_cut_short_is_refused(share: float, rng: np.random.Generator) -> None:
    image = rng.integers(0, 1 << 12, (16, 16))
    data = encoded(image, precision=12)
    with pytest.raises(UnreadableError, match=r"a\.dcm"):
        decode(data[: int(len(data) * share)], image)


def test_other_sizes_and_processes_are_refused(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (6, 7))
    data = encoded(image, precision=8)
    with pytest.raises(UnreadableError, match=r"a\.dcm: the decoded picture has another shape: got \(6, 7, 1\)"):
        lossless.decoded("a.dcm", data, shape=(6, 8), samples=1)
    with pytest.raises(UnreadableError, match="another process of JPEG: got marker FFC0"):
        decode(data.replace(b"\xff\xc3", b"\xff\xc0"), image)
    with pytest.raises(UnreadableError, match="no JPEG stream"):
        decode(b"\0" + data, image)


def test_every_flipped_byte_is_an_image_or_a_refusal(rng: np.random.Generator) -> None:
    image = rng.integers(0, 1 << 12, (12, 12))
    data = encoded(image, precision=12)
    refused = 0
    for at in range(2, len(data)):
        mutant = bytearray(data)
        mutant[at] ^= 0x55
        try:
            assert decode(bytes(mutant), image).shape == image.shape
        except UnreadableError as error:
            assert "a.dcm" in str(error)
            refused += 1
    assert refused > 50


def test_a_table_of_impossible_codes_is_refused(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (6, 7))
    data = encoded(image, precision=8)
    at = data.index(bytes([0, *LENGTHS]))
    with pytest.raises(UnreadableError, match="a damaged table of codes"):
        decode(data[: at + 1] + bytes([9]) + data[at + 2 :], image)


def test_a_file_of_several_frames_in_several_fragments(
    tmp_path: Path, dicom: Callable[..., Path], rng: np.random.Generator
) -> None:
    array = rng.integers(-2000, 2000, (3, 8, 10)).astype(np.int16)
    streams = [encoded(frame.view(np.uint16).astype(np.int64)) for frame in array]
    path = dicom(tmp_path / "a.dcm", array, NumberOfFrames=3, FrameTime="40", ImagePositionPatient=None, Modality="OT")
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = lossless.SYNTAXES[1]
    data.PixelData = encapsulate([s + b"\0" * (len(s) % 2) for s in streams], fragments_per_frame=2)
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    image = read_image(path)
    assert np.array_equal(image.pixels(), array)
    data.NumberOfFrames = 4
    data.save_as(path)
    with pytest.raises(UnreadableError, match="fewer frames than declared: got 3, needed 4"):
        read_image(path).pixels()
