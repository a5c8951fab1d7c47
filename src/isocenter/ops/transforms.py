"""Coordinate maps between two worlds, as functions of arrays of points: least squares, evaluation, numerical inverse.

Points are (n, w) in (x, y[, z]); a matrix is homogeneous, (w + 1, w + 1), and acts on columns: x' = M (x, 1), divided
by the last component. All fits of matrices take batches, so that a robust search tries many samples in one call.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations_with_replacement

import numpy as np

from isocenter.errors import GeometryError
from isocenter.ops.array import Array

# Fewest pairs of points that determine a matrix, in the plane and in space.
FAMILIES = {"translation": (1, 1), "rigid": (2, 3), "similarity": (2, 3), "affine": (3, 4), "perspective": (4, 5)}
# Free numbers of each.
FREEDOM = {"translation": (2, 3), "rigid": (3, 6), "similarity": (4, 7), "affine": (6, 12), "perspective": (8, 15)}
# Points that a spline is evaluated at in one go: the kernel matrix stays in the cache.
BLOCK = 4096
# The floor of a spread, against division by 0.
TINY = 1e-12


def apply_matrix(matrix: Array, points: Array) -> Array:
    """Points (..., n, w) through a matrix (..., w + 1, w + 1); NaN where they go to infinity or behind the plane."""
    w = points.shape[-1]
    out = points @ np.swapaxes(matrix[..., :w, :w], -1, -2) + matrix[..., None, :w, w]
    bottom = matrix[..., w, :]
    if (bottom[..., :w] == 0).all() and (bottom[..., w] == 1).all():
        return np.asarray(out)
    scale = (points * bottom[..., None, :w]).sum(-1, keepdims=True) + bottom[..., None, w:]
    return np.asarray(np.divide(out, scale, out=np.full_like(out, np.nan), where=scale > TINY))


def fit_matrix(family: str, source: Array, target: Array, weights: Array | None = None) -> Array:
    """The matrix of a family that brings source points nearest to target points, by least squares.

    Translation, rigid and similarity in closed form (Umeyama, IEEE TPAMI 13 (1991) 376; no mirror images), affine by
    the normal equations, perspective by the normalised direct linear transform (Hartley, IEEE TPAMI 19 (1997) 580),
    reweighted so that it is the distance which is least, not the algebraic error.

    Parameters
    ----------
    family
        A key of `FAMILIES`.
    source, target
        (..., n, w) float, in one order.
    weights
        (..., n) >= 0; None: all alike.

    Returns
    -------
    float64 (..., w + 1, w + 1); NaN where the points do not determine it (too few, in one line or plane, or one point).
    """
    source, target = np.broadcast_arrays(np.asarray(source, float), np.asarray(target, float))
    w = np.ones(source.shape[:-1]) if weights is None else np.broadcast_to(weights, source.shape[:-1]).astype(float)
    if source.shape[-2] < FAMILIES[family][source.shape[-1] - 2]:
        return np.full((*source.shape[:-2], source.shape[-1] + 1, source.shape[-1] + 1), np.nan)
    first, second = _normaliser(source, w), _normaliser(target, w)
    a, b = apply_matrix(first, source), apply_matrix(second, target)
    with np.errstate(invalid="ignore", divide="ignore"):
        inner = _INNER[family](a, b, w, first, second)
        out = np.linalg.solve(second, inner @ first)
        return np.asarray(out / out[..., -1:, -1:])


def _normaliser(points: Array, weights: Array) -> Array:
    """Moves the weighted centre to 0 and the mean squared distance to 1 (..., w + 1, w + 1)."""
    total = np.maximum(weights.sum(-1), TINY)[..., None]
    centre = (weights[..., None] * points).sum(-2) / total
    spread = (weights[..., None] * (points - centre[..., None, :]) ** 2).sum((-1, -2)) / total[..., 0]
    scale = 1.0 / np.sqrt(np.where(spread > TINY, spread, 1.0))
    w = points.shape[-1]
    out = np.zeros((*points.shape[:-2], w + 1, w + 1))
    out[..., range(w), range(w)] = scale[..., None]
    out[..., :w, w] = -centre * scale[..., None]
    out[..., w, w] = 1.0
    return out


def _translation(a: Array, b: Array, w: Array, first: Array, second: Array) -> Array:
    # Both are centred; the scales of the two normalisers must cancel.
    ratio = second[..., 0, 0] / first[..., 0, 0]
    return _block(np.eye(a.shape[-1]) * ratio[..., None, None])


def _rotation(a: Array, b: Array, w: Array) -> tuple[Array, Array]:
    """The rotation (..., w, w) and the sum of the singular values that belong to it; NaN where it is not determined."""
    u, s, vt = np.linalg.svd(np.swapaxes(b * w[..., None], -1, -2) @ a)
    sign = np.ones(s.shape)
    sign[..., -1] = np.where(np.linalg.det(u) * np.linalg.det(vt) < 0, -1.0, 1.0)
    rank = s[..., a.shape[-1] - 2] > 1e-9 * np.maximum(w.sum(-1), TINY)
    turn = (u * sign[..., None, :]) @ vt
    return np.where(rank[..., None, None], turn, np.nan), (s * sign).sum(-1)


def _rigid(a: Array, b: Array, w: Array, first: Array, second: Array) -> Array:
    ratio = second[..., 0, 0] / first[..., 0, 0]
    return _block(_rotation(a, b, w)[0] * ratio[..., None, None])


def _similarity(a: Array, b: Array, w: Array, first: Array, second: Array) -> Array:
    turn, trace = _rotation(a, b, w)
    spread = (w[..., None] * a**2).sum((-1, -2))
    return _block(turn * (trace / np.maximum(spread, TINY))[..., None, None])


def _affine(a: Array, b: Array, w: Array, first: Array, second: Array) -> Array:
    weighed = np.swapaxes(a * w[..., None], -1, -2)
    normal = weighed @ a
    singular = np.linalg.eigvalsh(normal)[..., 0] <= 1e-10 * np.maximum(w.sum(-1), TINY)
    safe = np.where(singular[..., None, None], np.eye(a.shape[-1]), normal)
    linear = np.swapaxes(np.linalg.solve(safe, weighed @ b), -1, -2)
    return _block(np.where(singular[..., None, None], np.nan, linear))


def _perspective(a: Array, b: Array, w: Array, first: Array, second: Array) -> Array:
    n, d = a.shape[-1], a.shape[-2]
    one = np.concatenate([a, np.ones((*a.shape[:-1], 1))], -1)
    rows = np.zeros((*a.shape[:-2], n, d, (n + 1) ** 2))
    for k in range(n):
        rows[..., k, :, k * (n + 1) : (k + 1) * (n + 1)] = one
        rows[..., k, :, n * (n + 1) :] = -b[..., k, None] * one
    scale = np.sqrt(w)
    # The smallest example is exact; only with more points is there an error to make small.
    for _ in range(1 if d * n <= (n + 1) ** 2 - 1 else 4):
        scaled = (rows * scale[..., None, :, None]).reshape(*a.shape[:-2], n * d, -1)
        values, vectors = np.linalg.eigh(np.swapaxes(scaled, -1, -2) @ scaled)
        h = vectors[..., 0].reshape(*a.shape[:-2], n + 1, n + 1)
        h = h / np.where(np.abs(h[..., -1:, -1:]) > TINY, h[..., -1:, -1:], np.nan)
        depth = np.abs(one @ h[..., -1, :, None])[..., 0]
        scale = np.nan_to_num(np.sqrt(w) / np.maximum(depth, 1e-3))
    singular = values[..., 1] <= 1e-12 * np.maximum(values[..., -1], TINY)
    return np.asarray(np.where(singular[..., None, None], np.nan, h))


_INNER: dict[str, Callable[[Array, Array, Array, Array, Array], Array]] = {
    "translation": _translation, "rigid": _rigid, "similarity": _similarity, "affine": _affine,
    "perspective": _perspective,
}


def _block(linear: Array) -> Array:
    n = linear.shape[-1]
    out = np.zeros((*linear.shape[:-2], n + 1, n + 1))
    out[..., :n, :n] = linear
    out[..., n, n] = 1.0
    return out


def monomials(points: Array, degree: int) -> Array:
    """All products of coordinates up to a degree, (n, terms), the constant first.

    >>> monomials(np.array([[2.0, 3.0]]), 2).tolist()
    [[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]]
    """
    axes = range(points.shape[1])
    parts = [c for k in range(degree + 1) for c in combinations_with_replacement(axes, k)]
    return np.stack([np.prod(points[:, list(c)], axis=1) for c in parts], axis=1)


def fit_polynomial(source: Array, target: Array, degree: int) -> Array:
    """Coefficients (terms, w) of the polynomial of a degree, by least squares.

    Raises
    ------
    GeometryError
        The points do not determine it.
    """
    terms = monomials(source, degree)
    found, _, rank, _ = np.linalg.lstsq(terms, target, rcond=1e-10)
    if rank < terms.shape[1]:
        raise GeometryError(
            "the landmarks do not determine the map", got=f"rank {rank} of {len(source)} landmarks",
            wanted=f"{terms.shape[1]} that lie on no curve of degree {degree}",
        )
    return np.asarray(found)


def radial(distance: Array, dimension: int) -> Array:
    """Kernel of the thin-plate spline: r^2 log r in the plane, -r in space."""
    if dimension == 2:
        squared = distance**2
        return np.asarray(0.5 * squared * np.log(np.where(squared > 0, squared, 1.0)))
    return np.asarray(-distance)


def fit_spline(source: Array, target: Array, smoothing: float = 0.0) -> Array:
    """Weights (n + w + 1, w) of the thin-plate spline through, or with smoothing near, target points.

    Bookstein, IEEE TPAMI 11 (1989) 567; smoothing as in Rohr et al., IEEE TMI 20 (2001) 526.

    Parameters
    ----------
    source, target
        (n, w) float.
    smoothing
        >= 0; 0 goes through every landmark.

    Raises
    ------
    GeometryError
        Fewer than w + 1 landmarks, all in one line or plane, or two in one place.
    """
    n, w = source.shape
    plain = np.concatenate([np.ones((n, 1)), source], axis=1)
    if n < w + 1 or np.linalg.matrix_rank(source - source.mean(axis=0)) < w:
        raise GeometryError("the landmarks do not determine the map", got=f"{n} landmarks",
                            wanted=f"at least {w + 1}, not in one {'line' if w == 2 else 'plane'}")
    kernel = radial(_distances(source, source), w) + smoothing * n * np.eye(n)
    system = np.block([[kernel, plain], [plain.T, np.zeros((w + 1, w + 1))]])
    try:
        return np.linalg.solve(system, np.concatenate([target, np.zeros((w + 1, w))]))
    except np.linalg.LinAlgError as error:
        raise GeometryError("the landmarks do not determine the map", got="two landmarks in one place",
                            remedy="Remove one of them, or smooth") from error


def apply_spline(centres: Array, weights: Array, points: Array) -> Array:
    """Points (n, w) through a thin-plate spline."""
    k, w = centres.shape
    out = np.empty(points.shape)
    for start in range(0, len(points), BLOCK):
        block = points[start : start + BLOCK]
        out[start : start + BLOCK] = (
            radial(_distances(block, centres), w) @ weights[:k] + weights[k] + block @ weights[k + 1 :]
        )
    return out


def _distances(a: Array, b: Array) -> Array:
    return np.asarray(np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1)))


def solved(
    forward: Callable[[Array], Array], targets: Array, start: Array, *, step: float, rounds: int = 30
) -> Array:
    """Points that a map brings to targets, by Newton's method with differences, halved where it would overshoot.

    Parameters
    ----------
    forward
        (n, w) to (n, w); NaN where it has no value.
    targets, start
        (n, w): what is to be reached, and a first guess.
    step
        Of the differences, about a pixel; an error of a thousandth of it is good enough.
    rounds
        At most.

    Returns
    -------
    float64 (n, w); NaN where no such point was found: there the map folds, or does not reach.
    """
    out = np.array(start, float)
    error = np.nan_to_num(forward(out) - targets, nan=np.inf)
    for _ in range(rounds):
        size = np.abs(error).max(axis=1, initial=0.0)
        open_ = np.flatnonzero((size > 1e-3 * step) & np.isfinite(size))
        if not len(open_):
            break
        moves = _newton(forward, out[open_], error[open_], step)
        factor = np.ones((len(open_), 1))
        for _halving in range(5):
            trial = out[open_] - factor * moves
            new = np.nan_to_num(forward(trial) - targets[open_], nan=np.inf)
            better = np.abs(new).max(axis=1) < size[open_]
            out[open_[better]], error[open_[better]] = trial[better], new[better]
            factor[~better] *= 0.5
            factor[better] = 0.0
            if better.all():
                break
    out[np.abs(error).max(axis=1, initial=0.0) > 1e-2 * step] = np.nan
    return out


def _newton(forward: Callable[[Array], Array], at: Array, error: Array, step: float) -> Array:
    w = at.shape[1]
    jacobian = np.empty((len(at), w, w))
    for axis in range(w):
        offset = np.zeros(w)
        offset[axis] = 0.5 * step
        jacobian[:, :, axis] = (forward(at + offset) - forward(at - offset)) / step
    finite = np.isfinite(jacobian).all((1, 2))
    jacobian[~finite] = np.eye(w)
    jacobian[np.abs(np.linalg.det(jacobian)) <= 1e-9] = np.eye(w)
    return np.asarray(np.linalg.solve(jacobian, error[..., None])[..., 0])
