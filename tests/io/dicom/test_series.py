from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import AmbiguousError, GeometryError, MissingFileError, NotFoundError, UnreadableError
from isocenter.io import find_series, problems, read_image
from isocenter.io.dicom import series as module

Make = Callable[..., Path]


@pytest.fixture
def examination(tmp_path: Path, volume: Make, dicom: Make) -> Path:
    """A localizer, a thick and a thin series, a screenshot and a report, in one folder."""
    volume(tmp_path / "e/a", np.zeros((2, 5, 7), np.int16), SeriesInstanceUID="1.1", SeriesDescription="Scout",
           ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    volume(tmp_path / "e/b", np.ones((4, 5, 7), np.int16), SeriesInstanceUID="1.2", SeriesDescription="Thorax 5.0",
           step=5.0)
    volume(tmp_path / "e/c", np.full((10, 5, 7), 2, np.int16), SeriesInstanceUID="1.3", SeriesDescription="Thorax 2.0")
    dicom(tmp_path / "e/d/0.dcm", np.zeros((9, 9), np.uint8), SeriesInstanceUID="1.4", SeriesDescription="Dose",
          ImageType=["DERIVED", "SECONDARY"], Modality="OT")
    (tmp_path / "e/notes.txt").write_text("not DICOM")
    (tmp_path / "e/.hidden").write_bytes(bytes(128) + b"DICM")
    return tmp_path / "e"


def test_what_is_in_a_folder_is_listed_and_explained(examination: Path) -> None:
    found = find_series(examination)
    assert [s.number for s in found] == [1, 2, 3, 4]
    assert [s.description for s in found] == ["Scout", "Thorax 5.0", "Thorax 2.0", "Dose"]
    assert [s.slices for s in found] == [2, 4, 10, 1]
    assert [s.shape for s in found] == [(2, 5, 7), (4, 5, 7), (10, 5, 7), (9, 9)]
    assert [s.spacing for s in found][1:3] == [(5.0, 0.5, 0.25), (2.0, 0.5, 0.25)]
    assert [s.recommended for s in found] == [False, False, True, False]
    assert [s.reason for s in found] == [
        "a localizer", "another image", "recommended: the most slices of 2 images",
        "a derived picture, not an acquisition",
    ]
    assert found[2].line() == (
        f"3: Thorax 2.0 [{found[2].key}] CT 10 x 5 x 7, 2 x 0.5 x 0.25 mm, 10 files; "
        "recommended: the most slices of 2 images"
    )
    assert len({s.key for s in found}) == 4 and all(len(s.key) == 8 for s in found)


def test_the_choice_is_not_made_where_two_may_be_meant(examination: Path) -> None:
    with pytest.raises(AmbiguousError) as caught:
        read_image(examination)
    line = str(caught.value)
    assert "4 series in one folder" in line and "Thorax 5.0" in line and "a localizer" in line
    assert "Pass series=3 or another of the numbers" in line


@pytest.mark.parametrize("wanted", [2, "2", "Thorax 5.0", "thorax 5.0", "5.0", "1.2"])
def test_a_series_is_named_by_number_description_or_uid(wanted: str | int, examination: Path) -> None:
    assert read_image(examination, series=wanted).pixels().max() == 1


def test_a_series_is_named_by_its_key(examination: Path) -> None:
    assert read_image(examination, series=find_series(examination)[2].key).pixels().max() == 2


def test_names_that_fit_none_or_several(examination: Path) -> None:
    with pytest.raises(NotFoundError, match="no series named 'Abdomen'"):
        read_image(examination, series="Abdomen")
    with pytest.raises(AmbiguousError, match="several series named 'Thorax'"):
        read_image(examination, series="Thorax")


def test_the_only_volume_beside_a_localizer_is_taken(examination: Path) -> None:
    for path in (examination / "b").iterdir():
        path.unlink()
    assert read_image(examination).pixels().max() == 2


def test_a_derived_series_alone_is_taken(examination: Path) -> None:
    assert read_image(examination / "d").shape == (9, 9)
    (one,) = find_series(examination / "d")
    assert one.recommended and one.reason == "the only image"


def test_the_only_series_that_forms_a_volume_is_taken(tmp_path: Path, volume: Make) -> None:
    volume(tmp_path / "e/a", np.ones((3, 5, 7), np.int16), SeriesInstanceUID="1.1")
    folder = volume(tmp_path / "e/b", np.zeros((6, 5, 7), np.int16), SeriesInstanceUID="1.2")
    next(p for p in folder.iterdir() if read_image(p).geometry.to_world(np.zeros((1, 2)))[0, 2] == 4.0).unlink()
    assert read_image(tmp_path / "e").pixels().max() == 1
    bad = find_series(tmp_path / "e")[1]
    assert bad.fails and bad.shape == () and "lacks 1 slice" in bad.reason
    assert bad.problems[0].where == str(folder)
    with pytest.raises(GeometryError, match="lacks 1 slice"):
        read_image(tmp_path / "e", series=2)


def test_equal_series_are_not_recommended_one_over_another(tmp_path: Path, volume: Make) -> None:
    for k in range(3):
        volume(tmp_path / f"e/{k}", np.zeros((3, 5, 7), np.int16), SeriesInstanceUID=f"1.{k}")
    assert not any(s.recommended for s in find_series(tmp_path / "e"))
    with pytest.raises(AmbiguousError, match=r"Pass series=NUMBER, or series='all'"):
        read_image(tmp_path / "e")


def test_slices_that_bear_different_uids_are_joined_when_asked(tmp_path: Path, dicom: Make) -> None:
    for k in range(4):
        at = {"SeriesInstanceUID": f"1.{k}", "ImagePositionPatient": [0, 0, -k]}
        dicom(tmp_path / f"{k}", np.full((5, 7), k, np.int16), **at)
    assert read_image(tmp_path, series="all").pixels()[:, 0, 0].tolist() == [3, 2, 1, 0]


def test_long_listings_are_cut(tmp_path: Path, dicom: Make) -> None:
    for k in range(9):
        dicom(tmp_path / f"{k}", np.zeros((5, 7), np.int16), SeriesInstanceUID=f"1.{k}")
    with pytest.raises(AmbiguousError, match=r"9 series in one folder.*and 3 more"):
        read_image(tmp_path)


def test_a_damaged_file_of_the_series_stops_it_and_one_of_another_does_not(
    tmp_path: Path, volume: Make
) -> None:
    good = volume(tmp_path / "e/a", np.ones((3, 5, 7), np.int16), SeriesInstanceUID="1.1")
    bad = volume(tmp_path / "e/b", np.zeros((3, 5, 7), np.int16), SeriesInstanceUID="1.2")
    victim = sorted(bad.iterdir())[-1]
    victim.write_bytes(victim.read_bytes()[:-20])
    with pytest.raises(UnreadableError, match=rf"{victim.name}: cut short.*Fetch the file again"):
        read_image(bad)
    assert read_image(tmp_path / "e", series="1.1").shape == (3, 5, 7)
    listed = find_series(tmp_path / "e")
    assert [s.fails for s in listed] == [False, True]
    # So short that nobody can tell whose slice it was: it may belong to either.
    victim.write_bytes(victim.read_bytes()[:180])
    with pytest.raises(UnreadableError, match=victim.name):
        read_image(tmp_path / "e", series="1.1")
    assert read_image(good).shape == (3, 5, 7)


def test_objects_beside_the_images_are_notes(tmp_path: Path, volume: Make, dicom: Make) -> None:
    import pydicom

    folder = volume(tmp_path / "s", np.zeros((3, 5, 7), np.int16))
    report = dicom(folder / "report.dcm", np.zeros((5, 7), np.int16), Modality="SR", SeriesInstanceUID="1.9")
    data = pydicom.dcmread(report)
    del data.PixelData
    data.save_as(report)
    assert read_image(folder).shape == (3, 5, 7)
    assert [(p.code, p.severity) for p in problems(folder)] == [("no-image", "note")]


def test_folders_without_images(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="the folder is empty"):
        find_series(tmp_path)
    with pytest.raises(MissingFileError, match="nowhere"):
        find_series(tmp_path / "nowhere")
    (tmp_path / "a.txt").write_text("x" * 200)
    with pytest.raises(UnreadableError, match="holds no DICOM image: got 1 files of other kinds"):
        find_series(tmp_path)
    (tmp_path / "a.dcm").write_bytes(bytes(128) + b"DICM" + b"\2\0")
    with pytest.raises(UnreadableError, match=r"holds no DICOM image: got .*a\.dcm"):
        find_series(tmp_path)


def test_too_many_files_are_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for k in range(4):
        (tmp_path / f"{k}").touch()
    with pytest.raises(UnreadableError, match="more than 3 files"):
        find_series(tmp_path)


def test_names_outside_ascii(tmp_path: Path, volume: Make) -> None:
    folder = volume(tmp_path / "检查 一", np.zeros((3, 5, 7), np.int16))
    assert read_image(folder).shape == (3, 5, 7)


def test_no_name_of_a_patient_is_in_a_listing(examination: Path, surname: str) -> None:
    assert surname not in repr(find_series(examination))
    with pytest.raises(AmbiguousError) as caught:
        read_image(examination)
    assert surname not in str(caught.value)
