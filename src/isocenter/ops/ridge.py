"""Ridge regression: least squares with an L2 penalty, for many penalties at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array


def ridge(x: Array, y: Array, *, penalties: Sequence[float]) -> tuple[Array, Array]:
    """Coefficients with the least mean squared error + penalty * sum of their squares; the intercept is free.

    By one singular value decomposition, which serves all penalties. Source: Hoerl and Kennard, Technometrics 12 (1970)
    55.

    Parameters
    ----------
    x
        float (n, d), standardised features.
    y
        (n,) numbers.
    penalties
        Above 0 each.

    Returns
    -------
    coefficients
        float64 (penalties, d).
    intercepts
        float64 (penalties,).

    Raises
    ------
    InputError
        Shapes differ, a number is not finite, or a penalty is not above 0.

    >>> w, b = ridge(np.array([[-1.0], [1.0]]), np.array([1.0, 3.0]), penalties=[1e-9, 1.0])
    >>> w.ravel().round(3), b
    (array([1. , 0.5]), array([2., 2.]))
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 2 or y.shape != (len(x),) or not len(x) or not np.isfinite(x).all() or not np.isfinite(y).all():
        raise InputError("a regression needs finite features (n, d) and n numbers", got=f"{x.shape}, {y.shape}")
    if not penalties or min(penalties) <= 0:
        raise InputError("a penalty must be above 0", got=str(list(penalties)))
    centre, level = x.mean(axis=0), float(y.mean())
    u, s, v = np.linalg.svd(x - centre, full_matrices=False)
    share = s / (s**2 + len(x) * np.asarray(penalties, np.float64)[:, None])
    coefficients = np.asarray((share * (u.T @ (y - level))) @ v)
    return coefficients, level - coefficients @ centre
