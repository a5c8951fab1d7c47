"""Tracks in files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Image, Tracks
from isocenter.errors import (
    GeometryError,
    LabelError,
    MissingFileError,
    OutputError,
    ResourceError,
    UnreadableError,
)
from isocenter.io import limits
from isocenter.io import tracks as files
from isocenter.io.tracks_table import as_csv
from isocenter.io.writing import write
from isocenter.simulate.film import Course, drawn, film


def cells(seed: int = 0, dropped: float = 0.0) -> Tracks:
    rng = np.random.default_rng(seed)
    return drawn(film((64, 80), rng, Course(8, 8, 2.0, dropped=dropped, dividing=0.25)), rng)[1]


def same(a: Tracks, b: Tracks) -> bool:
    return (
        np.array_equal(a.frames, b.frames) and np.array_equal(a.numbers, b.numbers) and a.parents == b.parents
        and a.length == b.length
    )


def test_csv_comes_back(tmp_path: Path) -> None:
    tracks = film((64, 80), np.random.default_rng(0), Course(6, 9, 2.0, dropped=0.1, dividing=0.4))
    tracks = replace(tracks, geometry=Geometry.from_spacing((64, 80), (0.5, 0.25)), times=tuple(np.arange(9) * 0.5))
    tracks = replace(tracks, objects=replace(tracks.boxes(), geometry=tracks.geometry))
    text = as_csv(tracks)
    assert text.splitlines()[0] == "track,frame,seconds,x,y,x_mm,y_mm,xmin,ymin,xmax,ymax,speed_mm_per_s,parent"
    assert len(text.splitlines()) == len(tracks) + 1 and tracks.parents
    path = write(tracks, tmp_path / "tracks.csv")
    again = files.read_csv(path, tracks.geometry, frames=9, times=tracks.times)
    assert same(again, tracks) and np.allclose(again.positions, tracks.positions)
    assert np.allclose(again.boxes().edges, tracks.boxes().edges)


def test_csv_of_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("frame,track_id,x,y,area\n25,4,7.5,3,9\n26,4,8,3,9\n27,4,9,3,9\n")
    found = files.read_csv(path, Geometry((10, 12)), frames={25.0: 0, 26.0: 1})
    assert found.frames.tolist() == [0, 1] and found.positions[0].tolist() == [3.0, 7.5]
    assert found.boxes() is None and found.length == 2


def test_csv_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("frame,x,y\n0,1,2\n")
    with pytest.raises(UnreadableError, match="not a table of tracks"):
        files.read_csv(path, Geometry((10, 12)), frames=1)
    path.write_text("track,frame,x,y\n1,0,one,2\n")
    with pytest.raises(UnreadableError, match="row 2"):
        files.read_csv(path, Geometry((10, 12)), frames=1)
    path.write_text("track,frame,x,y\n")
    assert len(files.read_csv(path, Geometry((10, 12)), frames=3)) == 0


@pytest.mark.parametrize("truth", [False, True])
def test_a_folder_of_the_challenge_comes_back(tmp_path: Path, truth: bool) -> None:
    tracks = cells()
    assert tracks.parents
    files.write_folder(tracks, tmp_path / "01", truth=truth)
    again = files.read_folder(tmp_path / "01")
    assert same(again, tracks)
    assert all(np.array_equal(a, b) for a, b in zip(again.objects.masks, tracks.objects.masks, strict=True))
    assert np.array_equal(again.objects.starts, tracks.objects.starts)
    assert (tmp_path / "01" / ("man_track.txt" if truth else "res_track.txt")).is_file()


def test_a_hole_becomes_a_parent_and_again_a_hole(tmp_path: Path) -> None:
    tracks = cells()
    number = next(n for n, (a, b) in tracks.spans().items() if b - a >= 4)
    middle = (tracks.numbers == number) & (tracks.frames == tracks.spans()[number][0] + 2)
    tracks = replace(tracks.chosen(~middle), parents=tracks.parents)
    files.write_folder(tracks, tmp_path)
    rows = [list(map(int, line.split())) for line in (tmp_path / "res_track.txt").read_text().splitlines()]
    assert len(rows) == len(tracks.tracks) + 1 and len({r[0] for r in rows}) == len(rows)
    assert sum(r[3] == number for r in rows) >= 1
    assert same(files.read_folder(tmp_path), tracks)


def test_what_the_challenge_cannot_hold(tmp_path: Path) -> None:
    points = film((64, 80), np.random.default_rng(0), Course(3, 3))
    with pytest.raises(OutputError, match="masks"):
        files.write_folder(points, tmp_path / "a")
    tracks = cells()
    files.write_folder(tracks, tmp_path / "b")
    with pytest.raises(OutputError, match="exists"):
        files.write_folder(tracks, tmp_path / "b")
    files.write_folder(tracks, tmp_path / "b", overwrite=True)


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no table"):
        files.read_folder(tmp_path)
    (tmp_path / "res_track.txt").write_text("1 0 1 0\n")
    with pytest.raises(MissingFileError, match="no label map"):
        files.read_folder(tmp_path)
    write(Image.from_array(np.full((4, 5), 2, np.uint16)), tmp_path / "mask000.tif")
    with pytest.raises(LabelError, match="no line"):
        files.read_folder(tmp_path)
    (tmp_path / "res_track.txt").write_text("2 0 one 0\n")
    with pytest.raises(UnreadableError, match="line 1"):
        files.read_folder(tmp_path)
    (tmp_path / "res_track.txt").write_text("2 0 1 0\n")
    write(Image.from_array(np.full((4, 6), 2, np.uint16)), tmp_path / "mask001.tif")
    with pytest.raises(GeometryError, match="differ in size"):
        files.read_folder(tmp_path)


def test_a_film_without_a_cell(tmp_path: Path) -> None:
    nothing = Tracks.none(Geometry((6, 7)), 2)
    files.write_folder(nothing, tmp_path)
    assert len(files.read_folder(tmp_path)) == 0 and files.read_folder(tmp_path).length == 2


def test_boxes_stand_by_their_corners() -> None:
    edges = np.array([[[1.5, 2.5], [3.5, 6.5]]])
    grid = Geometry((10, 12))
    one = Tracks.of(np.array([0]), np.array([1]), np.array([[2.5, 4.5]]), grid, length=1,
                    objects=Boxes(edges, np.zeros(1, np.int64), ("cell",), grid))
    assert as_csv(one).splitlines()[1] == "1,0,4.5,2.5,3.0,2.0,7.0,4.0,,"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,0,inf,2,", "row 2 holds no possible number in 'x'"), ("1e300,0,1,2,", "no possible number in 'track'"),
        ("nan,0,1,2,", "no possible number in 'track'"), ("1,nan,1,2,", "no possible number in 'frame'"),
        ("1,0,1,2,mother", "no number in 'parent'"), ("1,0,1", "no number in 'y'"),
    ],
)
def test_numbers_that_cannot_be_are_refused_by_row(row: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"track,frame,x,y,parent\n{row}\n")
    with pytest.raises(UnreadableError, match=words):
        files.read_csv(path, Geometry((10, 12)), frames=3)


def test_a_table_larger_than_memory_or_of_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"track,frame,x,y\n\xff\xfe,0,1,2\n")
    with pytest.raises(UnreadableError, match=r"a\.csv"):
        files.read_csv(path, Geometry((10, 12)), frames=3)
    monkeypatch.setattr(limits, "SMALL", 0)
    monkeypatch.setattr(limits, "available", lambda: 100)
    with pytest.raises(ResourceError, match="memory does not suffice"):
        files.read_csv(path, Geometry((10, 12)), frames=3)
