from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import GeometryError, InputError, UnreadableError, UsageError
from isocenter.io import problems, read_image
from isocenter.io.dicom import build, header

ZERO = np.zeros((5, 7), np.int16)
Make = Callable[..., Path]


def test_a_series_is_one_image(tmp_path: Path, volume: Make, rng: np.random.Generator) -> None:
    array = rng.integers(-500, 500, (6, 5, 7)).astype(np.int16)
    image = read_image(volume(tmp_path / "s", array, RescaleIntercept="-1024"))
    assert (image.axes, image.dtype, image.modality, image.unit) == ("zyx", "int16", "CT", "HU")
    assert np.array_equal(image.pixels(), array - 1024)
    assert image.geometry.spacing == (2.0, 0.5, 0.25)
    assert len(image.source.files) == 6
    assert image.source.format == "dicom"
    assert image.source.transfer_syntax == "1.2.840.10008.1.2.1"
    known = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"}
    assert known <= set(image.source.identifiers)
    assert image.geometry.frame == image.source.identifiers["FrameOfReferenceUID"]


def test_files_are_named_in_the_order_of_slices(tmp_path: Path, volume: Make) -> None:
    array = np.arange(4, dtype=np.int16)[:, None, None] * np.ones((1, 5, 7), np.int16)
    image = read_image(volume(tmp_path / "s", array))
    values = [read_image(f).pixels()[0, 0] for f in image.source.files]
    assert values == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("stored", "fields", "dtype"),
    [
        ("int16", {}, "int16"), ("uint16", {}, "uint16"), ("uint8", {}, "uint8"),
        ("int16", {"RescaleIntercept": "-1024"}, "int16"),
        ("uint16", {"RescaleIntercept": "-1024"}, "int16"), ("uint8", {"RescaleIntercept": "-1024"}, "int16"),
        ("uint16", {"RescaleIntercept": "-1024", "Modality": "MR"}, "int32"),
        ("int16", {"RescaleSlope": "0.5"}, "float32"),
        ("int16", {"RescaleIntercept": "0.5"}, "float32"), ("uint32", {}, "uint32"),
        ("uint16", {"RescaleIntercept": "-5", "Modality": "MR", "BitsStored": 12, "HighBit": 11}, "int16"),
    ],
)
def test_values_get_the_smallest_type_that_holds_them(
    stored: str, fields: dict[str, object], dtype: str, tmp_path: Path, dicom: Make
) -> None:
    array = np.arange(35).reshape(5, 7).astype(stored)
    image = read_image(dicom(tmp_path / "a.dcm", array, **fields))
    expected = array * float(fields.get("RescaleSlope", 1)) + float(fields.get("RescaleIntercept", 0))  # type: ignore[arg-type]
    assert image.dtype == dtype == image.pixels().dtype.name
    np.testing.assert_allclose(image.pixels(), expected)


def test_slopes_may_differ_from_slice_to_slice(tmp_path: Path, dicom: Make) -> None:
    for k in range(3):
        dicom(
            tmp_path / f"{k}.dcm", ZERO + 10, RescaleSlope=str(k + 1), ImagePositionPatient=[0, 0, 3 * k],
            Modality="PT", Units="BQML", InstanceNumber=k,
        )
    image = read_image(tmp_path)
    assert (image.unit, image.dtype) == ("BQML", "float32")
    assert image.pixels()[:, 0, 0].tolist() == [10, 20, 30]


def test_white_as_low_is_turned_where_values_are_no_measurement(tmp_path: Path, dicom: Make) -> None:
    array = np.arange(35, dtype=np.uint16).reshape(5, 7)
    white = {"PhotometricInterpretation": "MONOCHROME1"}
    film = dicom(tmp_path / "a.dcm", array, Modality="DX", BitsStored=12, HighBit=11, **white)
    assert np.array_equal(read_image(film).pixels(), 4095 - array)
    assert [(p.code, p.severity) for p in problems(film)] == [("inverted", "note")]
    measured = dicom(tmp_path / "b.dcm", array, RescaleIntercept="-1000", **white)
    assert np.array_equal(read_image(measured).pixels(), array - 1000.0)
    assert [p.code for p in problems(measured)] == ["white-is-low"]


def test_unsigned_numbers_that_were_never_shifted_cannot_be_hounsfield(tmp_path: Path, dicom: Make) -> None:
    assert [p.code for p in problems(dicom(tmp_path / "a.dcm", ZERO.astype(np.uint16)))] == ["unsigned-hu"]
    assert problems(dicom(tmp_path / "b.dcm", ZERO)) == ()


def test_a_spacing_at_the_detector_is_told(tmp_path: Path, dicom: Make) -> None:
    path = dicom(
        tmp_path / "a.dcm", ZERO, PixelSpacing=None, ImagerPixelSpacing=[0.1, 0.1], Modality="DX",
        ImagePositionPatient=None, ImageOrientationPatient=None,
    )
    assert read_image(path).geometry.spacing == (0.1, 0.1)
    assert [p.code for p in problems(path)] == ["detector-spacing"]


def test_patients_are_never_mixed(tmp_path: Path, dicom: Make, surname: str) -> None:
    for k, patient in enumerate(("1", "2")):
        dicom(tmp_path / f"{k}.dcm", ZERO, PatientID=patient, ImagePositionPatient=[0, 0, 3 * k])
    with pytest.raises(InputError, match="2 patients in one series") as caught:
        read_image(tmp_path)
    assert surname not in str(caught.value)


def test_sizes_and_kinds_of_pixel_are_never_mixed(tmp_path: Path, dicom: Make) -> None:
    dicom(tmp_path / "a.dcm", ZERO)
    dicom(tmp_path / "b.dcm", np.zeros((6, 7), np.int16), ImagePositionPatient=[0, 0, 3])
    with pytest.raises(GeometryError, match="different sizes in one series: got 5 x 7 x 1 and 6 x 7 x 1"):
        read_image(tmp_path)
    dicom(tmp_path / "b.dcm", ZERO.astype(np.uint16), ImagePositionPatient=[0, 0, 3])
    with pytest.raises(UnreadableError, match="different pixel types"):
        read_image(tmp_path)


def test_a_rescale_of_nan_is_refused(tmp_path: Path, dicom: Make) -> None:
    with pytest.raises(UnreadableError, match=r"a\.dcm: the rescale slope or intercept is not finite"):
        read_image(dicom(tmp_path / "a.dcm", ZERO, RescaleSlope="1e400"))


def test_images_can_be_sent_to_other_processes(tmp_path: Path, volume: Make) -> None:
    image = read_image(volume(tmp_path / "s", np.ones((3, 5, 7), np.int16)))
    assert np.array_equal(pickle.loads(pickle.dumps(image)).pixels(), image.pixels())


def test_no_name_of_a_patient_is_in_any_repr(tmp_path: Path, volume: Make, surname: str) -> None:
    folder = volume(tmp_path / "s", np.ones((3, 5, 7), np.int16))
    image = read_image(folder)
    assert surname not in repr(image)
    assert "4711" not in repr(image)
    assert surname not in repr(header.read(Path(image.source.files[0])))


def test_a_spacing_by_hand_wins(tmp_path: Path, volume: Make) -> None:
    folder = volume(tmp_path / "s", np.ones((3, 5, 7), np.int16))
    assert read_image(folder, spacing=(1.0, 2.0, 3.0)).geometry.spacing == pytest.approx((1.0, 2.0, 3.0))


def test_axes_of_dicom_are_few(tmp_path: Path, dicom: Make) -> None:
    path = dicom(tmp_path / "a.dcm", np.zeros((3, 5, 7), np.int16), NumberOfFrames=3, ImagePositionPatient=None)
    assert read_image(path, axes="tyx").axes == "tyx"
    assert read_image(path, axes="zyx").axes == "zyx"
    with pytest.raises(UsageError, match="no axes of DICOM frames: got yxc"):
        read_image(path, axes="yxc")


def test_what_type_is_chosen_for_tables(tmp_path: Path, dicom: Make) -> None:
    found = [header.read(dicom(tmp_path / "a.dcm", ZERO))]
    assert build.output(found, (1.0,), (0.0,), "lut") == "uint16"
    assert build.output(found, (1.0,), (0.0,), "palette") == "uint16"


def test_echoes_in_colour_are_refused(tmp_path: Path, dicom: Make) -> None:
    for k, echo in enumerate((10, 20)):
        dicom(
            tmp_path / f"{k}.dcm", np.zeros((5, 7), np.uint8), EchoTime=str(echo), PhotometricInterpretation="RGB",
            SamplesPerPixel=1, InstanceNumber=k,
        )
    heads = [header.read(tmp_path / f"{k}.dcm") for k in range(2)]
    import dataclasses

    coloured = [dataclasses.replace(h, coding=dataclasses.replace(h.coding, samples=3)) for h in heads]
    with pytest.raises(UnreadableError, match="colour pictures that differ by echo"):
        build.image(str(tmp_path), coloured)


def test_a_frame_of_a_film_is_read_alone(
    tmp_path: Path, dicom: Make, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = rng.integers(0, 250, (4, 5, 7)).astype(np.uint8)
    film = {"NumberOfFrames": 4, "ImagePositionPatient": None, "Modality": "US", "RescaleIntercept": "-7"}
    image = read_image(dicom(tmp_path / "a.dcm", array, FrameTime="40", **film))
    assert image.axes == "tyx"
    for t in range(4):
        assert np.array_equal(image.load.piece("t", t), image.pixels()[t])  # type: ignore[attr-defined]
    assert image.load.piece("y", 0) is None and image.load.each("y") is None  # type: ignore[attr-defined]
    for most in (1, 70, 100, 1 << 20):
        monkeypatch.setattr(build, "AT_ONCE", most)
        assert np.array_equal(np.stack(list(image.load.each("t"))), image.pixels())  # type: ignore[attr-defined]
    colour = rng.integers(0, 250, (3, 5, 7, 3)).astype(np.uint8)
    path = dicom(tmp_path / "c.dcm", colour, **film | {"NumberOfFrames": 3}, Rows=5, Columns=7, SamplesPerPixel=3,
                 PhotometricInterpretation="RGB", PlanarConfiguration=0, FrameTime="40")
    image = read_image(path)
    assert image.axes == "tcyx" and np.array_equal(image.load.piece("t", 2), image.pixels()[2])  # type: ignore[attr-defined]


def test_a_volume_has_no_frames(tmp_path: Path, volume: Make) -> None:
    image = read_image(volume(tmp_path / "s", np.zeros((3, 5, 7), np.int16)))
    assert image.load.piece("t", 0) is None and image.load.each("t") is None  # type: ignore[attr-defined]


def test_frames_may_follow_at_distances_of_their_own(tmp_path: Path, dicom: Make) -> None:
    array = np.zeros((4, 5, 7), np.uint8)
    film = {"NumberOfFrames": 4, "ImagePositionPatient": None, "Modality": "US"}
    image = read_image(dicom(tmp_path / "a.dcm", array, FrameTimeVector=["0", "40", "80", "40"], **film))
    assert image.times == pytest.approx((0.0, 0.04, 0.12, 0.16))
    # A vector that does not rise, or is of another length, gives way to its mean.
    image = read_image(dicom(tmp_path / "b.dcm", array, FrameTimeVector=["0", "40", "0", "80"], **film))
    assert image.times == pytest.approx((0.0, 0.04, 0.08, 0.12))
