"""Losses of networks that say what a whole image is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

# Weight of a head half way (Szegedy et al., CVPR 2015, section 5).
HALF_WAY = 0.3


@dataclass(frozen=True, eq=False)
class ClassLoss:
    """Cross-entropy against shares of classes, mean over the cases; with everything off, the plain one.

    Parameters
    ----------
    smoothing
        Share of the target that is spread over all classes (Szegedy et al., CVPR 2016).
    focal
        Exponent g of (1 - p)^g, by which each term is weighed (Lin et al., ICCV 2017); 0: none.
    weights
        Of each class, (classes,); with `multilabel` of each class where it holds and where not, (classes, 2); with
        `order` of each cut below and above, (classes - 1, 2). None: 1.
    offset
        Added to the logits, (classes,), with `multilabel` (classes, 2): a multiple of the log frequencies makes it the
        loss of Menon et al., ICLR 2021. None: 0.
    multilabel
        Each class is a question by itself, and what is against it has logit 0; mean over the classes.
    order
        Positions of the classes from the lowest to the highest: the terms are then the questions whether the class lies
        above each cut (Niu et al., CVPR 2016), added. Their probabilities are sums of the classes' own, so that they
        never contradict each other (what Cao et al., Pattern Recognition Letters 140, 2020, ask for), and the loss is
        the ranked logarithmic score, which is proper (Toedter and Ahrens, Monthly Weather Review 140, 2012).
    """

    smoothing: float = 0.0
    focal: float = 0.0
    weights: Tensor | None = None
    offset: Tensor | None = None
    multilabel: bool = False
    order: Sequence[int] = ()

    def __call__(self, out: Any, target: Tensor) -> Tensor:
        """The loss of logits (n, classes) against shares (n, classes).

        A list of logits holds the heads half way after the first, each of weight 0.3.
        """
        heads = out if isinstance(out, (list, tuple)) else [out]
        main, *rest = (self._one(head.float(), target) for head in heads)
        total: Tensor = main + HALF_WAY * sum(rest) if rest else main
        return total

    def _one(self, logits: Tensor, target: Tensor) -> Tensor:
        if self.multilabel:
            logits, target = torch.stack((logits, torch.zeros_like(logits)), -1), torch.stack((target, 1 - target), -1)
        target = target * (1 - self.smoothing) + self.smoothing / target.shape[-1]
        if self.offset is not None:
            logits = logits + self.offset.to(logits)
        logp = functional.log_softmax(logits, -1)
        if self.order:
            logp, target = cut(logp[:, list(self.order)], target[:, list(self.order)])
        terms = -target * logp
        if self.focal:
            terms = terms * (1 - logp.exp()).clamp(min=0) ** self.focal
        if self.weights is not None:
            terms = terms * self.weights.to(terms)
        # Classes that exclude each other, and cuts, are added; questions by themselves are averaged.
        each = terms.sum(-1)
        return each.mean() if each.ndim == 1 or self.multilabel else each.sum(-1).mean()


def cut(logp: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Log probabilities and shares (n, k) in order to those of lying below and above each cut, (n, k - 1, 2)."""
    below = torch.logcumsumexp(logp, -1)[:, :-1]
    above = torch.logcumsumexp(logp.flip(-1), -1).flip(-1)[:, 1:]
    lower = target.cumsum(-1)[:, :-1]
    return torch.stack((below, above), -1).clamp(max=0), torch.stack((lower, 1 - lower), -1)
