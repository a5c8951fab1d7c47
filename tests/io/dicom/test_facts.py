from __future__ import annotations

import dataclasses
import pickle

import pytest

from isocenter.io.dicom.facts import UNDEFINED, Coding, Header, Slice

CODING = Coding("1.2", 0x7FE00010, 500, 70, b"OW", 5, 7, 3, 1, 16, 12, 11, True, "<i2", "MONOCHROME2", 0)
HEADER = Header("a.dcm", {"SeriesInstanceUID": "1.2.3"}, "", "CT", "Thorax", (), 2, "HU", CODING, (Slice(),) * 3)


def test_bits_of_a_frame() -> None:
    assert CODING.frame_bits == 5 * 7 * 16
    assert dataclasses.replace(CODING, samples=3, allocated=8).frame_bits == 5 * 7 * 3 * 8
    assert dataclasses.replace(CODING, allocated=1).frame_bits == 35


def test_subsampled_colour_takes_two_samples_a_pixel_while_it_is_not_compressed() -> None:
    plain = dataclasses.replace(CODING, samples=3, allocated=8, photometric="YBR_FULL_422")
    assert plain.frame_bits == 5 * 7 * 2 * 8
    assert dataclasses.replace(plain, length=UNDEFINED).frame_bits == 5 * 7 * 3 * 8


def test_an_undefined_length_means_fragments() -> None:
    assert not CODING.encapsulated
    assert dataclasses.replace(CODING, length=UNDEFINED).encapsulated


def test_a_file_without_a_series_is_its_own() -> None:
    assert HEADER.series == "1.2.3"
    assert dataclasses.replace(HEADER, uids={}).series == "a.dcm"


def test_headers_are_frozen_and_can_be_sent_to_another_process() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        HEADER.path = "b.dcm"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(HEADER)) == HEADER
