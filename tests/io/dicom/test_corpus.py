"""Every file and series of the DICOM corpus: an image equal to other readers', or a typed refusal."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_color_lut, apply_modality_lut

from isocenter.data import Image
from isocenter.errors import AmbiguousError, GeometryError, IsocenterError
from isocenter.io import find_series, read_image, read_labels
from isocenter.io.dicom import header, lossless

Data = Callable[[str], Path]


def oracle(path: Path) -> np.ndarray | None:
    """The values by pydicom, or for lossless JPEG by SimpleITK; None where it needs more than a line."""
    if header.read(path).coding.syntax in lossless.SYNTAXES:
        import SimpleITK

        # Hounsfield units are kept within 16 bits.
        return np.clip(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))[0], -32768, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pydicom.dcmread(path, force=True)
        stored = data.pixel_array
        if "PerFrameFunctionalGroupsSequence" in data:
            return None
        if stored.ndim > 2 and stored.shape[-1] == 3:
            return np.moveaxis(stored, -1, -3)
        if data.PhotometricInterpretation == "PALETTE COLOR":
            return np.moveaxis(apply_color_lut(stored, data), -1, -3)
        return stored * data.DoseGridScaling if "DoseGridScaling" in data else apply_modality_lut(stored, data)


def test_every_file_is_an_image_or_a_typed_refusal(real_data: Data) -> None:
    logging.disable(logging.CRITICAL)
    equal, refused, slowest = 0, 0, 0.0
    try:
        for path in sorted((real_data("dicom-corpus") / "files").iterdir()):
            start = time.perf_counter()
            try:
                image = read_image(path)
                found = image.pixels()
            except IsocenterError as error:
                assert path.name in str(error), error
                assert "\n" not in str(error)
                refused += 1
                continue
            finally:
                slowest = max(slowest, time.perf_counter() - start)
            assert found.shape == image.shape and found.dtype.name == image.dtype
            theirs = oracle(path)
            if theirs is None:
                continue
            if found.dtype == np.uint8 and theirs.dtype == np.uint16:
                theirs = theirs >> 8
            coding = header.read(path).coding
            if coding.photometric == "MONOCHROME1" and image.unit == "":
                theirs = (1 << coding.stored) - 1 - theirs.astype(np.int64)
            np.testing.assert_allclose(found, theirs, rtol=1e-6, atol=1e-4, err_msg=path.name)
            equal += 1
    finally:
        logging.disable(logging.NOTSET)
    assert (equal, refused) == (68, 43)
    assert slowest < 20


def test_every_file_is_refused_as_labels_in_words_too(real_data: Data) -> None:
    for path in sorted((real_data("dicom-corpus") / "files").iterdir())[::4]:
        try:
            labels, geometry = read_labels(path)
        except IsocenterError as error:
            assert path.name in str(error)
        else:
            assert labels.shape == geometry.shape and labels.dtype.kind in "ui"


def test_no_name_of_the_files_is_in_a_message_or_a_repr(real_data: Data) -> None:
    for path in sorted((real_data("dicom-corpus") / "files").iterdir()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.disable(logging.CRITICAL)
            name = str(pydicom.dcmread(path, force=True, stop_before_pixels=True).get("PatientName", ""))
            logging.disable(logging.NOTSET)
        family = name.split("^")[0].strip()
        if len(family) < 5:
            continue
        try:
            said = repr(read_image(path))
        except IsocenterError as error:
            said = str(error)
        assert family not in said.replace(str(path), "").replace(path.name, ""), path.name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ct-gantry-tilt", r"gantry tilt: each slice is shifted by 1\.21 mm .*\(14\.0 degrees\)"),
        ("ct-ge-tilt", r"gantry tilt: .*\(18\.5 degrees\)"),
        ("ct-missing-slice", r"slices 3 and 4 are 10\.0 mm apart where the others are 5\.0 mm: .* lacks 1 slice"),
        ("mr-mixed-orientation", "different orientation in one series: got 2 along .*; 2 along"),
    ],
)
def test_series_that_form_no_grid_are_refused_with_numbers(name: str, words: str, real_data: Data) -> None:
    folder = real_data("dicom-corpus") / "series" / name
    with pytest.raises(GeometryError, match=words):
        read_image(folder)
    (one,) = find_series(folder)
    assert one.fails and not one.recommended


@pytest.mark.parametrize(
    ("name", "axes", "shape"),
    [
        ("mr-two-slices", "zyx", (2, 256, 256)), ("mr-non-isotropic", "zyx", (4, 28, 64)),
        ("mr-small-series", "zyx", (17, 128, 88)), ("pet-sts008", "zyx", (51, 29, 30)),
        ("mr-philips-enhanced", "tzyx", (4, 8, 64, 64)), ("mr-jpeg-lossless", "zyx", (4, 256, 256)),
        ("mr-siemens-mosaic", "zyx", (2, 192, 192)),
    ],
)
def test_series_that_form_one(name: str, axes: str, shape: tuple[int, ...], real_data: Data) -> None:
    image = read_image(real_data("dicom-corpus") / "series" / name)
    assert (image.axes, image.shape) == (axes, shape)
    assert image.pixels().shape == shape
    assert image.geometry.spacing is not None


def test_volumes_that_only_numbers_tell_apart_are_asked_for(real_data: Data) -> None:
    folder = real_data("dicom-corpus") / "series" / "mr-ge-dti"
    words = r"4 volumes that only their numbers tell apart.*axes='tzyx' or axes='czyx'"
    with pytest.raises(AmbiguousError, match=words):
        read_image(folder)
    image = read_image(folder, axes="czyx")
    assert (image.axes, image.shape[:2]) == ("czyx", (4, 4))
    first = [pydicom.dcmread(f, stop_before_pixels=True).InstanceNumber for f in image.source.files[:4]]
    assert sorted(first) == [1, 2, 3, 4]


def test_slices_of_twenty_series_are_listed_and_joined_when_asked(real_data: Data) -> None:
    folder = real_data("dicom-corpus") / "series" / "ct-small-series"
    with pytest.raises(AmbiguousError, match=r"20 series in one folder.*and 14 more.*series='all'"):
        read_image(folder)
    image = read_image(folder, series="all")
    assert image.shape == (20, 512, 512)
    assert image.unit == "HU"


def same_place(image: Image, folder: Path) -> None:
    """Holds an image against SimpleITK's reading of the same folder."""
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    theirs = reader.Execute()
    array = SimpleITK.GetArrayFromImage(theirs)
    corners = np.asarray([[0, 0, 0], [s - 1 for s in image.shape]])
    points = np.asarray([theirs.TransformIndexToPhysicalPoint([int(v) for v in c[::-1]]) for c in corners])
    ours = image.geometry.to_world(corners)
    if not np.allclose(ours, points, atol=1e-3):
        # It may stack the slices the other way round.
        corners[:, 0] = corners[::-1, 0]
        array, ours = array[::-1], image.geometry.to_world(corners)
        np.testing.assert_allclose(ours, points, atol=1e-3)
    np.testing.assert_allclose(image.pixels(), array, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    "name", ["mr-two-slices", "mr-non-isotropic", "mr-small-series", "pet-sts008", "mr-jpeg-lossless"]
)
def test_values_and_places_agree_with_simpleitk(name: str, real_data: Data) -> None:
    folder = real_data("dicom-corpus") / "series" / name
    same_place(read_image(folder), folder)


def test_the_pet_series_agrees_with_the_same_patient_as_nifti(real_data: Data) -> None:
    series = read_image(real_data("dicom-corpus") / "series" / "pet-sts008")
    nifti = read_image(real_data("sts-pet-ct-mr") / "STS_008" / "PET_image.nii.gz")
    assert series.unit == "SUV"
    assert series.shape == nifti.shape
    np.testing.assert_allclose(series.pixels(), nifti.pixels(), atol=1e-3)
