from __future__ import annotations

from pathlib import Path

import pytest

from isocenter.errors import OutputError
from isocenter.verbs._places import usable, vacant_report


def test_a_folder_that_does_not_exist_yet_is_usable(tmp_path: Path) -> None:
    usable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        usable(tmp_path / "file" / "a")


def test_a_report_is_not_replaced_unless_it_is_said(tmp_path: Path) -> None:
    vacant_report(None, overwrite=False)
    vacant_report(tmp_path, overwrite=False)
    (tmp_path / "report.html").write_text("")
    vacant_report(tmp_path, overwrite=True)
    with pytest.raises(OutputError, match="--overwrite"):
        vacant_report(tmp_path, overwrite=False)
