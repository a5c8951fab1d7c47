"""Tracks from any file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter import io
from isocenter.data import Image, Tracks
from isocenter.errors import GeometryError, MissingFileError, UnreadableError
from isocenter.simulate.film import Course, drawn, film


@pytest.fixture
def cells() -> tuple[Image, Tracks]:
    rng = np.random.default_rng(3)
    image, tracks = drawn(film((64, 80), rng, Course(5, 6, 1.5)), rng)
    return image.replaced(image.load, times=tuple(0.5 * t for t in range(6))), tracks


@pytest.mark.parametrize("name", ["a.csv", "a.xml", "a.geojson", "a"])
def test_what_was_written_comes_back_over_its_film(
    name: str, cells: tuple[Image, Tracks], tmp_path: Path
) -> None:
    image, tracks = cells
    io.write(tracks, tmp_path / name, like=image)
    found = io.read_tracks(tmp_path / name, image)
    assert found.length == 6 and found.times == image.times and found.geometry.same_grid(image.geometry)
    assert np.array_equal(np.sort(found.frames), np.sort(tracks.frames))
    if name != "a":
        # A folder of masks holds the middle of what is seen, which is not that of an object half hidden.
        order, wanted = np.lexsort(found.positions.T), np.lexsort(tracks.positions.T)
        assert np.allclose(found.positions[order], tracks.positions[wanted], atol=1e-6)
    assert len(found.tracks) == len(tracks.tracks)


def test_some_files_state_their_film_and_others_do_not(cells: tuple[Image, Tracks], tmp_path: Path) -> None:
    _, tracks = cells
    for name in ("a.csv", "a.xml", "a.geojson", "a"):
        io.write(tracks, tmp_path / name)
    for name in ("a.xml", "a"):
        assert len(io.read_tracks(tmp_path / name)) == len(tracks)
    assert io.read_tracks(tmp_path / "a.geojson", geometry=tracks.geometry).length == 6
    assert len(io.read_tracks(tmp_path / "a.csv", geometry=tracks.geometry, length=6)) == len(tracks)
    with pytest.raises(GeometryError, match="does not state the grid"):
        io.read_tracks(tmp_path / "a.geojson")
    with pytest.raises(GeometryError, match="length="):
        io.read_tracks(tmp_path / "a.csv", geometry=tracks.geometry)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UnreadableError, match="TrackMate"):
        io.read_tracks(tmp_path / "a.txt")
    with pytest.raises(MissingFileError):
        io.read_tracks(tmp_path / "none.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFileError, match="no table of tracks"):
        io.read_tracks(tmp_path / "empty")
