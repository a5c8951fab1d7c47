"""Mixtures of Gaussians of several channels, as models of what a region looks like."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from isocenter.ops.array import Array

# A mixture is fitted to about this many points, evenly spaced; the density of one channel is tabulated this finely.
SAMPLE, TABLE = 20_000, 4096
# Least variance of a component, as a share of that of all points: grey levels are whole numbers.
LEAST = 1e-3


class Mixture(NamedTuple):
    """Weights (k,), means (k, c) and covariances (k, c, c) of the components."""

    weight: Array
    mean: Array
    covariance: Array


def mixture(points: Array, components: int, *, rounds: int = 8) -> Mixture:
    """The Gaussian mixture that explains points, by expectation maximisation from groups along their longest axis.

    Source: Dempster, Laird, Rubin, J. R. Stat. Soc. B 39 (1977) 1; used as in Rother et al., GrabCut,
    ACM Trans. Graph. 23 (2004) 309.

    Parameters
    ----------
    points
        Finite numbers (n, c), n >= 1.
    components
        At most; fewer where there are fewer points.
    rounds
        Of expectation and maximisation.

    >>> found = mixture(np.array([[0.0], [0.0], [8.0], [8.0]]), 2)
    >>> found.mean.ravel().round(3).tolist()
    [0.0, 8.0]
    """
    x = np.asarray(points[:: max(1, len(points) // SAMPLE)], np.float64)
    k = max(1, min(components, len(x)))
    centred = x - x.mean(axis=0)
    spread = centred.T @ centred / len(x)
    least = np.eye(x.shape[1]) * max(LEAST * float(np.trace(spread)) / x.shape[1], 1e-12)
    axis = np.linalg.eigh(spread)[1][:, -1]
    # The sign of an eigenvector is arbitrary; the order of the groups must not be.
    axis = axis if axis.sum() >= 0 else -axis
    share = np.zeros((len(x), k))
    order = np.argsort(centred @ axis, kind="stable")
    for i, group in enumerate(np.array_split(order, k)):
        share[group, i] = 1.0
    found = _maximised(x, share, least)
    for _ in range(rounds):
        each = _each(found, x)
        each -= each.max(axis=1, keepdims=True)
        share = np.exp(each)
        share /= share.sum(axis=1, keepdims=True)
        found = _maximised(x, share, least)
    return found


def log_density(found: Mixture, features: Array) -> Array:
    """Logarithm of the density at every pixel.

    Parameters
    ----------
    found
        A mixture of c channels.
    features
        (c, *grid).

    Returns
    -------
    float32 (*grid); of one channel by linear interpolation in a table.
    """
    flat = np.asarray(features, np.float64).reshape(len(features), -1)
    if len(flat) > 1 or flat.shape[1] <= TABLE:
        return _summed(_each(found, flat.T)).reshape(features.shape[1:]).astype(np.float32)
    low, high = float(flat.min()), float(flat.max())
    line = np.linspace(low, high if high > low else low + 1.0, TABLE)
    known = _summed(_each(found, line[:, None]))
    return np.asarray(np.interp(flat[0], line, known).reshape(features.shape[1:]), np.float32)


def _maximised(x: Array, share: Array, least: Array) -> Mixture:
    weight = share.sum(axis=0)
    kept = weight > 1e-9 * len(x)
    share, weight = share[:, kept], weight[kept]
    mean = share.T @ x / weight[:, None]
    covariance = np.empty((len(weight), x.shape[1], x.shape[1]))
    for i, centre in enumerate(mean):
        away = x - centre
        covariance[i] = (share[:, i, None] * away).T @ away / weight[i] + least
    return Mixture(weight / weight.sum(), mean, covariance)


def _each(found: Mixture, x: Array) -> Array:
    """(n, k): logarithm of weight times density."""
    columns = []
    for weight, mean, covariance in zip(*found, strict=True):
        root = np.linalg.cholesky(covariance)
        away = np.linalg.solve(root, (x - mean).T)
        scale = 2 * np.log(np.diag(root)).sum() + len(mean) * np.log(2 * np.pi)
        columns.append(np.log(weight) - 0.5 * (scale + (away**2).sum(axis=0)))
    return np.stack(columns, axis=1)


def _summed(each: Array) -> Array:
    top = each.max(axis=1)
    return np.asarray(top + np.log(np.exp(each - top[:, None]).sum(axis=1)))
