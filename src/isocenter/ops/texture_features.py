"""Numbers that texture matrices are summed up by, in the names and definitions of the IBSI.

Source: Zwanenburg et al., The Image Biomarker Standardization Initiative, Radiology 295 (2020) 328; reference manual,
sections 3.6 (GLCM), 3.7 (GLRLM), 3.8 (GLSZM), 3.10 (NGTDM), 3.11 (NGLDM).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.texture import directions
from isocenter.ops.texture_matrices import Counts, added, glcm, glrlm, glszm, ngldm, ngtdm

GLCM = (
    "joint_maximum", "joint_average", "joint_variance", "joint_entropy", "difference_average", "difference_variance",
    "difference_entropy", "sum_average", "sum_variance", "sum_entropy", "angular_second_moment", "contrast",
    "dissimilarity", "inverse_difference", "normalised_inverse_difference", "inverse_difference_moment",
    "normalised_inverse_difference_moment", "inverse_variance", "correlation", "autocorrelation", "cluster_tendency",
    "cluster_shade", "cluster_prominence", "information_correlation_1", "information_correlation_2",
)  # fmt: skip
# Of a matrix of levels against sizes; {small}, {large} and {size} take the matrix's own words.
SIZED = (
    "{small}_emphasis", "{large}_emphasis", "low_grey_level_{one}_emphasis", "high_grey_level_{one}_emphasis",
    "{small}_low_grey_level_emphasis", "{small}_high_grey_level_emphasis", "{large}_low_grey_level_emphasis",
    "{large}_high_grey_level_emphasis", "grey_level_non_uniformity", "normalised_grey_level_non_uniformity",
    "{size}_non_uniformity", "normalised_{size}_non_uniformity", "{one}_percentage", "grey_level_variance",
    "{size}_variance", "{size}_entropy", "{size}_energy",
)  # fmt: skip
WORDS = {
    "glrlm": {"small": "short_run", "large": "long_run", "one": "run", "size": "run_length"},
    "glszm": {"small": "small_zone", "large": "large_zone", "one": "zone", "size": "zone_size"},
    "ngldm": {"small": "low_dependence", "large": "high_dependence", "one": "count", "size": "dependence_count"},
}
NGTDM = ("coarseness", "contrast", "busyness", "complexity", "strength")
# Coarseness of a region without differences, as the manual sets it.
COARSEST = 1e6


def texture_features(
    levels: Array, *, steps: Sequence[tuple[int, ...]] | None = None, merged: bool = False
) -> dict[str, float]:
    """All texture features of a region, as ``"glcm_contrast"`` and so on.

    Parameters
    ----------
    levels
        Whole numbers (*grid) from 1 on, 2D or 3D; 0 is outside of the region.
    steps
        Directions of pairs and runs; default one of each opposite pair of neighbours: 4 in 2D, 13 in 3D.
    merged
        Features of the matrices of all directions added up, instead of the mean of each direction's features.

    Returns
    -------
    Name to number: 25 of the GLCM, 16 of the GLRLM, 16 of the GLSZM, 5 of the NGTDM, 17 of the NGLDM. Entropies are in
    bits. A region without any pair of neighbours has a GLCM of nothing: its features are NaN.
    """
    levels = cropped(levels)
    n = int((levels > 0).sum())
    steps = directions(levels.ndim) if steps is None else steps
    top = int(levels.max(initial=0))
    pairs = [m for m in (glcm(levels, step) for step in steps) if m.any()]
    runs = [glrlm(levels, step) for step in steps]
    if merged:
        pairs, runs = [np.sum(pairs, axis=0)] if pairs else [], [added(runs)]
    weight = n * len(steps) if merged else n
    made = {f"glcm_{k}": v for k, v in _mean([glcm_features(m, top) for m in pairs], GLCM).items()}
    made |= _named("glrlm", _mean([sized_features(r, weight) for r in runs], SIZED), SIZED[:-1])
    made |= _named("glszm", sized_features(glszm(levels), n), SIZED[:-1])
    made |= {f"ngtdm_{k}": v for k, v in ngtdm_features(*ngtdm(levels)).items()}
    return made | _named("ngldm", sized_features(ngldm(levels), n), SIZED)


def cropped(levels: Array) -> Array:
    """The smallest box that holds the region."""
    box = [np.flatnonzero((levels > 0).any(axis=tuple(a for a in range(levels.ndim) if a != k)))
           for k in range(levels.ndim)]
    return levels[tuple(slice(int(b[0]), int(b[-1]) + 1) if len(b) else slice(0, 0) for b in box)]


def glcm_features(matrix: Array, levels: int) -> dict[str, float]:
    """The 25 features of `GLCM`.

    Parameters
    ----------
    matrix
        float (g, g), symmetric, of levels 1 to g; its sum is above 0.
    levels
        Number of grey levels, for the normalised inverse differences.
    """
    p = matrix / matrix.sum()
    i = np.arange(1.0, len(p) + 1)
    own = p.sum(axis=1)
    mean = float(i @ own)
    variance = float((i - mean) ** 2 @ own)
    apart = np.abs(i[:, None] - i[None]).astype(np.int64)
    below = np.bincount(apart.ravel(), p.ravel(), len(p))
    above = np.bincount((i[:, None] + i[None]).astype(np.int64).ravel(), p.ravel())
    k, s = np.arange(float(len(below))), np.arange(float(len(above)))
    difference, whole = float(k @ below), float(s @ above)
    shifted = s - 2 * mean
    return {
        "joint_maximum": float(p.max()), "joint_average": mean, "joint_variance": variance, "joint_entropy": entropy(p),
        "difference_average": difference, "difference_variance": float((k - difference) ** 2 @ below),
        "difference_entropy": entropy(below), "sum_average": whole, "sum_variance": float((s - whole) ** 2 @ above),
        "sum_entropy": entropy(above), "angular_second_moment": float((p**2).sum()), "contrast": float(k**2 @ below),
        "dissimilarity": difference, "inverse_difference": float((below / (1 + k)).sum()),
        "normalised_inverse_difference": float((below / (1 + k / levels)).sum()),
        "inverse_difference_moment": float((below / (1 + k**2)).sum()),
        "normalised_inverse_difference_moment": float((below / (1 + (k / levels) ** 2)).sum()),
        "inverse_variance": float((below[1:] / k[1:] ** 2).sum()),
        # A region of one level is perfectly correlated.
        "correlation": (float(i @ p @ i) - mean**2) / variance if variance > 1e-12 else 1.0,
        "autocorrelation": float(i @ p @ i), "cluster_tendency": float(shifted**2 @ above),
        "cluster_shade": float(shifted**3 @ above), "cluster_prominence": float(shifted**4 @ above),
        **_information(p, own),
    }  # fmt: skip


def _information(p: Array, own: Array) -> dict[str, float]:
    """How much one level says about its neighbour's: both measures are 0 where there is one level only."""
    joint, single = entropy(p), entropy(own)
    product = np.outer(own, own)
    there = product > 0
    logs = np.log2(product[there])
    first, second = -float((p[there] * logs).sum()), -float((product[there] * logs).sum())
    return {
        "information_correlation_1": (joint - first) / single if single > 1e-12 else 0.0,
        "information_correlation_2": float(np.sqrt(max(0.0, 1 - np.exp(-2 * (second - joint))))),
    }


def sized_features(found: Counts, pixels: int) -> dict[str, float]:
    """The 17 features of `SIZED` of a matrix of levels against sizes.

    Parameters
    ----------
    found
        Its entries.
    pixels
        Of the region; of a matrix of several directions, times their number.
    """
    g, s, c = (a.astype(np.float64) for a in found)
    total = float(c.sum())
    p = c / total
    by_level, by_size = np.bincount(found.levels, c), np.bincount(found.sizes, c)
    values = (
        (p / s**2).sum(), (p * s**2).sum(), (p / g**2).sum(), (p * g**2).sum(), (p / (s * g) ** 2).sum(),
        (p * (g / s) ** 2).sum(), (p * (s / g) ** 2).sum(), (p * (s * g) ** 2).sum(),
        (by_level**2).sum() / total, (by_level**2).sum() / total**2,
        (by_size**2).sum() / total, (by_size**2).sum() / total**2, total / pixels,
        p @ (g - p @ g) ** 2, p @ (s - p @ s) ** 2, entropy(p), (p**2).sum(),
    )  # fmt: skip
    return {name: float(v) for name, v in zip(SIZED, values, strict=True)}


def ngtdm_features(pixels: Array, differences: Array) -> dict[str, float]:
    """The 5 features of `NGTDM`; those of a region without differences: coarseness 10^6, the others 0.

    Parameters
    ----------
    pixels, differences
        As `ops.texture_matrices.ngtdm` gives them.
    """
    there = pixels > 0
    if not there.any():
        return dict(zip(NGTDM, (COARSEST, 0.0, 0.0, 0.0, 0.0), strict=True))
    total = float(pixels.sum())
    i, p, s = np.flatnonzero(there) + 1.0, pixels[there] / total, differences[there]
    n = len(i)
    ps, square = p * s, (i[:, None] - i[None]) ** 2
    coarse, summed = float(ps.sum()), float(s.sum())
    spread = float(np.abs((i * p)[:, None] - (i * p)[None]).sum())
    both = p[:, None] + p[None]
    contrast = float(p @ square @ p) / (n * (n - 1)) * summed / total if n > 1 else 0.0
    complexity = float((np.sqrt(square) * (ps[:, None] + ps[None]) / both).sum()) / total
    values = (
        1 / coarse if coarse > 0 else COARSEST, contrast, coarse / spread if n > 1 and spread > 0 else 0.0, complexity,
        float((both * square).sum()) / summed if summed > 0 else 0.0,
    )  # fmt: skip
    return dict(zip(NGTDM, values, strict=True))


def entropy(share: Array) -> float:
    """Of shares that sum to 1, in bits."""
    p = share[share > 0]
    return float(-(p * np.log2(p)).sum()) + 0.0


def _mean(each: list[dict[str, float]], names: Sequence[str]) -> dict[str, float]:
    return {name: float(np.mean([e[name] for e in each])) if each else float("nan") for name in names}


def _named(kind: str, values: dict[str, float], names: Sequence[str]) -> dict[str, float]:
    return {f"{kind}_{name.format(**WORDS[kind])}": values[name] for name in names}
