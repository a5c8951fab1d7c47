"""All features of one region: intensity, histogram, texture, shape, in the names of the IBSI.

Source: Zwanenburg et al., The Image Biomarker Standardization Initiative, Radiology 295 (2020) 328.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array
from isocenter.ops.grey_levels import fixed_bin_number, fixed_bin_width
from isocenter.ops.intensity_features import histogram_features, intensity_features
from isocenter.ops.shape_features import shape_features
from isocenter.ops.texture_features import texture_features

BINS = 32


def radiomics(
    values: Array,
    mask: Array,
    *,
    spacing: Sequence[float] | None = None,
    bins: int = BINS,
    width: float | None = None,
    origin: float | None = None,
    shape: bool = True,
) -> dict[str, float]:
    """Features of one region.

    Parameters
    ----------
    values
        Numbers (*grid), 2D or 3D.
    mask
        bool (*grid): the region.
    spacing
        mm per axis, for the shape; None: the shape is in pixels.
    bins
        Grey levels between the least and the greatest value, for histogram and texture.
    width
        Width of a grey level in the unit of the values; wins over `bins`. `origin`: lower edge of the first.
    shape
        Whether shape features stand among them: of a whole image they say nothing.

    Returns
    -------
    ``"intensity_*"`` (18), ``"histogram_*"`` (23), ``"glcm_*"`` (25), ``"glrlm_*"`` (16), ``"glszm_*"`` (16),
    ``"ngtdm_*"`` (5), ``"ngldm_*"`` (17), ``"shape_*"`` (21 in 3D, 11 in 2D), in this order. What is undefined is NaN.

    Raises
    ------
    InputError
        The region is empty, on another grid, or holds values that are not finite; too many grey levels.
    """
    if values.shape != mask.shape or values.ndim not in (2, 3):
        raise InputError("region and image lie on different grids", got=str(mask.shape), wanted=str(values.shape))
    inside = np.asarray(mask, bool)
    own = np.asarray(values[inside], np.float64)
    if not len(own) or not np.isfinite(own).all():
        raise InputError("a region needs pixels with finite values", got="none" if not len(own) else "NaN or infinity")
    found = fixed_bin_number(own, bins) if width is None else fixed_bin_width(own, width, origin=origin)
    levels = np.zeros(values.shape, np.int32)
    levels[inside] = found
    made = {f"intensity_{k}": v for k, v in intensity_features(own).items()}
    made |= {f"histogram_{k}": v for k, v in histogram_features(found).items()}
    made |= texture_features(levels)
    if shape:
        steps = spacing if spacing is not None else (1.0,) * values.ndim
        made |= {f"shape_{k}": v for k, v in shape_features(inside, steps).items()}
    return made
