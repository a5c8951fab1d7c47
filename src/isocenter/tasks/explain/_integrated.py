"""Integrated gradients: the gradient summed on the way from a baseline to the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from isocenter.ops.array import Array
from isocenter.tasks.explain._inside import Score, gradient

BASELINES = ("blur", "mean", "black")
# The blur's SD in pixels as a share of the longest axis: wide enough to leave no structure.
BLUR = 1 / 12
# Integrated gradients look at no more points than this; what is still missing then is reported, not hidden.
MOST_POINTS = 512
# Bytes of gradients that are kept; beyond that they are computed a second time.
KEPT = 1 << 28
# Differences of answers below this share of the answer have no meaningful completeness.
FLAT = 1e-6


def integrated(
    module: Any, x: Any, score: Score, *, start: Any, steps: int, tolerance: float
) -> tuple[Array, float | None]:
    """Integrated gradients (*grid) and the error of completeness, None where the answer does not change.

    The trapezoidal rule, where the interval that errs most is halved next: its true share is known, because the
    score at both of its ends is.

    Parameters
    ----------
    module, x, score
        The network, its input (1, c, *grid), and what is explained.
    start
        The baseline, as `x`.
    steps
        To begin with.
    tolerance
        Largest error of completeness.

    Source: Sundararajan et al., Axiomatic attribution for deep networks, ICML 2017.
    """
    along = _Way(module, score, start, x - start)
    points = [i / steps for i in range(steps + 1)]
    while True:
        values, slopes = (np.asarray([along.at(p)[i] for p in points]) for i in (0, 1))
        widths = np.diff(points)
        missing = widths * (slopes[:-1] + slopes[1:]) / 2 - np.diff(values)
        difference = abs(float(values[-1] - values[0]))
        flat = difference <= FLAT * max(1.0, float(np.abs(values).max()))
        error = abs(float(missing.sum())) / max(difference, FLAT)
        if flat or error <= tolerance or len(points) >= MOST_POINTS:
            break
        worst = int(np.argmax(np.abs(missing)))
        points.insert(worst + 1, (points[worst] + points[worst + 1]) / 2)
    weights = np.concatenate([widths, [0.0]]) / 2 + np.concatenate([[0.0], widths]) / 2
    return along.summed(points, weights), None if flat else error


class _Way:
    """The straight way from a baseline to an image, and what the network says on it."""

    def __init__(self, module: Any, score: Score, start: Any, way: Any) -> None:
        self._module, self._score, self._start, self._way = module, score, start, way
        self._along = way[0].double().numpy()
        self._seen: dict[float, tuple[float, float]] = {}
        self._kept: dict[float, Array] = {}

    def at(self, share: float) -> tuple[float, float]:
        """The score at a share of the way, and its slope along the way."""
        if share not in self._seen:
            value, slope = self._gradient(share)
            self._seen[share] = value, float((slope * self._along).sum())
            if (len(self._kept) + 1) * slope.nbytes <= KEPT:
                self._kept[share] = slope
        return self._seen[share]

    def summed(self, points: list[float], weights: Array) -> Array:
        """Sum over channels of way times weighted gradients, float64 (*grid)."""
        total = np.zeros_like(self._along)
        for share, weight in zip(points, weights, strict=True):
            total += weight * (self._kept[share] if share in self._kept else self._gradient(share)[1])
        return np.asarray((self._along * total).sum(axis=0))

    def _gradient(self, share: float) -> tuple[float, Array]:
        return gradient(self._module, self._start + share * self._way, self._score)


def begun(x: Any, baseline: str) -> Any:
    """The baseline of an input (1, c, *grid): its blur, 0 (its mean after normalisation), or its least value."""
    import torch

    if baseline == "blur":
        from scipy import ndimage

        sd = BLUR * max(x.shape[2:])
        blurred = [ndimage.gaussian_filter(channel, sd, mode="nearest") for channel in x[0].numpy()]
        return torch.from_numpy(np.stack(blurred))[None].to(x.dtype)
    return torch.zeros_like(x) if baseline == "mean" else torch.full_like(x, float(x.min()))
