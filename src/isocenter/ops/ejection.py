"""How much a cavity empties: the ejection fraction of areas or volumes over time.

Source: Schulz-Menger et al., Standardized image interpretation and post-processing in cardiovascular magnetic
resonance, J. Cardiovasc. Magn. Reson. 22 (2020) 19: end-diastole is the frame of the largest, end-systole that of the
smallest cavity, one pair of frames for all slices; the volume is the sum of the areas times the distance of slices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array


@dataclass(frozen=True)
class Ejection:
    """The largest and the smallest of sizes over time.

    Parameters
    ----------
    largest, smallest
        Positions of the frames.
    high, low
        Their sizes.
    """

    largest: int
    smallest: int
    high: float
    low: float

    @property
    def fraction(self) -> float:
        """What leaves, as a share of the largest: 0 to 1."""
        return (self.high - self.low) / self.high


def ejection(sizes: Array) -> Ejection | None:
    """The ejection of areas or volumes (frames,), of the first frames where sizes are equal.

    None with fewer than two frames, or where nothing is there in any.

    Raises
    ------
    InputError
        A size that is negative or not finite.

    >>> ejection(np.array([80.0, 120.0, 60.0])).fraction
    0.5
    """
    sizes = np.asarray(sizes, np.float64)
    if not np.isfinite(sizes).all() or (sizes < 0).any():
        raise InputError("not sizes over time", got=str(sizes[:8].tolist()), wanted="finite numbers, at least 0")
    if len(sizes) < 2 or sizes.max() == 0:
        return None
    high, low = int(sizes.argmax()), int(sizes.argmin())
    return Ejection(high, low, float(sizes[high]), float(sizes[low]))
