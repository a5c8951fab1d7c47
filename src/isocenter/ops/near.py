"""Which points of two sets lie near each other: a grid of cells no smaller than the distance asked for."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel


def pairs_within(a: Array, b: Array, reach: float) -> tuple[Array, Array, Array]:
    """The pairs of points at most `reach` apart.

    Parameters
    ----------
    a, b
        float64 (n, axes) and (m, axes), finite, one to three axes.
    reach
        Above 0, in the unit of the points.

    Returns
    -------
    rows, columns
        int64 (k,): position in `a` and in `b`, by rising row.
    distances
        float64 (k,).
    """
    if not len(a) or not len(b):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    first, second = _three(a), _three(b)
    low, high = _corners(first, second)
    extent = high - low
    # No more cells than a few for each point, however small the distance.
    most = max(1, round((4 * len(b)) ** (1 / a.shape[1])))
    cells = np.clip(np.floor(extent / reach), 1, most).astype(np.int64)
    size = np.maximum(extent / cells, reach)
    start, order = _sorted(second, low, cells, size)
    rows, columns, squares = _met(first, second[order], start, low, cells, size, reach * reach)
    return rows, order[columns], np.sqrt(squares)


def _three(points: Array) -> Array:
    out = np.zeros((len(points), 3))
    out[:, 3 - points.shape[1]:] = points
    return out


@kernel
def _corners(a: Array, b: Array) -> tuple[Array, Array]:
    low, high = a[0].copy(), a[0].copy()
    for points in (a, b):
        for i in range(len(points)):
            for d in range(3):
                low[d] = min(low[d], points[i, d])
                high[d] = max(high[d], points[i, d])
    return low, high


@kernel
def _sorted(points: Array, low: Array, cells: Array, size: Array) -> tuple[Array, Array]:
    """Where each cell starts among the points by cell, and their order."""
    key = np.zeros(len(points), np.int64)
    start = np.zeros(cells[0] * cells[1] * cells[2] + 1, np.int64)
    for i in range(len(points)):
        for d in range(3):
            key[i] = key[i] * cells[d] + min(int((points[i, d] - low[d]) // size[d]), cells[d] - 1)
        start[key[i] + 1] += 1
    for k in range(1, len(start)):
        start[k] += start[k - 1]
    order, filled = np.empty(len(points), np.int64), start.copy()
    for i in range(len(points)):
        order[filled[key[i]]] = i
        filled[key[i]] += 1
    return start, order


@kernel
def _met(
    a: Array, b: Array, start: Array, low: Array, cells: Array, size: Array, most: float
) -> tuple[Array, Array, Array]:
    room, count = 4 * len(a) + 16, 0
    rows, columns, squares = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.float64)
    at = np.empty(3, np.int64)
    for i in range(len(a)):
        for d in range(3):
            at[d] = min(int((a[i, d] - low[d]) // size[d]), cells[d] - 1)
        for z in range(max(0, at[0] - 1), min(cells[0], at[0] + 2)):
            for y in range(max(0, at[1] - 1), min(cells[1], at[1] + 2)):
                row = (z * cells[1] + y) * cells[2]
                # Cells along the last axis lie side by side.
                left, right = row + max(0, at[2] - 1), row + min(cells[2], at[2] + 2)
                for j in range(start[left], start[right]):
                    square = (a[i, 0] - b[j, 0]) ** 2 + (a[i, 1] - b[j, 1]) ** 2 + (a[i, 2] - b[j, 2]) ** 2
                    if square > most:
                        continue
                    if count == room:
                        room *= 2
                        rows = np.concatenate((rows, np.empty(count, np.int64)))
                        columns = np.concatenate((columns, np.empty(count, np.int64)))
                        squares = np.concatenate((squares, np.empty(count, np.float64)))
                    rows[count], columns[count], squares[count] = i, j, square
                    count += 1
    return rows[:count], columns[:count], squares[:count]
