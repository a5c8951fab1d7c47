"""Mutated files of every format: each ends as an image or as a typed refusal, soon and in little memory."""

from __future__ import annotations

import resource
import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isocenter.data import Image
from isocenter.errors import IsocenterError
from isocenter.io import read_image, write

# Values that lengths and sizes of headers lie with.
LIES = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
FORMATS = ("a.nii", "a.nii.gz", "a.png", "a.jpg", "a.tif", "a.ome.tif", "a.npy", "a.npz", "a.dcm")


@pytest.fixture
def sample(tmp_path: Path, dicom: Callable[..., Path], rng: np.random.Generator) -> Callable[[str], Path]:
    """A sound file of the format that the name says."""

    def make(name: str) -> Path:
        array = rng.integers(0, 255, (24, 20)).astype(np.uint8)
        if name == "a.jpg":
            PIL.Image.fromarray(array).save(tmp_path / name)
        elif name == "a.dcm":
            dicom(tmp_path / name, array.astype(np.int16))
        else:
            write(Image.from_array(array, spacing=(1.0, 1.0)), tmp_path / name)
        return tmp_path / name

    return make


def outcome(path: Path) -> str:
    """What reading comes to; anything but an image or a typed refusal that names the file fails the test."""
    try:
        read_image(path).pixels()
    except IsocenterError as error:
        assert path.name in str(error), error
        assert "\n" not in str(error)
        return error.code
    return "ok"


@pytest.mark.parametrize("name", FORMATS)
def test_every_length_of_a_file_is_read_or_refused(name: str, sample: Callable[[str], Path]) -> None:
    path = sample(name)
    data = path.read_bytes()
    assert outcome(path) == "ok"
    whole = read_image(path).pixels()
    read = 0
    for share in range(100):
        path.write_bytes(data[: len(data) * share // 100])
        if outcome(path) == "ok":
            # A tail that holds no pixel may be lost without harm.
            assert np.array_equal(read_image(path).pixels(), whole), share
            read += 1
    assert read < 70


@pytest.mark.parametrize("name", FORMATS)
def test_every_flipped_byte_of_a_header_is_read_or_refused(name: str, sample: Callable[[str], Path]) -> None:
    path = sample(name)
    data = path.read_bytes()
    start = time.process_time()
    slowest = 0.0
    for at in range(0, min(len(data), 700), 2):
        mutant = bytearray(data)
        mutant[at] ^= 0xFF
        path.write_bytes(bytes(mutant))
        before = time.perf_counter()
        outcome(path)
        slowest = max(slowest, time.perf_counter() - before)
    assert time.process_time() - start < 30
    assert slowest < 5


@pytest.mark.parametrize("name", FORMATS)
def test_lies_about_lengths_are_refused_in_little_memory(
    name: str, sample: Callable[[str], Path], little_memory: Callable[[int], object], rng: np.random.Generator
) -> None:
    path = sample(name)
    data = path.read_bytes()
    outcome(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with little_memory(512):  # type: ignore[attr-defined]
        for at in rng.integers(0, min(len(data), 1400) - 4, 120):
            for lie in (LIES[int(at) % len(LIES)], 0xFFFFFFFF):
                mutant = bytearray(data)
                struct.pack_into("<I", mutant, int(at), lie)
                path.write_bytes(bytes(mutant))
                outcome(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 << 10


@pytest.mark.parametrize("name", FORMATS)
def test_noise_under_a_known_suffix_is_refused(name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / name
    for size in (1, 3, 8, 100, 2000):
        path.write_bytes(rng.integers(0, 256, size).astype(np.uint8).tobytes())
        assert outcome(path) != "ok"
