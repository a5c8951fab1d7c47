"""Maps from logits to probabilities that come true: Platt's and the isotonic one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from isocenter.ops.array import Array

PLATT, ISOTONIC = "platt", "isotonic"
# Slopes between these: val alone makes nobody four times surer, or turns an answer round.
FLATTEST, STEEPEST = 0.05, 4.0
# Most steps that an isotonic map keeps, and the least probability it gives: no number of cases shows a 0.
MOST, LEAST = 64, 1e-3


def platt(logits: Array, truth: Array, *, multilabel: bool = False) -> dict[str, Any]:
    """Slope and offset of the logits with the least log loss against smoothed truths.

    One slope for all exclusive classes and an offset for each (the offsets sum to 0), or both for each of several
    labels. With two classes that is Platt's sigmoid. The order of cases by the probability of one of two classes, or of
    one label, stays; which class is the most probable may change, as the offsets move the limit between classes.

    Source: Platt, Advances in Large Margin Classifiers 1999; Alexandari, Kundaje, Shrikumar, ICML 2020.

    Parameters
    ----------
    logits, truth
        (n, k); truth of zeros and ones.

    Returns
    -------
    ``kind``, ``slope`` and ``offset``: lists of k.
    """
    from scipy.optimize import minimize

    x, y = np.asarray(logits, float), np.asarray(truth, float)
    if multilabel:
        pairs = [_sigmoid(x[:, k], y[:, k]) for k in range(x.shape[1])]
        return {"kind": PLATT, "slope": [a for a, _ in pairs], "offset": [b for _, b in pairs]}
    n, k = x.shape
    # As many cases more as Platt adds, one of each class, spread by how often they occur.
    smooth = (y * n + (y.sum(axis=0) + 1) / (n + k) * k) / (n + k)

    def cost(v: Array) -> tuple[float, Array]:
        p = _plain(v[0] * x + v[1:], multilabel=False)
        gap = (p - smooth) / n
        loss = -float((smooth * np.log(np.maximum(p, 1e-300))).sum() / n)
        # Offsets are known up to a constant.
        return loss + 1e-6 * float(v[1:] @ v[1:]), np.r_[(gap * x).sum(), gap.sum(axis=0) + 2e-6 * v[1:]]

    bounds = [(FLATTEST, STEEPEST)] + [(None, None)] * k
    found = minimize(cost, np.r_[1.0, np.zeros(k)], jac=True, method="L-BFGS-B", bounds=bounds).x
    offset = found[1:] - found[1:].mean()
    return {"kind": PLATT, "slope": [float(found[0])] * k, "offset": [float(b) for b in offset]}


def isotonic(logits: Array, truth: Array, *, multilabel: bool = False) -> dict[str, Any]:
    """The rising map of each class's probability with the least squared error, by pooling adjacent violators.

    Between its steps it is linear, so that ties are few; cases on one step tie, and so may classes. Of more than two
    exclusive classes each is mapped against the rest, and the results are made to sum to 1.

    Source: Zadrozny and Elkan, KDD 2002; Ayer et al., Annals of Mathematical Statistics 1955.

    Parameters
    ----------
    logits, truth
        (n, k).

    Returns
    -------
    ``kind``; ``at`` and ``value``: k lists of probabilities before and after, rising.
    """
    p = _plain(np.asarray(logits, float), multilabel=multilabel)
    y = np.asarray(truth, float)
    both = [_steps(p[:, k], y[:, k]) for k in range(p.shape[1])]
    if p.shape[1] == 2 and not multilabel:
        at, value = both[1]
        both[0] = ([1 - v for v in reversed(at)], [1 - v for v in reversed(value)])
    return {"kind": ISOTONIC, "at": [a for a, _ in both], "value": [v for _, v in both]}


def calibrated(logits: Array, how: Mapping[str, Any], *, multilabel: bool = False) -> Array:
    """float64 (n, k) probabilities of logits (n, k), which a temperature has divided already.

    Parameters
    ----------
    how
        As `platt` or `isotonic` gave it.
    """
    x = np.asarray(logits, float)
    if how["kind"] == PLATT:
        return _plain(x * np.asarray(how["slope"]) + np.asarray(how["offset"]), multilabel=multilabel)
    p = _plain(x, multilabel=multilabel)
    mapped = np.stack([np.interp(p[:, k], how["at"][k], how["value"][k]) for k in range(p.shape[1])], axis=1)
    return mapped if multilabel else np.asarray(mapped / mapped.sum(axis=1, keepdims=True))


def flaw(how: Any, classes: int) -> str:
    """What is wrong with a map that was read from a file; "" where nothing is."""
    if not isinstance(how, Mapping) or how.get("kind") not in (PLATT, ISOTONIC):
        return "settings.calibration is of no known kind"
    lists: list[Any] = [how.get(name) for name in (("slope", "offset") if how["kind"] == PLATT else ("at", "value"))]
    if not all(isinstance(v, Sequence) and not isinstance(v, str) and len(v) == classes for v in lists):
        return f"settings.calibration has not {classes} entries"
    if how["kind"] == PLATT:
        sound = all(map(_finite, lists)) and all(a > 0 for a in lists[0])
    else:
        sound = all(_finite(a) and _finite(v) and len(a) == len(v) > 0 and _rises(a) and _rises(v) and v[0] > 0
                    and v[-1] <= 1 for a, v in zip(*lists, strict=True))
    return "" if sound else "settings.calibration does not rise from above 0 to at most 1"


def _plain(logits: Array, *, multilabel: bool) -> Array:
    if multilabel:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _sigmoid(x: Array, y: Array) -> tuple[float, float]:
    from scipy.optimize import minimize

    many, few = y.sum(), len(y) - y.sum()
    target = np.where(y > 0.5, (many + 1) / (many + 2), 1 / (few + 2))

    def cost(v: Array) -> tuple[float, Array]:
        z = v[0] * x + v[1]
        gap = (_plain(z, multilabel=True) - target) / len(y)
        return float(np.mean(np.logaddexp(0.0, z) - target * z)), np.array([gap @ x, gap.sum()])

    bounds = [(FLATTEST, STEEPEST), (None, None)]
    prior = float(np.log((many + 1) / (few + 1)))
    found = minimize(cost, np.array([1.0, prior]), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(found[0]), float(found[1])


def _steps(p: Array, y: Array) -> tuple[list[float], list[float]]:
    """Where the isotonic map is known: the middle of each pooled block, thinned to `MOST`."""
    order = np.argsort(p, kind="stable")
    blocks: list[tuple[float, float, float]] = []
    for at, truth in zip(p[order], y[order], strict=True):
        mean, place, n = float(truth), float(at), 1.0
        while blocks and blocks[-1][0] >= mean:
            other, there, m = blocks.pop()
            mean, place, n = (mean * n + other * m) / (n + m), (place * n + there * m) / (n + m), n + m
        blocks.append((mean, place, n))
    keep = blocks if len(blocks) <= MOST else [blocks[i] for i in np.linspace(0, len(blocks) - 1, MOST).astype(int)]
    return [b[1] for b in keep], [float(np.clip(b[0], LEAST, 1 - LEAST)) for b in keep]


def _finite(values: Any) -> bool:
    numbers = isinstance(values, Sequence) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in values
    )
    return numbers and bool(np.isfinite(np.asarray(values, float)).all())


def _rises(values: Sequence[float]) -> bool:
    return all(a <= b for a, b in pairwise(values))
