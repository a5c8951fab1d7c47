"""The beams of an ultrasound picture: which part is lit, whether it is a fan, and the picture laid out beam by beam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from isocenter.ops.array import Array

PROBES = ("auto", "linear", "convex")
# What is lit is brighter than this share of the range; the top of the range is this quantile.
DARK, TOP = 0.03, 0.995
# Sides of a fan: tangents of the angle to the beam in the middle that are tried; distance of points that belong to a
# side, in pixels; least share of the rows that must belong to it; largest share of the others that begin beyond it.
TANGENTS, NEAR, ROWS, BEYOND = (0.15, 1.75, 0.01), 1.5, 0.12, 0.12
# The face of a fan lies where this share of the beams is lit; of parallel beams, where half of them are.
FACE = 0.2
# A beam is as wide as one pixel at this share of the depth.
WIDE = 0.3


class Beams(NamedTuple):
    """Where beams run.

    Parameters
    ----------
    points
        float64 (2, depth, beams): the pixel (y, x) at each depth of each beam, in steps of `step`.
    step
        Length of one step along a beam, in the unit of the spacing: its finest one.
    apex
        (y, x) in the unit of the spacing, from which the beams of a fan come; None: they are parallel.
    angles
        (beams) radians from straight down, positive to the right; of parallel beams 0.
    face
        Distance of the first step from the apex, in steps; 0 where there is none.
    spacing
        (y, x).
    """

    points: Array
    step: float
    apex: tuple[float, float] | None
    angles: Array
    face: float
    spacing: tuple[float, float]

    def width(self, depth: float) -> float:
        """Distance of neighbouring beams at a depth, in steps."""
        if self.apex is None:
            return 1.0
        return float((self.face + depth) * np.diff(self.angles).mean())


def lit(values: Array) -> Array:
    """Boolean (y, x): the largest part that is brighter than what lies around a picture, without holes.

    Parameters
    ----------
    values
        (y, x), finite; of a film the brightest value of each pixel.
    """
    from scipy import ndimage

    low, top = float(values.min()), float(np.quantile(values, TOP))
    bright = ndimage.binary_opening(values > low + DARK * (top - low), np.ones((3, 3)))
    numbered, n = ndimage.label(bright)
    if n == 0:
        return np.ones(values.shape, bool)
    largest = int(np.argmax(np.bincount(numbered.ravel())[1:])) + 1
    return np.asarray(ndimage.binary_fill_holes(numbered == largest))


def beams(values: Array, spacing: Sequence[float] = (1.0, 1.0), *, probe: str = "auto") -> Beams | None:
    """The beams of a picture.

    The straight sides of what is lit are found as lines that many rows begin or end at (Hough transform of the
    outermost lit pixels: Duda & Hart, Comm. ACM 15 (1972) 11); where both are there and part downwards, their meeting
    point is the apex. The face is where beams begin to be lit: where the picture is cut off above it, depths are from
    the cut.

    Parameters
    ----------
    values
        As in `lit`.
    spacing
        (y, x), in any unit.
    probe
        ``"auto"``, or ``"linear"``: parallel beams whatever the sides, or ``"convex"``: a fan or nothing.

    Returns
    -------
    None where a fan was asked for and none is found.
    """
    mask = lit(values)
    sy, sx = float(spacing[0]), float(spacing[1])
    sides = None if probe == "linear" else _sides(mask)
    if sides is not None:
        return _fan(mask, sides, (sy, sx))
    return None if probe == "convex" else _parallel(mask, (sy, sx))


def laid_out(values: Array, found: Beams) -> Array:
    """float32 (depth, beams): a picture (y, x) beam by beam; not a number where a beam leaves the picture."""
    from scipy import ndimage

    rows = ndimage.map_coordinates(np.asarray(values, np.float32), found.points, order=1, mode="nearest")
    edge = np.array(values.shape)[:, None, None] - 0.5
    return np.where(((found.points >= -0.5) & (found.points <= edge)).all(axis=0), rows, np.float32(np.nan))


def laid_back(labels: Array, found: Beams, shape: Sequence[int]) -> Array:
    """Whole numbers (*shape) of the nearest place on the beams (depth, beams); 0 where no beam goes."""
    y, x = (axis * s for axis, s in zip(np.indices(tuple(shape), dtype=np.float64), found.spacing, strict=True))
    if found.apex is None:
        first = found.points[:, 0, 0] * found.spacing
        depth, beam = (y - first[0]) / found.step, (x - first[1]) / found.step
    else:
        y, x = y - found.apex[0], x - found.apex[1]
        depth = np.hypot(y, x) / found.step - found.face
        beam = (np.arctan2(x, y) - found.angles[0]) / np.diff(found.angles).mean()
    i, j = np.round(depth).astype(int), np.round(beam).astype(int)
    inside = (i >= 0) & (i < labels.shape[0]) & (j >= 0) & (j < labels.shape[1])
    return np.where(inside, labels[np.where(inside, i, 0), np.where(inside, j, 0)], 0).astype(labels.dtype)


def _sides(mask: Array) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Intercept and tangent of both sides, x = intercept -+ tangent * y, left first; None unless both are there."""
    left = _side(mask)
    right = _side(mask[:, ::-1])
    if left is None or right is None:
        return None
    right = (mask.shape[1] - 1 - right[0], right[1])
    # Where the sides meet; below the top there would be no room for a face.
    apex = (left[0] - right[0]) / (left[1] + right[1])
    return (left, right) if apex < 0.25 * mask.shape[0] else None


def _side(mask: Array) -> tuple[float, float] | None:
    """The line x = intercept - tangent * y at which most rows begin to be lit."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask.argmax(axis=1)[rows].astype(np.float64)
    # What begins at the edge of the picture was cut off there.
    keep = first > 1
    y, x = rows[keep].astype(np.float64), first[keep]
    least = max(8.0, ROWS * mask.shape[0])
    if len(y) < least:
        return None
    best, chosen = 0.0, None
    for tangent in np.arange(*TANGENTS):
        at = x + tangent * y
        count, edges = np.histogram(at, np.arange(at.min() - 1, at.max() + 2 * NEAR + 1, NEAR))
        pairs = count[:-1] + count[1:]
        for k in np.argsort(-pairs, kind="stable")[:3]:
            if pairs[k] <= best:
                break
            if np.mean(at < edges[k] - NEAR) <= BEYOND:
                best, chosen = float(pairs[k]), (float(edges[k + 1]), float(tangent))
    if chosen is None or best < least:
        return None
    near = np.abs(x + chosen[1] * y - chosen[0]) <= 2 * NEAR
    slope, intercept = np.polyfit(y[near], x[near], 1)
    return float(intercept), float(-slope)


def _fan(mask: Array, sides: tuple[tuple[float, float], tuple[float, float]], spacing: tuple[float, float]) -> Beams:
    (a, ta), (b, tb) = sides
    sy, sx = spacing
    step = min(spacing)
    top = (a - b) / (ta + tb)
    apex = (top * sy, (a - ta * top) * sx)
    low, high = -np.arctan(ta * sx / sy), np.arctan(tb * sx / sy)
    far = float(np.hypot(mask.shape[0] * sy, mask.shape[1] * sx) - min(apex[0], 0.0)) / step
    coarse = _points(apex, np.linspace(low, high, 65)[4:-4], np.arange(0.0, far), step, spacing)
    i, j = np.round(coarse).astype(int)
    inside = (i >= 0) & (i < mask.shape[0]) & (j >= 0) & (j < mask.shape[1])
    on = inside & mask[np.where(inside, i, 0), np.where(inside, j, 0)]
    reached = on.any(axis=0)
    face = float(np.quantile(on.argmax(axis=0)[reached], FACE))
    end = float(np.max(len(on) - on[::-1].argmax(axis=0)[reached]))
    depth = max(end - face, 2.0)
    angles = np.linspace(low, high, max(2, round((high - low) * (face + WIDE * depth)) + 1))
    points = _points(apex, angles, face + np.arange(round(depth)), step, spacing)
    return Beams(points, step, apex, angles, face, spacing)


def _points(apex: tuple[float, float], angles: Array, radii: Array, step: float, spacing: tuple[float, float]) -> Array:
    away = step * radii[:, None]
    y, x = apex[0] + away * np.cos(angles), apex[1] + away * np.sin(angles)
    return np.stack([y / spacing[0], x / spacing[1]])


def _parallel(mask: Array, spacing: tuple[float, float]) -> Beams:
    sy, sx = spacing
    step = min(spacing)
    columns = np.flatnonzero(mask.any(axis=0))
    width = columns[-1] - columns[0] + 1
    full = np.flatnonzero(mask.sum(axis=1) >= width / 2)
    rows = full if len(full) else np.flatnonzero(mask.any(axis=1))
    deep = np.flatnonzero(mask.any(axis=1))[-1]
    y = np.arange(rows[0] * sy, deep * sy + step / 2, step) / sy
    x = np.arange(columns[0] * sx, columns[-1] * sx + step / 2, step) / sx
    points = np.stack(np.meshgrid(y, x, indexing="ij"))
    return Beams(points, step, None, np.zeros(len(x)), 0.0, spacing)
