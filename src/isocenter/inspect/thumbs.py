"""Small pictures of images, all of one size, in which copies can be found."""

from __future__ import annotations

import numpy as np

from isocenter.data import Image
from isocenter.ops.array import Array
from isocenter.ops.resample import resize

# Pixels per axis; a volume gets about as many numbers as a picture.
SIDE = {2: 128, 3: 25}
# An axis is thinned before it is resampled properly where it is this many times longer than the thumbnail's.
THIN = 4


def thumbnail(image: Image, array: Array) -> Array | None:
    """Grey values on a small grid with mean 0 and SD 1, as float16 (128 * 128,) or for volumes (25 * 25 * 25,).

    Parameters
    ----------
    image
        Names the axes.
    array
        Its pixels.

    Returns
    -------
    thumbnail
        None where the image is constant or holds no finite number.
    """
    grey = flat(array, image.axes)
    side = SIDE[grey.ndim]
    steps = tuple(slice(None, None, max(1, n // (THIN * side))) for n in grey.shape)
    small = resize(np.asarray(grey[steps], np.float32)[None], (side,) * grey.ndim)[0].ravel()
    finite = np.isfinite(small)
    if not finite.any():
        return None
    small = np.where(finite, small, small[finite].mean())
    sd = float(small.std())
    if not sd > 1e-6 * max(1.0, float(np.abs(small).max())):
        return None
    out: Array = ((small - small.mean()) / sd).astype(np.float16)
    return out


def flat(array: Array, axes: str) -> Array:
    """The mean over frames and channels, as (y, x) or (z, y, x)."""
    over = tuple(i for i, a in enumerate(axes) if a in "tc")
    return array.mean(axis=over, dtype=np.float32) if over else array


def low_band(thumbs: Array) -> Array:
    """The perceptual hash: the lowest frequencies of each thumbnail, unit length; (n, 256) or (n, 216).

    A discrete cosine transform keeps lengths, so where two thumbnails of unit length correlate by r, these parts
    differ by at most ``2 (1 - r)``, squared (after Zauner, Implementation and benchmarking of perceptual image hash
    functions, 2010, who keeps the signs alone).
    """
    from scipy.fft import dctn

    n, size = thumbs.shape
    rank = 2 if size == SIDE[2] ** 2 else 3
    keep = 16 if rank == 2 else 6
    grid = thumbs.reshape(n, *(SIDE[rank],) * rank).astype(np.float32)
    part = dctn(grid, axes=range(1, rank + 1), norm="ortho")[(slice(None), *(slice(keep),) * rank)]
    return np.ascontiguousarray(part.reshape(n, -1), np.float32)
