"""Frames in space and time become one grid, or a refusal that says with numbers why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from isocenter.data import Geometry, Problem
from isocenter.errors import AmbiguousError, GeometryError
from isocenter.io.dicom.facts import Header, Slice
from isocenter.io.grid import Note, located, numbers, silent
from isocenter.ops.array import Array

# Depths closer than this (mm) are one place; steps may differ by this share; a column of slices may lean by this much
# of a pixel in all.
SAME_PLACE, UNEQUAL, LEAN = 0.01, 0.025, 0.5
# Which axis a mark that tells frames apart stands for.
AXES = {"temporal": "t", "trigger": "t", "acquisition": "t", "b": "c", "echo": "c"}


@dataclass(frozen=True)
class Stacked:
    """Frames in order.

    Parameters
    ----------
    order
        (file, frame) in C order of the leading axes.
    lead
        Names and lengths of the axes in front of (c,) y, x.
    geometry
        Of the spatial axes.
    times, channels
        Of an axis ``t`` or ``c`` among the leading ones.
    """

    order: tuple[tuple[int, int], ...]
    lead: tuple[tuple[str, int], ...]
    geometry: Geometry
    times: tuple[float, ...] | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """One frame with its file, and its depth along the normal of the stack in mm."""

    file: int
    index: int
    at: Slice
    depth: float = 0.0


def stacked(where: str, headers: Sequence[Header], *, axes: str | None = None, note: Note = silent) -> Stacked:
    """One grid from the frames of one or more files.

    Parameters
    ----------
    where
        File or folder, for messages.
    axes
        "tyx" or "zyx": what frames without a place and a time are.

    Raises
    ------
    GeometryError
        A missing or doubled slice, unequal spacing, mixed orientation or a gantry tilt, with the numbers.
    AmbiguousError
        Frames that state neither place nor time, or separate pictures in one series.
    """
    frames = [Frame(f, i, s) for f, h in enumerate(headers) for i, s in enumerate(h.slices)]
    size = (headers[0].coding.rows, headers[0].coding.columns)
    frame = headers[0].uids.get("FrameOfReferenceUID")
    if len(frames) == 1:
        return Stacked(((0, 0),), (), plane(where, size, frames[0].at, frame, note))
    if all(len(f.at.position) == 3 and len(f.at.orientation) == 6 for f in frames):
        return _in_space(where, headers, frames, size, axes, note)
    if len(headers) > 1:
        raise AmbiguousError(
            f"{len(headers)} separate pictures in one series", where=where, got="no positions in the patient",
            remedy="Name one of the files",
        )
    return _film(where, headers[0], frames, size, axes, note)


def plane(where: str, size: tuple[int, int], at: Slice, frame: str | None, note: Note = silent) -> Geometry:
    """The 2D grid of one frame, in its place in the patient where the file states it."""
    if len(at.spacing) != 2:
        note(Problem("spacing-unknown", "warning", "the file states no spacing", where, remedy="Pass spacing="))
        return Geometry(size, None, frame)
    if len(at.position) != 3 or len(at.orientation) != 6:
        flat = Geometry.from_spacing(size, (1.0, 1.0)).matrix
        assert flat is not None
        flat[:-1, :-1] *= np.asarray(at.spacing)
        return located(where, size, flat, frame)
    across, down = _directions(where, at)
    m = np.zeros((4, 3))
    m[:3, 0], m[:3, 1], m[:3, 2], m[3, 2] = down * at.spacing[0], across * at.spacing[1], at.position, 1
    return located(where, size, m, frame)


def _directions(where: str, at: Slice) -> tuple[Array, Array]:
    """Unit vectors along a row and down a column (PS3.3, C.7.6.2.1.1)."""
    across, down = np.asarray(at.orientation[:3]), np.asarray(at.orientation[3:])
    lengths = np.linalg.norm(across), np.linalg.norm(down)
    if not np.isfinite(lengths).all() or min(lengths) < 0.99 or max(lengths) > 1.01 or abs(across @ down) > 0.01:
        raise GeometryError(
            "the orientation is not two perpendicular unit vectors", where=where, got=numbers(at.orientation)
        )
    return across / lengths[0], down / lengths[1]


def _film(
    where: str, header: Header, frames: list[Frame], size: tuple[int, int], axes: str | None, note: Note
) -> Stacked:
    """Frames of one file that state no place: a film where times say so."""
    order = tuple((f.file, f.index) for f in frames)
    timed = header.step is not None or any(tag in (0x00181063, 0x00181065) for tag in _pairs(header.increments))
    if axes is None and not timed and header.modality not in ("US", "XA", "RF", "IVUS", "ES", "XC"):
        raise AmbiguousError(
            "frames that state neither a place nor a time", where=where, got=f"{len(frames)} frames",
            remedy="Pass axes='tyx' or axes='zyx'",
        )
    grid = plane(where, size, frames[0].at, None, note)
    if axes == "zyx":
        deep = (len(frames), *size)
        return Stacked(order, (("z", len(frames)),), Geometry(deep))
    return Stacked(order, (("t", len(frames)),), grid, _cine(header, frames))


def _pairs(values: Sequence[int]) -> list[int]:
    return [a << 16 | b for a, b in zip(values[::2], values[1::2], strict=False)]


def _in_space(
    where: str, headers: Sequence[Header], frames: list[Frame], size: tuple[int, int], axes: str | None, note: Note
) -> Stacked:
    frame = headers[0].uids.get("FrameOfReferenceUID")
    first = frames[0].at
    _one_orientation(where, frames)
    _one_spacing(where, frames)
    across, down = _directions(where, first)
    normal = np.cross(across, down)
    points = np.asarray([f.at.position for f in frames])
    if not np.isfinite(points).all():
        raise GeometryError("a position holds NaN or infinity", where=where)
    frames = [Frame(f.file, f.index, f.at, float(p @ normal)) for f, p in zip(frames, points, strict=True)]
    places = _places(frames)
    lead, ordered, times, channels = _told_apart(where, headers, places, axes)
    order = tuple((f.file, f.index) for f in ordered)
    column = [p[0] for p in places]
    if len(column) == 1:
        return Stacked(order, lead, plane(where, size, column[0].at, frame, note), times, channels)
    step = _step(where, column, normal)
    lead = (*lead, ("z", len(column)))
    if len(first.spacing) != 2:
        note(Problem("spacing-unknown", "warning", "the files state no pixel spacing", where, remedy="Pass spacing="))
        return Stacked(order, lead, Geometry((len(column), *size), None, frame), times, channels)
    m = np.zeros((4, 4))
    m[:3, 0], m[:3, 1], m[:3, 2] = step, down * first.spacing[0], across * first.spacing[1]
    m[:3, 3], m[3, 3] = column[0].at.position, 1
    return Stacked(order, lead, located(where, (len(column), *size), m, frame), times, channels)


def _one_orientation(where: str, frames: list[Frame]) -> None:
    seen: list[tuple[Array, int]] = []
    for f in frames:
        vector = np.asarray(f.at.orientation)
        for k, (known, count) in enumerate(seen):
            if np.abs(known - vector).max() < 1e-3:
                seen[k] = (known, count + 1)
                break
        else:
            seen.append((vector, 1))
        if len(seen) > 8:
            break
    if len(seen) > 1:
        said = "; ".join(f"{count} along ({numbers(v)})" for v, count in seen[:4])
        raise GeometryError(
            "slices of different orientation in one series", where=where, got=said, wanted="one orientation",
            remedy="Name the files of one orientation, such as by moving them to a folder of their own",
        )


def _one_spacing(where: str, frames: list[Frame]) -> None:
    sizes = {tuple(round(v, 4) for v in f.at.spacing) for f in frames}
    if len(sizes) > 1:
        raise GeometryError(
            "slices of different pixel spacing in one series", where=where, wanted="one spacing",
            got=" and ".join(f"({numbers(s)}) mm" if s else "none stated" for s in sorted(sizes)[:4]),
        )


def _places(frames: list[Frame]) -> list[list[Frame]]:
    """Frames by place, from low to high along the normal."""
    places: list[list[Frame]] = []
    for f in sorted(frames, key=lambda f: f.depth):
        if places and f.depth - places[-1][0].depth < SAME_PLACE:
            places[-1].append(f)
        else:
            places.append([f])
    return places


Told = tuple[tuple[tuple[str, int], ...], list[Frame], tuple[float, ...] | None, tuple[str, ...]]


def _told_apart(where: str, headers: Sequence[Header], places: list[list[Frame]], axes: str | None) -> Told:
    """Frames of one place sorted by what tells them apart: time, echo or diffusion weighting.

    Where only their numbers do, `axes` says what the volumes are.
    """
    many = len(places[0])
    if many == 1 and all(len(p) == 1 for p in places):
        return (), [p[0] for p in places], None, ()
    if any(len(p) != many for p in places):
        raise _doubled(where, places)
    for name, axis in AXES.items():
        keyed = [sorted(p, key=lambda f: dict(f.at.marks).get(name, np.nan)) for p in places]
        values = [[dict(f.at.marks).get(name, np.nan) for f in p] for p in keyed]
        if all(len(set(v)) == many and v == values[0] for v in values):
            for p, k in zip(places, keyed, strict=True):
                p[:] = k
            frames = [p[i] for i in range(many) for p in places]
            channels = tuple(f"{name} {v:g}" for v in values[0]) if axis == "c" else ()
            return ((axis, many),), frames, _times(headers, places[0]) if axis == "t" else None, channels
    if len(places) == 1 and len(headers) == 1:
        return (("t", many),), places[0], _times(headers, places[0]), ()
    return _by_number(where, places, axes)


def _by_number(where: str, places: list[list[Frame]], axes: str | None) -> Told:
    """Volumes that follow each other by instance number; AmbiguousError where nobody says what they are."""
    many = len(places[0])
    keyed = [sorted(p, key=lambda f: dict(f.at.marks).get("instance", 0.0)) for p in places]
    volumes = [[dict(p[i].at.marks).get("instance", 0.0) for p in keyed] for i in range(many)]
    if any(max(a) >= min(b) for a, b in pairwise(volumes)):
        raise _doubled(where, places)
    if axes is None or axes[0] not in "tc":
        raise AmbiguousError(
            f"{many} volumes that only their numbers tell apart", where=where, got=f"{len(places)} slices each",
            remedy="Pass axes='tzyx' or axes='czyx'",
        )
    channels = tuple(f"volume {i + 1}" for i in range(many)) if axes[0] == "c" else ()
    return ((axes[0], many),), [p[i] for i in range(many) for p in keyed], None, channels


def _cine(header: Header, frames: list[Frame]) -> tuple[float, ...] | None:
    """Seconds of the frames of one file: their own where it states them, else by the distance of two."""
    if header.stamps and [f.index for f in frames] == list(range(len(header.stamps))):
        return header.stamps
    return None if header.step is None else tuple(i * header.step for i in range(len(frames)))


def _times(headers: Sequence[Header], frames: list[Frame]) -> tuple[float, ...] | None:
    """Seconds of each frame after the first, where they grow."""
    if headers[0].step is not None and len(headers) == 1:
        return _cine(headers[0], frames)
    stamps = [f.at.seconds for f in frames]
    known = [s for s in stamps if s is not None]
    if len(known) < len(stamps) or any(b <= a for a, b in pairwise(known)):
        return None
    return tuple(s - known[0] for s in known)


def _doubled(where: str, places: list[list[Frame]]) -> GeometryError:
    counts = [len(p) for p in places]
    at = next(i for i, c in enumerate(counts) if c > 1)
    extra = sum(counts) - len(counts)
    return GeometryError(
        f"{counts[at]} slices lie at one place ({places[at][0].depth:.1f} mm along the normal) and nothing tells them "
        "apart" if min(counts) == max(counts) else
        f"slice {at + 1} of {len(counts)} is there {counts[at]} times ({places[at][0].depth:.1f} mm along the normal)",
        where=where, got=f"{sum(counts)} slices at {len(counts)} places", wanted="as many slices at each place",
        remedy=f"Remove the {extra} doubled ones, or name the files of one volume",
    )


def _step(where: str, column: list[Frame], normal: Array) -> Array:
    """The vector from slice to slice; GeometryError for a gap, unequal steps or a lean."""
    depths = np.asarray([f.depth for f in column])
    steps = np.diff(depths)
    usual = float(np.median(steps)) if len(steps) % 2 else float(np.sort(steps)[(len(steps) - 1) // 2])
    off = np.abs(steps - usual) > max(UNEQUAL * usual, SAME_PLACE)
    if off.any():
        i = int(np.argmax(off))
        whole = np.round(steps / usual)
        if off.all() or (np.abs(steps - whole * usual) > UNEQUAL * usual * whole).any():
            raise GeometryError(
                f"slices {i + 1} and {i + 2} are {steps[i]:.2f} mm apart where most are {usual:.2f} mm", where=where,
                got=f"steps from {steps.min():.2f} to {steps.max():.2f} mm", wanted="equal steps",
                remedy="Resample the series to equal steps first",
            )
        lacking = int((whole - 1).sum())
        raise GeometryError(
            f"slices {i + 1} and {i + 2} are {steps[i]:.1f} mm apart where the others are {usual:.1f} mm: the series "
            f"lacks {lacking} slice{'s' if lacking > 1 else ''}", where=where, remedy="Fetch the series again",
        )
    points = np.asarray([f.at.position for f in column])
    total = points[-1] - points[0]
    step = total / (len(column) - 1)
    lean = total - normal * (total @ normal)
    pixel = min(column[0].at.spacing or (1.0,))
    if np.linalg.norm(lean) > LEAN * pixel:
        angle = np.degrees(np.arctan2(np.linalg.norm(lean), total @ normal))
        raise GeometryError(
            f"gantry tilt: each slice is shifted by {np.linalg.norm(lean) / (len(column) - 1):.2f} mm against the one "
            f"before ({angle:.1f} degrees)", where=where, wanted="slices above each other",
            remedy="Resample the series to upright slices first, such as with dcm2niix",
        )
    stray = np.linalg.norm(points - (points[0] + np.arange(len(column))[:, None] * step), axis=1)
    if stray.max() > max(LEAN * pixel, UNEQUAL * usual):
        raise GeometryError(
            f"slice {int(stray.argmax()) + 1} lies {stray.max():.2f} mm beside the column of the others", where=where
        )
    return np.asarray(step)
