"""Tracks as GeoJSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.data import Geometry, Tracks
from isocenter.errors import IsocenterError, LabelError, MissingFileError, UnreadableError
from isocenter.io import tracks_geojson as geojson
from isocenter.simulate.film import Course, drawn, film


def same(a: Tracks, b: Tracks) -> bool:
    return (np.array_equal(a.frames, b.frames) and np.array_equal(a.numbers, b.numbers) and a.length == b.length
            and np.allclose(a.positions, b.positions) and sorted(a.parents) == sorted(b.parents)
            and a.merges == b.merges and a.times == b.times)


@pytest.mark.parametrize("shape", [(64, 80), (20, 40, 50)])
def test_tracks_come_back(shape: tuple[int, ...], tmp_path: Path) -> None:
    tracks = film(shape, np.random.default_rng(0), Course(6, 9, 2.0, dropped=0.1, dividing=0.4))
    tracks = replace(tracks, times=tuple(0.5 * t for t in range(9)), merges=((1, 2),))
    geojson.write(tmp_path / "a.geojson", tracks)
    again = geojson.read(tmp_path / "a.geojson", tracks.geometry)
    assert same(again, tracks) and tracks.parents
    assert same(geojson.read(tmp_path / "a.geojson", tracks.geometry, length=11, times=tuple(range(11))),
                replace(tracks, length=11, times=tuple(range(11))))
    none = Tracks.none(tracks.geometry, 4)
    geojson.write(tmp_path / "b.geojson", none)
    assert same(geojson.read(tmp_path / "b.geojson", tracks.geometry), none)


def test_lines_and_points_say_what_they_are() -> None:
    rng = np.random.default_rng(1)
    image, tracks = drawn(film((96, 120), rng, Course(5, 6, 2.0, dividing=0.2)), rng)
    geometry = Geometry.from_spacing((96, 120), (0.5, 0.5))
    tracks = replace(tracks, geometry=geometry, objects=replace(tracks.objects, geometry=geometry))
    said = geojson.document(tracks, image)
    lines = [f for f in said["features"] if "frames" in f["properties"]]
    points = [f for f in said["features"] if "frame" in f["properties"]]
    assert len(lines) == len(tracks.tracks) and len(points) == len(tracks)
    assert said["tracks"] == {"frames": 6, "unit": "mm"}
    for line in lines:
        one = tracks.track(line["properties"]["track"])
        places = np.reshape(line["geometry"]["coordinates"], (-1, 2))
        assert np.allclose(places[:, ::-1] - 0.5, one.positions)
        assert line["properties"]["path_mm"] == pytest.approx(one.path_lengths()[0])
        if len(one) > 1:
            assert line["properties"]["mean_speed_mm_per_frame"] == pytest.approx(one.mean_speeds()[0])
    assert points[0]["properties"]["area_px"] == tracks.objects.masks[0].sum()
    where, mask = tracks.objects.where(0), tracks.objects.masks[0]
    assert points[0]["properties"]["mean_0"] == pytest.approx(image.pixels()[tracks.frames[0]][where][mask].mean())


def line(points: Any, **said: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "LineString", "coordinates": points}, "properties": said}


def test_lines_of_others(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    features = [line([[1.5, 2.5, 0], [2.5, 2.5, 0]], track=4, frames=[0, 3]), line([[0, 0], [1, 1]], name="a road"),
                {"type": "Feature", "geometry": None, "properties": None}]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found = geojson.read(path, Geometry((9, 9)))
    assert found.numbers.tolist() == [4, 4] and found.length == 4 and found.positions[0].tolist() == [2.0, 1.0]


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ([line([[1, 2], [3, 4]], track=1)], "feature 1 does not say its frames"),
        ([line([[1, 2], [3, 4]], track=1, frames=[0])], "other frames than points"),
        ([line([[1], [3]], track=1, frames=[0, 1])], "other frames than points"),
        ([line([[1, 2], [3, 4]], track=1, frames=[0, 10**12])], "impossible frame"),
        ([line([[1, "x"], [3, 4]], track=1, frames=[0, 1])], "cannot be read as GeoJSON"),
        ([], "no tracks"), (["x"], "cannot be read as GeoJSON"), ("x", "not GeoJSON"),
    ],
)
def test_what_is_no_track_is_refused(features: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    with pytest.raises(UnreadableError, match=words):
        geojson.read(path, Geometry((9, 9)))


def test_what_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    for text in ("", '{"type": "FeatureCollection", "features": [', "[" * 200_000, "[]"):
        path.write_text(text)
        with pytest.raises(UnreadableError):
            geojson.read(path, Geometry((9, 9)))
    twice = line([[1, 2], [3, 4]], track=1, frames=[2, 2])
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [twice]}))
    with pytest.raises(LabelError, match="twice in one frame"):
        geojson.read(path, Geometry((9, 9)))
    with pytest.raises(MissingFileError):
        geojson.read(tmp_path / "none.geojson", Geometry((9, 9)))


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_file_ends_as_tracks_or_as_a_refusal(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    tracks = film((40, 50), rng, Course(4, 5, 1.0, dividing=0.25))
    geojson.write(tmp_path / "a.geojson", tracks)
    data, path = (tmp_path / "a.geojson").read_bytes(), tmp_path / "b.geojson"
    for _ in range(60):
        changed = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 6)):
            changed[at] = rng.choice([*b'0987-.,"<>[]{}eE/&x', 0, 255])
        path.write_bytes(bytes(changed))
        try:
            found = geojson.read(path, tracks.geometry)
        except IsocenterError as error:
            assert error.what
        else:
            assert isinstance(found, Tracks)
