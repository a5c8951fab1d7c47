"""Classes of uneven size: how often each is drawn, what it weighs, and what its frequency adds to its logit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from isocenter.data.study import Imbalance
from isocenter.ops.array import Array

if TYPE_CHECKING:
    from isocenter.fit.fingerprint import Fingerprint

# Cases of the largest over the smallest class from which classes are drawn equally often where nobody says.
UNEVEN = 1.5
# Power of a class's cases by which it is drawn (Kang et al., ICLR 2020).
POWERS = {"none": 1.0, "sqrt": 0.5, "balanced": 0.0}
SMOOTHING = 0.1


def resolved(asked: Imbalance, fp: Fingerprint, origins: dict[str, str]) -> Imbalance:
    """`asked` with every None resolved.

    Parameters
    ----------
    asked
        Of the recipe.
    fp
        Of the training cases.
    origins
        Receives the reasons.
    """
    counts = [v for v in fp.counts.values() if v]
    uneven = not fp.multilabel and max(counts) > UNEVEN * min(counts)
    corrected = asked.weights not in (None, "none") or bool(asked.adjustment)
    defaults: dict[str, Any] = {
        "sampling": "balanced" if uneven and not corrected else "none",
        "weights": "none", "focal": 0.0, "adjustment": 0.0, "mixup": 0.0, "smoothing": SMOOTHING,
    }  # fmt: skip
    values = {}
    for name, default in defaults.items():
        mine = getattr(asked, name)
        values[name] = default if mine is None else mine
        origins[f"loop.imbalance.{name}"] = "default" if mine is None else "recipe"
    if asked.sampling is None:
        said = "; weights or adjustment see to it" if uneven and corrected else ""
        origins["loop.imbalance.sampling"] = f"fingerprint: cases per class {dict(fp.counts)}{said}"
    return Imbalance(**values)


def in_loss(
    how: Imbalance, counts: Sequence[int], *, order: Sequence[int] = (), multilabel: bool = False
) -> tuple[Array | None, Array | None]:
    """Weights and offset of a `nets.ClassLoss`, by how often classes are drawn; None where there are none.

    Parameters
    ----------
    how
        Resolved.
    counts
        Cases of each class, then of all.
    order, multilabel
        As in `nets.ClassLoss`.
    """
    *each, total = counts or (0,)
    if not each or not (how.adjustment or how.weights not in (None, "none")):
        return None, None
    seen = both_sides(each, total) if multilabel else drawn(each, how.sampling or "none")
    offset = float(how.adjustment or 0.0) * np.log(seen / seen.sum(-1, keepdims=True))
    return weights(how.weights or "none", below_and_above(seen[list(order)]) if order else seen), offset


def drawn(counts: Sequence[float], sampling: str) -> Array:
    """Cases of each class that a pass draws on average, float64 (classes,); as many in all as there are.

    >>> drawn([90, 10], "balanced").tolist(), drawn([81, 9], "sqrt").tolist()
    ([50.0, 50.0], [67.5, 22.5])
    """
    made = np.asarray(counts, float) ** POWERS[sampling]
    return np.asarray(made * (np.sum(counts) / made.sum()))


def weights(kind: str, counts: Array) -> Array:
    """What each class weighs in the loss, float64 (..., classes); over all cases the weights are 1 on average.

    Parameters
    ----------
    kind
        ``"inverse"``: by one over its cases. ``"effective"``: by one over its effective number (1 - b^n) / (1 - b),
        with b = (N - 1) / N for N cases in all, so that the further cases of a large class count ever less (Cui et al.,
        CVPR 2019). ``"none"``: 1.
    counts
        Cases, (..., classes); each above 0.
    """
    if kind == "none":
        return np.ones_like(counts, float)
    total = counts.sum(-1, keepdims=True)
    if kind == "inverse":
        raw = 1 / counts
    else:
        kept = np.maximum((total - 1) / total, 1e-12)
        raw = (1 - kept) / (1 - kept**counts)
    return np.asarray(raw * total / (raw * counts).sum(-1, keepdims=True))


def both_sides(counts: Sequence[float], total: float) -> Array:
    """Cases with and without each label, float64 (classes, 2); at least a half each, where a label is in all or none.

    >>> both_sides([3, 8], 8).tolist()
    [[3.0, 5.0], [8.0, 0.5]]
    """
    there = np.asarray(counts, float)
    return np.asarray(np.maximum(np.stack([there, total - there], -1), 0.5))


def below_and_above(counts: Sequence[float] | Array) -> Array:
    """Cases below and above each cut between classes in order, float64 (classes - 1, 2).

    >>> below_and_above([5, 3, 2]).tolist()
    [[5.0, 5.0], [8.0, 2.0]]
    """
    below = np.cumsum(counts)[:-1].astype(float)
    return np.asarray(np.stack([below, np.sum(counts) - below], -1))
