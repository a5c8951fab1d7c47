"""Boxes as tensors: places on a grid, overlaps, and the numbers by which a network moves a box."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

# What the regressed numbers of an anchor are divided by: shifts, and logarithms of sizes (SSD, Liu et al., ECCV 2016).
VARIANCES = (0.1, 0.2)
# Largest logarithm of a factor of size.
STEEPEST = math.log(1000 / 16)
TINY = 1e-7


def centres(grid: Sequence[int], stride: Sequence[int], like: Tensor) -> Tensor:
    """float32 (cells, rank): centre of each cell in pixels, cells in array order.

    A cell covers `stride` pixels, so that cell 0 covers the edges -0.5 to stride - 0.5.
    """
    axes = [
        (torch.arange(n, device=like.device, dtype=torch.float32) + 0.5) * s - 0.5
        for n, s in zip(grid, stride, strict=True)
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))


def anchored(points: Tensor, sizes: Tensor) -> Tensor:
    """float32 (points x sizes, 2, rank): edges of a box of each size (k, rank) about each point (p, rank)."""
    half = sizes[None] / 2
    edges = torch.stack((points[:, None] - half, points[:, None] + half), 2)
    return edges.reshape(-1, 2, points.shape[1])


def middle(edges: Tensor) -> tuple[Tensor, Tensor]:
    """Centre and size, (..., rank) each, of boxes (..., 2, rank)."""
    return (edges[..., 0, :] + edges[..., 1, :]) / 2, edges[..., 1, :] - edges[..., 0, :]


def encoded(boxes: Tensor, anchors: Tensor) -> Tensor:
    """(n, 2 rank): what moves each anchor onto its box: shift by the anchor's size, logarithm of the factor of size."""
    (centre, size), (own, side) = middle(boxes), middle(anchors)
    shift, grow = (centre - own) / side / VARIANCES[0], (size / side).clamp(min=TINY).log() / VARIANCES[1]
    return torch.cat((shift, grow), -1)


def decoded(moves: Tensor, anchors: Tensor) -> Tensor:
    """(..., 2, rank): the way back from `encoded`."""
    own, side = middle(anchors)
    shift, grow = moves.float().chunk(2, -1)
    centre = own + shift * VARIANCES[0] * side
    half = side * (grow * VARIANCES[1]).clamp(max=STEEPEST).exp() / 2
    return torch.stack((centre - half, centre + half), -2)


def area(edges: Tensor) -> Tensor:
    """(...): area or volume in pixels of boxes (..., 2, rank); 0 where the edges are the wrong way round."""
    return (edges[..., 1, :] - edges[..., 0, :]).clamp(min=0).prod(-1)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes (..., 2, rank) that broadcast against each other."""
    low = torch.maximum(a[..., 0, :], b[..., 0, :])
    high = torch.minimum(a[..., 1, :], b[..., 1, :])
    both = (high - low).clamp(min=0).prod(-1)
    return both / (area(a) + area(b) - both).clamp(min=TINY)


def distance_iou(a: Tensor, b: Tensor) -> Tensor:
    """1 - IoU + squared distance of centres by squared diagonal of the hull (DIoU: Zheng et al., AAAI 2020)."""
    low = torch.minimum(a[..., 0, :], b[..., 0, :])
    high = torch.maximum(a[..., 1, :], b[..., 1, :])
    apart = ((middle(a)[0] - middle(b)[0]) ** 2).sum(-1)
    return 1 - iou(a, b) + apart / ((high - low) ** 2).sum(-1).clamp(min=TINY)
