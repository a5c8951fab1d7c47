from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.errors import UnreadableError


def test_a_file_is_one_case(folder: Any) -> None:
    folder.nifti("scan.nii.gz")
    cases = layouts.read(folder.path / "scan.nii.gz")
    assert len(cases) == 1 and cases[0].id == "scan" and not cases.problems
    assert cases.entries[0].files["image"] == str(folder.path / "scan.nii.gz")


def test_a_place_in_an_archive_is_one_case(folder: Any) -> None:
    np.savez(folder.path / "x.npz", volumes=np.zeros((2, 6, 7, 8)))
    case = layouts.read(f"{folder.path}/x.npz#volumes[1]")[0]
    assert case.image().shape == (6, 7, 8) and case.id == "x#volumes[1]"


def test_what_nobody_reads_is_refused(folder: Any) -> None:
    with pytest.raises(UnreadableError):
        layouts.read(folder.text("scan.xyz", "x"))
