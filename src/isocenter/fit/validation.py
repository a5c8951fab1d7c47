"""How good the network is on val, while it learns."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from isocenter.data import IGNORE, Plan
from isocenter.fit.feed import Shelf
from isocenter.infer.segmenting import logits
from isocenter.ops.array import Array
from isocenter.ops.windows import multiple, padded


def asked(module: nn.Module, array: Array) -> Array:
    """Logits of a batch float32 (n, c, *grid), in full precision."""
    module.eval()
    device = next(module.parameters()).device
    with torch.inference_mode():
        out: Tensor = module(torch.from_numpy(np.ascontiguousarray(array)).to(device))
    answer: Array = out.float().cpu().numpy()
    return answer


def labels(module: nn.Module, image: Array, plan: Plan) -> Array:
    """uint8 labels on the working grid of a prepared image (c, *grid): whole or in windows, as at prediction."""
    slabs = [slab.argmax(0).astype(np.uint8) for slab in logits(lambda x: asked(module, x), image, plan)]
    return np.concatenate(slabs)


def dice(found: Array, truth: Array, plan: Plan) -> dict[str, float]:
    """Dice of each region that the truth holds; 255 in the truth takes no part."""
    known = truth != IGNORE
    out: dict[str, float] = {}
    for i, name in enumerate(plan.classes[1:], start=1):
        a, b = (found == i) & known, truth == i
        if b.any():
            out[name] = float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))
    return out


def mean_dice(cases: list[dict[str, float]]) -> float:
    """Mean over regions of the mean over cases; 0 where nothing was there to find."""
    names = sorted({n for c in cases for n in c})
    return float(np.mean([np.mean([c[n] for c in cases if n in c]) for n in names])) if names else 0.0


def answers(module: nn.Module, valid: Shelf) -> tuple[Array, Array]:
    """Logits and truth, float64 (n, classes) each."""
    found, truth = [], []
    for i in range(len(valid)):
        ready = valid[i]
        seen = padded(ready.image, multiple(ready.image.shape[1:], valid.scheme.plan.divisor))
        found.append(asked(module, seen[None])[0])
        truth.append(ready.target)
    return np.asarray(found, np.float64), np.asarray(truth, np.float64)


def log_loss(logits_: Array, truth: Array, *, multilabel: bool = False) -> float:
    """Mean cross-entropy of logits (n, classes) against truth (n, classes), in nats."""
    if multilabel:
        return float(np.mean(np.logaddexp(0.0, logits_) - truth * logits_))
    top = logits_.max(1, keepdims=True)
    total = top + np.log(np.exp(logits_ - top).sum(1, keepdims=True))
    return float(-(truth * (logits_ - total)).sum(1).mean())
