from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from isocenter.errors import UsageError
from isocenter.verbs.look import look


def test_one_path_is_one_description_and_several_are_items(discs_folder: Path) -> None:
    one = look(discs_folder)
    assert one.as_json()["kind"] == "data set" and one.exit_code == 0
    several = look(discs_folder, discs_folder / "images" / "case00.png")
    document = json.loads(json.dumps(several.as_json(), allow_nan=False))
    assert [i["kind"] for i in document["items"]] == ["data set", "image"]


def test_the_next_command_is_about_what_can_be_read(discs_folder: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert look(gone, discs_folder).lines()[-1] == f"next: isocenter check {discs_folder}"
    image = discs_folder / "images" / "case00.png"
    assert look(image).lines()[-1].startswith(f"next: isocenter predict segment/histogram {image}")
    assert look(gone).lines()[-1] == "next: isocenter look PATH"
    assert look(gone).exit_code == 1 and look(gone, image).exit_code == 3


def test_nothing_to_look_at() -> None:
    with pytest.raises(UsageError):
        look()


def test_a_path_with_spaces_is_typed_in_quotes(discs_folder: Path, tmp_path: Path) -> None:
    image = tmp_path / "my image.png"
    shutil.copy(discs_folder / "images" / "case00.png", image)
    assert look(image).lines()[-1] == f"next: isocenter predict segment/histogram '{image}' -o OUT"


def test_series_of_which_none_stands_out_still_give_images(real_data: Callable[[str], Path]) -> None:
    series = real_data("dicom-corpus") / "series"
    lines = look(series / "ct-small-series").lines()
    assert "20 series give an image each, and none stands out as the one to read" in lines
    assert "none of the series gives an image" in look(series / "ct-gantry-tilt").lines()
