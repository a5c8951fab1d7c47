"""Tracks as tables: a row a point, a row a track, and the mean square displacement by the time between two points."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from types import MappingProxyType

import numpy as np

from isocenter.data import Image, Instances, Tracks
from isocenter.data.film import intensities
from isocenter.ops.array import Array

AXES = "zyx"
Columns = dict[str, Sequence[object]]
NOTHING: Mapping[str, Array] = MappingProxyType({})


def channel_means(tracks: Tracks, film: Image) -> dict[str, Array]:
    """``mean_CHANNEL`` to the film's mean at each point, (n,); read once, frame by frame. Raises as `intensities`."""
    names = film.channels or tuple(map(str, range(film.length("c"))))
    return {f"mean_{c}": v for c, v in zip(names, intensities(tracks, film).T, strict=True)}


def as_csv(tracks: Tracks, means: Mapping[str, Array] = NOTHING) -> str:
    """A row a point: track, frame from 0, seconds, centre in pixels (0 at the middle of the first) and in mm, parent.

    Boxes are given by their corners, pixel i reaching from i to i + 1; objects also by their pixels (and mm2 or mm3).
    Seconds stand only where the times are known, millimetres (along the array's axes) where the spacing is. The speed
    is that of the step to this point, empty at a track's first. `means` as `channel_means` gives them.
    """
    axes, boxes, parents = AXES[-tracks.geometry.ndim:], tracks.boxes(), dict(tracks.parents)
    columns: Columns = {"track": tracks.numbers.tolist(), "frame": tracks.frames.tolist()}
    if tracks.times is not None:
        columns["seconds"] = _numbers(tracks.seconds)
    columns |= {a: _numbers(tracks.positions[:, i]) for a, i in _reversed(axes)}
    if tracks.unit == "mm":
        columns |= {f"{a}_mm": _numbers(tracks.points[:, i]) for a, i in _reversed(axes)}
    columns |= _sizes(tracks)
    if boxes is not None:
        edges = boxes.edges + 0.5
        columns |= {f"{a}{end}": _numbers(edges[:, k, i]) for k, end in enumerate(("min", "max"))
                    for a, i in _reversed(axes)}
    columns[f"speed_{_rate(tracks)}"] = _numbers(_speeds(tracks))
    columns |= {name: _numbers(v) for name, v in means.items()}
    columns["parent"] = [parents.get(n, "") for n in tracks.numbers.tolist()]
    return _text(columns)


def by_track(tracks: Tracks, means: Mapping[str, Array] = NOTHING) -> str:
    """A row a track: kin, first and last frame, frames missed between, path, displacement, speed, direction, means.

    ``generation`` counts the divisions since the first of the line. The direction of a flat film is the angle of the
    whole displacement in degrees, 0 to the right and 90 down, as rows count; ``straightness`` is displacement by path.
    """
    numbers, spans = tracks.tracks.tolist(), tracks.spans()
    parents, merges = dict(tracks.parents), dict(tracks.merges)
    lines, children = tracks.generations(), tracks.children()
    place = np.searchsorted(tracks.tracks, tracks.numbers)
    points = np.bincount(place, minlength=len(numbers))
    paths, moved = tracks.path_lengths(), np.linalg.norm(tracks.displacements(), axis=1)
    columns: Columns = {
        "track": numbers, "parent": [parents.get(n, "") for n in numbers], "generation": [lines[n] for n in numbers],
        "children": [" ".join(map(str, children.get(n, ()))) for n in numbers],
        "merged_into": [merges.get(n, "") for n in numbers], "first_frame": [spans[n][0] for n in numbers],
        "last_frame": [spans[n][1] for n in numbers], "points": points.tolist(),
        "frames_missed": [spans[n][1] - spans[n][0] + 1 - k for n, k in zip(numbers, points.tolist(), strict=True)],
        f"path_{tracks.unit}": _numbers(paths), f"displacement_{tracks.unit}": _numbers(moved),
        "straightness": _numbers(np.divide(moved, paths, out=np.full(len(paths), np.nan), where=paths > 0)),
        f"mean_speed_{_rate(tracks)}": _numbers(tracks.mean_speeds()),
    }
    if tracks.geometry.ndim == 2:
        way = tracks.directions()
        columns["direction_degrees"] = _numbers(np.degrees(np.arctan2(way[:, 0], way[:, 1])))
    for name, sizes in _sizes(tracks).items():
        columns[f"mean_{name}"] = _numbers(_averaged(np.asarray(sizes, float), place, len(numbers)))
    for name, values in means.items():
        columns[name] = _numbers(_averaged(values, place, len(numbers)))
    return _text(columns)


def displacements(tracks: Tracks, *, most: int = 50) -> str:
    """A row a distance in time, up to a quarter of the film and `most` frames: mean square displacement, and pairs.

    A quarter, because few and dependent pairs make longer ones unsure (Saxton, Biophysical Journal 1997).
    """
    lags = max(1, min(most, tracks.length // 4))
    means, pairs = tracks.mean_square_displacement(lags)
    columns: Columns = {"frames": list(range(1, lags + 1))}
    if tracks.times is not None and tracks.length > 1:
        columns["seconds"] = _numbers(np.arange(1, lags + 1) * float(np.median(np.diff(tracks.times))))
    columns |= {f"msd_{tracks.unit}2": _numbers(means), "pairs": pairs.tolist()}
    return _text(columns)


def _reversed(axes: str) -> list[tuple[str, int]]:
    """x before y before z, each with its place in an array's order."""
    return [(a, i) for i, a in enumerate(axes)][::-1]


def _rate(tracks: Tracks) -> str:
    return f"{tracks.unit}_per_{tracks.time_unit}"


def _sizes(tracks: Tracks) -> Columns:
    if not isinstance(tracks.objects, Instances):
        return {}
    areas, size = tracks.objects.areas, tracks.geometry.pixel_volume
    name = "area_mm2" if tracks.geometry.ndim == 2 else "volume_mm3"
    return {"area": areas.tolist()} | ({name: _numbers(areas * size)} if size is not None else {})


def _speeds(tracks: Tracks) -> Array:
    """Of the step to each point; NaN at a track's first."""
    found, out = tracks.steps(), np.full(len(tracks), np.nan)
    out[found.first + 1] = found.speeds
    return out


def _averaged(values: Array, place: Array, n: int) -> Array:
    """The mean of the known values of each track."""
    known = np.isfinite(values)
    total, count = np.bincount(place[known], values[known], n), np.bincount(place[known], minlength=n)
    return np.asarray(np.divide(total, count, out=np.full(n, np.nan), where=count > 0))


def _numbers(values: Array) -> list[object]:
    return [float(f"{float(v):.10g}") if np.isfinite(v) else "" for v in values]


def _text(columns: Mapping[str, Sequence[object]]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(list(columns))
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue()
