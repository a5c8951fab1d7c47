from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from isocenter.data import Cases
from isocenter.errors import MissingFileError, NotFoundError
from isocenter.verbs.check import check


def test_a_folder_is_checked_for_its_first_question(discs_folder: Path) -> None:
    made = check(discs_folder)
    assert made.found.task == "segment" and made.found.ok and made.others == ("classify",)
    assert json.loads(json.dumps(made.as_json(), allow_nan=False))["other_tasks"] == ["classify"]
    assert made.lines()[-1] == f"next: isocenter train segment {discs_folder} -o BUNDLE --time 20m"


def test_cases_know_their_question(sizes: Cases) -> None:
    made = check(sizes)
    assert made.found.task == "classify" and made.found.counts["test"]


def test_what_is_wrong_is_described_not_refused(discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    shutil.copy(folder / "images" / "case00.png", folder / "images" / "case23.png")
    made = check(folder)
    assert not made.found.ok and any(p.code == "leakage" for p in made.found.problems)
    assert made.lines()[-1].startswith("next: isocenter look")


def test_unsplit_data_should_be_split_next(discs: Callable[..., Path], tmp_path: Path) -> None:
    assert "isocenter split" in check(discs(tmp_path / "discs", split=False)).lines()[-1]


def test_without_truth_there_is_nothing_to_check(discs_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no truth"):
        check(discs_folder / "images")
    with pytest.raises(MissingFileError):
        check(tmp_path / "gone")
