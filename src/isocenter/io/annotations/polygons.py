"""Outlines and pixels: polygons filled by their pixels' centres, masks traced along their pixels' edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.errors import LabelError
from isocenter.io.annotations.marks import Crop, cropped
from isocenter.ops.array import Array

# Right, down, left, up as steps of (x, y): a quarter turn to the right is the next one.
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


def filled(rings: Sequence[Array], shape: tuple[int, int]) -> Crop | None:
    """The pixels whose centres lie inside an outline.

    Parameters
    ----------
    rings
        float arrays (k, 2) of x and y counted from the image's corner; holes and parts are further rings (even-odd).
    shape
        Height and width of the grid; what lies beyond is cut.

    Returns
    -------
    crop
        An outline without a pixel's centre gives the pixel under its middle; None where it lies outside the grid.

    Raises
    ------
    LabelError
        A ring of fewer than three corners, or one that is not finite.
    """
    for ring in rings:
        if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3 or not np.isfinite(ring).all():
            raise LabelError("not an outline", got=f"{ring.shape}", wanted="three corners or more, finite")
    low = np.floor(np.min([r.min(0) for r in rings], axis=0)).astype(np.int64)
    high = np.ceil(np.max([r.max(0) for r in rings], axis=0)).astype(np.int64)
    low, high = np.clip(low, 0, shape[::-1]), np.clip(high, 0, shape[::-1])
    width, height = (int(n) for n in high - low)
    if width > 0 and height > 0:
        found = cropped(_parity(rings, low, (height, width)), (int(low[1]), int(low[0])))
        if found is not None:
            return found
    middle = np.floor(np.concatenate(rings).mean(0)).astype(np.int64)
    if (middle < 0).any() or (middle >= shape[::-1]).any():
        return None
    return middle[::-1].copy(), np.ones((1, 1), bool)


def _parity(rings: Sequence[Array], low: Array, size: tuple[int, int]) -> Array:
    """Whether each pixel's centre of the crop has an odd number of crossings to its left."""
    turns = np.zeros((size[0], size[1] + 1), np.int64)
    for ring in rings:
        a = np.asarray(ring, np.float64) - low
        b = np.roll(a, -1, axis=0)
        for (x0, y0), (x1, y1) in zip(a, b, strict=True):
            if y0 == y1:
                continue
            first, last = (int(np.ceil(y - 0.5)) for y in (min(y0, y1), max(y0, y1)))
            rows = np.arange(max(first, 0), min(last, size[0]))
            at = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            np.add.at(turns, (rows, np.clip(np.ceil(at - 0.5), 0, size[1]).astype(np.int64)), 1)
    return np.asarray(np.cumsum(turns[:, :-1], axis=1) % 2 == 1)


def outlined(crop: Crop) -> list[list[Array]]:
    """The outlines of an object along its pixels' edges, so that filling them gives the very pixels back.

    Parameters
    ----------
    crop
        2D.

    Returns
    -------
    parts
        One a part that edges connect: its outer ring first, then its holes; each float64 (k, 2) of x and y counted from
        the image's corner, not closed, no three corners in a line.
    """
    from scipy import ndimage

    start, mask = crop
    numbered, count = ndimage.label(mask)
    parts: list[list[Array]] = [[] for _ in range(count)]
    offset = np.asarray([start[1], start[0]], np.float64)
    for ring, pixel in _rings(mask):
        part = parts[numbered[pixel] - 1]
        outer = _area(ring) > 0
        part.insert(0 if outer else len(part), _straight(ring) + offset)
    return parts


def _rings(mask: Array) -> list[tuple[Array, tuple[int, int]]]:
    """Closed walks with the object on the right hand, each with the pixel beside its first step."""
    left = {d: _edges(mask, d) for d in range(4)}
    out = []
    for d in range(4):
        while left[d]:
            start, pixel = next(iter(left[d].items()))
            ring, at, way = [], start, d
            while True:
                ring.append(at)
                del left[way][at]
                at = (at[0] + STEPS[way][0], at[1] + STEPS[way][1])
                # Right first: pixels that touch at a corner alone are parts of their own.
                turns = ((way + 1) % 4, way, (way + 3) % 4)
                way = next(w for w in turns if at in left[w] or (w, at) == (d, start))
                if (way, at) == (d, start):
                    break
            out += [(loop, pixel) for loop in _simple(ring)]
    return out


def _simple(ring: list[tuple[int, int]]) -> list[Array]:
    """A walk cut where it meets itself at a corner: a hole that touches the outline there becomes a ring of its own."""
    loops: list[Array] = []
    walked: list[tuple[int, int]] = []
    place: dict[tuple[int, int], int] = {}
    for at in ring:
        if at in place:
            first = place[at]
            loops.append(np.asarray(walked[first:], np.float64))
            for gone in walked[first:]:
                del place[gone]
            del walked[first:]
        place[at] = len(walked)
        walked.append(at)
    return [*loops, np.asarray(walked, np.float64)]


def _edges(mask: Array, way: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Where steps in one direction begin, (x, y), with the pixel (row, column) on their right."""
    padded = np.pad(mask, 1)
    beside = padded[1:-1, 1:-1] & ~(
        padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2]
    )[way]  # fmt: skip
    dx, dy = ((0, 0), (1, 0), (1, 1), (0, 1))[way]
    return {(int(x) + dx, int(y) + dy): (int(y), int(x)) for y, x in np.argwhere(beside)}


def _area(ring: Array) -> float:
    """Signed area, positive for a walk right, down, left, up."""
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _straight(ring: Array) -> Array:
    """The ring without corners that lie on a straight line."""
    turn = np.roll(ring, -1, axis=0) - ring != ring - np.roll(ring, 1, axis=0)
    return np.asarray(ring[turn.any(axis=1)])


def rectangle(edges: Array) -> Array:
    """The corners (4, 2) of a 2D box, x and y counted from the image's corner."""
    (y0, x0), (y1, x1) = np.asarray(edges) + 0.5
    return np.asarray([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def bounds(rings: Sequence[Array]) -> Array:
    """Edges (2, 2) of the box round an outline."""
    points = np.concatenate(rings)
    return np.asarray([points.min(0)[::-1], points.max(0)[::-1]]) - 0.5
