"""Linear support vector machine, and what makes linear methods on many more voxels than cases cheap."""

from __future__ import annotations

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array

# Largest entry of the gradient at which the search ends, and the most steps.
TOLERANCE, STEPS = 1e-6, 2000
# Directions that hold less than this share of the largest one's variance are rounding.
NOTHING = 1e-10


def svm(
    x: Array, y: Array, *, penalty: float, several: bool = False, start: tuple[Array, Array] | None = None
) -> tuple[Array, Array]:
    """Coefficients with the least mean squared hinge loss + penalty / 2 * sum of their squares; one class each against
    the rest.

    Found by L-BFGS; the loss is convex, so that there is one answer (Chang, Hsieh, Lin, J. Mach. Learn. Res. 9 (2008)
    1369; Fan et al., LIBLINEAR, same volume 1871).

    Parameters
    ----------
    x
        float (n, d), standardised features.
    y
        (n, k) zeros and ones. Exclusive classes: one 1 a row, k >= 2. With `several` any row.
    penalty
        At least 0; 1 / (2 C n) in LIBLINEAR's terms, but that the intercept is free.
    several
        Two columns are two labels, not two exclusive classes.
    start
        Coefficients and intercepts to start from.

    Returns
    -------
    coefficients, intercepts
        float64 (k, d) and (k,), as of `ops.logistic.logistic`: of two exclusive classes the first row is 0.

    Raises
    ------
    InputError
        Shapes differ, a number is not finite, or a class has no case, or every case.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not np.isfinite(x).all():
        raise InputError("an SVM needs finite features (n, d) and (n, k) classes", got=f"{x.shape}, {y.shape}")
    counts = y.sum(axis=0)
    if ((counts == 0) | (counts == len(y))).any():
        raise InputError("a class has no case, or every case", got=f"counts {counts.astype(int).tolist()}")
    coefficients, intercepts = np.zeros((y.shape[1], x.shape[1])), np.zeros(y.shape[1])
    for k in [1] if y.shape[1] == 2 and not several else range(y.shape[1]):
        begin = None if start is None else np.append(start[0][k], start[1][k])
        found = _solved(x, 2 * y[:, k] - 1, penalty, begin)
        coefficients[k], intercepts[k] = found[:-1], found[-1]
    return coefficients, intercepts


def _solved(x: Array, sign: Array, penalty: float, start: Array | None) -> Array:
    from scipy.optimize import minimize

    n, d = x.shape

    def cost(w: Array) -> tuple[float, Array]:
        short = np.maximum(0.0, 1 - sign * (x @ w[:d] + w[d]))
        pull = -2 * sign * short / n
        gradient = np.append(pull @ x + penalty * w[:d], pull.sum())
        return float(short @ short) / n + penalty / 2 * float(w[:d] @ w[:d]), gradient

    options = {"gtol": TOLERANCE, "ftol": 1e-14, "maxiter": STEPS, "maxcor": 20}
    begin = np.zeros(d + 1) if start is None else start
    return np.asarray(minimize(cost, begin, jac=True, method="L-BFGS-B", options=options).x)


def rotated(x: Array) -> tuple[Array, Array]:
    """Cases in as many coordinates as there are cases, with the same distances: linear methods answer alike on them.

    A linear method with an L2 penalty on d voxels has its coefficients among the cases' own combinations, so that it
    needs no more coordinates than cases (the representer theorem; Kimeldorf, Wahba, J. Math. Anal. Appl. 33 (1971) 82).

    Parameters
    ----------
    x
        float (n, d), centred.

    Returns
    -------
    z, basis
        float64 (n, r) coordinates, r < n or = d; float64 (n, r), so that ``x.T @ basis`` are the directions (d, r):
        coefficients w of z are ``x.T @ (basis @ w)`` of x, and new cases have the coordinates ``new @ x.T @ basis``.
    """
    gram = x @ x.T
    values, vectors = np.linalg.eigh(np.asarray(gram, np.float64))
    keep = values > NOTHING * max(float(values.max(initial=0.0)), 1e-300)
    root = np.sqrt(values[keep])
    return vectors[:, keep] * root, vectors[:, keep] / root
