"""Tracks as GeoJSON (RFC 7946): a line a track and a point a place, x and y in pixels counted from the image's corner.

A line's properties say its track, frames, parent and what it merged into; a point's its track, frame, time and area.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Geometry, Image, Instances, Tracks
from isocenter.data.film import intensities
from isocenter.errors import UnreadableError
from isocenter.io import limits

SWELLING = 10
LINE, POINT = "LineString", "Point"
# Most frames of a film.
FRAMES = 1 << 24


def document(tracks: Tracks, film: Image | None = None) -> dict[str, Any]:
    """A FeatureCollection; with the film also the mean intensities of its channels at each point.

    Its foreign member ``tracks`` says how many frames there are, their times, and the unit of lengths.
    """
    places = tracks.positions[:, ::-1] + 0.5
    parents, merges = dict(tracks.parents), dict(tracks.merges)
    speeds, lengths = tracks.mean_speeds(), tracks.path_lengths()
    values = intensities(tracks, film) if film is not None else np.zeros((len(tracks), 0))
    areas = tracks.objects.areas if isinstance(tracks.objects, Instances) else None
    features = []
    for k, number in enumerate(tracks.tracks.tolist()):
        first, last = np.searchsorted(tracks.numbers, [number, number + 1])
        points = [[_short(v) for v in p] for p in places[first:last]]
        said: dict[str, Any] = {"track": number, "frames": tracks.frames[first:last].tolist()}
        said |= {"parent": parents[number]} if number in parents else {}
        said |= {"merged_into": merges[number]} if number in merges else {}
        said |= {f"path_{tracks.unit}": _short(lengths[k])}
        said |= {f"mean_speed_{tracks.unit}_per_{tracks.time_unit}": _short(speeds[k])} if last - first > 1 else {}
        shape = {"type": LINE, "coordinates": points} if len(points) > 1 else {"type": POINT, "coordinates": points[0]}
        features.append({"type": "Feature", "id": f"track-{number}", "geometry": shape, "properties": said})
        for i in range(int(first), int(last)):
            about: dict[str, Any] = {"track": number, "frame": int(tracks.frames[i])}
            about |= {"seconds": _short(tracks.seconds[i])} if tracks.times is not None else {}
            about |= {"area_px": int(areas[i])} if areas is not None else {}
            about |= {f"mean_{c}": _short(v) for c, v in enumerate(values[i]) if np.isfinite(v)}
            features.append({"type": "Feature", "geometry": {"type": POINT, "coordinates": points[i - int(first)]},
                             "properties": about})
    told: dict[str, Any] = {"frames": tracks.length, "unit": tracks.unit}
    told |= {"seconds": [_short(t) for t in tracks.times]} if tracks.times is not None else {}
    return {"type": "FeatureCollection", "tracks": told, "features": features}


def _short(value: float) -> float:
    return float(f"{float(value):.10g}")


def write(path: Path, tracks: Tracks, film: Image | None = None) -> None:
    """Writes the document; masks are not in it, their areas are."""
    path.write_text(json.dumps(document(tracks, film), allow_nan=False) + "\n", encoding="utf-8")


@dataclass
class _Found:
    frames: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    places: list[Sequence[float]] = field(default_factory=list)
    parents: list[tuple[int, int]] = field(default_factory=list)
    merges: list[tuple[int, int]] = field(default_factory=list)


def read(
    path: str | Path, geometry: Geometry, *, length: int | None = None, times: tuple[float, ...] | None = None
) -> Tracks:
    """The tracks of the lines, and of points that name their frames as a line does; other points repeat them.

    Lines whose ``frames`` are not stated are not read: nobody could tell when they were where.

    Parameters
    ----------
    path
        Of the file.
    geometry
        Of a frame.
    length, times
        Frames, and the seconds of each; None: as the file says, else up to the last point.

    Raises
    ------
    UnreadableError
        Not GeoJSON, no tracks, or a line whose frames do not fit its points.
    LabelError
        As `Tracks`.
    """
    with limits.typed(path, "GeoJSON"):
        limits.fits(path, Path(path).stat().st_size * SWELLING)
        try:
            said = json.loads(Path(path).read_bytes())
        except (ValueError, RecursionError) as error:
            raise UnreadableError("not JSON", where=str(path), got=str(error).split("\n")[0]) from error
        if not isinstance(said, dict) or not isinstance(said.get("features"), list):
            raise UnreadableError("not GeoJSON", where=str(path), wanted="a FeatureCollection")
        found = _Found()
        for i, item in enumerate(said["features"]):
            _feature(str(path), i, item, found, geometry.ndim)
        about = said.get("tracks") or {}
        if not found.frames and "frames" not in about:
            raise UnreadableError("no tracks", where=str(path),
                                  wanted="lines with the properties track and frames")
        last = max(found.frames, default=-1) + 1
        count = max(int(about.get("frames", 0)), last) if length is None else length
        if times is None and len(about.get("seconds") or ()) == count:
            times = tuple(float(t) for t in about["seconds"])
        places = np.asarray(found.places, np.float64).reshape(len(found.frames), geometry.ndim)
        made = Tracks.of(np.asarray(found.frames, np.int64), np.asarray(found.numbers, np.int64),
                         places[:, ::-1] - 0.5, geometry, length=count, times=times)
        return replace(made, parents=tuple(sorted(found.parents)), merges=tuple(found.merges))


def _feature(path: str, i: int, item: Mapping[str, Any], found: _Found, ndim: int) -> None:
    shape, said = item.get("geometry") or {}, item.get("properties") or {}
    if shape.get("type") not in (LINE, POINT) or "track" not in said:
        return
    if "frames" not in said:
        if shape["type"] == LINE:
            raise UnreadableError(f"feature {i + 1} does not say its frames", where=path, wanted='"frames": [...]')
        return
    points = shape["coordinates"] if shape["type"] == LINE else [shape["coordinates"]]
    frames = [int(t) for t in said["frames"]]
    if len(frames) != len(points) or any(len(p) < ndim for p in points):
        raise UnreadableError(f"feature {i + 1} has other frames than points", where=path, got=str(len(frames)),
                              wanted=str(len(points)))
    if any(not 0 <= t < FRAMES for t in frames):
        raise UnreadableError(f"feature {i + 1} is in an impossible frame", where=path, got=str(max(frames)))
    number = int(said["track"])
    found.frames += frames
    found.numbers += [number] * len(frames)
    found.places += [[float(v) for v in p[:ndim]] for p in points]
    found.parents += [(number, int(said["parent"]))] if said.get("parent") else []
    found.merges += [(number, int(said["merged_into"]))] if said.get("merged_into") else []
