"""Regions that grow from seeds as long as they stay alike."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.morphology import reconstruct_mask

# SD of a region of one value, as a share of the image's own SD.
LEAST_SD = 0.05


def grown(values: Array, seeds: Array, *, tolerance: float, rounds: int, reach: Array | None = None) -> Array:
    """What hangs together with the seeds and is like them.

    A pixel is alike where its value is within `tolerance` SDs of the region's mean. Mean and SD are first those of the
    seeds, then those of what grew, until nothing changes; the SD never becomes smaller.

    Sources: Zucker, Region growing: childhood and adolescence, CGIP 5 (1976) 382; Adams, Bischof, Seeded region
    growing, IEEE Trans. PAMI 16 (1994) 641 (which it follows in growing from given seeds by the region's mean).

    Parameters
    ----------
    values
        Finite numbers (*grid).
    seeds
        Boolean (*grid); they belong to the region whatever their value.
    tolerance
        In SDs of the region.
    rounds
        How often mean and SD are taken at most; 1: those of the seeds alone.
    reach
        Boolean (*grid): where the region may lie; None: anywhere.

    Returns
    -------
    Boolean (*grid); empty where there are no seeds.
    """
    region = seeds.copy()
    if not seeds.any():
        return region
    least = LEAST_SD * float(values.std(dtype=np.float64))
    for _ in range(rounds):
        inside = values[region]
        mean, sd = float(inside.mean(dtype=np.float64)), max(float(inside.std(dtype=np.float64)), least)
        # What is cut at a few SDs has a smaller SD: without a floor the region would shrink round by round.
        least = max(least, sd)
        alike = np.abs(values - np.float32(mean)) <= np.float32(tolerance * sd)
        alike = seeds | (alike if reach is None else alike & reach)
        found = reconstruct_mask(seeds, alike)
        if np.array_equal(found, region):
            break
        region = found
    return region
