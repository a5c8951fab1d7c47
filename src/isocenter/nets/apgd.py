"""Projected gradient ascent that sets its own step: momentum, checkpoints, and back to the best point."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isocenter.nets.adversarial import (
    Aim,
    Answers,
    Ball,
    Found,
    Stored,
    Walk,
    as_is,
    column,
    lost,
    margins_at,
    slopes,
)

# Weight of the new step against the last move; share of rising steps below which the step is halved.
MOMENTUM, RISING = 0.75, 0.75


def checkpoints(steps: int) -> list[int]:
    """After which steps the step is looked at: intervals shrink by 3 % of all steps, down to 6 %.

    >>> checkpoints(100)[:4]
    [22, 41, 57, 70]
    """
    last, now, out = 0.0, 0.22, []
    while round(now * steps) < steps:
        out.append(max(1, round(now * steps)))
        last, now = now, now + max(now - last - 0.03, 0.06)
    return sorted(set(out))


@dataclass
class _Way:
    """Where each sample stands."""

    step: Tensor
    best: Tensor
    best_loss: Tensor
    best_slope: Tensor
    rises: Tensor
    loss_then: Tensor
    step_then: Tensor


def apgd(
    answers: Answers, x: Tensor, aim: Aim, *, ball: Ball, walk: Walk | None = None, stored: Stored = as_is
) -> Found:
    """Auto-PGD (Croce and Hein, ICML 2020); as `adversarial.pgd`, whose `walk.step` it does not need."""
    walk = walk or Walk()
    draw = torch.Generator().manual_seed(walk.seed)
    found = Found(x, torch.full((len(x),), torch.inf))
    for turn in range(walk.restarts):
        start = ball.drawn(x, draw) if walk.random or turn else x
        if _climbed(answers, (x, start), aim, ball, walk.steps, stored, found):
            break
    return found


def _climbed(
    answers: Answers, ends: tuple[Tensor, Tensor], aim: Aim, ball: Ball, steps: int, stored: Stored, found: Found
) -> bool:
    """One start; whether all are lost."""
    x, at = ends
    losses, margins, slope = slopes(answers, at, aim)
    found.take(at, margins)
    found.trace.append(float(losses.mean()))
    found.slope = slope.abs().flatten(1).amax(1) if found.slope is None else found.slope
    size = torch.full((len(x),), 2 * ball.radius)
    way = _Way(size, at.clone(), losses.clone(), slope.clone(), torch.zeros(len(x)), losses.clone(), size.clone())
    before, marks, last = at, set(checkpoints(steps)), 0
    for i in range(steps):
        if lost(answers, found, aim, stored):
            return True
        ahead = ball.inside(at + column(way.step, at) * ball.direction(slope), x)
        share = 1.0 if i == 0 else MOMENTUM
        ahead = ball.inside(at + share * (ahead - at) + (1 - share) * (at - before), x)
        before, at, old = at, ahead, losses
        losses, margins, slope = slopes(answers, at, aim)
        found.take(at, margins)
        found.trace.append(float(losses.mean()))
        _noted(way, at, losses, slope, old)
        if i + 1 in marks:
            back = _halved(way, i + 1 - last)
            at = torch.where(column(back, at), way.best, at)
            slope = torch.where(column(back, at), way.best_slope, slope)
            losses = torch.where(back, way.best_loss, losses)
            last = i + 1
    found.take(at, margins_at(answers, at, aim))
    return lost(answers, found, aim, stored)


def _noted(way: _Way, at: Tensor, losses: Tensor, slope: Tensor, old: Tensor) -> None:
    better = losses > way.best_loss
    way.rises = way.rises + (losses > old)
    way.best = torch.where(column(better, at), at, way.best)
    way.best_slope = torch.where(column(better, at), slope, way.best_slope)
    way.best_loss = torch.where(better, losses, way.best_loss)


def _halved(way: _Way, passed: int) -> Tensor:
    """(n,) which samples go back to their best point with half the step."""
    few = way.rises < RISING * passed
    stuck = (way.step == way.step_then) & (way.best_loss <= way.loss_then)
    back = few | stuck
    way.step_then, way.loss_then = way.step.clone(), way.best_loss.clone()
    way.step = torch.where(back, way.step / 2, way.step)
    way.rises = torch.zeros_like(way.rises)
    return back
