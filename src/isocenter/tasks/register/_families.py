"""A map of a family from pairs of points: matrices, polynomial, thin-plate spline."""

from __future__ import annotations

import numpy as np

from isocenter.data.findings.transform import Linear, Part, Polynomial, Spline
from isocenter.errors import GeometryError
from isocenter.ops.array import Array
from isocenter.ops.consensus import simplest
from isocenter.ops.transforms import FAMILIES, fit_matrix, fit_polynomial, fit_spline

SMOOTH = ("polynomial", "thin_plate")
NAMES = (*FAMILIES, *SMOOTH)
DEGREE = 2


def fitted(family: str | None, source: Array, target: Array, *, smoothing: float = 0.0) -> tuple[str, Part]:
    """The family's name and the map, by least squares.

    Parameters
    ----------
    family
        One of `NAMES`; None: the simplest matrix that explains the pairs.
    source, target
        (n, w).
    smoothing
        Of the thin-plate spline, in units of the spread of the points to the power of its kernel.

    Raises
    ------
    GeometryError
        The pairs do not determine it.
    """
    if family is None:
        found = simplest(source, target)
        if found is None:
            raise _undetermined(len(source), "2 in the plane, 3 in space, not in one place")
        return found[0], Linear(found[1])
    if family in FAMILIES:
        matrix = fit_matrix(family, source, target)
        if not np.isfinite(matrix).all():
            least = FAMILIES[family][source.shape[1] - 2]
            raise _undetermined(len(source), f"at least {least} for {family}, not in one line or place")
        return family, Linear(matrix)
    centre, scale = source.mean(axis=0), float(np.sqrt(source.var(axis=0).sum())) or 1.0
    scaled = (source - centre) / scale
    if family == "polynomial":
        return family, Polynomial(fit_polynomial(scaled, target, DEGREE), DEGREE, centre, scale)
    return family, _spline(scaled, target, centre, scale, smoothing)


def _spline(scaled: Array, target: Array, centre: Array, scale: float, smoothing: float) -> Spline:
    """The spline of scaled points in the units of the points themselves."""
    weights = fit_spline(scaled, target, smoothing)
    k, w = scaled.shape
    # r^2 log r of r / s is (r^2 log r - r^2 log s) / s^2, and what r^2 adds is affine, because the weights are
    # orthogonal to all that is; in space the kernel is -r / s.
    points = scaled * scale + centre
    kernel = weights[:k] / (scale**2 if w == 2 else scale)
    linear = weights[k + 1 :] / scale
    constant = weights[k] - centre @ linear
    if w == 2:
        squares = (points**2).sum(axis=1)
        extra = -np.log(scale)
        # sum c |x - p|^2 = |x|^2 sum c - 2 x . sum c p + sum c |p|^2, of which the first two sums are 0.
        constant = constant + extra * (squares @ kernel)
    return Spline(points, np.concatenate([kernel, constant[None], linear]))


def _undetermined(n: int, wanted: str) -> GeometryError:
    return GeometryError("the landmarks do not determine the map", got=f"{n} landmarks", wanted=wanted)
