"""A multilayer perceptron: rectified layers, trained by Adam on the log loss; numpy alone.

Sources: Rumelhart, Hinton, Williams, Nature 323 (1986) 533; He et al., ICCV 2015 (weights to start from); Kingma, Ba,
Adam, ICLR 2015; Loshchilov, Hutter, Decoupled weight decay, ICLR 2019; Srivastava et al., Dropout, JMLR 15 (2014) 1929.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array
from isocenter.ops.logistic import log_loss

BETAS, EPSILON = (0.9, 0.999), 1e-8
Layers = list[tuple[Array, Array]]


@dataclass(frozen=True)
class Schooling:
    """How a perceptron learns.

    Parameters
    ----------
    widths
        Units of each hidden layer.
    rate
        Step of Adam.
    decay
        Decoupled weight decay: share of each weight that a step of 1 removes.
    dropout
        Share of hidden units that are left out of each step.
    batch
        Cases of a step.
    epochs
        Most passes over train.
    patience
        Passes without a smaller log loss on val after which it ends.
    """

    widths: Sequence[int] = (64,)
    rate: float = 1e-3
    decay: float = 1e-2
    dropout: float = 0.5
    batch: int = 32
    epochs: int = 200
    patience: int = 20


def forward(layers: Layers, x: Array) -> Array:
    """Logits (n, k) of features (n, d); each layer is weights (in, out) and biases (out,)."""
    for weights, biases in layers[:-1]:
        x = np.maximum(x @ weights + biases, 0.0)
    return np.asarray(x @ layers[-1][0] + layers[-1][1])


def schooled(
    train: tuple[Array, Array], valid: tuple[Array, Array], how: Schooling, *, several: bool = False, seed: int = 0,
    report: Callable[[float, float], None] | None = None,
) -> tuple[Layers, list[dict[str, float]]]:
    """Layers of the least log loss on val.

    Parameters
    ----------
    train, valid
        Standardised features (n, d) and classes (n, k), zeros and ones: one 1 a row, or any with `several`.
    how
        As `Schooling`.
    several
        One sigmoid a column instead of one softmax.
    seed
        Of weights, order and dropout: the same seed gives the same layers.
    report
        Called each epoch with the share of the epochs and the log loss on val.

    Raises
    ------
    InputError
        Shapes differ, or a number is not finite.
    """
    (x, y), (vx, vy) = ((np.asarray(a, np.float64), np.asarray(b, np.float64)) for a, b in (train, valid))
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not np.isfinite(x).all():
        raise InputError("a perceptron needs finite features (n, d) and (n, k) classes", got=f"{x.shape}, {y.shape}")
    rng = np.random.default_rng(seed)
    layers = _fresh([x.shape[1], *how.widths, y.shape[1]], rng)
    steps = _Adam(layers, how.rate, how.decay)
    best, kept, history = np.inf, layers, []
    last = 0
    for epoch in range(how.epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), how.batch):
            at = order[start : start + how.batch]
            steps.step(layers, _gradients(layers, x[at], y[at], several=several, dropout=how.dropout, rng=rng))
        now = log_loss(forward(layers, vx), vy, several=several)
        loss = log_loss(forward(layers, x), y, several=several)
        history.append({"train_log_loss": loss, "valid_log_loss": now})
        if now < best:
            best, kept, last = now, [(w.copy(), b.copy()) for w, b in layers], epoch
        if report is not None:
            report((epoch + 1) / how.epochs, now)
        if epoch - last >= how.patience:
            break
    return kept, history


def _fresh(widths: Sequence[int], rng: np.random.Generator) -> Layers:
    pairs = list(pairwise(widths))
    return [(rng.normal(0.0, np.sqrt((1 if i + 1 == len(pairs) else 2) / a), (a, b)), np.zeros(b))
            for i, (a, b) in enumerate(pairs)]


def _gradients(
    layers: Layers, x: Array, y: Array, *, several: bool, dropout: float, rng: np.random.Generator | None
) -> Layers:
    """Of the mean log loss by weights and biases; without `rng` nothing is dropped."""
    inputs, masks = [x], []
    for weights, biases in layers[:-1]:
        out = np.maximum(inputs[-1] @ weights + biases, 0.0)
        keep = np.ones_like(out) if rng is None else (rng.random(out.shape) >= dropout) / max(1 - dropout, 1e-6)
        masks.append((out > 0) * keep)
        inputs.append(out * keep)
    logits = inputs[-1] @ layers[-1][0] + layers[-1][1]
    if several:
        p = 0.5 * (1.0 + np.tanh(0.5 * logits))
    else:
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = raised / raised.sum(axis=1, keepdims=True)
    error = (p - y) / len(x)
    found: Layers = []
    for depth in range(len(layers) - 1, -1, -1):
        found.append((inputs[depth].T @ error, error.sum(axis=0)))
        if depth:
            error = (error @ layers[depth][0].T) * masks[depth - 1]
    return found[::-1]


class _Adam:
    """Adam with decoupled weight decay, in place; biases do not decay."""

    def __init__(self, layers: Layers, rate: float, decay: float) -> None:
        self._rate, self._decay, self._time = rate, decay, 0
        self._first = [[np.zeros_like(a) for a in layer] for layer in layers]
        self._second = [[np.zeros_like(a) for a in layer] for layer in layers]

    def step(self, layers: Layers, slopes: Layers) -> None:
        """One step along the gradients."""
        self._time += 1
        fix = [1 - beta**self._time for beta in BETAS]
        for layer, slope, first, second in zip(layers, slopes, self._first, self._second, strict=True):
            layer[0][...] *= 1 - self._rate * self._decay
            for value, g, m, v in zip(layer, slope, first, second, strict=True):
                m[...] = BETAS[0] * m + (1 - BETAS[0]) * g
                v[...] = BETAS[1] * v + (1 - BETAS[1]) * g * g
                value -= self._rate * (m / fix[0]) / (np.sqrt(v / fix[1]) + EPSILON)
