from __future__ import annotations

from typing import Any

import pytest

from isocenter import layouts
from isocenter.errors import TableError


def test_images_without_a_table_are_cases_without_truth(folder: Any) -> None:
    folder.png("b/x.png"), folder.png("a.png"), folder.nifti("v.nii.gz"), folder.text("notes.txt", "x")
    cases = layouts.read(folder.path)
    assert (cases.layout, [e.id for e in cases.entries]) == ("image_folder", ["a", "v", "b/x"])
    assert cases.tasks == () and cases[1].image().axes == "zyx" and cases[1].truth() is None
    with pytest.raises(TableError, match="no truth for segment: got truth for no task"):
        layouts.read(folder.path, task="segment")


def test_one_bad_image_does_not_stop_the_others(folder: Any) -> None:
    folder.png("a.png"), folder.text("b.png", "no png")
    assert len(layouts.read(folder.path)) == 2
