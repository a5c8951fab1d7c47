"""TrackMate files read: ours, other programs', hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Instances, Tracks
from isocenter.errors import (
    GeometryError,
    IsocenterError,
    LabelError,
    MissingFileError,
    ResourceError,
    UnreadableError,
)
from isocenter.io import trackmate
from isocenter.io.trackmate_reading import read
from isocenter.simulate.film import Course, drawn, film

SPOT = '<Spot ID="{id}" FRAME="{frame}" POSITION_X="{x}" POSITION_Y="{y}" POSITION_Z="0" POSITION_T="{t}"{more}/>'


def file(path: Path, spots: list[tuple[int, int, float, float]], edges: list[tuple[int, int]], *, more: str = "",
         unit: str = "pixel", time: str = "frame", image: str = 'width="40" height="30" nframes="5"') -> Path:
    told = "".join(SPOT.format(id=i, frame=f, x=x, y=y, t=2.0 * f, more=more) for i, f, x, y in spots)
    links = "".join(f'<Edge SPOT_SOURCE_ID="{a}" SPOT_TARGET_ID="{b}"/>' for a, b in edges)
    path.write_text(
        f'<?xml version="1.0"?><TrackMate version="6.0.1"><Model spatialunits="{unit}" timeunits="{time}"><AllSpots>'
        f'<SpotsInFrame frame="0">{told}</SpotsInFrame></AllSpots><AllTracks><Track TRACK_ID="0">{links}</Track>'
        f'</AllTracks></Model><Settings><ImageData {image}/></Settings></TrackMate>', encoding="utf-8")
    return path


def same(a: Tracks, b: Tracks) -> bool:
    return (np.array_equal(a.frames, b.frames) and np.array_equal(a.numbers, b.numbers) and a.length == b.length
            and np.allclose(a.positions, b.positions) and sorted(a.parents) == sorted(b.parents)
            and sorted(a.merges) == sorted(b.merges))


def by_start(tracks: Tracks) -> Tracks:
    """The same with tracks numbered by their first frame, as the reader does."""
    spans = tracks.spans()
    name = {n: i for i, n in enumerate(sorted(spans, key=lambda n: (spans[n][0], n)), start=1)}
    made = Tracks.of(tracks.frames, np.asarray([name[int(n)] for n in tracks.numbers]), tracks.positions,
                     tracks.geometry, length=tracks.length, times=tracks.times, objects=tracks.objects)
    return replace(made, parents=tuple((name[c], name[p]) for c, p in tracks.parents))


@pytest.mark.parametrize("seed", range(3))
def test_masks_kin_units_and_times_come_back(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    _, tracks = drawn(film((96, 120), rng, Course(8, 8, 2.0, dividing=0.25)), rng)
    children = tracks.children()
    if any(len(c) == 1 for c in children.values()):
        tracks = replace(tracks, parents=tuple(p for p in tracks.parents if len(children[p[1]]) > 1))
    tracks = by_start(tracks)
    geometry = Geometry.from_spacing((96, 120), (0.5, 0.25))
    tracks = replace(tracks, geometry=geometry, times=tuple(0.5 * t for t in range(8)),
                     objects=replace(tracks.objects, geometry=geometry))
    trackmate.write(tmp_path / "a.xml", tracks)
    again = read(tmp_path / "a.xml")
    assert same(again, tracks) and tracks.parents and again.geometry.shape == (96, 120)
    assert again.times == pytest.approx(tracks.times)
    assert again.geometry.spacing == pytest.approx((0.5, 0.25))
    assert isinstance(again.objects, Instances) and isinstance(tracks.objects, Instances)
    for i in range(len(tracks)):
        whole, ours = (np.zeros((96, 120), bool) for _ in range(2))
        whole[again.objects.where(i)] = again.objects.masks[i]
        ours[tracks.objects.where(i)] = tracks.objects.masks[i]
        assert (whole != ours).sum() <= 0.1 * ours.sum()


def test_boxes_become_circles_and_volumes_balls(tmp_path: Path) -> None:
    tracks = film((20, 40, 50), np.random.default_rng(0), Course(3, 4, 1.0))
    trackmate.write(tmp_path / "a.xml", tracks)
    again = read(tmp_path / "a.xml")
    assert same(again, tracks) and isinstance(again.objects, Boxes) and again.geometry.shape == (20, 40, 50)
    assert np.allclose(again.objects.edges.mean(1), tracks.positions) and again.times is None


def test_merges_and_gaps_come_back(tmp_path: Path) -> None:
    frames, numbers = np.asarray([0, 1, 3, 4, 0, 1]), np.asarray([1, 1, 1, 1, 2, 2])
    tracks = Tracks.of(frames, numbers, np.arange(12.0).reshape(6, 2), Geometry((30, 40)), length=5)
    tracks = replace(tracks, merges=((2, 1),))
    trackmate.write(tmp_path / "a.xml", tracks)
    assert same(read(tmp_path / "a.xml"), tracks)


def test_files_of_others(tmp_path: Path) -> None:
    spots = [(7, 0, 4.0, 6.0), (9, 1, 5.0, 6.0), (3, 2, 2.0, 6.0), (4, 2, 8.0, 6.0), (5, 1, 30.0, 20.0)]
    path = file(tmp_path / "a.xml", spots, [(7, 9), (9, 3), (4, 9)])
    found = read(path)
    # An edge may stand either way round; the spot without an edge is a track of one point.
    assert found.spans() == {1: (0, 1), 2: (1, 1), 3: (2, 2), 4: (2, 2)} and found.length == 5
    assert found.parents == ((3, 1), (4, 1)) and found.positions[0].tolist() == [6.0, 4.0]
    assert found.unit == "px" and found.time_unit == "frame" and found.objects is None
    micro = 'width="40" height="30" nframes="3" pixelwidth="0.5" pixelheight="0.25" timeinterval="2"'
    path = file(tmp_path / "b.xml", spots, [], unit="micron", time="min", image=micro, more=' RADIUS="1"')
    found = read(path)
    assert found.geometry.spacing == pytest.approx((0.00025, 0.0005)) and found.times == (0.0, 120.0, 240.0)
    assert found.positions[0].tolist() == [24.0, 8.0]
    assert found.boxes().edges[0].tolist() == [[20.0, 6.0], [28.0, 10.0]]
    known = Geometry.from_spacing((30, 40), (1.0, 1.0))
    assert read(path, geometry=known, length=9, times=tuple(range(9))).length == 9


def test_what_was_filtered_out_stays_out(tmp_path: Path) -> None:
    spots = [(1, 0, 4.0, 6.0), (2, 1, 5.0, 6.0), (3, 0, 20.0, 6.0), (4, 1, 21.0, 6.0)]
    path = file(tmp_path / "a.xml", spots, [(1, 2)])
    text = path.read_text(encoding="utf-8")
    more = '<Track TRACK_ID="1"><Edge SPOT_SOURCE_ID="3" SPOT_TARGET_ID="4"/></Track></AllTracks>'
    path.write_text(text.replace("</AllTracks>", more + '<FilteredTracks><TrackID TRACK_ID="1"/></FilteredTracks>'))
    assert read(path).positions[:, 1].tolist() == [20.0, 21.0]
    path.write_text(text.replace('ID="3"', 'ID="3" VISIBILITY="0"'))
    assert read(path).spans() == {1: (0, 1), 2: (1, 1)}


ENTITIES = ('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY a{i} "{"&a" + str(i - 1 if i else "") + ";"}{"&a" + str(i - 1 if i else "") + ";"}">' for i in range(1)
) + ']><TrackMate>&a;</TrackMate>')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ENTITIES, "entities"), ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><TrackMate/>', "entities"),
        ("<annotation/>", "not a TrackMate file"), ("", "not XML"), ("<TrackMate><Model>", "not XML, or cut short"),
        ("\x00\x01", "not XML"), ('<TrackMate><Spot ID="x" FRAME="0"/></TrackMate>', "no number in ID"),
        ('<TrackMate><Spot ID="1" FRAME="nan"/></TrackMate>', "no finite number in FRAME"),
        ('<TrackMate><Spot ID="1" FRAME="1e15"/></TrackMate>', "impossible frame"),
        ('<TrackMate><Spot ID="1" FRAME="-1"/></TrackMate>', "impossible frame"),
        ('<TrackMate><Spot ID="1e300" FRAME="0"/></TrackMate>', "impossible number in ID"),
    ],
)
def test_what_is_hostile_or_damaged_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(text)
    with pytest.raises(UnreadableError, match=words):
        read(path, geometry=Geometry((9, 9)))


def test_contradictions_are_refused(tmp_path: Path) -> None:
    spots = [(1, 0, 4.0, 6.0), (2, 0, 5.0, 6.0)]
    with pytest.raises(UnreadableError, match="within one frame"):
        read(file(tmp_path / "a.xml", spots, [(1, 2)]))
    with pytest.raises(UnreadableError, match="edge without its spot"):
        read(file(tmp_path / "b.xml", spots, [(1, 9)]))
    with pytest.raises(UnreadableError, match="one ID"):
        read(file(tmp_path / "c.xml", [spots[0], spots[0]], []))
    with pytest.raises(GeometryError, match="does not describe its image"):
        read(file(tmp_path / "d.xml", spots, [], image=""))
    with pytest.raises(LabelError, match="outside the film"):
        read(file(tmp_path / "e.xml", [(1, 7, 4.0, 6.0)], []), length=3)
    with pytest.raises(MissingFileError):
        read(tmp_path / "none.xml")
    for text, words in (("1 2 3", "an outline"), ("0 0 1 0 1 1", "another length")):
        more = ' ROI_N_POINTS="4"'
        path = file(tmp_path / "f.xml", spots[:1], [], more=more)
        path.write_text(path.read_text().replace(f"{more}/>", f"{more}>{text}</Spot>"))
        with pytest.raises(UnreadableError, match=words):
            read(path)


def test_an_outline_larger_than_memory_is_refused(tmp_path: Path) -> None:
    image = 'width="1000000" height="1000000" nframes="1"'
    path = file(tmp_path / "a.xml", [(1, 0, 0.0, 0.0)], [], more=' ROI_N_POINTS="3"', image=image)
    path.write_text(path.read_text().replace('"3"/>', '"3">0 0 900000 0 900000 900000</Spot>'))
    with pytest.raises(ResourceError, match="memory does not suffice"):
        read(path)
    with pytest.raises(GeometryError, match="does not describe"):
        read(file(tmp_path / "b.xml", [(1, 0, 0.0, 0.0)], [], image='width="1e12" height="9" nframes="1"'))


def test_a_file_cut_anywhere_is_refused_in_little_memory(
    tmp_path: Path, little_memory: Callable[[int], object]
) -> None:
    rng = np.random.default_rng(0)
    _, tracks = drawn(film((96, 120), rng, Course(8, 8, 2.0)), rng)
    trackmate.write(tmp_path / "a.xml", tracks)
    data = (tmp_path / "a.xml").read_bytes()
    with little_memory(256):  # type: ignore[attr-defined]
        for share in (0.02, 0.3, 0.7, 0.99):
            (tmp_path / "b.xml").write_bytes(data[: int(share * len(data))])
            with pytest.raises(UnreadableError, match=r"b\.xml"):
                read(tmp_path / "b.xml")


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_file_ends_as_tracks_or_as_a_refusal(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    tracks = film((40, 50), rng, Course(4, 5, 1.0, dividing=0.25))
    trackmate.write(tmp_path / "a.xml", tracks)
    data, path = (tmp_path / "a.xml").read_bytes(), tmp_path / "b.xml"
    for _ in range(60):
        changed = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 6)):
            changed[at] = rng.choice([*b'0987-.,"<>[]{}eE/&x', 0, 255])
        path.write_bytes(bytes(changed))
        try:
            found = read(path)
        except IsocenterError as error:
            assert error.what
        else:
            assert isinstance(found, Tracks)
