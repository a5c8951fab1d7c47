"""Losses of one-stage detectors: what each place should have said."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from isocenter.nets.assigning import IGNORED, NOTHING, Truth, aligned, matched, truths
from isocenter.nets.boxes import distance_iou, encoded, iou
from isocenter.nets.detectors import Raw

# Weight of the box against the score (PP-YOLOE: Xu et al. 2022).
BOX = 2.5
# Focal loss (Lin et al., ICCV 2017): weight of objects, exponent; and the bend of the smooth L1 loss of its boxes.
ALPHA, GAMMA, BEND = 0.25, 2.0, 1 / 9
# Weight of places without an object in the varifocal loss.
EASY = 0.75
# Places without an object that count, for each with one (SSD).
NEGATIVES = 3
# IoU from which an anchor answers, and from which it is not asked to say nothing.
HIGH, LOW = 0.5, 0.4

DetectionLoss = Callable[[Raw, Tensor], Tensor]


def aligned_loss(raw: Raw, targets: Tensor) -> Tensor:
    """Varifocal loss of the scores and distance-IoU of the boxes of those places that `aligned` chooses.

    Places without an object count by the square of their score, so that a rare class is not drowned by them (Zhang et
    al., VarifocalNet, CVPR 2021).

    Parameters
    ----------
    raw
        What the network gave; places are (p, 2, rank) centres and strides.
    targets
        float32 (n, m, 2 rank + 1), as in `assigning.truths`.
    """
    logits, edges, points = raw.rows[..., 2 * raw.places.shape[-1] :], raw.edges, raw.places[:, 0]
    aims, counted, boxes, weights = torch.zeros_like(logits), torch.ones_like(logits), [], []
    for i, truth in enumerate(truths(targets)):
        found, weight = aligned(logits[i].detach().sigmoid(), edges[i].detach(), points, truth)
        at = (found >= 0).nonzero()[:, 0]
        aims[i, at, truth.labels[found[at]]] = weight[at]
        counted[i, found == IGNORED] = 0.0
        boxes.append(distance_iou(edges[i, at], truth.edges[found[at]]))
        weights.append(weight[at])
    total = aims.sum().clamp(min=1.0)
    share = torch.where(aims > 0, aims, EASY * logits.sigmoid() ** GAMMA)
    entropy = functional.binary_cross_entropy_with_logits(logits, aims, reduction="none")
    return ((share * entropy * counted).sum() + BOX * (torch.cat(boxes) * torch.cat(weights)).sum()) / total


def focal_loss(raw: Raw, targets: Tensor) -> Tensor:
    """Focal loss of the scores and smooth L1 of the moves (RetinaNet: Lin et al. 2017); arguments as `aligned_loss`."""
    moves, logits = raw.rows[..., : 2 * raw.places.shape[-1]], raw.rows[..., 2 * raw.places.shape[-1] :]
    aims, counted, box, n = torch.zeros_like(logits), torch.ones_like(logits), moves.new_zeros(()), 0
    for i, truth in enumerate(truths(targets)):
        found = matched(raw.places[:, :2], truth, high=HIGH, low=LOW)
        at = (found >= 0).nonzero()[:, 0]
        aims[i, at, truth.labels[found[at]]] = 1.0
        counted[i, found == IGNORED] = 0.0
        box = box + _moved(moves[i, at], truth, found[at], raw.places[at, :2], bend=BEND)
        n += len(at)
    p = logits.sigmoid()
    wrong = torch.where(aims > 0, 1 - p, p) ** GAMMA * torch.where(aims > 0, ALPHA, 1 - ALPHA)
    entropy = functional.binary_cross_entropy_with_logits(logits, aims, reduction="none")
    return ((wrong * entropy * counted).sum() + box) / max(1, n)


def mined_loss(raw: Raw, targets: Tensor) -> Tensor:
    """Cross-entropy with the three worst background places for each object, and smooth L1 of the moves (SSD: Liu 2016).

    Arguments as `aligned_loss`; the first logit is that of background.
    """
    moves, logits = raw.rows[..., : 2 * raw.places.shape[-1]], raw.rows[..., 2 * raw.places.shape[-1] :]
    total, n = moves.new_zeros(()), 0
    for i, truth in enumerate(truths(targets)):
        found = matched(raw.places[:, :2], truth, high=HIGH, low=HIGH)
        at = (found >= 0).nonzero()[:, 0]
        aim = torch.zeros_like(found)
        aim[at] = truth.labels[found[at]] + 1
        entropy = functional.cross_entropy(logits[i], aim, reduction="none")
        worst = entropy[found == NOTHING].topk(min(NEGATIVES * max(1, len(at)), int((found == NOTHING).sum()))).values
        total = total + entropy[at].sum() + worst.sum()
        total = total + _moved(moves[i, at], truth, found[at], raw.places[at, :2], bend=1.0)
        n += len(at)
    return total / max(1, n)


def objectness_loss(raw: Raw, targets: Tensor) -> Tensor:
    """Cross-entropies of objectness and classes, and distance-IoU of the boxes (after YOLOv3: Redmon and Farhadi 2018).

    One anchor answers for each box; others whose box overlaps one by more than half are not asked to say nothing.
    Arguments as `aligned_loss`; the first logit is objectness.
    """
    edges, rest = raw.edges, raw.rows[..., 2 * raw.places.shape[-1] :]
    total, n = rest.new_zeros(()), 0
    for i, truth in enumerate(truths(targets)):
        found = matched(raw.places[:, :2], truth, high=2.0, low=2.0)
        at = (found >= 0).nonzero()[:, 0]
        there = (found >= 0).float()
        counted = (found != IGNORED).float()
        if len(truth.edges):
            near = iou(truth.edges[:, None], edges[i].detach()[None]).amax(0) > HIGH
            counted[near & (found == NOTHING)] = 0.0
        total = total + functional.binary_cross_entropy_with_logits(rest[i, :, 0], there, counted, reduction="sum")
        kinds = functional.one_hot(truth.labels[found[at]], rest.shape[-1] - 1).float()
        total = total + functional.binary_cross_entropy_with_logits(rest[i, at, 1:], kinds, reduction="sum")
        total = total + BOX * distance_iou(edges[i, at], truth.edges[found[at]]).sum()
        n += len(at)
    return total / max(1, n)


DETECTION_LOSSES: dict[str, DetectionLoss] = {
    "aligned": aligned_loss,
    "focal": focal_loss,
    "mined": mined_loss,
    "objectness": objectness_loss,
}


def _moved(moves: Tensor, truth: Truth, found: Tensor, anchors: Tensor, *, bend: float) -> Tensor:
    aims = encoded(truth.edges[found], anchors)
    return functional.smooth_l1_loss(moves, aims, reduction="sum", beta=bend)
