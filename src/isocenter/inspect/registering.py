"""What a registration did: how alike two images were before and after, what folds, and one plane of both to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.data import Image, NotEvaluated, Transform
from isocenter.metrics.register import inverse_record
from isocenter.ops.array import Array
from isocenter.ops.warping import grid_points, sampled

# Points an axis at which images are compared, by the number of their axes.
COMPARED = {2: 256, 3: 48}
# Pixels up to which every one is looked at for folds; of larger images so many an axis.
EVERY, LOOKED = 4_000_000, 129
# Bins of the joint histogram.
BINS = 32
# Points below which nothing is said about likeness.
FEWEST = 64


@dataclass(frozen=True, eq=False)
class Plane:
    """One plane of the fixed image, and what lies there of the moving one.

    Parameters
    ----------
    fixed, before, after
        (y, x) float32, or (y, x, 3) uint8 colours: the fixed image, and the moving one where it was and where it was
        brought to; `after` is None where there is no answer.
    seen_before, seen_after
        bool (y, x): where the moving image reaches.
    z
        Of a volume, the slice; None for a flat image.
    """

    fixed: Array
    before: Array
    after: Array | None
    seen_before: Array
    seen_after: Array
    z: int | None = None


def alike(first: Array, second: Array) -> tuple[float, float] | None:
    """Pearson's correlation and normalised mutual information of values in one order; None for too few of them.

    The latter is (H(A) + H(B)) / H(A, B) over 32 x 32 bins between the 0.5th and the 99.5th percentile: 1 for images
    that say nothing of each other, 2 where one follows from the other, whatever their contrast.

    Source: Studholme, Hill and Hawkes, Pattern Recognition 32 (1999) 71.

    >>> a = np.arange(100.0)
    >>> alike(a, 5 - 2 * a)
    (-1.0, 2.0)
    """
    both = np.isfinite(first) & np.isfinite(second)
    if int(both.sum()) < FEWEST:
        return None
    a, b = first[both].astype(np.float64), second[both].astype(np.float64)
    if a.std() < 1e-12 or b.std() < 1e-12:
        return None
    joint = np.histogram2d(_binned(a), _binned(b), bins=BINS, range=[[0, BINS], [0, BINS]])[0] / len(a)
    parts = [_entropy(p) for p in (joint.sum(0), joint.sum(1), joint.ravel())]
    return float(round(np.corrcoef(a, b)[0, 1], 12)), float((parts[0] + parts[1]) / max(parts[2], 1e-12))


def _binned(values: Array) -> Array:
    low, high = np.percentile(values, (0.5, 99.5))
    return np.asarray(np.clip((values - low) / max(high - low, 1e-12) * BINS, 0, BINS - 1e-9))


def _entropy(shares: Array) -> float:
    held = shares[shares > 0]
    return float(-(held * np.log(held)).sum())


def numbers(answer: Transform, fixed: Image, moving: Image) -> dict[str, float | None]:
    """What is to be said of a registration, in six digits and not below 1e-6; None where nothing can be said.

    Returns
    -------
    dict
        ``correlation before``, ``correlation after``, ``mutual information before``, ``mutual information after`` (as
        `alike`; before: the two worlds as they are), ``overlap %`` (of the fixed image that the moving one reaches),
        ``folding %`` and ``inverse consistency mm`` (or px), as the metrics of register have them.
    """
    own, theirs = _grey(fixed), _grey(moving)
    at = grid_points(fixed.geometry.shape, COMPARED[fixed.ndim]).reshape(-1, fixed.ndim)
    here = sampled(own, at)
    row: dict[str, float | None] = {}
    overlap = None
    for when, how in (("before", Transform.identity(answer.fixed, answer.moving)), ("after", answer)):
        there = sampled(theirs, how.indices(at), outside=np.nan)
        overlap = float(100 * np.isfinite(there).mean())
        found = alike(here, there)
        row[f"correlation {when}"], row[f"mutual information {when}"] = found or (None, None)
    size = int(np.prod(fixed.geometry.shape))
    folded = ~(answer.jacobian(None if size <= EVERY else LOOKED) > 0)
    row |= {"overlap %": overlap, "folding %": float(100 * folded.mean()),
            f"inverse consistency {answer.fixed.unit}": inverse_record(answer, answer)["values"]["all"]}
    return {k: None if v is None else float(f"{round(v, 6):.6g}") for k, v in row.items()}


def plane(answer: Transform | NotEvaluated, fixed: Image, moving: Image, *, z: int, side: int = 640) -> Plane:
    """One plane of both images, on the fixed image's grid, or a coarser one of at most `side` pixels an axis.

    Parameters
    ----------
    answer
        A map, or why there is none.
    fixed, moving
        Stills.
    z
        The slice of a volume; of no matter for a flat image.
    """
    shape = fixed.geometry.shape
    at = grid_points(shape[-2:], side)
    if fixed.ndim == 3:
        at = np.concatenate([np.full((*at.shape[:2], 1), float(z)), at], axis=2)
    flat, size = at.reshape(-1, fixed.ndim), at.shape[:2]

    def seen(how: Transform | None) -> tuple[Array, Array]:
        places = flat if how is None else how.indices(flat)
        image = fixed if how is None else moving
        found = sampled(_coloured(image), places, outside=np.nan).reshape(-1, *size)
        known = np.asarray(np.isfinite(found).all(axis=0))
        if len(found) == 1:
            return np.where(known, found[0], 0).astype(np.float32), known
        shown = np.round(np.where(known, found, 0)).astype(np.uint8)
        return np.ascontiguousarray(np.moveaxis(shown, 0, -1)), known

    before, seen_before = seen(Transform.identity(fixed.geometry, moving.geometry))
    after, seen_after = seen(answer) if isinstance(answer, Transform) else (None, np.zeros(size, bool))
    return Plane(seen(None)[0], before, after, seen_before, seen_after, z if fixed.ndim == 3 else None)


def _coloured(image: Image) -> Array:
    """(3, *grid) of a colour photograph, else (1, *grid): the mean of the channels."""
    array = image.channels_first()
    if len(array) >= 3 and array.dtype == np.uint8 and image.length("c") in (3, 4):
        return array[:3].astype(np.float32)
    return _grey(image)[None]


def _grey(image: Image) -> Array:
    array = image.channels_first()
    kept = [i for i, name in enumerate(image.channels or map(str, range(len(array)))) if name != "alpha"] or [0]
    return np.asarray(array[kept].mean(axis=0, dtype=np.float64), np.float32)
