"""Displacement and strain of tissue over time, from the tracks of its points.

All against the first frame, in mm where the spacing is known. Strain of a region is that of the affine map which
carries its points best; strain of a line is the change of its length by its length in the first frame (engineering, or
Lagrangian, strain). In a frame in which fewer than half of the points of the first are seen there is no number.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from isocenter.data import Tracks
from isocenter.inspect.readout import Readout
from isocenter.ops.array import Array
from isocenter.ops.strain import carried, gradient, green_lagrange, line_strain, principal

AXES = "zyx"
# The share of the first frame's points that a number rests on at least; points of a line, for each of its parts.
ENOUGH, PARTS = 0.5, 16


def displacements(tracks: Tracks) -> Readout:
    """A row a frame: how many points are seen, and their mean displacement along each axis, its length and the longest.

    Lengths are in mm where the spacing is known, else in pixels; the columns say so.
    """
    rows, unit = [], tracks.unit
    for row, before, after in _frames(tracks):
        moved = after - before
        size = np.linalg.norm(moved, axis=1)
        ok = _enough(tracks, before)
        values = {f"mean_{axis}_{unit}": moved[:, i].mean() if ok else None for i, axis in enumerate(_axes(tracks))}
        values |= {f"mean_length_{unit}": size.mean() if ok else None, f"longest_{unit}": size.max() if ok else None}
        rows.append(row | values)
    return _table(rows)


def strains(tracks: Tracks) -> Readout:
    """A row a frame: Green-Lagrange strain of the region in percent, its principal values, and the change of its size.

    ``strain_yx_percent`` is the shear E_yx; ``area_percent`` (``volume_percent``) is 100 (det F - 1).

    Source: Holzapfel, Nonlinear Solid Mechanics, 2000.
    """
    rows, axes = [], _axes(tracks)
    size = "area_percent" if len(axes) == 2 else "volume_percent"
    for row, before, after in _frames(tracks):
        found = gradient(before, after) if _enough(tracks, before) else None
        names = [(i, j) for i in range(len(axes)) for j in range(i, len(axes))]
        keys = [f"strain_{axes[i]}{axes[j]}_percent" for i, j in names]
        ends = [f"principal_{k + 1}_percent" for k in range(len(axes))]
        if found is None:
            rows.append(row | dict.fromkeys([*keys, *ends, size]))
            continue
        tensor = green_lagrange(found)
        values = dict(zip(keys, (100 * tensor[at] for at in names), strict=True))
        values |= dict(zip(ends, 100 * principal(tensor), strict=True))
        rows.append(row | values | {size: 100 * (np.linalg.det(found) - 1)})
    return _table(rows)


def line_strains(tracks: Tracks, line: Array) -> Readout:
    """A row a frame: engineering strain in percent along a line that was drawn in the first frame.

    Source: Voigt et al., European Heart Journal Cardiovascular Imaging 16 (2015) 1.

    Parameters
    ----------
    tracks
        Points of tissue about the line.
    line
        float (k, axes): its corners as indices of the first frame, 2 and more, in array order.
    """
    scale = np.asarray(tracks.geometry.spacing or (1.0,) * tracks.geometry.ndim)
    corners = np.asarray(line, np.float64) * scale
    share = np.linspace(0, 1, PARTS, endpoint=False)[:, None]
    drawn = np.concatenate([*(a + share * (b - a) for a, b in pairwise(corners)), corners[-1:]])
    rows = []
    for row, before, after in _frames(tracks):
        value = None
        if _enough(tracks, before):
            value = 100 * line_strain(drawn, carried(before, after, drawn))
        rows.append(row | {"strain_percent": value})
    return _table(rows)


def _frames(tracks: Tracks) -> list[tuple[dict[str, Any], Array, Array]]:
    """Each frame with the points that it shares with the first: their places there and here, in `tracks.unit`."""
    points, out = tracks.points, []
    start = np.flatnonzero(tracks.frames == 0)
    for t in range(tracks.length):
        here = np.flatnonzero(tracks.frames == t)
        _, a, b = np.intersect1d(tracks.numbers[start], tracks.numbers[here], return_indices=True)
        when = None if tracks.times is None else tracks.times[t]
        row = {"frame": t, "time_s": when, "points": len(a)}
        out.append((row, points[start[a]], points[here[b]]))
    return out


def _enough(tracks: Tracks, shared: Array) -> bool:
    return len(shared) > 0 and len(shared) >= ENOUGH * int((tracks.frames == 0).sum())


def _axes(tracks: Tracks) -> str:
    return AXES[-tracks.geometry.ndim:]


def _table(rows: list[dict[str, Any]]) -> Readout:
    header = list(rows[0]) if rows else ["frame", "time_s", "points"]
    return Readout.of({name: [row[name] for row in rows] for name in header})
