"""What surrounds each point, whatever the kind of image: modality independent neighbourhood descriptors."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

# Neighbours on either side along each axis.
SIDES = (1.0, -1.0)
# Differences that are smaller than this share of the mean one count as noise.
FLOOR = 0.1


def described(volume: Array, matrix: Array, axes: Array, flat: bool) -> Array:
    """How alike the neighbours of each pixel are to it: exp(-D / V), 1 the most alike.

    D is the squared difference between the patch around the pixel and the one around the neighbour; V is its mean over
    the neighbours. Heinrich et al., Med. Image Anal. 16 (2012) 1423.

    Parameters
    ----------
    volume
        float32 (z, y, x); NaN where nothing is known.
    matrix
        float64 (4, 4): index (x, y, z, 1) to world.
    axes
        float64 (3, 3): in columns the ways to the neighbours along x, y, z; patches are half as wide.
    flat
        Whether there are neighbours along x and y alone.

    Returns
    -------
    float32 (z, y, x, 4 or 6), C-contiguous; NaN where the volume is.
    """
    from scipy import ndimage

    known = np.isfinite(volume)
    filled = volume if known.all() else np.where(known, volume, np.nanmin(volume)).astype(np.float32)
    ways = np.concatenate([side * axes.T[: 2 if flat else 3] for side in SIDES])
    steps = ways @ np.linalg.inv(matrix[:3, :3]).T
    apart = np.empty((*volume.shape, len(steps)), np.float32)
    differences(filled, steps, apart)
    width = 0.5 * np.linalg.norm(axes[:, :2], axis=0).mean() / np.linalg.norm(matrix[:3, :3], axis=0)[::-1]
    width = np.where(np.array(volume.shape) > 1, width, 0.0)
    ndimage.gaussian_filter(apart, (*width, 0.0), output=apart, mode="nearest", truncate=3.0)
    mean = apart.mean(axis=-1, keepdims=True)
    apart /= np.maximum(mean, max(FLOOR * float(mean[known].mean()), 1e-12))
    np.exp(-apart, out=apart)
    apart[~known] = np.nan
    return apart


@kernel
def differences(volume: Array, steps: Array, out: Array) -> None:
    """Squared differences, float32 (z, y, x, k), between each pixel of a float32 volume (z, y, x) and the linear value
    `steps` (k, 3) further, by index (x, y, z); beyond the edge the last pixel is repeated."""
    nz, ny, nx = volume.shape
    for k in range(len(steps)):
        for z in range(nz):
            w = min(max(z + steps[k, 2], 0.0), nz - 1.0)
            iz = min(int(w), max(nz - 2, 0))
            jz = min(iz + 1, nz - 1)
            w -= iz
            for y in range(ny):
                v = min(max(y + steps[k, 1], 0.0), ny - 1.0)
                iy = min(int(v), max(ny - 2, 0))
                jy = min(iy + 1, ny - 1)
                v -= iy
                for x in range(nx):
                    u = min(max(x + steps[k, 0], 0.0), nx - 1.0)
                    ix = min(int(u), max(nx - 2, 0))
                    jx = min(ix + 1, nx - 1)
                    u -= ix
                    q00 = volume[iz, iy, ix] * (1 - u) + volume[iz, iy, jx] * u
                    q01 = volume[iz, jy, ix] * (1 - u) + volume[iz, jy, jx] * u
                    q10 = volume[jz, iy, ix] * (1 - u) + volume[jz, iy, jx] * u
                    q11 = volume[jz, jy, ix] * (1 - u) + volume[jz, jy, jx] * u
                    other = (q00 * (1 - v) + q01 * v) * (1 - w) + (q10 * (1 - v) + q11 * v) * w
                    out[z, y, x, k] = (volume[z, y, x] - other) ** 2
