"""A folder of single images as one film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter import io
from isocenter.data import Image
from isocenter.data.film import clock, frames_of
from isocenter.errors import GeometryError, TableError
from isocenter.layouts.film_folder import is_film, natural, opened, times


def folder(tmp_path: Path, count: int = 12) -> list[Path]:
    """Frames whose names lack leading zeros; frame t is of value t."""
    for t in range(count):
        io.write(Image.from_array(np.full((6, 7), t, np.uint8)), tmp_path / f"cell2_t{t}.png")
    return sorted(tmp_path.glob("*.png"))


def test_numbers_in_names_are_the_order(tmp_path: Path) -> None:
    case = opened(tmp_path, folder(tmp_path), {})
    image = case.image()
    assert case.id == tmp_path.name and image.axes == "tyx" and image.times is None
    assert [int(frame.pixels()[0, 0]) for frame in frames_of(image)] == list(range(12))
    assert sorted([Path("b10"), Path("b9"), Path("a"), Path("b9a")], key=natural) == [
        Path("a"), Path("b9"), Path("b9a"), Path("b10")]


def test_a_film_is_told_from_a_folder_of_films(tmp_path: Path) -> None:
    assert is_film(folder(tmp_path / "a", 3), {})
    io.write(Image.from_array(np.zeros((3, 6, 7), np.uint8), axes="tyx"), tmp_path / "b" / "a.tif")
    assert not is_film([tmp_path / "b" / "a.tif"], {})


@pytest.mark.parametrize(
    "text",
    ["0\n0.5\n2\n", "seconds\n0\n0.5\n2\n", "frame,seconds\n1,0\n2,0.5\n3,2\n\n", "a.png\t0\nb.png\t0.5\nc.png\t2"],
)
def test_times_stand_beside_the_frames(text: str, tmp_path: Path) -> None:
    files = folder(tmp_path, 3)
    (tmp_path / "times.csv").write_text(text)
    image = opened(tmp_path, files, {}).image()
    assert image.times == (0.0, 0.5, 2.0)
    assert clock(image)[-1] == pytest.approx(2 / 1.0)


@pytest.mark.parametrize("text", ["", "0\n1\n", "0\n1\n1\n", "0\nsoon\n2\n", "0\n1\n2\n3\n"])
def test_times_that_do_not_fit_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "times.txt").write_text(text)
    with pytest.raises(TableError, match="the times do not fit the frames"):
        times(tmp_path / "times.txt", 3)


def test_frames_of_different_size_are_refused_by_name(tmp_path: Path) -> None:
    files = folder(tmp_path, 4)
    io.write(Image.from_array(np.zeros((6, 8), np.uint8)), tmp_path / "cell2_t2.png", overwrite=True)
    with pytest.raises(GeometryError, match=r"cell2_t2\.png"):
        opened(tmp_path, files, {})
