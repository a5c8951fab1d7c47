from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from isocenter import layouts
from isocenter.inspect import Look, look


def seen(path: Path | str) -> Look:
    found = look(path, read=layouts.survey)
    json.dumps(found.as_json(), allow_nan=False)
    assert all("\n" not in line for line in found.lines())
    return found


def test_one_file(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2.0, 1, 1, 1]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, tmp_path / "a.nii.gz")
    found = seen(tmp_path / "a.nii.gz")
    assert (found.kind, found.layout, found.tasks) == ("image", "nifti", ("segment", "classify"))
    picture = found.picture
    assert picture is not None and (picture.axes, picture.shape, picture.dtype) == ("zyx", (5, 4, 3), "int16")
    assert picture.spacing == (1.0, 1.0, 2.0) and picture.orientation == "SAR"
    assert (picture.low, picture.high) == (0.0, 59.0)
    assert look(tmp_path / "a.nii.gz") == found, "a file needs no layouts"


def test_unknown_spacing_is_said(table: Any) -> None:
    table.save("a.png", np.arange(20, dtype=np.uint8).reshape(4, 5))
    assert "spacing unknown: lengths would be in pixels" in seen(table.path / "a.png").lines()


def test_a_data_set(table: Any) -> None:
    for i in range(4):
        cells = {"label": "ab"[i % 2], "site": "n", "subject": f"SURNAME{i}", "split": "train"}
        table.add(f"{i}.png", np.full((4, 5), i, np.uint8), **cells)
    found = seen(table.done())
    assert (found.kind, found.layout, found.n_cases, found.splits) == ("data set", "table", 4, {"train": 4})
    assert found.classes == {"classify": ("a", "b")} and found.tasks == ("classify",) and "site" in found.columns
    assert "SURNAME" not in json.dumps(found.as_json()) and any("could be asked: classify" in s for s in found.lines())


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("make", [
    lambda p: p / "gone", lambda p: p, lambda p: write(p / "a.png", b"\x89PNG\r\n\x1a\n cut short"),
    lambda p: write(p / "a.nii", struct.pack("<i", 348) + b"\0" * 100),
    lambda p: write(p / "a.dcm", b"\0" * 128 + b"DICM"),
    lambda p: write(p / "notes.txt", b"hello"), lambda p: write(p / "empty.png", b""),
    lambda p: write(p / "manifest.csv", b"image,label\na.png,1,2\n").parent,
    lambda p: write(p / "cases.json", b'{"format": 9}').parent,
])
def test_what_cannot_be_read_is_described(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    found = seen(make(tmp_path))
    assert found.kind == "unreadable" and [p.severity for p in found.problems][-1] == "error"
    assert found.lines()[-1].startswith("error: ")


def test_rows_that_name_nothing_are_problems_of_a_set(table: Any) -> None:
    for i in range(12):
        table.add(f"{i}.png", np.full((4, 5), i, np.uint8), label="ab"[i % 2])
    path = table.done()
    for i in range(2, 12):
        (path / f"{i}.png").unlink()
    found = seen(path)
    assert found.n_cases == 2 and len(found.problems) < 12 and any("like this" in p.what for p in found.problems)


def test_constant_and_infinite_values_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((5, 6), 3.0))
    np.save(tmp_path / "b.npy", np.array([[1.0, np.nan], [np.inf, 2.0]]))
    np.save(tmp_path / "c.npy", np.full((5, 6), np.nan))
    a, b, c = (seen(tmp_path / f"{n}.npy") for n in "abc")
    assert [p.code for p in a.problems] == ["constant"] and [p.code for p in b.problems] == ["not-finite"]
    assert b.picture is not None and (b.picture.low, b.picture.high) == (1.0, 2.0)
    assert c.picture is not None and c.picture.low is None


def test_an_array_file_needs_no_layouts(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", volume=np.random.default_rng(0).random((6, 7, 8)))
    assert look(tmp_path / "a.npz").kind == seen(tmp_path / "a.npz").kind == "image"
    (tmp_path / "t.csv").write_text("image\n")
    assert look(tmp_path / "t.csv").kind == "unreadable"


def test_a_pattern_is_a_data_set(table: Any) -> None:
    for well in ("A1", "B2"):
        for channel in (1, 2, 3):
            table.save(f"{well}_w{channel}.png", np.full((4, 5), channel, np.uint8))
    found = seen(f"{table.path}/{{well}}_w{{channel}}.png")
    assert (found.kind, found.layout, found.n_cases) == ("data set", "pattern", 2)
    assert found.picture is not None and found.picture.channels == ("1", "2", "3")


def test_a_series_is_chosen_with_a_reason(real_data: Callable[[str], Path]) -> None:
    found = seen(real_data("dicom-corpus") / "series" / "pet-sts008")
    assert found.kind == "series" and len(found.series) == 1 and found.chosen.startswith("series 1 would be read")
    assert found.picture is not None and found.picture.modality == "PT" and found.picture.unit == "SUV"


@pytest.mark.parametrize(
    ("name", "words"),
    [("ct-missing-slice", "lacks 1 slice"), ("ct-gantry-tilt", "gantry tilt"), ("mr-mixed-orientation", "orientation")],
)
def test_bad_series_are_described(real_data: Callable[[str], Path], name: str, words: str) -> None:
    found = seen(real_data("dicom-corpus") / "series" / name)
    assert found.chosen == "none of the series gives an image" and any(words in p.line() for p in found.problems)


def test_a_folder_without_layouts_is_a_folder_of_dicom(real_data: Callable[[str], Path]) -> None:
    assert look(real_data("dicom-corpus") / "series" / "mr-two-slices").kind == "series"
    assert look(real_data("retina-chase-db1")).kind == "unreadable"


def test_an_image_in_memory() -> None:
    image = nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2.0, 1, 1, 1]))
    found = look(image)
    json.dumps(found.as_json(), allow_nan=False)
    assert (found.path, found.kind, found.layout, found.n_cases) == ("Nifti1Image", "image", "nibabel", 1)
    assert found.picture is not None and (found.picture.shape, found.picture.high) == ((5, 4, 3), 59.0)
    flat = look(np.full((4, 5), 7.0))
    assert [p.code for p in flat.problems] == ["constant"] and flat.path == "ndarray"


def test_what_is_no_image_in_memory_is_described_not_refused() -> None:
    found = look({"a": 1})
    assert found.kind == "unreadable" and "not an image: got dict" in found.lines()[-1]
    assert look(np.zeros((2, 3, 4, 5))).kind == "unreadable", "four axes that nobody named"
