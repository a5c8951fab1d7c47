from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isocenter import layouts
from isocenter.errors import GeometryError, TableError
from isocenter.layouts import dicom_folder


def test_one_case_a_series(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    series = real_data("dicom-corpus") / "series"
    for name in ("mr-small-series", "pet-sts008"):
        shutil.copytree(series / name, tmp_path / name)
    cases = layouts.read(tmp_path)
    assert cases.layout == "dicom_folder" and len(cases) == 2 and cases.tasks == ()
    seen = {c.image().modality: c.image().axes for c in cases}
    assert seen == {"CT": "zyx", "PT": "zyx"}
    assert all(e.id.startswith("series-") and e.notes["modality"] for e in cases.entries)
    assert cases[0].image().pixels().shape == cases[0].image().shape
    with pytest.raises(TableError, match="no truth"):
        layouts.read(tmp_path, task="segment")


def test_a_series_that_gives_no_image_is_refused_when_opened(real_data: Callable[[str], Path]) -> None:
    cases = layouts.read(real_data("dicom-corpus") / "series" / "ct-missing-slice")
    assert len(cases) == 1
    with pytest.raises(GeometryError):
        cases[0]


def test_only_folders_mostly_of_dicom_are_claimed(folder: Any) -> None:
    (folder.path / "IM0").write_bytes(b"\0" * 128 + b"DICM")
    assert dicom_folder.claims(folder.path)
    folder.png("a.png"), folder.png("b.png")
    assert not dicom_folder.claims(folder.path) and not dicom_folder.claims(folder.path / "a.png")
