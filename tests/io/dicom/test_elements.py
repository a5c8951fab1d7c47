from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from isocenter.errors import UnreadableError
from isocenter.io.dicom import elements, tags

PREAMBLE = bytes(128) + b"DICM"


def explicit(tag: int, vr: bytes, value: bytes) -> bytes:
    """One element, explicit little endian."""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    long = vr in elements.LONG
    return head + (struct.pack("<HI", 0, len(value)) if long else struct.pack("<H", len(value))) + value


def meta(syntax: str) -> bytes:
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    return PREAMBLE + explicit(0x00020010, b"UI", value)


def written(path: Path, body: bytes, syntax: str = elements.EXPLICIT) -> Path:
    path.write_bytes(meta(syntax) + body)
    return path


@pytest.mark.parametrize("syntax", [elements.EXPLICIT, elements.IMPLICIT, elements.BIG])
def test_each_encoding_gives_the_same_values(syntax: str, tmp_path: Path, dicom: Callable[..., Path]) -> None:
    found = elements.read(dicom(tmp_path / "a.dcm", np.zeros((5, 7), np.int16), syntax=syntax))
    assert found.numbers(tags.ROWS, b"US") == (5,)
    assert found.numbers(tags.SPACING, b"DS") == (0.5, 0.25)
    assert found.text(tags.MODALITY) == "CT"
    assert found.texts(tags.IMAGE_TYPE) == ("ORIGINAL", "PRIMARY", "AXIAL")
    assert found.meta[elements.SYNTAX] == syntax
    assert found.pixels is not None
    assert found.pixels[2] == 70
    assert (found.little, found.explicit) == (syntax != elements.BIG, syntax != elements.IMPLICIT)


def test_the_pixels_are_where_the_table_says(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    array = np.arange(35, dtype=np.int16).reshape(5, 7)
    path = dicom(tmp_path / "a.dcm", array)
    found = elements.read(path)
    assert found.pixels is not None
    _, start, length, vr = found.pixels
    assert path.read_bytes()[start : start + length] == array.tobytes()
    assert vr == b"OW"


def test_nothing_behind_the_start_of_the_pixels_is_read(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    path = dicom(tmp_path / "a.dcm", np.zeros((512, 512), np.int16))
    assert len(elements.read(path).data) == elements.WINDOW


def test_a_header_longer_than_the_first_look_is_followed(tmp_path: Path) -> None:
    body = b"".join(explicit(0x00090000 + i, b"OB", bytes(30_000)) for i in range(0x10, 0x20))
    body += explicit(tags.ROWS, b"US", b"\5\0") + explicit(0x7FE00010, b"OW", bytes(10))
    found = elements.read(written(tmp_path / "a.dcm", body))
    assert found.numbers(tags.ROWS, b"US") == (5,)
    assert 0x00090010 not in found


def test_sequences_of_known_and_unknown_length_are_opened(tmp_path: Path) -> None:
    item = explicit(tags.ROWS, b"US", b"\7\0")
    known = struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item
    ends = struct.pack("<HHI", 0xFFFE, 0xE00D, 0), struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    open_item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + item + ends[0]
    unknown = struct.pack("<HH2sHI", 0x28, 0x9110, b"SQ", 0, 0xFFFFFFFF) + known + open_item + ends[1]
    body = explicit(0x00200010, b"SQ", known * 2) + unknown + explicit(0x7FE00010, b"OW", b"")
    found = elements.read(written(tmp_path / "a.dcm", body))
    for tag in (0x00200010, tags.MEASURES):
        assert [i.numbers(tags.ROWS, b"US") for i in found.items(tag)] == [(7,), (7,)]
    assert list(found.items(0x00081140)) == []


def test_a_sequence_stored_as_unknown_holds_implicit_elements(tmp_path: Path) -> None:
    item = struct.pack("<HHI", 0x28, 0x10, 2) + b"\x09\0"
    body = struct.pack("<HH2sHI", 0x28, 0x9110, b"UN", 0, 0xFFFFFFFF)
    body += struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    found = elements.read(written(tmp_path / "a.dcm", body + explicit(tags.COLUMNS, b"US", b"\3\0")))
    assert [i.numbers(tags.ROWS, b"US") for i in found.items(tags.MEASURES)] == [(9,)]
    assert found.numbers(tags.COLUMNS, b"US") == (3,)


@pytest.mark.parametrize("depth", [200, 5_000, 100_000])
def test_sequences_nested_without_end_are_refused_at_once(depth: int, tmp_path: Path) -> None:
    body = b"".join(
        struct.pack("<HH2sHI", 0x08, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        for _ in range(depth)
    )
    start = time.perf_counter()
    with pytest.raises(UnreadableError, match=r"a\.dcm: sequences nested too deeply: got more than 64"):
        elements.read(written(tmp_path / "a.dcm", body))
    assert time.perf_counter() - start < 1


def test_sequences_of_known_length_nested_without_end_are_stepped_over(tmp_path: Path) -> None:
    inner = b""
    for _ in range(2_000):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
        inner = explicit(0x00081140, b"SQ", item)
    found = elements.read(written(tmp_path / "a.dcm", inner + explicit(0x7FE00010, b"OW", b"")))
    assert found.pixels is not None


@pytest.mark.parametrize("cut", [1, 5, 13, 27])
def test_a_header_that_is_cut_short_is_refused(cut: int, tmp_path: Path, dicom: Callable[..., Path]) -> None:
    path = dicom(tmp_path / "a.dcm", np.zeros((5, 7), np.int16))
    found = elements.read(path)
    assert found.pixels is not None
    path.write_bytes(path.read_bytes()[: found.pixels[1] - 12 - cut])
    with pytest.raises(UnreadableError, match=r"a\.dcm: cut short"):
        elements.read(path)


def test_a_damaged_sequence_is_refused_where_it_is_opened(tmp_path: Path) -> None:
    for body in (b"\1\2\3\4\5\6\7\x08" * 2, struct.pack("<HHI", 0xFFFE, 0xE000, 5000) + b"abc"):
        found = elements.read(written(tmp_path / "a.dcm", explicit(tags.MEASURES, b"SQ", body)))
        with pytest.raises(UnreadableError, match=r"a\.dcm: a (damaged sequence|sequence that is cut short)"):
            list(found.items(tags.MEASURES))


@pytest.mark.parametrize("text", [b"1A", b"abc ", b"1..5", b"0x10"])
def test_a_number_that_is_none_is_refused_with_its_tag(text: bytes, tmp_path: Path) -> None:
    found = elements.read(written(tmp_path / "a.dcm", explicit(tags.FRAMES, b"IS", text)))
    with pytest.raises(UnreadableError, match=r"a\.dcm: element \(0028,0008\) is not a number"):
        found.numbers(tags.FRAMES, b"IS")


def test_values_are_given_by_the_stated_type_and_by_the_standard_where_it_is_implicit(tmp_path: Path) -> None:
    body = explicit(tags.B_VALUE, b"FD", struct.pack("<d", 1000.0)) + explicit(tags.SLOPE, b"DS", b"0.5\\ 2 ")
    body += explicit(0x00280107, b"SS", struct.pack("<h", -5)) + explicit(tags.US_DELTA_X, b"FD", b"abc")
    found = elements.read(written(tmp_path / "a.dcm", body))
    assert found.numbers(tags.B_VALUE, b"DS") == (1000.0,)
    assert found.numbers(tags.SLOPE, b"FD") == (0.5, 2.0)
    assert found.numbers(0x00280107, b"US") == (-5,)
    assert found.numbers(tags.US_DELTA_X, b"FD") == ()
    assert found.number(tags.ROWS, b"US", 7) == 7
    assert found.number(tags.ROWS, b"US") is None


def test_files_without_preamble_and_meta_are_read(tmp_path: Path) -> None:
    body = explicit(tags.MODALITY, b"CS", b"MR") + explicit(tags.ROWS, b"US", b"\5\0")
    (tmp_path / "a").write_bytes(body)
    assert elements.read(tmp_path / "a").text(tags.MODALITY) == "MR"
    implicit = struct.pack("<HHI", 8, 0x60, 2) + b"MR"
    (tmp_path / "b").write_bytes(implicit)
    assert elements.read(tmp_path / "b").text(tags.MODALITY) == "MR"
    big = struct.pack(">HH2sH", 8, 0x60, b"CS", 2) + b"MR"
    (tmp_path / "c").write_bytes(big)
    assert elements.read(tmp_path / "c").text(tags.MODALITY) == "MR"


def test_a_deflated_data_set_is_inflated_only_as_far_as_its_pixels(tmp_path: Path) -> None:
    plain = explicit(tags.ROWS, b"US", b"\5\0") + explicit(0x7FE00010, b"OW", bytes(50 << 20))
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    path = tmp_path / "a.dcm"
    path.write_bytes(meta(elements.DEFLATED) + packer.compress(plain) + packer.flush())
    start = time.process_time()
    found = elements.read(path)
    assert found.numbers(tags.ROWS, b"US") == (5,)
    assert len(found.data) <= elements.WINDOW
    assert time.process_time() - start < 0.2


def test_a_deflated_header_that_swells_without_end_is_refused(
    tmp_path: Path, little_memory: Callable[[int], object]
) -> None:
    plain = explicit(0x00090010, b"OB", bytes(40 << 20)) * 3
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    path = tmp_path / "a.dcm"
    path.write_bytes(meta(elements.DEFLATED) + packer.compress(plain) + packer.flush())
    with little_memory(400), pytest.raises(UnreadableError, match=r"a\.dcm: a deflated header that swells"):  # type: ignore[attr-defined]
        elements.read(path)


def test_private_elements_are_stepped_over_and_their_number_does_no_harm(tmp_path: Path) -> None:
    body = b"".join(explicit(0x00090000 + i, b"LO", b"secret") for i in range(0x10, 0x400))
    found = elements.read(written(tmp_path / "a.dcm", body + explicit(tags.MODALITY, b"CS", b"CT")))
    assert list(found.table) == [tags.MODALITY]


def test_every_file_of_the_corpus_gives_what_pydicom_gives(real_data: Callable[[str], Path]) -> None:
    """Tags, sizes and place of the pixels of each file that pydicom can read whole."""
    import logging
    import warnings

    same = 0
    for path in sorted((real_data("dicom-corpus") / "files").iterdir()):
        try:
            ours = elements.read(path)
        except UnreadableError:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.disable(logging.CRITICAL)
            theirs = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            logging.disable(logging.NOTSET)
        known = {int(t) for t in theirs.keys() if not t.group & 1 and t.group < 0x7FE0}  # noqa: SIM118
        if not known:
            continue
        assert {t for t in ours.table if t >> 16 < 0x7FE0} == known, path.name
        for tag in (tags.ROWS, tags.COLUMNS, tags.ALLOCATED):
            if tag in theirs:
                assert ours.numbers(tag, b"US") == (theirs[tag].value,), path.name
        same += 1
    assert same >= 100


def test_pydicoms_nested_writer_is_understood(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    outer, inner = Dataset(), Dataset()
    inner.PixelSpacing = [0.1, 0.2]
    outer.PixelMeasuresSequence = Sequence([inner, inner])
    path = dicom(tmp_path / "a.dcm", np.zeros((2, 2), np.int16), SharedFunctionalGroupsSequence=Sequence([outer]))
    (item,) = elements.read(path).items(tags.SHARED)
    assert [i.numbers(tags.SPACING, b"DS") for i in item.items(tags.MEASURES)] == [(0.1, 0.2)] * 2
