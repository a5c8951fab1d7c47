"""Moves as they are typed: a name and its numbers become a transform of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from isocenter.data import Geometry, Transform
from isocenter.data.findings.transform import dimension
from isocenter.data.moving import (
    chained,
    cropped,
    flipped,
    moved,
    onto,
    padded,
    perspective,
    resampled,
    rotated,
    scaled,
)
from isocenter.errors import UsageError, nearest

# What each move takes.
MOVES: Mapping[str, str] = {
    "rotate": "degrees against the clock, of a volume about z or as y:15",
    "flip": "axes, such as x or zy",
    "scale": "a factor, or one per axis (z,)y,x",
    "resample": "mm per pixel, (z,)y,x",
    "size": "pixels per axis, (z,)y,x",
    "crop": "from:to per axis, (z,)y,x, such as 10:90,20:80; either may be left out",
    "pad": "pixels on both sides, or per axis (z,)y,x",
    "affine": "the rows of a matrix of the world (x, y[, z], 1): 6 numbers, of a volume 12",
    "perspective": "x,y where the four corners go: top left, top right, bottom right, bottom left",
}


def move_of(grid: Geometry, moves: Sequence[tuple[str, Any]]) -> Transform:
    """All moves as one transform, the first applied first; none is the identity.

    Parameters
    ----------
    grid
        Of the image.
    moves
        Names of `MOVES` and their values: text as it is typed, a number, or numbers.

    Raises
    ------
    UsageError
        No such move (the nearest is named), or not its numbers.
    GeometryError
        The grid cannot be moved like that.
    """
    whole = onto(grid, grid)
    for name, value in moves:
        if name not in MOVES:
            raise UsageError(f"no move {name!r}", remedy=nearest(name, MOVES))
        whole = chained([whole, _one(whole.fixed, name, value)])
    return whole


def _one(grid: Geometry, name: str, value: Any) -> Transform:
    n = grid.ndim
    if name == "flip":
        return flipped(grid, str(value).replace(",", ""))
    if name == "rotate":
        axis, _, angle = value.rpartition(":") if isinstance(value, str) else ("", "", value)
        return rotated(grid, _numbers(name, angle, (1,))[0], axis=axis or "z")
    if name == "crop":
        return cropped(grid, *_part(grid, value))
    numbers = _numbers(name, value, {"affine": (dimension(grid) * (dimension(grid) + 1),), "perspective": (8,),
                                     "resample": (n,), "size": (n,)}.get(name, (1, n)))  # fmt: skip
    each = numbers * n if len(numbers) == 1 else numbers
    if name == "affine":
        rows = np.reshape(numbers, (dimension(grid), -1))
        return moved(grid, np.vstack([rows, np.eye(dimension(grid) + 1)[-1:]]))
    if name == "perspective":
        return perspective(grid, np.reshape(numbers, (4, 2)).tolist())
    if name == "pad":
        return padded(grid, [int(v) for v in each], [int(v) for v in each])
    if name == "scale":
        return scaled(grid, each)
    return resampled(grid, spacing=numbers) if name == "resample" else resampled(grid, shape=[int(v) for v in numbers])


def _numbers(name: str, value: Any, lengths: Sequence[int]) -> list[float]:
    parts = value.split(",") if isinstance(value, str) else np.ravel(value).tolist()
    try:
        found = [float(p) for p in parts]
    except (TypeError, ValueError) as error:
        raise UsageError(f"not what {name} takes", got=str(value), wanted=MOVES[name]) from error
    whole = name not in ("size", "pad") or all(v == int(v) for v in found if np.isfinite(v))
    if len(found) not in lengths or not np.isfinite(found).all() or not whole:
        raise UsageError(f"not what {name} takes", got=str(value), wanted=MOVES[name])
    return found


def _part(grid: Geometry, value: Any) -> tuple[list[int], list[int]]:
    """First pixel and lengths; what is left out is the edge, and numbers below 0 count from the end."""
    parts = value.split(",") if isinstance(value, str) else [f"{a}:{b}" for a, b in value]
    if len(parts) != grid.ndim or any(p.count(":") != 1 for p in parts):
        raise UsageError("not what crop takes", got=str(value), wanted=MOVES["crop"])
    starts, lengths = [], []
    for part, size in zip(parts, grid.shape, strict=True):
        low, high = part.split(":")
        try:
            ends = [int(low or 0), int(high or size)]
        except ValueError as error:
            raise UsageError("not what crop takes", got=str(value), wanted=MOVES["crop"]) from error
        first, last = (e + size if e < 0 else e for e in ends)
        starts.append(first)
        lengths.append(last - first)
    return starts, lengths
