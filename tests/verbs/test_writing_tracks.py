"""The files of tracks."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isocenter.data import Image, Tracks
from isocenter.errors import OutputError, UsageError
from isocenter.io.trackmate_reading import read as read_trackmate
from isocenter.io.tracks import read_csv, read_folder
from isocenter.io.tracks_geojson import read as read_geojson
from isocenter.simulate.film import Course, drawn, film
from isocenter.verbs._writing import asked_formats, planned, written
from isocenter.verbs._writing_tracks import FILES


@pytest.fixture(scope="module")
def cells() -> tuple[Image, Tracks]:
    rng = np.random.default_rng(2)
    return drawn(film((64, 80), rng, Course(4, 7, 1.5, dividing=0.25)), rng)


def test_tables_film_charts_and_formats(cells: tuple[Image, Tracks], tmp_path: Path) -> None:
    image, tracks = cells
    files = planned("a", image, task="track", out=None, formats=("ctc", "trackmate", "geojson"))
    kept = written(tracks, image, folder=tmp_path, files=files, codes={})
    assert kept == list(files.values()) and all((tmp_path / name).is_file() for name in kept)
    assert kept[0] == "a.csv" and set(FILES) <= set(files)
    found = read_csv(tmp_path / "a.csv", tracks.geometry, frames=7)
    assert np.array_equal(found.numbers, tracks.numbers) and found.parents == tracks.parents
    head = (tmp_path / "a.csv").read_text().splitlines()[0].split(",")
    assert {"area", "mean_0", "speed_px_per_frame"} <= set(head)
    assert len((tmp_path / "a_by_track.csv").read_text().splitlines()) == 1 + len(tracks.tracks)
    assert (tmp_path / "a_msd.csv").read_text().splitlines()[0] == "frames,msd_px2,pairs"
    for name in ("a_motion.svg", "a_lineage.svg"):
        assert ElementTree.parse(tmp_path / name).getroot().tag.endswith("svg")
    with PIL.Image.open(tmp_path / "a_tracks.gif") as shown:
        assert shown.n_frames == 7
    assert len(read_folder(tmp_path / "a_ctc")) == len(tracks)
    assert len(read_geojson(tmp_path / "a_tracks.geojson", tracks.geometry)) == len(tracks)
    assert len(read_trackmate(tmp_path / "a_trackmate.xml")) == len(tracks)
    # Again over what is there.
    assert written(tracks, image, folder=tmp_path, files=files, codes={}) == kept


@pytest.mark.parametrize("name", ["b.csv", "b.gif", "b.xml", "b.geojson"])
def test_the_one_file_that_was_asked_for(name: str, cells: tuple[Image, Tracks], tmp_path: Path) -> None:
    image, tracks = cells
    files = planned("a", image, task="track", out=tmp_path / name)
    assert written(tracks, image, folder=tmp_path, files=files, codes={}) == [name]
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_points_are_no_masks_and_leave_no_half_folder(tmp_path: Path) -> None:
    tracks = film((64, 80), np.random.default_rng(0), Course(3, 4, 1.0))
    image = Image.from_array(np.zeros((4, 64, 80), np.uint8), axes="tyx")
    files = planned("a", image, task="track", out=None, formats=("ctc",))
    with pytest.raises(OutputError, match="needs masks"):
        written(tracks, image, folder=tmp_path, files=files, codes={})
    assert not (tmp_path / "a_ctc").exists()


def test_formats_are_named_by_task() -> None:
    assert asked_formats(["ctc", "mp4", "ctc"], "track") == ("ctc", "mp4")
    with pytest.raises(UsageError, match="trackmate"):
        asked_formats(["trackmat"], "track")
    with pytest.raises(UsageError, match="not for classify"):
        asked_formats(["ctc"], "classify")
