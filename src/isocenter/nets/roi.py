"""RoI align through which gradients flow: the twin of `ops.roi.pooled`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from isocenter.ops.array import Array
from isocenter.ops.roi import level, positions


def align(
    maps: Sequence[Tensor], edges: Sequence[Array], *, size: int, strides: Sequence[int], samples: int = 2
) -> Tensor:
    """Features of each region of each image, at the level of the pyramid that fits its size.

    Source: He et al., Mask R-CNN, ICCV 2017, section 3; by `grid_sample`.

    Parameters
    ----------
    maps
        (n, c, height, width) of each level.
    edges
        (k, 2, 2) in pixels, one array an image.
    size, samples
        Bins along each axis, and positions along each axis of a bin.
    strides
        Pixels per cell of each level.

    Returns
    -------
    float32 (sum of k, c, size, size), image by image.
    """
    found, order, done = [maps[0].new_zeros((0, maps[0].shape[1], size, size), dtype=torch.float32)], [], 0
    for i, boxes in enumerate(edges):
        at = level(boxes, strides)
        for k, (features, stride) in enumerate(zip(maps, strides, strict=True)):
            here = np.flatnonzero(at == k)
            if len(here):
                one = features[i : i + 1].float()
                found.append(_aligned(one, boxes[here], size=size, stride=stride, samples=samples))
                order.append(here + done)
        done += len(boxes)
    back = np.argsort(np.concatenate(order)) if order else np.zeros(0, np.int64)
    return torch.cat(found)[torch.from_numpy(back).to(maps[0].device)]


def _aligned(features: Tensor, boxes: Array, *, size: int, stride: int, samples: int) -> Tensor:
    axes = []
    for axis, cells in enumerate(features.shape[2:]):
        pixels = positions(boxes[:, 0, axis], boxes[:, 1, axis], size=size, samples=samples)
        # grid_sample wants -1..1 over the edges of the grid.
        axes.append(torch.from_numpy(2 * (pixels + 0.5) / (stride * cells) - 1).to(features))
    n, side = axes[0].shape
    y, x = axes[0][:, :, None].expand(n, side, side), axes[1][:, None, :].expand(n, side, side)
    where = torch.stack([x, y], -1).reshape(1, n * side, side, 2)
    out = functional.grid_sample(features, where, mode="bilinear", padding_mode="border", align_corners=False)
    out = functional.avg_pool2d(out, samples) if samples > 1 else out
    return out[0].reshape(-1, n, size, size).transpose(0, 1)
