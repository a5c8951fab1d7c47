"""Which place of a detector answers for which box of the truth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isocenter.nets.boxes import iou

# Places that no box claims, and places that take part in nothing.
NOTHING, IGNORED = -1, -2
# Exponents of score and overlap, and places a box (TOOD: Feng et al., ICCV 2021; the places as in its follow-ups).
SURE, FITTING, PLACES = 0.5, 6.0, 10
# Score that the best place of a box aims at, at least: boxes of a rare class fit badly at first, and would hardly be
# learnt for it.
FLOOR = 0.5
# Boxes at one time.
ROWS = 256


@dataclass(frozen=True)
class Truth:
    """The boxes of one image.

    Parameters
    ----------
    edges
        float32 (m, 2, rank).
    labels
        int64 (m,): class.
    left_out
        float32 (k, 2, rank): boxes that are neither to be found nor wrong to find.
    """

    edges: Tensor
    labels: Tensor
    left_out: Tensor


def truths(targets: Tensor) -> list[Truth]:
    """The boxes of a batch float32 (n, m, 2 rank + 1): low edges, high edges, class; class -1 pads, -2 is left out."""
    rank = targets.shape[-1] // 2
    out = []
    for rows in targets.float():
        kinds = rows[:, -1].long()
        edges = rows[:, :-1].reshape(-1, 2, rank)
        out.append(Truth(edges[kinds >= 0], kinds[kinds >= 0], edges[kinds == IGNORED]))
    return out


def inside(points: Tensor, edges: Tensor) -> Tensor:
    """bool (m, p): whether point (p, rank) lies within box (m, 2, rank)."""
    return ((points[None] > edges[:, None, 0]) & (points[None] < edges[:, None, 1])).all(-1)


def matched(anchors: Tensor, truth: Truth, *, high: float, low: float) -> Tensor:
    """Box of each anchor by overlap (Faster R-CNN: Ren et al., NeurIPS 2015).

    Parameters
    ----------
    anchors
        (p, 2, rank).
    truth
        Boxes of the image.
    high, low
        IoU from which an anchor answers for its best box; below `low` it says that nothing is there. Every box gets at
        least its best anchor.

    Returns
    -------
    int64 (p,): position of the box, -1 nothing is there, -2 takes part in nothing.
    """
    found = torch.full((len(anchors),), NOTHING, dtype=torch.int64, device=anchors.device)
    if len(truth.edges):
        overlap = iou(truth.edges[:, None], anchors[None])
        best, box = overlap.max(0)
        found = torch.where(best >= high, box, torch.where(best < low, NOTHING, IGNORED))
        # Later boxes win where two share their best anchor.
        found[overlap.argmax(1)] = torch.arange(len(truth.edges), device=found.device)
    if len(truth.left_out):
        middle = anchors.mean(1)
        found[(found == NOTHING) & inside(middle, truth.left_out).any(0)] = IGNORED
    return found


@torch.no_grad()  # type: ignore[untyped-decorator]
def aligned(scores: Tensor, edges: Tensor, points: Tensor, truth: Truth) -> tuple[Tensor, Tensor]:
    """Box of each point by how well score and box of its answer fit already (TOOD: Feng et al., ICCV 2021).

    The score to be aimed at is the IoU of the point's box (Li et al., Generalized focal loss, NeurIPS 2020).

    Parameters
    ----------
    scores
        (p, classes) probabilities that the network gives.
    edges
        (p, 2, rank) boxes that it gives.
    points
        (p, rank).
    truth
        Boxes of the image.

    Returns
    -------
    found
        int64 (p,): position of the box, -1 nothing is there, -2 takes part in nothing.
    weight
        float32 (p,): the score to be aimed at, 0 where nothing is there.
    """
    found = torch.full((len(points),), NOTHING, dtype=torch.int64, device=points.device)
    weight = torch.zeros(len(points), device=points.device)
    if len(truth.left_out):
        found[inside(points, truth.left_out).any(0)] = IGNORED
    if not len(truth.edges):
        return found, weight
    overlap = torch.cat([iou(part[:, None], edges[None]) for part in truth.edges.split(ROWS)])
    within = _reachable(points, truth.edges)
    fit = (scores.T[truth.labels] ** SURE * overlap**FITTING).clamp(min=1e-30) * within
    top = fit.topk(min(PLACES, len(points)), 1).indices
    chosen = torch.zeros_like(within).scatter_(1, top, True) & within
    # A point in several boxes answers for the one that it fits best.
    best = torch.where(chosen, overlap + 1e-6, 0.0).max(0)
    taken = best.values > 0
    found[taken] = best.indices[taken]
    own = chosen & (found[None] == torch.arange(len(truth.edges), device=found.device)[:, None])
    best_of = (overlap * own).amax(1, keepdim=True).clamp(min=1e-6)
    aim = overlap * own * (FLOOR / best_of).clamp(min=1.0)
    weight[taken] = aim.amax(0)[taken].clamp(max=1.0)
    return found, weight


def _reachable(points: Tensor, edges: Tensor) -> Tensor:
    """bool (m, p): points within each box; of a box that holds none, the nearest."""
    within = inside(points, edges)
    empty = ~within.any(1)
    if empty.any():
        centre = edges[empty].mean(1)
        near = ((points[None] - centre[:, None]) ** 2).sum(-1).argmin(1)
        within[empty.nonzero()[:, 0], near] = True
    return within
