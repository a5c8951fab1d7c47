from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from isocenter.errors import IsocenterError, ResourceError, UnreadableError
from isocenter.io.dicom import header
from isocenter.io.dicom.facts import Slice

ZERO = np.zeros((5, 7), np.int16)


def test_what_one_file_says(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    path = dicom(
        tmp_path / "a.dcm", ZERO, BitsStored=12, HighBit=11, RescaleIntercept="-1024", InstanceNumber=4,
        ImagePositionPatient=[1, 2, 3], SeriesNumber=8,
    )
    found = header.read(path)
    assert (found.modality, found.unit, found.description, found.number) == ("CT", "HU", "Thorax 2.0", 8)
    assert found.image_type == ("ORIGINAL", "PRIMARY", "AXIAL")
    assert set(found.uids) == {
        "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "FrameOfReferenceUID",
    }
    coding = found.coding
    assert (coding.rows, coding.columns, coding.frames, coding.samples) == (5, 7, 1, 1)
    assert (coding.allocated, coding.stored, coding.high, coding.signed, coding.dtype) == (16, 12, 11, True, "<i2")
    (at,) = found.slices
    assert (at.position, at.orientation, at.spacing) == ((1, 2, 3), (1, 0, 0, 0, 1, 0), (0.5, 0.25))
    assert (at.slope, at.intercept, dict(at.marks)["instance"]) == (1.0, -1024.0, 4.0)


def test_no_name_and_no_identifier_of_the_patient_is_kept(
    tmp_path: Path, dicom: Callable[..., Path], surname: str
) -> None:
    found = header.read(dicom(tmp_path / "a.dcm", ZERO))
    assert surname not in repr(found)
    assert "4711" not in repr(found)
    assert found.patient
    other = header.read(dicom(tmp_path / "b.dcm", ZERO, PatientID="4712"))
    assert other.patient != found.patient


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("Rows", 0, "impossible sizes"), ("SamplesPerPixel", 7, "impossible sizes"),
        ("BitsAllocated", 12, "impossible depth"), ("BitsStored", 17, "impossible depth"),
        ("BitsStored", 0, "impossible depth"), ("Rows", 60_000, "cut short"), ("Columns", 65_535, "cut short"),
        ("NumberOfFrames", 1_000_000, "cut short"), ("NumberOfFrames", 2_000_000_000, "impossible sizes"),
    ],
)
def test_sizes_that_lie_are_refused_by_name(
    field: str, value: int, words: str, tmp_path: Path, dicom: Callable[..., Path]
) -> None:
    with pytest.raises(UnreadableError, match=rf"a\.dcm: {words}"):
        header.read(dicom(tmp_path / "a.dcm", ZERO, **{field: value}))


def test_sixty_five_thousand_squared_times_a_hundred_thousand_is_no_overflow(
    tmp_path: Path, dicom: Callable[..., Path]
) -> None:
    path = dicom(tmp_path / "a.dcm", ZERO, Rows=65_535, Columns=65_535, NumberOfFrames=100_000)
    with pytest.raises(UnreadableError, match="cut short"):
        header.read(path)


def test_a_compressed_file_that_declares_a_giant_is_a_bomb(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    path = dicom(tmp_path / "a.dcm", ZERO)
    from pydicom import dcmread
    from pydicom.encaps import encapsulate
    from pydicom.uid import RLELossless

    data = dcmread(path)
    data.file_meta.TransferSyntaxUID = RLELossless
    data.Rows = data.Columns = 65_535
    data.NumberOfFrames = 100_000
    data.PixelData = encapsulate([b"\0" * 64])
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    with pytest.raises(ResourceError, match=r"a\.dcm: refused as a decompression bomb"):
        header.read(path)


def test_fewer_bytes_than_pixels_are_refused(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    from pydicom import dcmread

    path = dicom(tmp_path / "a.dcm", ZERO)
    data = dcmread(path)
    data.PixelData = data.PixelData[:-10]
    data.add_new(0x7FE10010, "OB", bytes(100))
    data.save_as(path)
    with pytest.raises(UnreadableError, match=r"a\.dcm: fewer pixels than declared: got 60 bytes, needed 70 bytes"):
        header.read(path)


def test_objects_that_are_no_images_say_what_they_are(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    from pydicom import dcmread

    path = dicom(tmp_path / "a.dcm", ZERO, Modality="RTSTRUCT")
    data = dcmread(path)
    del data.PixelData
    data.save_as(path)
    with pytest.raises(UnreadableError, match=r"a\.dcm: holds no pixels: got modality RTSTRUCT"):
        header.read(path)
    with pytest.raises(UnreadableError, match="a DICOM segmentation"):
        header.read(dicom(tmp_path / "b.dcm", ZERO, SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4"))
    with pytest.raises(UnreadableError, match=r"a mosaic.*dcm2niix"):
        header.read(dicom(tmp_path / "c.dcm", ZERO, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]))
    frames = np.zeros((2, 5, 7), np.int16)
    with pytest.raises(UnreadableError, match="a tiled slide"):
        header.read(dicom(tmp_path / "d.dcm", frames, NumberOfFrames=2, TotalPixelMatrixColumns=99))


@pytest.mark.parametrize(
    ("charset", "text"),
    [("ISO_IR 192", "胸部 CT"), ("GB18030", "胸部平扫"), ("ISO_IR 100", "Schädel"), ("ISO_IR 144", "Грудь")],
)
def test_descriptions_are_read_in_their_characters(
    charset: str, text: str, tmp_path: Path, dicom: Callable[..., Path]
) -> None:
    path = dicom(tmp_path / "a.dcm", ZERO, SpecificCharacterSet=charset, SeriesDescription=text)
    assert header.read(path).description == text


def enhanced(tmp_path: Path, dicom: Callable[..., Path], groups: int = 3) -> Path:
    """A multi-frame file with shared and per-frame groups."""
    def group(name: str, **fields: object) -> Dataset:
        inner, outer = Dataset(), Dataset()
        for field, value in fields.items():
            setattr(inner, field, value)
        setattr(outer, name, Sequence([inner]))
        return outer

    shared = group("PixelMeasuresSequence", PixelSpacing=[0.7, 0.6])
    shared.update(group("PlaneOrientationSequence", ImageOrientationPatient=[1, 0, 0, 0, 1, 0]))
    shared.update(group("PixelValueTransformationSequence", RescaleSlope="2", RescaleIntercept="-5"))
    frames = []
    for i in range(groups):
        one = group("PlanePositionSequence", ImagePositionPatient=[0, 0, 3.0 * i])
        when = f"2020010112000{i}.5"
        one.update(group("FrameContentSequence", TemporalPositionIndex=1, FrameAcquisitionDateTime=when))
        one.update(group("MRDiffusionSequence", DiffusionBValue=1000.0))
        frames.append(one)
    return dicom(
        tmp_path / "a.dcm", np.zeros((3, 5, 7), np.int16), NumberOfFrames=3, ImagePositionPatient=None,
        ImageOrientationPatient=None, PixelSpacing=None, SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence(frames), Modality="MR",
    )


def test_frames_of_an_enhanced_object_have_each_their_place(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    slices = header.read(enhanced(tmp_path, dicom)).slices
    assert [s.position for s in slices] == [(0, 0, 0), (0, 0, 3), (0, 0, 6)]
    assert {s.spacing for s in slices} == {(0.7, 0.6)}
    assert {(s.slope, s.intercept) for s in slices} == {(2.0, -5.0)}
    assert dict(slices[0].marks)["b"] == 1000.0
    assert [s.seconds for s in slices] == [43200.5, 43201.5, 43202.5]


def test_groups_that_do_not_match_the_frames_are_refused(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    with pytest.raises(UnreadableError, match=r"a\.dcm: groups and frames differ in number: got 2, needed 3"):
        header.read(enhanced(tmp_path, dicom, groups=2))


def test_a_dose_grid_has_its_planes_by_offset(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    path = dicom(
        tmp_path / "a.dcm", np.zeros((3, 5, 7), np.uint32), NumberOfFrames=3, Modality="RTDOSE", DoseUnits="GY",
        DoseGridScaling="0.001", GridFrameOffsetVector=[0, 2.5, 5.0], ImagePositionPatient=[1, 2, 3],
    )
    found = header.read(path)
    assert [s.position for s in found.slices] == [(1, 2, 3), (1, 2, 5.5), (1, 2, 8)]
    assert (found.unit, found.slices[0].slope) == ("Gy", 0.001)


def test_what_else_reading_must_know(tmp_path: Path, dicom: Callable[..., Path]) -> None:
    assert header.read(dicom(tmp_path / "a.dcm", ZERO)).notes == ()
    detector = dicom(tmp_path / "b.dcm", ZERO, PixelSpacing=None, ImagerPixelSpacing=[0.1, 0.1])
    found = header.read(detector)
    assert found.notes == ("detector",)
    assert found.slices[0].spacing == (0.1, 0.1)


def test_a_slice_knows_nothing_by_default() -> None:
    assert Slice().position == () and Slice().slope == 1.0


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_file_that_is_cut_short_is_refused(share: float, tmp_path: Path, dicom: Callable[..., Path]) -> None:
    path = dicom(tmp_path / "a.dcm", np.zeros((40, 40), np.int16))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(IsocenterError, match=r"a\.dcm"):
        header.read(path)
