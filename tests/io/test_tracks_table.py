"""Tracks as tables."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Tracks
from isocenter.io.tracks_table import as_csv, by_track, channel_means, displacements
from isocenter.simulate.film import Course, drawn, film

GRID = Geometry.from_spacing((40, 50), (0.5, 0.25))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def family() -> Tracks:
    """A mother that moves 4 pixels down and 3 right in two frames, and two daughters of one point each."""
    places = np.asarray([(0, 0), (2, 0), (4, 3), (3, 3), (5, 3)], float)
    made = Tracks.of(np.asarray([0, 1, 2, 4, 4]), np.asarray([1, 1, 1, 2, 3]), places, GRID, length=5,
                     times=(0.0, 2.0, 4.0, 6.0, 8.0))
    return replace(made, parents=((2, 1), (3, 1)))


def test_a_row_a_point_with_speed_in_mm_and_seconds() -> None:
    found = rows(as_csv(family()))
    assert list(found[0]) == ["track", "frame", "seconds", "x", "y", "x_mm", "y_mm", "speed_mm_per_s", "parent"]
    assert [r["speed_mm_per_s"] for r in found] == ["", "0.5", "0.625", "", ""]
    assert found[2]["x_mm"] == "0.75" and found[2]["y_mm"] == "2.0" and found[2]["seconds"] == "4.0"
    assert [r["parent"] for r in found] == ["", "", "", "1", "1"]
    plain = replace(family(), geometry=Geometry((40, 50)), times=None)
    assert "speed_px_per_frame" in rows(as_csv(plain))[0] and "x_mm" not in as_csv(plain)


def test_a_row_a_track() -> None:
    one, two, _ = rows(by_track(family()))
    assert one["children"] == "2 3" and (two["parent"], two["generation"]) == ("1", "1")
    assert (one["first_frame"], one["last_frame"], one["points"], one["frames_missed"]) == ("0", "2", "3", "0")
    assert float(one["path_mm"]) == pytest.approx(1.0 + np.hypot(1, 0.75))
    assert float(one["displacement_mm"]) == pytest.approx(np.hypot(2, 0.75))
    assert float(one["straightness"]) == pytest.approx(np.hypot(2, 0.75) / (1 + 1.25))
    assert float(one["mean_speed_mm_per_s"]) == pytest.approx(2.25 / 4)
    assert float(one["direction_degrees"]) == pytest.approx(np.degrees(np.arctan2(2.0, 0.75)))
    assert two["mean_speed_mm_per_s"] == two["straightness"] == two["direction_degrees"] == ""
    merged = replace(family(), parents=(), merges=((2, 3),))
    assert [r["merged_into"] for r in rows(by_track(merged))] == ["", "3", ""]


def test_sizes_and_intensities_over_time() -> None:
    rng = np.random.default_rng(1)
    image, tracks = drawn(film((64, 80), rng, Course(4, 5, 1.0)), rng)
    geometry = Geometry.from_spacing((64, 80), (0.5, 0.5))
    tracks = replace(tracks, geometry=geometry, objects=replace(tracks.objects, geometry=geometry))
    means = channel_means(tracks, image)
    found = rows(as_csv(tracks, means))
    pixels = image.pixels()
    for i, row in enumerate(found):
        mask, where = tracks.objects.masks[i], tracks.objects.where(i)
        assert int(row["area"]) == mask.sum() and float(row["area_mm2"]) == pytest.approx(mask.sum() / 4)
        assert float(row["mean_0"]) == pytest.approx(pixels[tracks.frames[i]][where][mask].mean())
    for row in rows(by_track(tracks, means)):
        here = tracks.numbers == int(row["track"])
        assert float(row["mean_area"]) == pytest.approx(tracks.objects.areas[here].mean())
        assert float(row["mean_area_mm2"]) == pytest.approx(tracks.objects.areas[here].mean() / 4)
        assert float(row["mean_0"]) == pytest.approx(means["mean_0"][here].mean())
    colours = Image.from_array(np.zeros((5, 2, 64, 80)), axes="tcyx", channels=("DAPI", "GFP"))
    assert list(channel_means(tracks, colours)) == ["mean_DAPI", "mean_GFP"]


def test_volumes_have_no_direction_in_the_plane() -> None:
    rng = np.random.default_rng(0)
    _, tracks = drawn(film((12, 40, 50), rng, Course(2, 3, 1.0)), rng)
    assert "direction_degrees" not in by_track(tracks) and "volume_mm3" not in as_csv(tracks)
    known = Geometry.from_spacing((12, 40, 50), (2.0, 1.0, 1.0))
    tracks = replace(tracks, geometry=known, objects=replace(tracks.objects, geometry=known))
    row = rows(as_csv(tracks))[0]
    assert float(row["volume_mm3"]) == 2 * int(row["area"]) and list(row)[2:5] == ["x", "y", "z"]


def test_mean_square_displacement_by_time() -> None:
    length = 40
    places = np.stack([np.zeros(length), 2.0 * np.arange(length)], 1)
    tracks = Tracks.of(np.arange(length), np.ones(length), places, GRID, length=length,
                       times=tuple(0.1 * t for t in range(length)))
    found = rows(displacements(tracks))
    assert len(found) == 10 and [int(r["pairs"]) for r in found] == [40 - n for n in range(1, 11)]
    for n, row in enumerate(found, start=1):
        assert float(row["msd_mm2"]) == pytest.approx((0.5 * n) ** 2) and float(row["seconds"]) == pytest.approx(n / 10)
    assert len(rows(displacements(tracks, most=3))) == 3
    alone = rows(displacements(Tracks.none(GRID, 1)))
    assert alone == [{"frames": "1", "msd_mm2": "", "pairs": "0"}]


def test_no_track_is_a_table_of_names() -> None:
    none = Tracks.none(GRID, 3)
    assert rows(as_csv(none)) == rows(by_track(none)) == [] and as_csv(none).startswith("track,frame,x,y")
