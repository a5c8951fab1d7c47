from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from isocenter.errors import GeometryError, MissingFileError, ResourceError, UnreadableError
from isocenter.io import limits


@pytest.mark.parametrize(
    "thrown",
    [
        ValueError("negative count"), struct.error("unpack requires 4 bytes"), zlib.error("incorrect header"),
        NotImplementedError("later"), EOFError(), KeyError("x"), OSError(5, "Input/output error"), AttributeError("a"),
        ZeroDivisionError(), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), AssertionError(), StopIteration(),
    ],
)
def test_whatever_a_reader_throws_becomes_a_refusal_that_names_the_file(thrown: Exception) -> None:
    words = r"^scan\.dcm: cannot be read as DICOM"
    with pytest.raises(UnreadableError, match=words) as caught, limits.typed("scan.dcm", "DICOM"):
        raise thrown
    assert "\n" not in str(caught.value)
    assert ("export the file again" in str(caught.value)) is not isinstance(thrown, OSError)


def test_our_own_errors_pass_unchanged() -> None:
    error = GeometryError("singular", where="scan.nii")
    with pytest.raises(GeometryError) as caught, limits.typed("other.nii", "NIfTI"):
        raise error
    assert caught.value is error


def test_an_error_that_does_not_say_where_is_given_the_file() -> None:
    with pytest.raises(GeometryError, match=r"^scan\.nii: singular: got 0"), limits.typed("scan.nii", "NIfTI"):
        raise GeometryError("singular", got="0")


def test_a_stack_too_deep_a_lack_of_memory_and_a_lost_file_have_their_own_words() -> None:
    with pytest.raises(UnreadableError, match="nested too deeply"), limits.typed("a.dcm", "DICOM"):
        raise RecursionError
    with pytest.raises(ResourceError, match=r"a\.dcm: memory"), limits.typed("a.dcm", "DICOM"):
        raise MemoryError
    with pytest.raises(MissingFileError, match=r"a\.dcm"), limits.typed("a.dcm", "DICOM"):
        raise FileNotFoundError(2, "No such file")


def test_a_person_who_stops_the_program_is_not_an_unreadable_file() -> None:
    with pytest.raises(KeyboardInterrupt), limits.typed("a.dcm", "DICOM"):
        raise KeyboardInterrupt


def test_a_cause_is_one_short_line() -> None:
    assert limits.cause(ValueError("first\nsecond")) == "first"
    assert limits.cause(ValueError()) == "ValueError"
    assert limits.cause(OSError(28, "No space left on device", "/home/x/scan.nii")) == "No space left on device"
    assert len(limits.cause(ValueError("x" * 10_000))) <= 160


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    assert limits.present(tmp_path) == tmp_path
    with pytest.raises(MissingFileError, match="nowhere"):
        limits.present(tmp_path / "nowhere")


def test_available_memory_follows_the_limit_of_the_process(little_memory: Callable[[int], object]) -> None:
    with little_memory(300):  # type: ignore[attr-defined]
        have = limits.available()
    assert have is not None
    assert have <= 300 << 20


def test_more_than_there_is_memory_for_is_refused_with_both_numbers() -> None:
    with pytest.raises(ResourceError, match=r"scan\.nii: .*MB available, needed 1048576 MB"):
        limits.fits("scan.nii", 1 << 40)
    limits.fits("scan.nii", 1 << 20)


def test_a_short_file_is_refused_with_both_sizes() -> None:
    limits.stored("a.nii", 100, 100)
    with pytest.raises(UnreadableError, match=r"a\.nii: cut short: got 99 bytes, needed 100 bytes"):
        limits.stored("a.nii", 100, 99)


def test_a_deflated_file_cannot_hold_more_than_deflate_can_pack() -> None:
    packed = len(zlib.compress(bytes(50 << 20), 9))
    limits.inflated("a.nii.gz", 50 << 20, packed)
    with pytest.raises(UnreadableError, match="more than the file can hold"):
        limits.inflated("a.nii.gz", 32767**3, 416)


def test_an_empty_mask_passes_and_a_bomb_does_not() -> None:
    limits.picture("blank.png", 8192 * 8192, 8192 * 8192 // 1030)
    with pytest.raises(ResourceError, match=r"bomb\.png: refused as a decompression bomb: 12000 bytes"):
        limits.picture("bomb.png", 10_000**2, 12_000)
    with pytest.raises(ResourceError, match="bomb"):
        limits.picture("bomb.tif", 30_000**2, 920_000)
