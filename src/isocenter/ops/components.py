"""Connected parts of label maps, 2D and 3D.

Parts of a region touch at a face, edge or corner (8 neighbours in 2D, 26 in 3D); holes are parts of its complement that
faces connect (4 and 6) and that do not reach the border, as digital topology pairs them (Rosenfeld, Am. Math. Monthly
1979).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from isocenter.ops.array import Array


def parts(mask: Array) -> tuple[Array, Array]:
    """Connected parts of a mask.

    Returns
    -------
    numbered
        int32 (*grid), 0 outside, parts from 1 in the order of their first pixel.
    sizes
        int64 (n + 1,): pixels per number; sizes[0] is 0.
    """
    from scipy import ndimage

    numbered, count = ndimage.label(mask, np.ones((3,) * mask.ndim, bool))
    sizes = np.bincount(numbered.ravel(), minlength=count + 1)
    sizes[0] = 0
    return numbered, sizes


def largest(mask: Array) -> Array:
    """The largest connected part of a mask (the first on a tie); an empty mask stays empty."""
    numbered, sizes = parts(mask)
    return np.asarray(numbered == int(sizes.argmax())) if len(sizes) > 1 else mask


def without_small(mask: Array, smallest: float) -> Array:
    """The mask without connected parts of fewer than `smallest` pixels."""
    numbered, sizes = parts(mask)
    keep = sizes >= smallest
    keep[0] = False
    return np.asarray(keep[numbered])


def filled(mask: Array) -> Array:
    """The mask with its holes filled."""
    from scipy import ndimage

    return np.asarray(ndimage.binary_fill_holes(mask))


def tidied(labels: Array, *, keep_largest: bool = False, smallest: float = 0.0, fill: bool = False) -> Array:
    """A label map with the parts of every region cleaned.

    Parameters
    ----------
    labels
        uint8 (*grid), 0 background, 255 left alone.
    keep_largest
        Keep only the largest connected part of each region.
    smallest
        Remove connected parts of fewer pixels.
    fill
        Fill holes of each region where they are background; another region inside stays.

    Returns
    -------
    A new array where anything was asked for, else `labels`. What is removed becomes background.
    """
    steps: list[Callable[[Array], Array]] = []
    if keep_largest:
        steps.append(largest)
    if smallest > 1:
        steps.append(lambda mask: without_small(mask, smallest))
    if fill:
        steps.append(filled)
    if not steps:
        return labels
    out = labels.copy()
    for value in np.flatnonzero(np.bincount(labels.ravel(), minlength=256)[:255]):
        if value:
            _tidy(out, int(value), steps)
    return out


def _tidy(labels: Array, value: int, steps: list[Callable[[Array], Array]]) -> None:
    found = labels == value
    box = tuple(_span(found.any(axis=tuple(a for a in range(labels.ndim) if a != axis))) for axis in range(labels.ndim))
    before = after = found[box]
    for step in steps:
        after = step(after)
    view = labels[box]
    view[before & ~after] = 0
    view[after & (view == 0)] = value


def _span(line: Array) -> slice:
    where = np.flatnonzero(line)
    return slice(int(where[0]), int(where[-1]) + 1) if len(where) else slice(0, 0)


def at_rim(numbers: Array) -> Array:
    """bool (n + 1,): whether each number of a map (*grid) lies on an outermost pixel of any axis.

    >>> at_rim(np.array([[0, 0, 0, 0], [0, 2, 0, 1], [0, 0, 0, 0]])).tolist()
    [True, True, False]
    """
    found = np.zeros(int(numbers.max(initial=0)) + 1, bool)
    for axis in range(numbers.ndim):
        for end in (0, -1):
            found[np.take(numbers, end, axis=axis)] = True
    return found
