"""Mathematical morphology, grey and binary, in 2D and 3D.

Radii are in pixels, one per axis, so that a ball in millimetres stays a ball on an anisotropic grid. Beyond the edge
there is nothing: an erosion takes the least of the pixels that exist. Binary operations use exact distances; flat grey
ones use a box followed by crosses, which together are an octagon (in 3D a polyhedron of 26 faces) within 12 % of the
ball.

Sources: Serra, Image Analysis and Mathematical Morphology, 1982; Adams, Radial decomposition of discs and spheres,
CVGIP 55 (1993) 325; Vincent, Morphological grayscale reconstruction in image analysis, IEEE Trans. Image Process. 2
(1993) 176.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array

# Share of the radius that the box takes, so that box and crosses reach equally far along axes and diagonals.
BOX = {1: 1.0, 2: 2**0.5 - 1.0, 3: (3**0.5 - 1.0) / 2.0}
# Larger elements work on a coarser grid, where they have about this radius.
COARSE = 24.0


def erode(array: Array, radii: Sequence[float]) -> Array:
    """The least value within a ball around each pixel.

    Parameters
    ----------
    array
        Numbers (*grid).
    radii
        Pixels per axis; a radius below 0.5 leaves its axis alone.

    Returns
    -------
    float32 (*grid).

    >>> erode(np.array([[5.0, 1.0, 5.0, 5.0]]), (0, 1)).tolist()
    [[1.0, 1.0, 1.0, 5.0]]
    """
    from scipy import ndimage

    out = np.array(array, np.float32)
    whole = [min(round(float(r)), s) for r, s in zip(radii, out.shape, strict=True)]
    share = BOX[max(1, sum(w > 0 for w in whole))]
    box = [round(share * w) for w in whole]
    for axis, half in enumerate(box):
        if half:
            out = ndimage.minimum_filter1d(out, 2 * half + 1, axis, mode="constant", cval=np.inf)
    crosses = [w - b for w, b in zip(whole, box, strict=True)]
    for step in range(max(crosses, default=0)):
        out = _cross(out, [axis for axis, n in enumerate(crosses) if step < n])
    return out


def _cross(array: Array, axes: list[int]) -> Array:
    out = array.copy()
    for axis in axes:
        n = array.shape[axis]
        low, high = [slice(None)] * array.ndim, [slice(None)] * array.ndim
        low[axis], high[axis] = slice(0, n - 1), slice(1, n)
        np.minimum(out[tuple(low)], array[tuple(high)], out=out[tuple(low)])
        np.minimum(out[tuple(high)], array[tuple(low)], out=out[tuple(high)])
    return out


def dilate(array: Array, radii: Sequence[float]) -> Array:
    """The greatest value within a ball around each pixel; as `erode`."""
    return -erode(-np.asarray(array, np.float32), radii)


def opened(array: Array, radii: Sequence[float]) -> Array:
    """Erosion, then dilation: bright structures narrower than the ball are gone."""
    return dilate(erode(array, radii), radii)


def background(array: Array, radii: Sequence[float]) -> Array:
    """The opening by a ball, on a coarser grid where the ball is large; never above the array.

    Parameters
    ----------
    array
        Numbers (*grid).
    radii
        Pixels per axis.

    Returns
    -------
    float32 (*grid).
    """
    array = np.asarray(array, np.float32)
    factors = [max(1, int(r // COARSE)) for r in radii]
    if max(factors) == 1:
        return opened(array, radii)
    small = opened(_shrunk(array, factors), [r / f for r, f in zip(radii, factors, strict=True)])
    return np.asarray(np.minimum(_grown(small, factors, array.shape), array))


def _shrunk(array: Array, factors: Sequence[int]) -> Array:
    padded = np.pad(array, [(0, -s % f) for s, f in zip(array.shape, factors, strict=True)], mode="edge")
    blocks = [n for s, f in zip(padded.shape, factors, strict=True) for n in (s // f, f)]
    return np.asarray(padded.reshape(blocks).mean(axis=tuple(range(1, 2 * array.ndim, 2))))


def _grown(small: Array, factors: Sequence[int], shape: Sequence[int]) -> Array:
    from isocenter.ops.resample import resize

    full = resize(small[None], [s * f for s, f in zip(small.shape, factors, strict=True)])[0]
    return np.asarray(full[tuple(slice(0, s) for s in shape)])


def hat(array: Array, radii: Sequence[float], *, bright: bool = True) -> Array:
    """What stands out from its surroundings: top-hat of bright, black-hat of dark structures narrower than the ball.

    Returns
    -------
    float32 (*grid), at least 0: height above (depth below) the background.

    >>> hat(np.array([[1.0, 1.0, 4.0, 1.0, 1.0]]), (0, 1)).tolist()
    [[0.0, 0.0, 3.0, 0.0, 0.0]]
    """
    array = np.asarray(array, np.float32)
    array = array if bright else -array
    return array - background(array, radii)


def reconstruct(marker: Array, mask: Array) -> Array:
    """Grey reconstruction: the marker spreads as far and as high as the mask lets it (marker <= mask everywhere).

    Source: Vincent 1993.
    """
    from skimage.morphology import reconstruction

    return np.asarray(reconstruction(marker, mask, "dilation", footprint=np.ones((3,) * mask.ndim)))


def enclosed(array: Array, *, bright: bool = True) -> Array:
    """Height of peaks (depth of hollows) that the edge of the image does not reach without climbing down (up).

    The image less its reconstruction from its own edge: what touches the edge at its level is gone, whatever its size.

    Returns
    -------
    float32 (*grid), at least 0.

    >>> enclosed(np.array([[9, 0, 0, 0], [9, 0, 5, 0], [9, 0, 0, 0]])).tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    array = np.asarray(array, np.float32)
    array = array if bright else -array
    marker = np.where(edge(array.shape), array, array.min(initial=0.0))
    return np.asarray(array - reconstruct(marker, array), np.float32)


def edge(shape: Sequence[int]) -> Array:
    """Boolean (*shape): the outermost pixels of a grid (axes of one pixel do not count)."""
    inner = np.zeros(tuple(shape), bool)
    inner[tuple(slice(1, -1) if s > 1 else slice(None) for s in shape)] = True
    return ~inner


def erode_mask(mask: Array, radius: float, spacing: Sequence[float]) -> Array:
    """The pixels of a mask that lie farther than `radius` from every pixel outside it.

    Parameters
    ----------
    mask
        Boolean (*grid).
    radius
        In the unit of `spacing`.
    spacing
        Per axis.
    """
    from scipy import ndimage

    if mask.all() or radius <= 0:
        return mask.copy()
    return np.asarray(ndimage.distance_transform_edt(mask, sampling=spacing) > radius)


def dilate_mask(mask: Array, radius: float, spacing: Sequence[float]) -> Array:
    """The pixels within `radius` of a mask; as `erode_mask`."""
    return ~erode_mask(~mask, radius, spacing)


def open_mask(mask: Array, radius: float, spacing: Sequence[float]) -> Array:
    """Erosion, then dilation: parts and spurs narrower than the ball are gone."""
    return dilate_mask(erode_mask(mask, radius, spacing), radius, spacing)


def close_mask(mask: Array, radius: float, spacing: Sequence[float]) -> Array:
    """Dilation, then erosion: gaps narrower than the ball are bridged."""
    return erode_mask(dilate_mask(mask, radius, spacing), radius, spacing)


def reconstruct_mask(marker: Array, mask: Array) -> Array:
    """The connected parts of `mask` (faces, edges and corners) that hold a pixel of `marker`."""
    from isocenter.ops.components import parts

    numbered, sizes = parts(mask)
    keep = np.zeros(len(sizes), bool)
    keep[np.unique(numbered[marker])] = True
    keep[0] = False
    return np.asarray(keep[numbered])


def fill_small(mask: Array, largest: float) -> Array:
    """The mask with those holes filled that have at most `largest` pixels."""
    from scipy import ndimage

    from isocenter.ops.components import filled

    holes = filled(mask) & ~mask
    numbered, count = ndimage.label(holes)
    small = np.bincount(numbered.ravel(), minlength=count + 1) <= largest
    small[0] = False
    return np.asarray(mask | small[numbered])


def inner_radius(mask: Array, spacing: Sequence[float]) -> float:
    """Radius of the largest ball inside a mask, in the unit of `spacing`; 0 where it is empty.

    >>> inner_radius(np.ones((3, 3), bool), (1.0, 1.0))
    2.0
    """
    from scipy import ndimage

    framed = np.pad(mask, 1)
    return float(ndimage.distance_transform_edt(framed, sampling=spacing).max())
