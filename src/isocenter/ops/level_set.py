"""Contours that move: Chan and Vese's regions, morphological geodesic contours; 2D and 3D."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from isocenter.ops.array import Array

# Width of the smooth peak that stands for the boundary, in units of the level set, and the time of one step.
EPSILON, TIME = 1.0, 0.5
# Keeps directions of flat places finite.
FLAT = 1e-6
# Steps between two looks at whether the contour still moves, and the share of the region that may change meanwhile.
LOOK, STILL = 10, 1e-3


def chan_vese(values: Array, start: Array, *, smoothness: float, steps: int = 200) -> Array:
    """The region whose inside and outside are each as even as possible, for a short boundary.

    Source: Chan & Vese, Active contours without edges, IEEE Trans. Image Process. 10 (2001) 266; its semi-implicit
    scheme, all pixels at once.

    Parameters
    ----------
    values
        (*grid), finite.
    start
        Boolean (*grid): the region to begin with.
    smoothness
        Weight of the boundary's length in pixels against squared differences in SD of the values.
    steps
        At most; it ends earlier once less than a thousandth of the region changes in 10 steps.

    Returns
    -------
    Boolean (*grid); `start` where it, or the rest, is empty, or where all values are equal.
    """
    spread = float(np.std(values, dtype=np.float64))
    if not 0 < np.count_nonzero(start) < start.size or not spread > 0:
        return start.copy()
    scaled = ((values - np.mean(values, dtype=np.float64)) / spread).astype(np.float32)
    level = np.where(start, 1.0, -1.0).astype(np.float32)
    before = level > 0
    for n in range(1, steps + 1):
        level = _step(level, scaled, smoothness)
        if n % LOOK == 0:
            now = level > 0
            if np.count_nonzero(now != before) <= STILL * np.count_nonzero(now):
                break
            before = now
    return level > 0


def _step(level: Array, values: Array, smoothness: float) -> Array:
    inside = level > 0
    full = np.count_nonzero(inside)
    if not 0 < full < level.size:
        return level
    held = float(values.sum(where=inside, dtype=np.float64))
    one, two = held / full, (float(values.sum(dtype=np.float64)) - held) / (level.size - full)
    # (v - two)^2 - (v - one)^2, written out.
    force = np.float32(2 * (one - two)) * (values - np.float32((one + two) / 2))
    pull, weights = _neighbours(level)
    rate = np.float32(TIME) * np.float32(EPSILON / np.pi) / (EPSILON**2 + np.square(level))
    mu = np.float32(smoothness)
    return np.asarray((level + rate * (mu * pull + force)) / (1 + rate * mu * weights), np.float32)


def _neighbours(level: Array) -> tuple[Array, Array]:
    """Neighbours weighted by 1 / |gradient| between, summed, and the sum of the weights: curvature, half implicit."""
    pull, weights = np.zeros_like(level), np.zeros_like(level)
    axes = [a for a, n in enumerate(level.shape) if n > 1]
    centred = {a: np.square(np.gradient(level, axis=a)) for a in axes}
    for axis in axes:
        front, back = _ends(level.ndim, axis)
        across = sum((c for a, c in centred.items() if a != axis), np.full_like(level, FLAT))
        w = 1 / np.sqrt(np.square(np.diff(level, axis=axis)) + across[back])
        pull[back] += w * level[front]
        pull[front] += w * level[back]
        weights[back] += w
        weights[front] += w
    return pull, weights


def _ends(ndim: int, axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    front, back = [slice(None)] * ndim, [slice(None)] * ndim
    front[axis], back[axis] = slice(1, None), slice(None, -1)
    return tuple(front), tuple(back)


def stopping(length: Array) -> Array:
    """Where a contour may move: near 1 on even ground, near 0 on edges.

    Source: Caselles, Kimmel, Sapiro, Geodesic active contours, Int. J. Comput. Vis. 22 (1997) 61, with the gradient in
    units of its own median.

    Parameters
    ----------
    length
        Size of the gradient (*grid).

    Returns
    -------
    float32 (*grid), above 0 to 1.
    """
    some = length[length > 0]
    unit = float(np.median(some)) if some.size else 1.0
    return np.asarray(1 / (1 + np.square(length / np.float32(unit))), np.float32)


def geodesic(stop: Array, start: Array, *, steps: int, smoothing: int = 1, balloon: int = 0) -> Array:
    """A contour that comes to rest on edges, moved by erosions and dilations alone.

    Source: Marquez-Neila, Baumela, Alvarez, A morphological approach to curvature-based evolution of curves and
    surfaces, IEEE TPAMI 36 (2014) 2.

    Parameters
    ----------
    stop
        (*grid): small on edges, as `stopping` makes it.
    start
        Boolean (*grid).
    steps
        Number of steps; each moves the contour by a pixel at most.
    smoothing
        Steps of curvature flow after each step.
    balloon
        1 grows, -1 shrinks where `stop` is above its 40th percentile; 0 only falls into valleys of `stop`.

    Returns
    -------
    Boolean (*grid).
    """
    from scipy import ndimage

    around = np.ones((3,) * start.ndim, bool)
    downhill = _slopes(stop)
    free = stop > np.quantile(stop, 0.4)
    smooth = _smoothings(start.ndim)
    out = start.astype(bool)
    for _ in range(steps):
        if balloon:
            moved = (ndimage.binary_dilation if balloon > 0 else ndimage.binary_erosion)(out, around)
            out = np.where(free, moved, out)
        fall = sum((d * s for d, s in zip(downhill, _slopes(out.astype(np.float32)), strict=True)), np.zeros(out.shape))
        out = np.where(fall > 0, True, np.where(fall < 0, False, out))
        for _ in range(smoothing):
            out = next(smooth)(out)
    return out


def _slopes(array: Array) -> list[Array]:
    return [np.gradient(array, axis=a) if n > 1 else np.zeros_like(array) for a, n in enumerate(array.shape)]


def _smoothings(ndim: int) -> itertools.cycle[Callable[[Array], Array]]:
    """Curvature flow: the two compositions of "highest of erosions" and "lowest of dilations" by turns."""
    return itertools.cycle([lambda u: _raised(_lowered(u, ndim), ndim), lambda u: _lowered(_raised(u, ndim), ndim)])


def _raised(mask: Array, ndim: int) -> Array:
    from scipy import ndimage

    return np.asarray(np.logical_or.reduce([ndimage.binary_erosion(mask, b, border_value=0) for b in _flats(ndim)]))


def _lowered(mask: Array, ndim: int) -> Array:
    from scipy import ndimage

    return np.asarray(np.logical_and.reduce([ndimage.binary_dilation(mask, b) for b in _flats(ndim)]))


def _flats(ndim: int) -> Sequence[Array]:
    """Segments of 3 pixels in 2D, 3 x 3 pixels in 3D, through the centre, whose normals have steps of -1, 0, 1."""
    grid = np.indices((3,) * ndim) - 1
    normals = [n for n in itertools.product((-1, 0, 1), repeat=ndim) if n > (0,) * ndim]
    wanted = [n for n in normals if ndim == 2 or np.count_nonzero(n) < 3]
    return [np.tensordot(np.array(n), grid, axes=1) == 0 for n in wanted]
