"""The smallest change that alters an answer, found by going to the nearest linearised boundary."""

from __future__ import annotations

import torch
from torch import Tensor

from isocenter.nets.adversarial import Answers

# Beyond the boundary by this share of the way, as in the paper.
OVERSHOOT = 0.02


def deepfool(
    answers: Answers, x: Tensor, own: int, *, norm: str = "l2", steps: int = 50, candidates: int = 10
) -> tuple[Tensor, bool]:
    """DeepFool (Moosavi-Dezfooli, Fawzi, Frossard, CVPR 2016).

    Parameters
    ----------
    answers
        (1, c, *grid) in 0..1 to scores (1, classes), of which the largest is decided for.
    x
        (1, c, *grid).
    own
        Class that must not lead any more.
    norm
        ``"l2"`` or ``"linf"``: in which norm the boundary is nearest.
    steps
        Linearisations at most.
    candidates
        Other classes that are looked at, the likeliest first.

    Returns
    -------
    x
        (1, c, *grid) in 0..1, just beyond the boundary, or as far as it came.
    reached
        Whether another class leads there.
    """
    away, at = torch.zeros_like(x), x
    others: list[int] = []
    for _ in range(steps):
        with torch.enable_grad():
            point = at.detach().requires_grad_(True)
            scores = answers(point)[0]
            others = others or [int(k) for k in scores.detach().argsort(descending=True) if int(k) != own][:candidates]
            if int(scores.detach().argmax()) != own:
                return at, True
            gaps = torch.stack([scores[k] - scores[own] for k in others])
            slopes = [torch.autograd.grad(gap, point, retain_graph=True)[0] for gap in gaps]
        away = away + _nearest(gaps.detach(), slopes, norm)
        at = (x + (1 + OVERSHOOT) * away).clamp(0, 1)
    with torch.no_grad():
        return at, int(answers(at)[0].argmax()) != own


def _nearest(gaps: Tensor, slopes: list[Tensor], norm: str) -> Tensor:
    """The step to the nearest of some linearised boundaries."""
    sizes = torch.stack([s.abs().sum() if norm == "linf" else s.norm() for s in slopes]).clamp(min=1e-12)
    # A little further than the boundary, on which nothing would be decided.
    distances = (gaps.abs() + 1e-6) / sizes
    k = int(distances.argmin())
    slope = slopes[k]
    return distances[k] * slope.sign() if norm == "linf" else distances[k] * slope / sizes[k]
