"""Losses. Targets of segmentation are whole numbers with 255 for pixels that take part in nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = 255
Loss = Callable[[Tensor, Tensor], Tensor]


def dice_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Soft Dice of the foreground classes over the whole batch plus cross-entropy (Isensee et al. 2021).

    Parameters
    ----------
    logits
        (n, classes, *grid), index 0 background.
    target
        (n, *grid) int64; 255 is left out of both terms.
    """
    logits = logits.float()
    known = target != IGNORED
    index = torch.where(known, target, 0)
    logp = functional.log_softmax(logits, 1)
    total = known.sum().clamp(min=1)
    entropy = -(logp.gather(1, index[:, None])[:, 0] * known).sum() / total
    p = logp.exp()[:, 1:] * known[:, None]
    truth = torch.stack([(target == c) for c in range(1, logits.shape[1])], 1).to(p.dtype)
    axes = (0, *range(2, logits.ndim))
    both, sizes = (p * truth).sum(axes), p.sum(axes) + truth.sum(axes)
    dice = (2 * both + 1.0) / (sizes + 1.0)
    return entropy + (1 - dice).mean()


def soft_cross_entropy(logits: Tensor, target: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy against probabilities.

    Parameters
    ----------
    logits, target
        (n, classes); the target sums to 1 per row.
    smoothing
        Share of the target that is spread over all classes (Szegedy et al. 2016).
    """
    target = target * (1 - smoothing) + smoothing / target.shape[1]
    return -(target * functional.log_softmax(logits.float(), 1)).sum(1).mean()


def multilabel(logits: Tensor, target: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Binary cross-entropy per class, mean over classes and cases; `smoothing` pulls 0 and 1 towards 1/2."""
    target = target * (1 - smoothing) + smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits.float(), target)


def deep(loss: Loss, logits: Sequence[Tensor], target: Tensor) -> Tensor:
    """The loss of heads on ever coarser grids, each of half the weight; labels are thinned to the head's grid."""
    total, weight = torch.zeros(()), 0.0
    for level, head in enumerate(logits):
        step = [a // b for a, b in zip(target.shape[1:], head.shape[2:], strict=True)]
        thinned = target[(slice(None), *(slice(s // 2, None, s) for s in step))]
        total = total.to(head.device) + loss(head, thinned) * 0.5**level
        weight += 0.5**level
    return total / weight
