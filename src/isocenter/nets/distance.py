"""Distance to the edge of a region: what a second head learns beside the labels, and how far its answer is off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

IGNORED = 255
# Where a distance is cut off, a share of the grid's longest side: what lies further away says no more about the edge.
REACH = 0.125


@dataclass(frozen=True, eq=False)
class MultiTask:
    """What a network with a second head gives in training mode.

    Parameters
    ----------
    heads
        Logits (n, classes, *grid), the full grid first, then ever coarser ones.
    distance
        (n, classes - 1, *grid): what the second head says, of the range of `truncated`.
    """

    heads: list[Tensor]
    distance: Tensor


def distances(target: Tensor, classes: int) -> Tensor:
    """Signed distance to the edge of each foreground class, below 0 inside, (n, classes - 1, *grid) on target's device.

    In longest sides of the grid; 0 throughout where a sample lacks the class or holds nothing else.
    """
    labels = target.cpu().numpy()
    out = np.zeros((len(labels), classes - 1, *labels.shape[1:]), np.float32)
    for i, sample in enumerate(labels):
        for c in range(1, classes):
            inside = sample == c
            if inside.any() and not inside.all():
                # Half a pixel beyond the centre lies the edge.
                far, deep = (ndimage.distance_transform_edt(m) for m in (~inside, inside))
                out[i, c - 1] = np.where(inside, 0.5 - deep, far - 0.5) / max(labels.shape[1:])
    return torch.from_numpy(out).to(target.device)


def truncated(target: Tensor, classes: int) -> Tensor:
    """`distances` cut off at an eighth of the grid's longest side and scaled by it: -1 deep inside to 1 far outside.

    1 throughout where a sample lacks the class, -1 where it holds nothing else.
    """
    near = distances(target, classes) / REACH
    inside = torch.stack([target == c for c in range(1, classes)], 1)
    axes = tuple(range(2, inside.ndim))
    edgeless = inside.all(axes, keepdim=True) | ~inside.any(axes, keepdim=True)
    return torch.where(edgeless, torch.where(inside, -1.0, 1.0), near.clamp(-1, 1))


def distance_error(found: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of a second head against `truncated`, over classes and the pixels that take part.

    Source: Murugesan et al., Psi-Net, EMBC 2019; the head that goes after training: Dangi et al., A distance map
    regularized CNN for cardiac cine MR image segmentation, Medical Physics 46 (2019).

    Parameters
    ----------
    found
        (n, classes - 1, *grid).
    target
        (n, *grid) int64; 255 takes no part.
    """
    known = (target != IGNORED)[:, None]
    off = (found.float() - truncated(target, found.shape[1] + 1)) ** 2 * known
    return off.sum() / (known.sum() * found.shape[1]).clamp(min=1)
