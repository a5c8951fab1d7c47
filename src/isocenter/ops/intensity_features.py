"""First-order features of a region: intensity statistics and the histogram of its grey levels, by IBSI's definitions.

Source: Zwanenburg et al., The Image Biomarker Standardization Initiative, Radiology 295 (2020) 328; reference manual,
sections 3.3 and 3.4.
"""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

INTENSITY = (
    "mean", "variance", "skewness", "excess_kurtosis", "median", "minimum", "10th_percentile", "90th_percentile",
    "maximum", "interquartile_range", "range", "mean_absolute_deviation", "robust_mean_absolute_deviation",
    "median_absolute_deviation", "coefficient_of_variation", "quartile_coefficient_of_dispersion", "energy",
    "root_mean_square",
)  # fmt: skip
HISTOGRAM = (
    "mean", "variance", "skewness", "excess_kurtosis", "median", "minimum", "10th_percentile", "90th_percentile",
    "maximum", "mode", "interquartile_range", "range", "mean_absolute_deviation", "robust_mean_absolute_deviation",
    "median_absolute_deviation", "coefficient_of_variation", "quartile_coefficient_of_dispersion", "entropy",
    "uniformity", "maximum_gradient", "maximum_gradient_level", "minimum_gradient", "minimum_gradient_level",
)  # fmt: skip


def intensity_features(values: Array) -> dict[str, float]:
    """The 18 statistics of `INTENSITY`, unit and square of the unit of the values.

    Parameters
    ----------
    values
        Finite numbers of the region (n,), at least one.

    Returns
    -------
    Name to number. Kurtosis is in excess of the normal distribution's. Skewness and kurtosis of equal values are 0;
    coefficients whose denominator is 0 are NaN.
    """
    x = np.asarray(values, np.float64).ravel()
    mean, variance = float(x.mean()), float(x.var())
    p10, p25, median, p75, p90 = (float(v) for v in np.percentile(x, (10, 25, 50, 75, 90)))
    centred = x - mean
    flat = variance <= (1e-12 * max(1.0, abs(mean))) ** 2
    robust = x[(x >= p10) & (x <= p90)]
    square = x @ x
    return {
        "mean": mean, "variance": variance,
        "skewness": 0.0 if flat else float((centred * centred * centred).mean()) / variance**1.5,
        "excess_kurtosis": 0.0 if flat else float((centred * centred) @ (centred * centred)) / len(x) / variance**2 - 3,
        "median": median, "minimum": float(x.min()), "10th_percentile": p10, "90th_percentile": p90,
        "maximum": float(x.max()), "interquartile_range": p75 - p25, "range": float(x.max() - x.min()),
        "mean_absolute_deviation": float(np.abs(centred).mean()),
        "robust_mean_absolute_deviation": float(np.abs(robust - robust.mean()).mean()),
        "median_absolute_deviation": float(np.abs(x - median).mean()),
        "coefficient_of_variation": _ratio(variance**0.5, mean),
        "quartile_coefficient_of_dispersion": _ratio(p75 - p25, p75 + p25),
        "energy": float(square), "root_mean_square": float(np.sqrt(square / len(x))),
    }  # fmt: skip


def histogram_features(levels: Array) -> dict[str, float]:
    """The 23 features of `HISTOGRAM`: statistics of the levels, entropy in bits, steepest rise and fall.

    Parameters
    ----------
    levels
        Whole numbers of the region (n,), from 1 on, as `ops.grey_levels` makes them.
    """
    x = np.asarray(levels).ravel()
    counts = np.bincount(x)[1:]
    share = counts[counts > 0] / len(x)
    same = intensity_features(x)
    # Of several fullest levels the one nearest to the mean, as the manual asks.
    fullest = np.flatnonzero(counts == counts.max()) + 1
    slopes = np.gradient(counts.astype(np.float64)) if len(counts) > 1 else np.zeros(1)
    own = {
        "mode": float(fullest[np.argmin(np.abs(fullest - same["mean"]))]),
        "entropy": float(-(share * np.log2(share)).sum()) + 0.0, "uniformity": float((share**2).sum()),
        "maximum_gradient": float(slopes.max()), "maximum_gradient_level": float(slopes.argmax() + 1),
        "minimum_gradient": float(slopes.min()), "minimum_gradient_level": float(slopes.argmin() + 1),
    }  # fmt: skip
    return {name: (own | same)[name] for name in HISTOGRAM}


def _ratio(above: float, below: float) -> float:
    return above / below if below else float("nan")
