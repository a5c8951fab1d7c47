"""Class activation maps: the channels of one layer, weighed by what they mean for the answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from isocenter.ops.array import Array


def grad_cam(maps: Any, slope: Any) -> Any:
    """Grad-CAM (1, 1, *grid), at least 0: each channel weighs as much as its mean gradient.

    Parameters
    ----------
    maps, slope
        Output of a layer (1, c, *grid) and the gradient of the score there.

    Source: Selvaraju et al., ICCV 2017.
    """
    import torch

    weight = slope.mean(dim=tuple(range(2, slope.ndim)), keepdim=True)
    return torch.relu((weight * maps).sum(dim=1, keepdim=True))


def grad_cam_plus(maps: Any, slope: Any) -> Any:
    """Grad-CAM++ (1, 1, *grid), at least 0: within a channel, pixels weigh so that several objects count alike.

    The weights are those of exp(score), of which the second and third derivatives are powers of the gradient (equation
    19 of Chattopadhyay et al., WACV 2018); arguments as in `grad_cam`.
    """
    import torch

    grid = tuple(range(2, slope.ndim))
    square = slope**2
    below = 2 * square + maps.sum(dim=grid, keepdim=True) * slope**3
    alpha = torch.where(below != 0, square / torch.where(below != 0, below, torch.ones_like(below)), 0.0)
    weight = (alpha * torch.relu(slope)).sum(dim=grid, keepdim=True)
    return torch.relu((weight * maps).sum(dim=1, keepdim=True))


def enlarged(heat: Any, shape: tuple[int, ...]) -> Array:
    """A map (1, 1, *grid) on the network's own grid `shape`, linearly."""
    import torch

    mode = "trilinear" if len(shape) == 3 else "bilinear"
    return np.asarray(torch.nn.functional.interpolate(heat, size=shape, mode=mode)[0, 0].numpy())
