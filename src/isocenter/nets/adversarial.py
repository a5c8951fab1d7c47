"""Changes of an input that raise a network's loss: what they aim at, within which ball, one step and many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

Answers = Callable[[Tensor], Tensor]
Stored = Callable[[Tensor], Tensor]
# A region is lost when its Dice falls below this.
LOST = 0.01


@dataclass(frozen=True)
class Ball:
    """How far a change may go: pixels stay in 0..1, the change in a norm's ball.

    Parameters
    ----------
    norm
        ``"linf"`` or ``"l2"``.
    radius
        Of the ball.
    """

    norm: str
    radius: float

    def inside(self, x: Tensor, start: Tensor) -> Tensor:
        """The nearest point of the ball around `start` (n, c, *grid), and of 0..1."""
        if self.norm == "linf":
            return torch.minimum(torch.maximum(x, start - self.radius), start + self.radius).clamp(0, 1)
        away = x - start
        factor = self.radius / lengths(away).clamp(min=self.radius).clamp(min=1e-30)
        return (start + away * column(factor, away)).clamp(0, 1)

    def direction(self, slope: Tensor) -> Tensor:
        """The steepest direction of length 1 in the norm; 0 where the gradient is."""
        if self.norm == "linf":
            return slope.sign()
        return slope / column(lengths(slope).clamp(min=1e-30), slope)

    def drawn(self, start: Tensor, generator: torch.Generator) -> Tensor:
        """A point drawn evenly from the ball."""
        if self.norm == "linf":
            u = torch.rand(start.shape, generator=generator, dtype=start.dtype)
            return (start + (2 * u - 1) * self.radius).clamp(0, 1)
        away = torch.randn(start.shape, generator=generator, dtype=start.dtype)
        u = torch.rand(len(start), generator=generator, dtype=start.dtype) ** (1 / start[0].numel())
        return (start + away * column(self.radius * u / lengths(away).clamp(min=1e-30), away)).clamp(0, 1)


@dataclass(frozen=True)
class Aim:
    """What an attack moves the answer away from.

    Parameters
    ----------
    truth
        int64 (n,) class; int64 (n, *grid) labels with 255 where nothing counts; or float (n, classes) of zeros and ones
        where several labels may hold.
    loss
        ``"ce"`` cross-entropy, or ``"dlr"`` difference of logits ratio (Croce and Hein, ICML 2020), which does not
        change with the scale of the logits. With two classes its divisor does not exist and the difference stands
        alone. Several labels always have cross-entropy.
    """

    truth: Tensor
    loss: str = "ce"

    def losses(self, scores: Tensor) -> Tensor:
        """(n,) what the attack raises, of scores (n, classes[, *grid])."""
        if self.truth.is_floating_point():
            each = functional.binary_cross_entropy_with_logits(scores, self.truth, reduction="none")
            return each.mean(dim=1)
        if self.loss == "ce":
            each = functional.cross_entropy(scores, self.truth, reduction="none", ignore_index=255)
        else:
            each = _ratio(scores, self.truth.clamp(max=scores.shape[1] - 1))
        if each.ndim == 1:
            return each
        counts = (self.truth != 255).flatten(1)
        return (each.flatten(1) * counts).sum(1) / counts.sum(1).clamp(min=1)

    def margins(self, scores: Tensor) -> Tensor:
        """(n,) how far the answer is from lost: below 0 it is.

        Of a class its lead; of several labels the least lead; of pixels the mean Dice over the regions that are there.
        """
        if self.truth.is_floating_point():
            return (scores * (2 * self.truth - 1)).amin(dim=1)
        if self.truth.ndim == 1:
            return -_lead(scores, self.truth)
        return _dice(scores, self.truth) - LOST


@dataclass
class Found:
    """The strongest changes found.

    Parameters
    ----------
    x
        (n, c, *grid).
    margins
        (n,) of `Aim`, at `x`.
    trace
        Mean loss at each step.
    slope
        (n,) largest absolute gradient at the start.
    """

    x: Tensor
    margins: Tensor
    trace: list[float] = field(default_factory=list)
    slope: Tensor | None = None

    def take(self, x: Tensor, margins: Tensor) -> None:
        """Keeps what is stronger, sample by sample."""
        better = margins < self.margins
        self.x = torch.where(column(better, x), x.detach(), self.x)
        self.margins = torch.where(better, margins, self.margins)


def lengths(x: Tensor) -> Tensor:
    """(n,) Euclidean length of each sample."""
    return x.flatten(1).norm(dim=1)


def column(values: Tensor, like: Tensor) -> Tensor:
    """(n,) as (n, 1, 1 ...)."""
    return values.reshape(-1, *([1] * (like.ndim - 1)))


def slopes(answers: Answers, x: Tensor, aim: Aim) -> tuple[Tensor, Tensor, Tensor]:
    """Losses (n,), margins (n,) and the gradient (n, c, *grid) of the losses."""
    with torch.enable_grad():
        at = x.detach().requires_grad_(True)
        scores = answers(at)
        losses = aim.losses(scores)
        (slope,) = torch.autograd.grad(losses.sum(), at)
    return losses.detach(), aim.margins(scores.detach()), slope


def as_is(x: Tensor) -> Tensor:
    """No rounding."""
    return x


def margins_at(answers: Answers, x: Tensor, aim: Aim) -> Tensor:
    """(n,) margins, without a gradient."""
    with torch.no_grad():
        return aim.margins(answers(x))


def fgsm(answers: Answers, x: Tensor, aim: Aim, *, ball: Ball) -> Found:
    """One step of the ball's radius along the gradient (Goodfellow, Shlens, Szegedy, ICLR 2015)."""
    losses, margins, slope = slopes(answers, x, aim)
    there = ball.inside(x + ball.radius * ball.direction(slope), x)
    found = Found(x, margins, [float(losses.mean())], slope.abs().flatten(1).amax(1))
    found.take(there, margins_at(answers, there, aim))
    with torch.no_grad():
        found.trace.append(float(aim.losses(answers(there)).mean()))
    return found


@dataclass(frozen=True)
class Walk:
    """How an attack goes on.

    Parameters
    ----------
    steps
        Gradients.
    step
        Length of one as a share of the ball's radius.
    restarts
        Starts: the first at the image, or drawn where `random`; every further one drawn.
    random
        Whether the first start is drawn too.
    seed
        Of what is drawn.
    """

    steps: int = 20
    step: float = 0.25
    restarts: int = 1
    random: bool = True
    seed: int = 0


def pgd(
    answers: Answers, x: Tensor, aim: Aim, *, ball: Ball, walk: Walk | None = None, stored: Stored = as_is
) -> Found:
    """Projected gradient ascent (Madry et al., ICLR 2018).

    Parameters
    ----------
    answers
        (n, c, *grid) in 0..1 to scores (n, classes[, *grid]).
    x
        The inputs.
    aim, ball, walk
        What to reach, how far, how.
    stored
        What a file makes of an input. The walk ends early only where all are lost after that too.
    """
    walk = walk or Walk()
    draw = torch.Generator().manual_seed(walk.seed)
    found = Found(x, torch.full((len(x),), torch.inf))
    for turn in range(walk.restarts):
        at = ball.drawn(x, draw) if walk.random or turn else x
        for _ in range(walk.steps):
            losses, margins, slope = slopes(answers, at, aim)
            found.take(at, margins)
            found.trace.append(float(losses.mean()))
            found.slope = slope.abs().flatten(1).amax(1) if found.slope is None else found.slope
            if lost(answers, found, aim, stored):
                return found
            at = ball.inside(at + walk.step * ball.radius * ball.direction(slope), x)
        found.take(at, margins_at(answers, at, aim))
    return found


def lost(answers: Answers, found: Found, aim: Aim, stored: Stored) -> bool:
    """Whether every sample is lost, after rounding too."""
    if not bool((found.margins < 0).all()):
        return False
    return stored is as_is or bool((margins_at(answers, stored(found.x), aim) < 0).all())


def _lead(scores: Tensor, truth: Tensor) -> Tensor:
    """The best other score less that of the truth, along the axis of classes."""
    own = scores.gather(1, truth.unsqueeze(1)).squeeze(1)
    others = scores.scatter(1, truth.unsqueeze(1), -torch.inf)
    return others.amax(dim=1) - own


def _ratio(scores: Tensor, truth: Tensor) -> Tensor:
    lead = _lead(scores, truth)
    if scores.shape[1] < 3:
        return lead
    ordered = scores.sort(dim=1, descending=True).values
    return lead / (ordered[:, 0] - ordered[:, 2] + 1e-12)


def _dice(scores: Tensor, truth: Tensor) -> Tensor:
    """(n,) mean over the regions of each truth, background apart."""
    said, known = scores.argmax(dim=1), truth != 255
    total, count = torch.zeros(len(truth)), torch.zeros(len(truth))
    for k in range(1, scores.shape[1]):
        mine, theirs = (truth == k).flatten(1), ((said == k) & known).flatten(1)
        there = mine.any(dim=1)
        both = 2 * (mine & theirs).sum(1) / (mine.sum(1) + theirs.sum(1)).clamp(min=1)
        total, count = total + torch.where(there, both, 0.0), count + there
    return total / count.clamp(min=1)
