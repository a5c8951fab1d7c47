"""Discretisation of intensities into grey levels, as the texture and histogram features of a region need it.

Source: Zwanenburg et al., The Image Biomarker Standardization Initiative, Radiology 295 (2020) 328; reference manual,
section 2.7.
"""

from __future__ import annotations

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array

# Finer than this no texture of an image is told from its noise, and a matrix of all pairs of levels grows too large.
MOST_LEVELS = 4096


def fixed_bin_number(values: Array, bins: int) -> Array:
    """Levels 1 to `bins`, equal steps between the least and the greatest value; all 1 where the values are equal.

    Parameters
    ----------
    values
        Finite numbers of the region, any shape.
    bins
        At least 1.

    Returns
    -------
    int32, of the shape of `values`.

    >>> fixed_bin_number(np.array([0.0, 4.9, 5.0, 10.0]), 2)
    array([1, 1, 2, 2], dtype=int32)
    """
    known = np.asarray(values, np.float64)
    low, high = float(known.min()), float(known.max())
    if not low < high:
        return np.ones(known.shape, np.int32)
    return (1 + np.minimum(np.floor(bins * ((known - low) / (high - low))), bins - 1)).astype(np.int32)


def fixed_bin_width(values: Array, width: float, *, origin: float | None = None) -> Array:
    """Levels from 1 on, each `width` wide.

    Parameters
    ----------
    values
        Finite numbers of the region, any shape.
    width
        In the unit of the values.
    origin
        Lower edge of level 1, such as -1000 HU; None: the multiple of the width at or below the least value, so that
        regions of one image share their edges.

    Returns
    -------
    int32, of the shape of `values`.

    Raises
    ------
    InputError
        A value below `origin`, or more than 4096 levels.

    >>> fixed_bin_width(np.array([26.0, 49.9, 50.0, 101.0]), 25.0)
    array([1, 1, 2, 4], dtype=int32)
    """
    known = np.asarray(values, np.float64)
    low = float(known.min())
    begin = np.floor(low / width) * width if origin is None else origin
    if low < begin:
        raise InputError("a value below the first grey level", got=f"{low:g}", wanted=f"at least {begin:g}",
                         remedy="Lower the origin, or leave it out")
    found = np.floor((known - begin) / width) + 1
    if found.max() > MOST_LEVELS:
        raise InputError("too many grey levels", got=f"{found.max():.0f}", wanted=f"at most {MOST_LEVELS}",
                         remedy="Choose wider bins, or a fixed number of them")
    return found.astype(np.int32)
