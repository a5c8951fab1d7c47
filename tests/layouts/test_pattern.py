from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from isocenter import layouts
from isocenter.errors import AmbiguousError, MissingFileError, TableError, UsageError
from isocenter.layouts import pattern
from isocenter.layouts.ask import Ask


def plate(folder: Path, *, wells: tuple[str, ...] = ("A1", "B2"), frames: int = 3, channels: int = 2) -> None:
    for w, well in enumerate(wells):
        for c in range(1, channels + 1):
            for t in range(1, frames + 1):
                tifffile.imwrite(folder / f"{well}_s1_w{c}_t{t}.tif", np.full((4, 5), 100 * w + 10 * c + t, np.uint16))


def test_a_known_pattern_is_found(tmp_path: Path) -> None:
    plate(tmp_path, frames=11)
    cases = layouts.read(tmp_path)
    assert (cases.layout, [e.id for e in cases.entries]) == ("pattern", ["A1_1", "B2_1"])
    image = cases[1].image()
    assert (image.axes, image.shape, image.channels) == ("tcyx", (11, 2, 4, 5), ("1", "2"))
    assert image.pixels()[:3, :, 0, 0].tolist() == [[111, 121], [112, 122], [113, 123]]
    # Frames in the order of their numbers, not of their names.
    assert image.pixels()[9, 0, 0, 0] == 120
    assert cases.entries[0].notes == {"well": "A1", "field": "1"}


def test_channels_alone_give_no_frames(tmp_path: Path) -> None:
    for c in (1, 2, 3):
        tifffile.imwrite(tmp_path / f"A1_s2_w{c}.TIF", np.full((4, 5), c, np.uint8))
    image = layouts.read(tmp_path)[0].image()
    assert (image.axes, image.shape) == ("cyx", (3, 4, 5))


def test_a_pattern_is_given_in_the_path_or_by_name(folder: Any) -> None:
    for subject in ("p1", "p2"):
        for label in ("ill", "well"):
            folder.png(f"{subject}/{label}-1.png")
    text = "{subject}/{label}-{n}.png"
    for cases in (
        layouts.read(folder.path / text, task="classify"), pattern.read(folder.path, Ask("classify"), pattern=text)
    ):
        assert cases.classes == ("ill", "well") and cases.n_subjects == 2 and cases.subjects_known
        assert [e.id for e in cases.entries] == ["p1_ill_1", "p1_well_1", "p2_ill_1", "p2_well_1"]


def test_a_missing_channel_is_named(tmp_path: Path) -> None:
    plate(tmp_path)
    (tmp_path / "B2_s1_w2_t3.tif").unlink()
    with pytest.raises(TableError, match="B2_1 lacks frame 3 channel 2"):
        layouts.read(tmp_path)
    found = layouts.survey(tmp_path)
    assert len(found) == 1 and found.unused == {"a channel or frame is not there": 1}


def test_films_may_differ_in_length(tmp_path: Path) -> None:
    plate(tmp_path)
    for c in (1, 2):
        (tmp_path / f"B2_s1_w{c}_t3.tif").unlink()
    assert [c.image().length("t") for c in layouts.read(tmp_path)] == [3, 2]


def test_one_film_of_one_channel(tmp_path: Path) -> None:
    plate(tmp_path, wells=("A1",), channels=1)
    assert layouts.read(tmp_path)[0].image().axes == "tyx"


def test_faults(tmp_path: Path, folder: Any) -> None:
    with pytest.raises(MissingFileError, match="no file fits"):
        layouts.read(tmp_path / "{well}_w{channel}.tif")
    folder.png("a_1.png")
    with pytest.raises(UsageError, match="not a pattern"):
        layouts.read(tmp_path / "{frame}_{time}.png")
    folder.png("a_01.png")
    folder.png("q_1.png"), folder.png("q_1.PNG")
    with pytest.raises(AmbiguousError, match="two files for one place"):
        layouts.read(tmp_path / "{well}_{channel}.png")


def test_images_that_do_not_fit_are_counted(tmp_path: Path, folder: Any) -> None:
    plate(tmp_path)
    folder.png("thumbnail.png")
    assert "1 images do not fit" in layouts.read(tmp_path).problems[0].what


def test_names_of_other_kinds_are_not_taken_for_plates(folder: Any) -> None:
    for name in ("a_w1.png", "b.png", "c.png"):
        folder.png(name)
    assert layouts.read(folder.path).layout == "image_folder"
