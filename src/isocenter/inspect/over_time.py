"""Sizes over time: the curve of each region, and its ejection fraction by area and by volume.

One pair of frames is end-diastole and end-systole of a slice when it is judged by its area, and of the whole cavity
when it is judged by its volume. Volumes of slices are the sum of their areas: the distance of the slices, one for all,
cancels in the fraction (summation of discs).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Geometry, Instances
from isocenter.errors import TableError
from isocenter.inspect.measuring import sizes
from isocenter.inspect.readout import Column, Readout
from isocenter.ops.ejection import ejection

WHOLE = "all"
AREA, DISCS, VOLUME = "area", "volume (sum of slices)", "volume"


@dataclass(frozen=True)
class Moment:
    """What one frame of one slice, or of one volume, holds.

    Parameters
    ----------
    subject, piece, frame
        Who; which slice ("" where there is one alone); which frame.
    pixels
        Class to the pixels that its objects cover.
    geometry
        Of the grid.
    seconds
        Of the frame, where it is known.
    """

    subject: str
    piece: str
    frame: str
    pixels: Mapping[str, int]
    geometry: Geometry
    seconds: float | None = None


def moment(
    found: Instances, *, subject: str = "", piece: str = "", frame: str = "", seconds: float | None = None
) -> Moment:
    """The sizes of the classes of one frame; pixels that objects of one class share count once."""
    pixels = {name: int(np.count_nonzero(found.chosen(found.labels == k).label_map())) if (found.labels == k).any()
              else 0 for k, name in enumerate(found.classes)}
    return Moment(subject, piece, frame, pixels, found.geometry, seconds)


@dataclass(frozen=True)
class _Curve:
    subject: str
    name: str
    piece: str
    frames: tuple[str, ...]
    pixels: tuple[int, ...]
    geometry: Geometry
    seconds: tuple[float | None, ...]
    basis: str
    slices: int
    left: int


def curves(moments: Sequence[Moment]) -> Readout:
    """A row a frame of each subject, class and slice; where there are several slices also their sum, as slice "all".

    Raises
    ------
    TableError
        A frame of a slice is given twice.
    """
    rows = []
    for c in _curves(moments):
        for frame, pixels, seconds in zip(c.frames, c.pixels, c.seconds, strict=True):
            size = {k: float(v[0]) for k, v in _sizes([pixels], c).items()}
            rows.append({"subject": c.subject, "class": c.name, "slice": c.piece, "frame": frame, "time_s": seconds,
                         **size})
    return _table(rows, ("subject", "class", "slice", "frame", "time_s"))


def ejections(moments: Sequence[Moment]) -> Readout:
    """A row an ejection fraction: of each slice by its area, of each subject by its volume; ``basis`` says which.

    Slices that lack a frame that others of the subject have take no part in the volume and are counted. Curves without
    two frames, or without anything in them, have no row.

    Raises
    ------
    TableError
        A frame of a slice is given twice.
    """
    rows = []
    for c in _curves(moments):
        got = ejection(np.asarray(c.pixels, float))
        if got is None:
            continue
        ends = {"ed": got.largest, "es": got.smallest}
        line: dict[str, Any] = {
            "subject": c.subject, "class": c.name, "basis": c.basis, "slice": c.piece, "slices": c.slices,
            "slices_left_out": c.left, "frames": len(c.frames), "ejection_fraction_percent": 100 * got.fraction,
        }  # fmt: skip
        for end, at in ends.items():
            line[f"{end}_frame"] = c.frames[at]
            line |= {f"{end}_{k}": float(v[0]) for k, v in _sizes([c.pixels[at]], c).items()}
        rows.append(line)
    return _table(rows, ("subject", "class", "basis", "slice", "ejection_fraction_percent"))


def _sizes(pixels: Sequence[int], curve: _Curve) -> dict[str, Column]:
    return sizes(np.asarray(pixels), curve.geometry)


def _table(rows: Sequence[Mapping[str, Any]], least: tuple[str, ...]) -> Readout:
    header = tuple(dict.fromkeys(k for row in rows for k in row)) or least
    return Readout.of({name: [row.get(name) for row in rows] for name in header})


def _curves(moments: Sequence[Moment]) -> list[_Curve]:
    """Per subject and class, in the order in which they come: each slice, then their sum."""
    made: list[_Curve] = []
    for subject in dict.fromkeys(m.subject for m in moments):
        own = [m for m in moments if m.subject == subject]
        slices: dict[str, dict[str, Moment]] = {}
        for m in own:
            frames = slices.setdefault(m.piece, {})
            if m.frame in frames:
                where = f"{subject or 'the data'}, slice {m.piece or '-'}, frame {m.frame}"
                raise TableError("a frame of a slice is there twice", where=where,
                                 remedy="Name the column of the slices with --slice")
            frames[m.frame] = m
        for name in dict.fromkeys(n for m in own for n in m.pixels):
            made += [_single(subject, name, piece, frames) for piece, frames in slices.items()]
            if len(slices) > 1:
                made.append(_whole(subject, name, slices))
    return made


def _single(subject: str, name: str, piece: str, frames: Mapping[str, Moment]) -> _Curve:
    order = _ordered(frames)
    there = [frames[f] for f in order]
    basis = AREA if there[0].geometry.ndim == 2 else VOLUME
    pixels = tuple(m.pixels.get(name, 0) for m in there)
    times = tuple(m.seconds for m in there)
    return _Curve(subject, name, piece, tuple(order), pixels, there[0].geometry, times, basis, 1, 0)


def _whole(subject: str, name: str, slices: Mapping[str, Mapping[str, Moment]]) -> _Curve:
    """The sum over the slices that have every frame."""
    order = _ordered(f for frames in slices.values() for f in frames)
    full = [frames for frames in slices.values() if set(frames) == set(order)]
    pixels = tuple(sum(frames[f].pixels.get(name, 0) for frames in full) for f in order)
    first = next(iter(next(iter(slices.values())).values()))
    times: tuple[float | None, ...] = (None,) * len(order)
    return _Curve(subject, name, WHOLE, tuple(order), pixels, first.geometry, times, DISCS, len(full),
                  len(slices) - len(full))


def _ordered(frames: Iterable[str]) -> list[str]:
    """Numbers by size, else text as it comes."""
    names = list(dict.fromkeys(frames))
    try:
        return sorted(names, key=float)
    except ValueError:
        return names
