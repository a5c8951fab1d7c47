from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import isocenter.io
from isocenter.data import Image
from isocenter.errors import IsocenterError, LabelError, MissingFileError, UnreadableError, UsageError
from isocenter.io import problems, read, read_image, read_labels, write


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A volume on disk."""
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    return write(Image.from_array(array, spacing=(3.0, 2.0, 1.0)), tmp_path / "scan.nii.gz")


def test_a_case_of_one_image(scan: Path) -> None:
    case = read(scan)
    assert case.id == "scan"
    assert list(case.images) == ["image"]
    assert case.image().pixels().sum() == sum(range(60))


def test_a_case_of_roles_leads_with_the_first(scan: Path, tmp_path: Path) -> None:
    moving = write(read_image(scan), tmp_path / "moving.nii")
    case = read(fixed=scan, moving=moving)
    assert list(case.images) == ["fixed", "moving"]
    assert case.lead == "fixed"
    assert read(scan, label=moving).lead == "image"


def test_nothing_to_read_is_a_misuse() -> None:
    with pytest.raises(UsageError, match="nothing to read"):
        read()


def test_series_belong_to_formats_that_have_them(scan: Path) -> None:
    with pytest.raises(UsageError, match="series=2"):
        read_image(scan, series=2)


def test_a_spacing_by_hand_wins(scan: Path) -> None:
    assert read_image(scan, spacing=(1.0, 1.0, 4.0)).geometry.spacing == pytest.approx((1.0, 1.0, 4.0))


def test_labels_of_floating_point_are_whole_or_refused(tmp_path: Path) -> None:
    whole = write(Image.from_array(np.asarray([[[0.0, 3.0]]] * 2), spacing=(1.0,) * 3), tmp_path / "a.nii")
    labels, geometry = read_labels(whole)
    assert labels.dtype == np.int32 and labels.max() == 3
    assert geometry.shape == (2, 1, 2)
    soft = write(Image.from_array(np.asarray([[[0.0, 0.3]]] * 2)), tmp_path / "b.nii")
    with pytest.raises(LabelError, match=r"b\.nii: labels that are not whole numbers: got 0\.3"):
        read_labels(soft)


def test_problems_tell_what_reading_got_over_and_what_stopped_it(tmp_path: Path, scan: Path) -> None:
    assert problems(scan) == ()
    unknown = write(Image.from_array(np.zeros((2, 3, 4), np.uint8)), tmp_path / "a.nii")
    assert [(p.code, p.severity) for p in problems(unknown)] == [("spacing-unknown", "warning")]
    unknown.write_bytes(unknown.read_bytes()[:-1])
    assert [(p.code, p.severity) for p in problems(unknown)][-1] == ("unreadable", "error")
    assert [p.code for p in problems(tmp_path / "b.nii")] == ["missing-file"]


def test_a_place_in_a_file_may_look_like_a_file_of_its_own(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npz#a.npy", np.eye(4))
    assert read_image(tmp_path / "x.npz#a.npy").shape == (4, 4)


def test_empty_folders_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="the folder is empty"):
        read_image(tmp_path)
    with pytest.raises(MissingFileError, match=r"nothing\.nii"):
        read_image(tmp_path / "nothing.nii")
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(UnreadableError, match="holds no DICOM image: got 1 files of other kinds"):
        read_image(tmp_path)


def test_a_file_that_vanishes_between_header_and_pixels_is_named(scan: Path) -> None:
    image = read_image(scan)
    scan.unlink()
    with pytest.raises(MissingFileError, match=r"scan\.nii\.gz"):
        image.pixels()


def test_a_file_that_changes_between_header_and_pixels_is_refused(scan: Path) -> None:
    image = read_image(scan)
    scan.write_bytes(scan.read_bytes()[:100])
    with pytest.raises(IsocenterError, match=r"scan\.nii\.gz"):
        image.pixels()


def test_importing_the_layer_brings_no_reader_along() -> None:
    heavy = "nibabel", "pydicom", "PIL", "tifffile", "SimpleITK", "torch", "pandas", "scipy", "matplotlib"
    code = f"import isocenter.io, sys; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_a_png_brings_no_other_reader_along(tmp_path: Path) -> None:
    path = write(Image.from_array(np.zeros((4, 4), np.uint8)), tmp_path / "a.png")
    code = (
        f"import isocenter.io, sys; isocenter.io.read_image({str(path)!r}).pixels(); "
        "print([m for m in ('nibabel', 'pydicom', 'tifffile', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_names_are_there() -> None:
    for name in isocenter.io.__all__:
        assert getattr(isocenter.io, name).__doc__
