"""Tracks in files: a CSV table with a row a point, and folders of the Cell Tracking Challenge."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np

from isocenter import files
from isocenter.data import OBJECT, Boxes, Geometry, Image, Instances, Tracks
from isocenter.errors import GeometryError, LabelError, MissingFileError, OutputError, UnreadableError
from isocenter.io import limits
from isocenter.io.reading import read_labels
from isocenter.ops.array import Array

AXES = "zyx"
NUMBERS = ("track", "track_id", "particle", "id")
# Names of the table of tracks and of the label maps, of an answer and of a truth.
ANSWER, TRUTH = ("res_track.txt", "mask"), ("man_track.txt", "man_track")
# A label map of the challenge has 16 bits.
MOST = 65535
# Bytes that a byte of text may become in memory.
SWELLING = 10
# Whole numbers that a float holds.
MOST_NUMBER = float(1 << 53)


def read_csv(
    path: str | Path, geometry: Geometry, *, frames: Mapping[float, int] | int,
    times: tuple[float, ...] | None = None,
) -> Tracks:  # fmt: skip
    """The tracks of a table with the columns ``track`` (or ``track_id``), ``frame``, ``x``, ``y`` (``z``).

    Corners as `isocenter.io.tracks_table` writes them become boxes; ``parent`` the number of the parent, empty or 0 for
    none.

    Parameters
    ----------
    path
        Of the table.
    geometry
        Of a frame.
    frames
        What the table calls each frame, to its place in the film; rows of other frames are left out. A number: how many
        there are, counted from 0.
    times
        Seconds of each frame.

    Raises
    ------
    UnreadableError
        No such columns, or text where a number belongs (names the row).
    LabelError
        As `Tracks`.
    """
    path = Path(path)
    with limits.typed(path, "CSV"):
        limits.fits(path, path.stat().st_size * SWELLING)
        rows = list(csv.DictReader(StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    head = list(rows[0]) if rows else path.read_text(encoding="utf-8-sig").strip().split(",")
    axes = AXES[-geometry.ndim:]
    number = next((n for n in NUMBERS if n in head), "track")
    if lacking := [c for c in (number, "frame", *axes) if c not in head]:
        raise UnreadableError("not a table of tracks", where=str(path), got=", ".join(head)[:120],
                              wanted=", ".join(lacking))
    places = {float(i): i for i in range(frames)} if isinstance(frames, int) else frames
    kept = [(at, row) for at, row in enumerate(rows, start=2) if _number(path, at, row, "frame") in places]

    def column(name: str) -> list[float]:
        return [_number(path, at, row, name) for at, row in kept]

    corners = [f"{a}{end}" for end in ("min", "max") for a in axes]
    numbers = np.asarray(column(number), np.int64)
    positions = np.asarray([column(a) for a in axes], np.float64).reshape(len(axes), -1).T
    boxes = None
    if kept and set(corners) <= set(head):
        edges = np.asarray([column(c) for c in corners]).reshape(2, len(axes), -1).transpose(2, 0, 1) - 0.5
        boxes = Boxes(edges, np.zeros(len(edges), np.int64), (OBJECT,), geometry)
    found = Tracks.of(np.asarray([places[f] for f in column("frame")], np.int64), numbers, positions, geometry,
                      length=len(places), times=times, objects=boxes)
    above = {int(n): int(_number(path, at, row, "parent")) for n, (at, row) in zip(numbers, kept, strict=True)
             if (row.get("parent") or "0").strip() not in ("", "0")}
    known = set(found.tracks.tolist())
    return replace(found, parents=tuple(sorted((c, p) for c, p in above.items() if p in known)))


def _number(path: Path, at: int, row: Mapping[str, str], name: str) -> float:
    try:
        value = float(row[name])
    except (TypeError, ValueError) as error:
        what = f"row {at} holds no number in {name!r}"
        raise UnreadableError(what, where=str(path), got=str(row[name])[:40]) from error
    if not abs(value) < MOST_NUMBER:
        raise UnreadableError(f"row {at} holds no possible number in {name!r}", where=str(path), got=row[name][:40])
    return value


def write_folder(tracks: Tracks, folder: str | Path, *, truth: bool = False, overwrite: bool = False) -> Path:
    """A folder of the Cell Tracking Challenge: a label map a frame and a table of label, first, last frame, parent.

    A track with a hole becomes several of which each is the only child of the one before: the format knows no holes.

    Parameters
    ----------
    tracks
        With the mask of each point.
    folder
        Where to.
    truth
        Whether the names are those of a truth (``man_track.txt``) instead of an answer (``res_track.txt``).
    overwrite
        Replace what is there.

    Raises
    ------
    OutputError
        There are no masks, more than 65535 tracks, or the files exist.
    """
    folder, (table, stem) = Path(folder), TRUTH if truth else ANSWER
    if not isinstance(tracks.objects, Instances) and len(tracks):
        raise OutputError("the Cell Tracking Challenge needs masks", where=str(folder), got="points or boxes",
                          remedy="Write .csv, or track what segments")
    labels, rows = _spanned(tracks)
    if len(rows) > MOST:
        raise OutputError("too many tracks for 16 bits", where=str(folder), got=str(len(rows)), wanted=str(MOST))
    digits = max(3, len(str(tracks.length - 1)))
    from isocenter.io.writing import write

    for t in range(tracks.length):
        array = np.zeros(tracks.geometry.shape, np.uint16)
        for i in np.flatnonzero(tracks.frames == t):
            assert isinstance(tracks.objects, Instances)
            array[tracks.objects.where(int(i))][tracks.objects.masks[int(i)]] = labels[i]
        image = Image.from_array(array, geometry=tracks.geometry)
        write(image, folder / f"{stem}{t:0{digits}d}.tif", overwrite=overwrite)
    text = "".join(" ".join(map(str, row)) + "\n" for row in rows)
    files.write_text(folder / table, text, overwrite=overwrite)
    return folder


def _spanned(tracks: Tracks) -> tuple[Array, list[tuple[int, int, int, int]]]:
    """The label of each point, and label, first frame, last frame and parent of each part without a hole."""
    starts = np.ones(len(tracks), bool)
    starts[1:] = (np.diff(tracks.numbers) != 0) | (np.diff(tracks.frames) > 1)
    fresh = np.r_[True, np.diff(tracks.numbers) != 0][: len(tracks)]
    labels = np.zeros(len(tracks), np.int64)
    following, above = int(tracks.numbers.max(initial=0)) + 1, dict(tracks.parents)
    last: dict[int, int] = {}
    rows: list[list[int]] = []
    for i in range(len(tracks)):
        number = int(tracks.numbers[i])
        if starts[i]:
            label, following = (number, following) if fresh[i] else (following, following + 1)
            rows.append([label, int(tracks.frames[i]), 0, -above.get(number, 0) if fresh[i] else last[number]])
            last[number] = label
        labels[i] = last[number]
        rows[-1][2] = int(tracks.frames[i])
    # A parent is known by its last part, which may come later in the list.
    return labels, sorted((a, b, e, last[-p] if p < 0 else p) for a, b, e, p in rows)


def read_folder(
    folder: str | Path, *, geometry: Geometry | None = None, times: tuple[float, ...] | None = None
) -> Tracks:
    """The tracks of a folder of the Cell Tracking Challenge, answer or truth, with the mask of each point.

    An only child that does not follow at once continues its parent's track over the hole.

    Parameters
    ----------
    folder
        With ``res_track.txt`` and ``mask*.tif``, or ``man_track.txt`` and ``man_track*.tif``.
    geometry
        Of a frame, when the files do not know it.
    times
        Seconds of each frame.

    Raises
    ------
    MissingFileError
        No table or no label map.
    GeometryError
        The frames differ in size.
    UnreadableError, LabelError
        A line that is not four numbers; a label without a line.
    """
    folder = Path(folder)
    found = next(((folder / t, s) for t, s in (ANSWER, TRUTH) if (folder / t).is_file()), None)
    if found is None:
        raise MissingFileError("no table of tracks", where=str(folder), wanted=f"{ANSWER[0]} or {TRUTH[0]}")
    rows = dict(_lines(found[0]))
    maps = sorted((int(m[1]), p) for p in folder.glob("*.tif") if (m := re.fullmatch(found[1] + r"(\d+)\.tif", p.name)))
    if not maps:
        raise MissingFileError("no label map", where=str(folder), wanted=f"{found[1]}000.tif ...")
    first = maps[0][0]
    numbered = [(t - first, *read_labels(path), path) for t, path in maps]
    tracks = joined([(t, labels) for t, labels, _, _ in _alike(numbered)], geometry or numbered[0][2],
                    length=maps[-1][0] - first + 1, times=times)
    if unknown := sorted(set(tracks.tracks.tolist()) - set(rows)):
        raise LabelError("a label has no line in the table", where=str(found[0]), got=", ".join(map(str, unknown[:5])))
    return _mended(tracks, {n: p for n, (_, _, p) in rows.items() if p})


def _alike(
    maps: Sequence[tuple[int, Array, Geometry, Path]]
) -> Iterator[tuple[int, Array, Geometry, Path]]:
    for entry in maps:
        if entry[1].shape != maps[0][1].shape:
            raise GeometryError("frames of one film differ in size", where=str(entry[3]), got=str(entry[1].shape),
                                wanted=str(maps[0][1].shape))
        yield entry


def joined(
    maps: Sequence[tuple[int, Array]], geometry: Geometry, *, length: int, times: tuple[float, ...] | None = None
) -> Tracks:
    """The tracks of label maps with one number a track, without kin.

    Parameters
    ----------
    maps
        Frame and integer array on the grid, 0 outside.
    geometry
        Of a frame.
    length
        Frames of the film.
    times
        Seconds of each frame.
    """
    none = np.zeros(0, np.int64)
    frames, numbers, starts, masks = [none], [none], [np.zeros((0, geometry.ndim), np.int64)], list[Array]()
    for t, labels in maps:
        here = np.unique(labels)
        here = here[here != 0]
        objects = Instances.from_label_map(labels, geometry)
        frames.append(np.full(len(here), t, np.int64))
        numbers.append(here.astype(np.int64))
        starts.append(objects.starts)
        masks += objects.masks
    corners = np.concatenate(starts)
    places = [s + np.argwhere(m).mean(axis=0) for s, m in zip(corners, masks, strict=True)]
    objects = Instances(corners, tuple(masks), np.zeros(len(masks), np.int64), (OBJECT,), geometry)
    return Tracks.of(np.concatenate(frames), np.concatenate(numbers), np.asarray(places, np.float64), geometry,
                     length=length, times=times, objects=objects)


def _lines(path: Path) -> Iterator[tuple[int, tuple[int, int, int]]]:
    for at, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        parts = line.split()
        if len(parts) != 4 or not all(re.fullmatch(r"\d{1,9}", p) for p in parts):
            if parts:
                raise UnreadableError(f"line {at} is not a track", where=str(path), got=line[:60],
                                      wanted="label, first frame, last frame, parent")
            continue
        label, first, last, parent = map(int, parts)
        yield label, (first, last, parent)


def _mended(tracks: Tracks, above: Mapping[int, int]) -> Tracks:
    """The tracks with kin, parts of one track joined over its holes."""
    spans = tracks.spans()
    above = {c: p for c, p in above.items() if c in spans and p in spans}
    only = {c: p for c, p in above.items() if list(above.values()).count(p) == 1 and spans[c][0] > spans[p][1] + 1}
    name: dict[int, int] = {}
    for number in sorted(spans, key=lambda n: spans[n]):
        name[number] = name[only[number]] if number in only else number
    numbers = np.asarray([name[int(n)] for n in tracks.numbers], np.int64)
    made = Tracks.of(tracks.frames, numbers, tracks.positions, tracks.geometry, length=tracks.length,
                     times=tracks.times, objects=tracks.objects)
    return replace(made, parents=tuple(sorted((c, name[p]) for c, p in above.items() if c not in only)))
