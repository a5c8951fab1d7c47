"""What a lesion takes up: the peak in a sphere of one millilitre, metabolic volume and total lesion glycolysis.

Sources: Wahl et al., From RECIST to PERCIST, J. Nucl. Med. 50 (2009) 122S (SUVpeak, SULpeak); Boellaard et al., EANM
procedure guidelines version 2.0, Eur. J. Nucl. Med. Mol. Imaging 42 (2015) 328 (41 % of the maximum); Larson et al.,
Clin. Positron Imaging 2 (1999) 159 (TLG); IBSI reference manual, section 3.2 (intensity peak: which voxels count).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

# Of one millilitre, in mm.
RADIUS = float(np.cbrt(3000 / (4 * np.pi)))
# EANM's share of the maximum.
SHARE = 0.41


def peaks(values: Array, mask: Array, spacing: Sequence[float]) -> tuple[float, float]:
    """Means in a sphere of 1 ml: the greatest round a voxel of the region, and that round its voxel of the maximum.

    Voxels whose centre is within 6.2 mm of the sphere's own count whole, those outside of the region too; beyond the
    image nothing counts.

    Parameters
    ----------
    values
        Numbers (z, y, x) of the whole image.
    mask
        bool (z, y, x), at least one voxel.
    spacing
        mm per axis.

    Returns
    -------
    greatest, at_maximum
        Of several maxima the one with the greater mean.
    """
    steps = np.asarray(spacing, np.float64)
    reach = np.floor(RADIUS / steps).astype(int)
    box = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    ball = box[((box * steps) ** 2).sum(axis=1) <= RADIUS**2]
    centres = np.argwhere(mask)
    means = _means(np.ascontiguousarray(values, np.float64), centres, ball)
    own = values[mask]
    return float(means.max()), float(means[own == own.max()].max())


@kernel
def _means(values: Array, centres: Array, ball: Array) -> Array:
    """Mean of the values round each centre, of those that lie in the image."""
    depth, height, width = values.shape
    out = np.empty(len(centres), np.float64)
    for i in range(len(centres)):
        total, count = 0.0, 0
        for k in range(len(ball)):
            z, y, x = centres[i, 0] + ball[k, 0], centres[i, 1] + ball[k, 1], centres[i, 2] + ball[k, 2]
            if 0 <= z < depth and 0 <= y < height and 0 <= x < width:
                total += values[z, y, x]
                count += 1
        out[i] = total / count
    return out


def metabolic(values: Array, voxel_ml: float, *, limit: float) -> tuple[float, float]:
    """Volume in ml of the voxels that reach a limit, and their mean times that volume (total lesion glycolysis).

    Parameters
    ----------
    values
        SUV of the region (n,).
    voxel_ml
        Volume of a voxel.
    limit
        Least SUV that counts.

    >>> metabolic(np.array([1.0, 4.0, 6.0]), 0.5, limit=4.0)
    (1.0, 5.0)
    """
    hot = np.asarray(values, np.float64)
    hot = hot[hot >= limit]
    volume = len(hot) * voxel_ml
    return volume, float(hot.mean()) * volume if len(hot) else 0.0
