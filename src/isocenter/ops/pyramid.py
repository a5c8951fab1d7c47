"""Grids of half and of double the pixels, along some axes: means of pairs, and linear between centres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel


def halved(values: Array, which: Sequence[bool]) -> Array:
    """The mean of every two pixels along the axes that `which` names; these are of even length.

    Parameters
    ----------
    values
        (c, *grid).
    which
        Per axis of the grid.

    Returns
    -------
    float32 (c, *grid), half as long along these axes.

    >>> halved(np.array([[1.0, 3.0, 5.0, 9.0]]), [True]).tolist()
    [[2.0, 7.0]]
    """
    out = np.ascontiguousarray(values, np.float32)
    for axis in reversed(range(1, out.ndim)):
        if which[axis - 1]:
            made = np.empty((*out.shape[:axis], out.shape[axis] // 2, *out.shape[axis + 1 :]), np.float32)
            _halve(_blocks(out, axis), _blocks(made, axis))
            out = made
    return out


def doubled(values: Array, which: Sequence[bool]) -> Array:
    """Twice the pixels of the same box along the axes that `which` names, linear between centres; the edge repeated.

    Parameters
    ----------
    values
        (c, *grid).
    which
        Per axis of the grid.

    Returns
    -------
    float32 (c, *grid), twice as long along these axes.

    >>> doubled(np.array([[0.0, 4.0]]), [True]).tolist()
    [[0.0, 1.0, 3.0, 4.0]]
    """
    out = np.ascontiguousarray(values, np.float32)
    for axis in range(1, out.ndim):
        if which[axis - 1]:
            made = np.empty((*out.shape[:axis], 2 * out.shape[axis], *out.shape[axis + 1 :]), np.float32)
            _double(_blocks(out, axis), _blocks(made, axis))
            out = made
    return out


@dataclass(frozen=True, eq=False)
class Level:
    """Two images on one grid of a pyramid.

    Parameters
    ----------
    fixed, moving
        float32 (c, z, y, x).
    weight
        float32 (z, y, x): 0 where nothing is known, else up to 1.
    spacing
        Of the grid's axes.
    which
        Which axes the next grid below halves.
    """

    fixed: Array
    moving: Array
    weight: Array
    spacing: tuple[float, ...]
    which: tuple[bool, ...]

    @property
    def below(self) -> tuple[int, ...]:
        """Shape of the next grid below."""
        return tuple(n // 2 if one else n for n, one in zip(self.weight.shape, self.which, strict=True))

    @property
    def finest(self) -> float:
        """Smallest spacing of the axes that have more than one pixel."""
        return min((s for s, n in zip(self.spacing, self.weight.shape, strict=True) if n > 1), default=1.0)


def levels(
    fixed: Array, moving: Array, weight: Array, *, spacing: Sequence[float], least: int = 8, most: int = 4
) -> list[Level]:
    """The pyramid of two images on one grid, finest first; grids are padded at their ends to halve without a rest.

    Parameters
    ----------
    fixed, moving
        (c, *grid), two or three axes, finite; the edge is repeated where they are padded.
    weight
        (*grid); 0 where they are padded.
    spacing
        Per axis of the grid.
    least, most
        Pixels that an axis keeps, and number of levels.
    """
    lost = 4 - fixed.ndim
    pair = [np.asarray(a, np.float32).reshape(len(a), *(1,) * lost, *a.shape[1:]) for a in (fixed, moving)]
    sizes = (1.0,) * lost + tuple(spacing)
    shape = pair[0].shape[1:]
    plan = steps_down(shape, sizes, least=least, most=most) or [(False,) * 3]
    factors = 2 ** np.sum(plan, axis=0)
    ends = [(0, int(-n % f)) for n, f in zip(shape, factors, strict=True)]
    a, b = (np.ascontiguousarray(np.pad(p, [(0, 0), *ends], mode="edge")) for p in pair)
    w = np.pad(np.asarray(weight, np.float32).reshape(1, *shape), [(0, 0), *ends])
    out = []
    for which in plan:
        out.append(Level(a, b, w[0], sizes, which))
        a, b, w = (halved(each, which) for each in (a, b, w))
        sizes = tuple(2 * s if one else s for s, one in zip(sizes, which, strict=True))
    return out


def steps_down(shape: Sequence[int], spacing: Sequence[float], *, least: int, most: int) -> list[tuple[bool, ...]]:
    """Which axes are halved from each level to the next, so that pixels become as long as wide and then grow alike.

    Parameters
    ----------
    shape, spacing
        Of the finest grid.
    least
        Pixels that an axis keeps, at least.
    most
        Levels below the finest, at most.
    """
    sizes, lengths = np.array(shape, float), np.array(spacing, float)
    out: list[tuple[bool, ...]] = []
    while len(out) < most:
        which = (sizes >= 2 * least) & (lengths <= 1.5 * lengths[sizes > 1].min(initial=np.inf))
        if not which.any():
            break
        sizes, lengths = np.where(which, np.ceil(sizes / 2), sizes), np.where(which, 2 * lengths, lengths)
        out.append(tuple(map(bool, which)))
    return out


def _blocks(array: Array, axis: int) -> Array:
    return array.reshape(int(np.prod(array.shape[:axis])), array.shape[axis], -1)


@kernel
def _halve(old: Array, new: Array) -> None:
    half = np.float32(0.5)
    for i in range(new.shape[0]):
        if new.shape[2] == 1:
            a, b = old[i, :, 0], new[i, :, 0]
            for y in range(new.shape[1]):
                b[y] = half * (a[2 * y] + a[2 * y + 1])
            continue
        for y in range(new.shape[1]):
            one, two, made = old[i, 2 * y], old[i, 2 * y + 1], new[i, y]
            for x in range(new.shape[2]):
                made[x] = half * (one[x] + two[x])


@kernel
def _double(old: Array, new: Array) -> None:
    near, far = np.float32(0.75), np.float32(0.25)
    length = old.shape[1]
    for i in range(old.shape[0]):
        if old.shape[2] == 1:
            a, b = old[i, :, 0], new[i, :, 0]
            b[0], b[2 * length - 1] = a[0], a[length - 1]
            for y in range(length - 1):
                b[2 * y + 1] = near * a[y] + far * a[y + 1]
                b[2 * y + 2] = far * a[y] + near * a[y + 1]
            continue
        for y in range(length):
            here, before, after = old[i, y], old[i, max(y - 1, 0)], old[i, min(y + 1, length - 1)]
            one, two = new[i, 2 * y], new[i, 2 * y + 1]
            for x in range(old.shape[2]):
                one[x] = near * here[x] + far * before[x]
                two[x] = near * here[x] + far * after[x]
