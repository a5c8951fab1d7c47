"""TrackMate files as they are written."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Instances, Tracks
from isocenter.io import trackmate
from isocenter.simulate.film import Course, drawn, film


def cells(seed: int = 0) -> tuple[Image, Tracks]:
    rng = np.random.default_rng(seed)
    image, tracks = drawn(film((96, 120), rng, Course(8, 8, 2.0, dividing=0.25)), rng)
    geometry = Geometry.from_spacing((96, 120), (0.5, 0.25))
    times = tuple(0.5 * t for t in range(8))
    assert isinstance(tracks.objects, Instances)
    objects = replace(tracks.objects, geometry=geometry)
    return (image.replaced(image.load, geometry=geometry, times=times),
            replace(tracks, geometry=geometry, times=times, objects=objects))


def test_spots_edges_and_units(tmp_path: Path) -> None:
    image, tracks = cells()
    trackmate.write(tmp_path / "a.xml", tracks, image)
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    model, pixels = root.find("Model"), image.pixels()
    assert root.tag == "TrackMate" and model is not None
    assert (model.get("spatialunits"), model.get("timeunits")) == ("mm", "sec")
    spots = model.findall("AllSpots/SpotsInFrame/Spot")
    assert len(spots) == len(tracks) == int(model.find("AllSpots").get("nspots"))
    declared = {f.get("feature") for f in model.findall("FeatureDeclarations/SpotFeatures/Feature")}
    for spot in spots:
        i, t = int(spot.get("ID")), int(spot.get("FRAME"))
        assert declared <= set(spot.keys()) and t == tracks.frames[i]
        assert float(spot.get("POSITION_X")) == pytest.approx(0.25 * tracks.positions[i, 1])
        assert float(spot.get("POSITION_Y")) == pytest.approx(0.5 * tracks.positions[i, 0])
        assert float(spot.get("POSITION_T")) == 0.5 * t
        mask, where = tracks.objects.masks[i], tracks.objects.where(i)
        assert np.pi * float(spot.get("RADIUS")) ** 2 == pytest.approx(mask.sum() * 0.125)
        assert float(spot.get("MEAN_INTENSITY_CH1")) == pytest.approx(pixels[t][where][mask].mean())
        ring = np.asarray([float(v) for v in spot.text.split()]).reshape(-1, 2)
        x, y = ring.T
        area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
        assert len(ring) == int(spot.get("ROI_N_POINTS")) and area >= mask.sum() * 0.125 - 1e-9
    data = root.find("Settings/ImageData")
    assert (data.get("width"), data.get("height"), data.get("nframes")) == ("120", "96", "8")
    assert (data.get("pixelwidth"), data.get("pixelheight"), data.get("timeinterval")) == ("0.25", "0.5", "0.5")


def test_a_line_of_cells_is_one_track(tmp_path: Path) -> None:
    _, tracks = cells()
    trackmate.write(tmp_path / "a.xml", tracks)
    model = ElementTree.parse(tmp_path / "a.xml").getroot().find("Model")
    lines = model.findall("AllTracks/Track")
    singles = [n for n, (a, b) in tracks.spans().items() if a == b and n not in dict(tracks.parents)]
    assert tracks.parents
    assert len(lines) == len(tracks.tracks) - len(tracks.parents) - len(singles)
    edges = [(int(e.get("SPOT_SOURCE_ID")), int(e.get("SPOT_TARGET_ID"))) for e in model.iter("Edge")]
    assert len(edges) == len(tracks.steps().first) + len(tracks.parents)
    assert all(tracks.frames[a] < tracks.frames[b] for a, b in edges)
    shown = [t.get("TRACK_ID") for t in model.findall("FilteredTracks/TrackID")]
    assert shown == [t.get("TRACK_ID") for t in lines]
    assert sum(int(t.get("NUMBER_SPOTS")) for t in lines) == len(tracks) - len(singles)


def test_an_independent_reader_agrees(tmp_path: Path) -> None:
    """Peer: pytrackmate (MIT)."""
    peer = pytest.importorskip("pytrackmate", reason="pip install pytrackmate")
    image, tracks = cells(1)
    trackmate.write(tmp_path / "a.xml", tracks, image)
    table = peer.trackmate_peak_import(tmp_path / "a.xml", get_tracks=True)
    assert len(table) == len(tracks)
    at = table["spot_id"].to_numpy().astype(int)
    assert np.allclose(table[["y", "x"]].to_numpy(), tracks.points[at])
    assert np.allclose(table["t"], tracks.seconds[at]) and np.array_equal(table["t_stamp"], tracks.frames[at])
    # What it calls a track is a whole line of mother and daughters.
    above = dict(tracks.parents)
    first = {n: n for n in tracks.tracks.tolist()}
    for child in sorted(above, key=lambda n: tracks.spans()[n]):
        first[child] = first[above[child]]
    lines = np.asarray([first[int(n)] for n in tracks.numbers[at]])
    pairs = set(zip(lines.tolist(), table["label"].tolist(), strict=True))
    assert len(pairs) == len(set(lines.tolist())) == table["label"].nunique()


def test_pixels_and_frames_where_nothing_is_known_and_volumes(tmp_path: Path) -> None:
    tracks = film((20, 40, 50), np.random.default_rng(0), Course(3, 4, 1.0))
    trackmate.write(tmp_path / "a.xml", tracks)
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    model = root.find("Model")
    assert (model.get("spatialunits"), model.get("timeunits")) == ("pixel", "frame")
    spot = next(s for s in model.iter("Spot") if s.get("ID") == "0")
    assert [float(spot.get(f"POSITION_{a}")) for a in "XYZ"] == pytest.approx(tracks.positions[0][::-1].tolist())
    assert spot.get("ROI_N_POINTS") is None and root.find("Settings/ImageData").get("nslices") == "20"
    side = tracks.boxes().sizes[0].prod()
    assert 4 / 3 * np.pi * float(spot.get("RADIUS")) ** 3 == pytest.approx(side)


def test_no_track_at_all(tmp_path: Path) -> None:
    trackmate.write(tmp_path / "a.xml", Tracks.none(Geometry((9, 9)), 3))
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    assert not list(root.iter("Spot")) and not list(root.iter("Track")) and list(root.iter("AllTracks"))
