"""Late, joint and attention fusion in numpy: logits from the tokens of modalities, of which some may be missing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from isocenter.errors import BundleError
from isocenter.ops.array import Array
from isocenter.ops.logistic import log_loss

LATE, JOINT, ATTENTION = FUSIONS = ("late", "joint", "attention")
# Weights of late fusion: how many cases of val the wish for equal weights counts for.
PRIOR = 5.0


def fused(head: Mapping[str, Array], tokens: Array, present: Array, *, kind: str) -> Array:
    """Logits, float64 (n, classes); the same as of `nets.fusing.Fusing.fused`, but for the weights of late fusion.

    Parameters
    ----------
    head
        Parameters by torch's names; of late fusion also ``shares`` (count,), the weight of each modality.
    tokens
        (n, count, numbers).
    present
        bool (n, count); at least one a row.
    kind
        One of `FUSIONS`.
    """
    tokens, there = np.asarray(tokens, np.float64), np.asarray(present, np.float64)
    if kind == LATE:
        return pooled(answers(head, tokens), present, head["shares"])
    if kind == JOINT:
        flat = np.concatenate([(tokens * there[..., None]).reshape(len(tokens), -1), there], axis=1)
        return _linear(head, "out", np.maximum(_linear(head, "hidden", flat), 0.0))
    placed = tokens + head["place"]
    return _linear(head, "out", (placed * attention(head, tokens, present)[..., None]).sum(axis=1))


def attention(head: Mapping[str, Array], tokens: Array, present: Array) -> Array:
    """Weight of each modality in attention fusion, (n, count): 0 where it is missing, 1 in all."""
    placed = np.asarray(tokens, np.float64) + head["place"]
    scores = np.where(present, _linear(head, "score", np.tanh(_linear(head, "gate", placed)))[..., 0], -np.inf)
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def answers(head: Mapping[str, Array], tokens: Array) -> Array:
    """Late fusion: logits (n, count, classes) of each modality by itself."""
    return np.stack([_linear(head, f"each.{i}", tokens[:, i]) for i in range(tokens.shape[1])], axis=1)


def pooled(each: Array, present: Array, shares: Array) -> Array:
    """Mean (n, classes) of logits (n, count, classes), weighted by shares (count,) of those that are present."""
    weights = np.asarray(present, np.float64) * shares
    # Where all that is present has no weight at all, each counts alike.
    weights = np.where(weights.sum(axis=1, keepdims=True) > 0, weights, present)
    return np.asarray((each * (weights / weights.sum(axis=1, keepdims=True))[..., None]).sum(axis=1))


def stacked(each: Array, present: Array, truth: Array, *, several: bool = False) -> Array:
    """Shares (count,) of late fusion, chosen on val: the least log loss, drawn towards equal shares as by five cases.

    Source: Wolpert, Stacked generalization, Neural Networks 5 (1992) 241; weights on the simplex as in van der Laan,
    Polley, Hubbard, Super Learner, 2007.

    Parameters
    ----------
    each
        Logits of val (n, count, classes).
    present, truth
        bool (n, count); (n, classes) zeros and ones.
    several
        One sigmoid a class.
    """
    from scipy.optimize import minimize

    n, count = present.shape

    def cost(free: Array) -> float:
        shares = _simplex(free)
        away = -float(np.log(np.maximum(shares * count, 1e-12)).mean())
        return float(n * log_loss(pooled(each, present, shares), truth, several=several) + PRIOR * away)

    found = minimize(cost, np.zeros(count), method="L-BFGS-B", bounds=[(-6.0, 6.0)] * count)
    return _simplex(np.asarray(found.x))


def _simplex(free: Array) -> Array:
    raised = np.exp(free - free.max())
    return np.asarray(raised / raised.sum())


def _linear(head: Mapping[str, Array], name: str, x: Array) -> Array:
    return np.asarray(x @ head[f"{name}.weight"].T.astype(np.float64) + head[f"{name}.bias"])


def checked(head: Mapping[str, Array], *, kind: str, count: int, tokens: int, outputs: int) -> None:
    """Refuses a head with which nothing can be answered.

    Raises
    ------
    BundleError
        A parameter is missing or of another shape.
    """
    wanted: dict[str, tuple[int, ...]] = {}
    if kind == LATE:
        wanted["shares"] = (count,)
        for i in range(count):
            wanted |= {f"each.{i}.weight": (outputs, tokens), f"each.{i}.bias": (outputs,)}
    elif kind == JOINT:
        wanted |= {"hidden.weight": (2 * tokens, count * (tokens + 1)), "hidden.bias": (2 * tokens,)}
        wanted |= {"out.weight": (outputs, 2 * tokens), "out.bias": (outputs,)}
    else:
        wanted |= {"place": (count, tokens), "gate.weight": (tokens, tokens), "gate.bias": (tokens,)}
        wanted |= {"score.weight": (1, tokens), "score.bias": (1,)}
        wanted |= {"out.weight": (outputs, tokens), "out.bias": (outputs,)}
    got = {name: head[name].shape if name in head else None for name in wanted}
    odd = {name: shape for name, shape in got.items() if shape != wanted[name]}
    if odd:
        first = next(iter(odd))
        raise BundleError("the arrays of the fusion do not fit", got=f"{first} {odd[first]}", wanted=str(wanted[first]))
