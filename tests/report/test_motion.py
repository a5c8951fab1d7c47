"""Charts of tracks."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest

import isocenter.report.motion as motion
from isocenter.data import Geometry, Tracks
from isocenter.report.motion import lineage_chart, motion_chart, speeds_over_time
from isocenter.report.style import chart_style
from isocenter.simulate.film import Course, film

GRID = Geometry((60, 60))


def family() -> Tracks:
    frames, numbers = np.asarray([0, 1, 2, 3, 4, 2, 3, 0, 1]), np.asarray([1, 1, 2, 2, 2, 3, 3, 4, 4])
    made = Tracks.of(frames, numbers, np.arange(18.0).reshape(9, 2), GRID, length=5)
    return replace(made, parents=((2, 1), (3, 1)), merges=((4, 3),))


def words(text: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(text).iter() if e.tag.endswith("text")]


@pytest.mark.parametrize("times", [None, tuple(0.5 * t for t in range(20))])
def test_units_stand_on_the_axes(times: tuple[float, ...] | None) -> None:
    tracks = film((60, 60), np.random.default_rng(0), Course(5, 20, 1.0, dropped=0.2))
    text = motion_chart(replace(tracks, times=times)).file(chart_style())
    found = words(text)
    assert "Objects" in found and ("Time (s)" in found) == (times is not None)
    assert f"Speed (px per {'s' if times else 'frame'})" in found
    assert "Mean square displacement (px\N{SUPERSCRIPT TWO})" in found


def test_speeds_are_those_of_the_steps_that_end_in_a_frame() -> None:
    frames = np.asarray([0, 1, 3, 0, 1])
    places = np.asarray([(0, 0), (0, 3), (0, 7), (9, 9), (9, 10)], float)
    tracks = Tracks.of(frames, np.asarray([1, 1, 1, 2, 2]), places, GRID, length=5)
    low, middle, high = speeds_over_time(tracks)
    assert middle[1] == 2.0 and middle[3] == 2.0 and low[1] == 1.5 and high[1] == 2.5
    assert np.isnan(middle[[0, 2, 4]]).all()


def test_a_line_a_track_and_a_branch_a_child() -> None:
    text = lineage_chart(family()).file(chart_style())
    root = ElementTree.fromstring(text)
    paths = [e for e in root.iter() if e.tag.endswith("path")]
    lines = [e for e in root.iter() if e.tag.endswith("}line") and "curve" in e.get("class", "")]
    assert len(lines) == 4 and len(paths) == 2
    assert sum(e.get("class") == "rule" for e in root.iter()) == 1
    # Mother between her daughters; the family before the track that is alone.
    named = [t for t in root.iter() if t.tag.endswith("text") and t.get("class") == "small"]
    heights = {t.text: float(t.get("y", 0)) for t in named}
    assert heights["2"] < heights["1"] < heights["3"] < heights["4"]


def test_deep_lines_and_more_tracks_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 3000
    numbers = np.arange(1, n + 1)
    tracks = Tracks.of(numbers - 1, numbers, np.zeros((n, 2)), GRID, length=n)
    tracks = replace(tracks, parents=tuple((int(k), int(k) - 1) for k in numbers[1:]))
    assert "2850 more tracks are not shown" in words(lineage_chart(tracks).file(chart_style()))
    monkeypatch.setattr(motion, "ROWS", 3)
    assert "1 more tracks are not shown" in words(lineage_chart(family()).file(chart_style()))


@pytest.mark.parametrize("length", [1, 5])
def test_nothing_followed_is_an_empty_chart(length: int) -> None:
    none = Tracks.none(GRID, length)
    assert "Objects" in words(motion_chart(none).file(chart_style()))
    assert "Frame" in words(lineage_chart(none).file(chart_style()))
