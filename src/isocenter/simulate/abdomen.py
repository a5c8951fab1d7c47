"""A contrast-enhanced abdominal CT that never was: liver-like organ, lesions, neighbours of nearly the same density."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.simulate.noise import gaussian, smooth
from isocenter.simulate.shapes import coordinates, ellipsoid

# Mean HU and SD between subjects; centres and radii as (z, y, x) in halves of the field of view, drawn in order.
# Rounded figures for a portal-venous phase; a phantom needs contrast, not truth.
TISSUES: dict[str, tuple[float, float]] = {
    "air": (-1000, 0), "fat": (-100, 8), "muscle": (58, 6), "mesentery": (-85, 8), "bowel": (35, 8),
    "stomach": (30, 10), "gas": (-850, 30), "spleen": (118, 9), "kidney": (165, 12), "bone": (300, 40),
    "aorta": (155, 12), "liver": (106, 9), "lesion": (58, 8),
}  # fmt: skip
PLACES: tuple[tuple[str, tuple[float, float, float], tuple[float, float, float]], ...] = (
    ("fat", (0, 0, 0), (9, 0.72, 0.92)),
    ("muscle", (0, 0, 0), (9, 0.63, 0.83)),
    ("mesentery", (0, -0.03, 0), (9, 0.52, 0.73)),
    ("bowel", (0.3, 0.05, 0.1), (0.5, 0.15, 0.2)),
    ("bowel", (0.4, -0.2, 0.2), (0.4, 0.13, 0.17)),
    ("stomach", (-0.2, -0.18, 0.38), (0.6, 0.22, 0.22)),
    ("gas", (-0.2, -0.30, 0.38), (0.4, 0.07, 0.12)),
    ("spleen", (-0.1, 0.12, 0.54), (0.6, 0.24, 0.13)),
    ("kidney", (0.2, 0.28, 0.33), (0.6, 0.14, 0.10)),
    ("kidney", (0.2, 0.28, -0.33), (0.6, 0.14, 0.10)),
    ("bone", (0, 0.44, 0), (9, 0.14, 0.13)),
    ("aorta", (0, 0.22, 0.06), (9, 0.05, 0.05)),
)
LIVER = (((0.0, -0.08, -0.42), (0.8, 0.40, 0.30)), ((-0.2, -0.26, -0.08), (0.6, 0.18, 0.34)))
NAMES = list(TISSUES)


def abdomen(shape: Sequence[int], rng: np.random.Generator, *, lesions: int = 1) -> tuple[Array, Array]:
    """One subject.

    Parameters
    ----------
    shape
        (y, x) for a slice or (z, y, x) for a volume.
    rng
        Generator; all variation between subjects comes from it.
    lesions
        Number of lesions in the organ.

    Returns
    -------
    pixels
        int16 (*shape) in HU, with correlated noise and cupping.
    labels
        uint8 (*shape): 0 background, 1 organ, 2 lesion.
    """
    tissue = _anatomy(shape, rng)
    for _ in range(lesions):
        _add_lesion(tissue, rng)
    density = np.asarray([rng.normal(mean, sd) for mean, sd in TISSUES.values()])
    labels = np.zeros(tuple(shape), np.uint8)
    labels[tissue == NAMES.index("liver")] = 1
    labels[tissue == NAMES.index("lesion")] = 2
    return _scanned(density[tissue], tissue > 0, rng), labels


def _anatomy(shape: Sequence[int], rng: np.random.Generator) -> Array:
    n = len(shape)
    points = coordinates(shape, rng, bend=0.02)
    scale = 1 + 0.05 * rng.standard_normal(n)
    tissue = np.zeros(tuple(shape), np.intp)
    for name, centre, radii in PLACES:
        tissue[_varied(points, centre, radii, scale, rng)] = NAMES.index(name)
    room = (tissue != 0) & ~np.isin(tissue, [NAMES.index(t) for t in ("fat", "muscle", "kidney", "bone", "aorta")])
    liver = np.zeros(tuple(shape), bool)
    size = scale * (1 + 0.12 * rng.standard_normal(n))
    for centre, radii in LIVER:
        liver |= _varied(points, centre, radii, size, rng)
    tissue[liver & room] = NAMES.index("liver")
    return tissue


def _varied(
    points: Array, centre: Sequence[float], radii: Sequence[float], scale: Array, rng: np.random.Generator
) -> Array:
    n = len(points)
    # The walls of the body vary together, so that none swallows the next; organs vary by themselves.
    free = 0.15 if radii[-1] > 0.7 else 1.0
    c = np.asarray(centre[-n:]) + 0.03 * free * rng.standard_normal(n)
    r = np.asarray(radii[-n:]) * scale * (1 + 0.08 * free * rng.standard_normal(n))
    return ellipsoid(points, c, np.maximum(r, 0.02), turn=0.1 * rng.standard_normal())


def _add_lesion(tissue: Array, rng: np.random.Generator) -> None:
    """Turns part of the liver into a lesion; its size is a share of the field of view, its place off the edge."""
    from scipy import ndimage

    liver = tissue == NAMES.index("liver")
    deep = ndimage.distance_transform_edt(liver)
    inside = np.argwhere(liver & (deep > 0.4 * deep.max()))
    size = rng.uniform(0.09, 0.17, tissue.ndim)
    if not len(inside):
        return
    centre = (inside[rng.integers(len(inside))] + 0.5) * 2.0 / np.asarray(tissue.shape) - 1.0
    if tissue.ndim == 3:
        size[0] *= 2
    points = coordinates(tissue.shape, rng, bend=0.01)
    tissue[liver & ellipsoid(points, centre, size, turn=rng.uniform(0, np.pi))] = NAMES.index("lesion")


def _scanned(density: Array, body: Array, rng: np.random.Generator) -> Array:
    from scipy import ndimage

    texture = 6.0 * smooth(density.shape, rng, grain=1.5)
    sharp = density + texture * body
    seen = ndimage.gaussian_filter(sharp, 0.6, mode="nearest")
    cupping = 8.0 * smooth(density.shape, rng, grain=max(density.shape) / 4) * body
    noisy = gaussian(seen + cupping, rng, sd=rng.uniform(14, 22), grain=0.7)
    return np.asarray(np.clip(np.round(noisy), -1024, 3071).astype(np.int16))
