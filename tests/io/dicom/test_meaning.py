from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from isocenter.io.dicom import elements, meaning
from isocenter.io.dicom.facts import Slice

ZERO = np.zeros((5, 7), np.int16)


@pytest.fixture
def found(tmp_path: Path, dicom: Callable[..., Path]) -> Callable[..., elements.Elements]:
    """Elements of a file with these fields."""
    return lambda **fields: elements.read(dicom(tmp_path / "a.dcm", ZERO, **fields))


Found = Callable[..., elements.Elements]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("000000", 0.0), ("235959.999", 86399.999), ("101112", 36672.0), ("101112.5+0100", 36672.5), ("1011", None),
     ("10:11:12", None), ("", None), ("abcdef", None)],
)
def test_times_of_day(text: str, seconds: float | None) -> None:
    assert meaning.clock(text) == seconds


def test_the_time_after_a_trigger_comes_before_the_time_of_day(found: Found) -> None:
    assert meaning.seconds(found(AcquisitionTime="101112", TriggerTime="250")) == 0.25
    assert meaning.seconds(found(AcquisitionTime="101112", ContentTime="111111")) == 36672.0
    assert meaning.seconds(found(AcquisitionDateTime="20200101101112.5")) == 36672.5
    assert meaning.seconds(found(ContentTime="000001")) == 1.0
    assert meaning.seconds(found()) is None


@pytest.mark.parametrize(
    ("fields", "unit"),
    [
        ({}, "HU"), ({"RescaleType": "HU"}, "HU"), ({"RescaleType": "US"}, ""), ({"Modality": "MR"}, ""),
        ({"RescaleSlope": None, "RescaleIntercept": None}, ""), ({"Modality": "PT", "Units": "BQML"}, "BQML"),
        ({"Modality": "PT", "Units": "GML"}, "SUV"), ({"Modality": "PT"}, ""), ({"RescaleType": "Z_EFF"}, "Z_EFF"),
        ({"Modality": "RTDOSE", "DoseUnits": "GY"}, "Gy"),
        ({"Modality": "RTDOSE", "DoseUnits": "RELATIVE"}, "RELATIVE"),
    ],
)
def test_units_of_values(fields: dict[str, str], unit: str, found: Found) -> None:
    assert meaning.unit(found(**fields)) == unit


def test_spacing_in_the_patient_before_that_at_the_detector(found: Found) -> None:
    both = found(ImagerPixelSpacing=[0.1, 0.2], NominalScannedPixelSpacing=[9, 9])
    assert meaning.spacing(both) == (0.5, 0.25)
    assert meaning.spacing(found(PixelSpacing=None, ImagerPixelSpacing=[0.1, 0.2])) == (0.1, 0.2)
    assert meaning.spacing(found(PixelSpacing=None, NominalScannedPixelSpacing=[0.3, 0.4])) == (0.3, 0.4)
    assert meaning.spacing(found(PixelSpacing=None)) == ()
    assert meaning.spacing(found(PixelSpacing=[0, 0])) == ()


def region(x: float, y: float, unit: int = 3) -> Dataset:
    made = Dataset()
    made.PhysicalDeltaX, made.PhysicalDeltaY = x, y
    made.PhysicalUnitsXDirection = made.PhysicalUnitsYDirection = unit
    return made


def test_ultrasound_has_the_spacing_of_its_regions_where_they_agree(found: Found) -> None:
    one = found(PixelSpacing=None, SequenceOfUltrasoundRegions=Sequence([region(0.02, -0.03)]))
    assert meaning.spacing(one) == pytest.approx((0.3, 0.2))
    two = found(PixelSpacing=None, SequenceOfUltrasoundRegions=Sequence([region(0.02, 0.03), region(0.05, 0.05)]))
    assert meaning.spacing(two) == ()
    doppler = found(PixelSpacing=None, SequenceOfUltrasoundRegions=Sequence([region(0.02, 0.03, unit=4)]))
    assert meaning.spacing(doppler) == ()


def test_nuclear_medicine_hides_its_place_in_the_detector(found: Found) -> None:
    detector = Dataset()
    detector.ImagePositionPatient, detector.ImageOrientationPatient = [1, 2, 3], [1, 0, 0, 0, 0, -1]
    at = meaning.plane(found(
        ImagePositionPatient=None, ImageOrientationPatient=None, DetectorInformationSequence=Sequence([detector])
    ))
    assert (at.position, at.orientation) == ((1, 2, 3), (1, 0, 0, 0, 0, -1))


def test_incomplete_places_are_none(found: Found) -> None:
    at = meaning.plane(found(ImagePositionPatient=[1, 2], ImageOrientationPatient=[1, 0, 0]))
    assert (at.position, at.orientation) == ((), ())


def test_marks_are_what_is_stated(found: Found) -> None:
    at = meaning.plane(found(EchoTime="30", TemporalPositionIdentifier=2, InstanceNumber=9, AcquisitionNumber=1))
    assert dict(at.marks) == {"temporal": 2, "echo": 30, "acquisition": 1, "instance": 9}


def test_planes_along_a_normal() -> None:
    at = Slice((1.0, 2.0, 3.0), (0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    assert meaning.along(at, 5.0) == (6.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("fields", "step"),
    [
        ({"FrameTime": "40"}, 0.04), ({"FrameTimeVector": ["0", "30", "50"]}, 0.04), ({"CineRate": "25"}, 0.04),
        ({"RecommendedDisplayFrameRate": "10"}, 0.1), ({}, None), ({"FrameTime": "0", "CineRate": "0"}, None),
    ],
)
def test_steps_of_a_film(fields: dict[str, object], step: float | None, found: Found) -> None:
    assert meaning.frame_step(found(**fields), 3) == (None if step is None else pytest.approx(step))
    assert meaning.frame_step(found(**fields), 1) is None
