"""Losses. Targets of segmentation are whole numbers with 255 for pixels that take part in nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from isocenter.errors import RecipeError, nearest
from isocenter.nets.distance import IGNORED, MultiTask, distance_error, distances

Loss = Callable[[Tensor, Tensor], Tensor]
USUAL = "dice+cross_entropy"
# Focusing exponent (Lin et al. 2017); weights of false positives and false negatives (Salehi et al. 2017); steps of
# the soft skeleton, at least the half width of a tube in pixels (Shit et al. 2021).
FOCUS, FALSE_POSITIVE, FALSE_NEGATIVE, THINNINGS = 2.0, 0.3, 0.7, 5


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


def deep(loss: Loss, logits: Sequence[Tensor], target: Tensor) -> Tensor:
    """The loss of heads on ever coarser grids, each of half the weight; labels are thinned to the head's grid."""
    total, weight = torch.zeros(()), 0.0
    for level, head in enumerate(logits):
        step = [a // b for a, b in zip(target.shape[1:], head.shape[2:], strict=True)]
        thinned = target[(slice(None), *(slice(s // 2, None, s) for s in step))]
        total = total.to(head.device) + loss(head, thinned) * 0.5**level
        weight += 0.5**level
    return total / weight


@dataclass(frozen=True, eq=False)
class Seen:
    """Logits (n, classes, *grid) against labels (n, *grid), 255 for ignore; what the terms share is computed once."""

    logits: Tensor
    target: Tensor

    @cached_property
    def known(self) -> Tensor:
        """Pixels that take part, bool (n, *grid)."""
        return self.target != IGNORED

    @cached_property
    def logp(self) -> Tensor:
        """Log probabilities (n, classes, *grid)."""
        return functional.log_softmax(self.logits.float(), 1)

    @cached_property
    def p(self) -> Tensor:
        """Probabilities, 0 where ignored."""
        return self.logp.exp() * self.known[:, None]

    @cached_property
    def truth(self) -> Tensor:
        """One-hot labels (n, classes, *grid), 0 where ignored."""
        classes = range(self.logits.shape[1])
        return torch.stack([self.target == c for c in classes], 1).to(self.p.dtype)

    @cached_property
    def axes(self) -> tuple[int, ...]:
        """Those of cases and pixels."""
        return (0, *range(2, self.logits.ndim))

    def averaged(self, values: Tensor) -> Tensor:
        """Mean over the pixels that take part, of values (n, *grid)."""
        return (values * self.known).sum() / self.known.sum().clamp(min=1)

    @cached_property
    def own(self) -> Tensor:
        """Log probability of the right class, (n, *grid)."""
        index = torch.where(self.known, self.target, 0)
        return self.logp.gather(1, index[:, None])[:, 0]


def cross_entropy(seen: Seen) -> Tensor:
    """Mean of minus the log probability of the right class."""
    return -seen.averaged(seen.own)


def focal(seen: Seen) -> Tensor:
    """Cross-entropy in which sure pixels weigh little: (1 - p)^2 (Lin et al. 2017)."""
    return -seen.averaged((1 - seen.own.exp()) ** FOCUS * seen.own)


def dice(seen: Seen) -> Tensor:
    """1 - soft Dice over the whole batch, mean over the foreground classes (Milletari et al. 2016)."""
    return _overlap(seen, 0.5, 0.5)


def tversky(seen: Seen) -> Tensor:
    """As `dice`, but what is missed weighs 0.7 and what is too much 0.3 (Salehi et al. 2017)."""
    return _overlap(seen, FALSE_POSITIVE, FALSE_NEGATIVE)


def _overlap(seen: Seen, positive: float, negative: float) -> Tensor:
    p, truth = seen.p[:, 1:], seen.truth[:, 1:]
    both, found, there = ((v).sum(seen.axes) for v in (p * truth, p, truth))
    return (1 - (both + 0.5) / (both + positive * (found - both) + negative * (there - both) + 0.5)).mean()


def generalised_dice(seen: Seen) -> Tensor:
    """1 - Dice of all classes together, each weighed by 1 / its pixels squared (Sudre et al. 2017).

    A class that the batch lacks weighs as much as its rarest.
    """
    sizes = seen.truth.sum(seen.axes)
    weight = torch.where(sizes > 0, 1 / sizes.clamp(min=1) ** 2, 0.0)
    weight = torch.where(sizes > 0, weight, weight.max())
    both = ((seen.p * seen.truth).sum(seen.axes) * weight).sum()
    total = ((seen.p.sum(seen.axes) + sizes) * weight).sum()
    return 1 - 2 * both / total.clamp(min=1e-12)


def cldice(seen: Seen) -> Tensor:
    """1 - the harmonic mean of how much of each skeleton lies in the other region (centreline Dice, Shit et al. 2021).

    The skeletons are soft: five steps of thinning, for tubes up to ten pixels wide.
    """
    p, truth = seen.p[:, 1:], seen.truth[:, 1:]
    thin, line = soft_skeleton(p), soft_skeleton(truth)
    inside = ((thin * truth).sum(seen.axes) + 1) / (thin.sum(seen.axes) + 1)
    covered = ((line * p).sum(seen.axes) + 1) / (line.sum(seen.axes) + 1)
    return (1 - 2 * inside * covered / (inside + covered)).mean()


def boundary(seen: Seen) -> Tensor:
    """Mean of probability times signed distance to the true edge, in longest sides of the grid (Kervadec et al. 2019).

    Below 0 where the answer is good; a class that a sample lacks adds nothing. It says little about regions that are
    far off, so it stands beside a loss of overlap.
    """
    return seen.averaged((seen.p[:, 1:] * distances(seen.target, seen.logits.shape[1])).sum(1))


TERMS: dict[str, Callable[[Seen], Tensor]] = {
    term.__name__: term for term in (dice, generalised_dice, cross_entropy, focal, tversky, cldice, boundary)
}


def segmentation_loss(name: str, **weights: float) -> Callable[[Any, Tensor], Tensor]:
    """The loss of a name, over what a network gives in training mode: logits, or a list of heads on coarser grids.

    Of a network with a second head (`MultiTask`) the error of its distances is added, of the same weight.

    Parameters
    ----------
    name
        Terms joined by ``+``: dice, generalised_dice, cross_entropy, focal, tversky, cldice, boundary.
    **weights
        Term to weight; 1 where none is said.

    Raises
    ------
    RecipeError
        An unknown term, or one that stands twice.
    """
    loss = dice_cross_entropy if name == USUAL and not weights else _added(parts_of(name), weights)

    def over_heads(out: Any, target: Tensor) -> Tensor:
        if isinstance(out, MultiTask):
            return deep(loss, out.heads, target) + distance_error(out.distance, target)
        heads: Sequence[Tensor] = out if isinstance(out, (list, tuple)) else [out]
        return deep(loss, heads, target)

    return over_heads


def parts_of(name: str) -> tuple[str, ...]:
    """The terms of a loss; RecipeError for an unknown one.

    >>> parts_of("tversky+focal")
    ('tversky', 'focal')
    """
    terms = tuple(part.strip() for part in name.split("+"))
    for term in terms:
        if term not in TERMS:
            raise RecipeError(f"no loss {term!r}", remedy=nearest(term, TERMS))
    if len(set(terms)) < len(terms):
        raise RecipeError("a term of the loss stands twice", got=name)
    return terms


def _added(terms: Sequence[str], weights: dict[str, float]) -> Loss:
    unknown = [w for w in weights if w not in terms]
    if unknown:
        raise RecipeError(
            f"a weight for {unknown[0]!r}, which the loss does not hold", remedy=nearest(unknown[0], terms)
        )

    def total(logits: Tensor, target: Tensor) -> Tensor:
        seen = Seen(logits, target)
        return torch.stack([TERMS[t](seen) * weights.get(t, 1.0) for t in terms]).sum()

    return total


def soft_skeleton(x: Tensor, steps: int = THINNINGS) -> Tensor:
    """What opening by the smallest cross removes, step by step of thinning; values 0 to 1, (n, c, *grid)."""
    thin, skeleton = x, functional.relu(x - _opened(x))
    for _ in range(steps):
        thin = _eroded(thin)
        new = functional.relu(thin - _opened(thin))
        skeleton = skeleton + functional.relu(new - skeleton * new)
    return skeleton


def _eroded(x: Tensor) -> Tensor:
    pool = functional.max_pool2d if x.ndim == 4 else functional.max_pool3d
    rank, smallest = x.ndim - 2, []
    for axis in range(rank):
        size = [3 if a == axis else 1 for a in range(rank)]
        smallest.append(-pool(-x, size, 1, [s // 2 for s in size]))
    return torch.stack(smallest).amin(0)


def _opened(x: Tensor) -> Tensor:
    pool = functional.max_pool2d if x.ndim == 4 else functional.max_pool3d
    out: Tensor = pool(_eroded(x), 3, 1, 1)
    return out
