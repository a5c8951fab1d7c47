"""Logistic regression with an L2 penalty, by Newton-like steps from zero: the same data give the same coefficients."""

from __future__ import annotations

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array

# Largest entry of the gradient at which the search ends, and the most steps.
TOLERANCE, STEPS = 1e-6, 2000


def logistic(
    x: Array, y: Array, *, penalty: float, several: bool = False, start: tuple[Array, Array] | None = None
) -> tuple[Array, Array]:
    """Coefficients with the least mean log loss + penalty / 2 * sum of their squares; the intercept is free.

    Found by L-BFGS (Liu, Nocedal, Math. Program. 45 (1989) 503); the loss is convex, so that there is one answer.

    Parameters
    ----------
    x
        float (n, d), standardised features.
    y
        (n, k) zeros and ones. Exclusive classes: one 1 a row, k >= 2. With `several` any row.
    penalty
        At least 0; 1 / (C n) in scikit-learn's terms.
    several
        One sigmoid a column instead of one softmax.
    start
        Coefficients and intercepts to start from.

    Returns
    -------
    coefficients
        float64 (k, d). With two exclusive classes the first row is 0, so that this is the plain binary regression.
    intercepts
        float64 (k,).

    Raises
    ------
    InputError
        Shapes differ, a number is not finite, or a class has no case.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not np.isfinite(x).all():
        raise InputError("a regression needs finite features (n, d) and (n, k) classes", got=f"{x.shape}, {y.shape}")
    empty = np.flatnonzero((y.sum(axis=0) == 0) | (several & (y.sum(axis=0) == len(y))))
    if len(empty):
        raise InputError("a class has no case, or every case", got=f"columns {empty.tolist()}")
    if y.shape[1] == 2 and not several:
        begin = None if start is None else (start[0][1:], start[1][1:])
        one, shift = _solved(x, y[:, 1:], penalty, several=True, start=begin)
        return np.concatenate([np.zeros_like(one), one]), np.concatenate([[0.0], shift])
    return _solved(x, y, penalty, several=several, start=start)


def _solved(
    x: Array, y: Array, penalty: float, *, several: bool, start: tuple[Array, Array] | None
) -> tuple[Array, Array]:
    from scipy.optimize import minimize

    n, d = x.shape
    k = y.shape[1]
    shape = (k, d + 1)
    begin = np.zeros(shape) if start is None else np.concatenate([start[0], start[1][:, None]], axis=1)

    def cost(flat: Array) -> tuple[float, Array]:
        w = flat.reshape(shape)
        loss, error = _loss(x @ w[:, :d].T + w[:, d], y, several)
        gradient = np.empty(shape)
        gradient[:, :d] = error.T @ x / n + penalty * w[:, :d]
        gradient[:, d] = error.sum(axis=0) / n
        return loss / n + penalty / 2 * float((w[:, :d] ** 2).sum()), gradient.ravel()

    options = {"gtol": TOLERANCE, "ftol": 1e-14, "maxiter": STEPS, "maxcor": 20}
    found = minimize(cost, begin.ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(shape)
    return found[:, :d], found[:, d]


def _loss(logits: Array, y: Array, several: bool) -> tuple[float, Array]:
    """Sum of log losses, and probability minus truth."""
    if several:
        loss = float((np.logaddexp(0.0, logits) - y * logits).sum())
        return loss, 0.5 * (1.0 + np.tanh(0.5 * logits)) - y
    raised = logits - logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(raised).sum(axis=1, keepdims=True))
    return float((total[:, 0] - (raised * y).sum(axis=1)).sum()), np.exp(raised - total) - y


def log_loss(logits: Array, y: Array, *, several: bool = False) -> float:
    """Mean log loss of logits (n, k) against (n, k) zeros and ones."""
    return _loss(np.asarray(logits, float), np.asarray(y, float), several)[0] / len(y)
