"""The covariance of few cases with many numbers, and distances by it."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array


def shrunk(centred: Array) -> Array:
    """The covariance, drawn towards a multiple of the identity as far as its own errors ask for.

    It can be inverted also where there are fewer cases than numbers. Source: Ledoit and Wolf, Journal of Multivariate
    Analysis 88 (2004) 365.

    Parameters
    ----------
    centred
        (n, d) cases of mean 0.

    Returns
    -------
    float64 (d, d).
    """
    x = np.asarray(centred, np.float64)
    n, d = x.shape
    sample = x.T @ x / n
    scale = float(np.trace(sample)) / d
    away = float(((sample - scale * np.eye(d)) ** 2).sum()) / d
    # Mean square error of the sample covariance, of all pairs of numbers at once.
    square = x * x
    error = float((square.T @ square / n - sample**2).sum()) / (n * d)
    share = min(1.0, error / away) if away > 0 else 1.0
    return np.asarray((1 - share) * sample + share * scale * np.eye(d))


def whitening(covariance: Array) -> Array:
    """(d, d) matrix W with ``W @ x`` of unit covariance: the inverse of the Cholesky factor."""
    return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)))


def distances(centred: Array, white: Array) -> Array:
    """(n,) Mahalanobis distances of centred cases (n, d) by the square root of d: about 1 for cases as those before."""
    seen = np.asarray(centred, np.float64) @ np.asarray(white, np.float64).T
    return np.asarray(np.sqrt((seen * seen).mean(axis=1)))
