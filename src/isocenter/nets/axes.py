"""Layers for two axes, three, and volumes seen slice by slice: one definition of a network serves all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from isocenter.errors import RecipeError
from isocenter.nets.parts import BATCH, CONVOLUTION, POOL

MEAN = {2: nn.AvgPool2d, 3: nn.AvgPool3d}


@dataclass(frozen=True)
class Axes:
    """Makes the layers of a network.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    context
        rank 3: every layer looks in the plane of each slice alone but for the first convolution, which sees so many
        slices above and below ("2.5D"). None: three axes throughout.

    Raises
    ------
    RecipeError
        Slices as context of images of two axes.
    """

    rank: int
    context: int | None = None

    def __post_init__(self) -> None:
        if self.context is not None and self.rank != 3:
            raise RecipeError("slices as context need volumes", got=f"rank {self.rank}", remedy="Leave context out")

    def sized(self, size: int, *, across: int = 1) -> tuple[int, ...]:
        """One number per axis: `size`, and `across` the slices where each is seen by itself.

        >>> Axes(3, context=1).sized(3)
        (1, 3, 3)
        """
        return (across, size, size) if self.context is not None else (size,) * self.rank

    def convolution(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1, bias: bool = False
    ) -> nn.Module:
        """A convolution that keeps the grid but for `stride`; `kernel` is odd."""
        size, step, edge = self.sized(kernel), self.sized(stride), self.sized(kernel // 2, across=0)
        return CONVOLUTION[self.rank](inputs, outputs, size, step, edge, groups=groups, bias=bias)

    def first(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, padding: int | None = None, bias: bool = False
    ) -> nn.Module:
        """The first convolution: it alone sees neighbouring slices."""
        near = self.context or 0
        edge = self.sized(kernel // 2 if padding is None else padding, across=near)
        size = self.sized(kernel, across=2 * near + 1)
        return CONVOLUTION[self.rank](inputs, outputs, size, self.sized(stride), edge, bias=bias)

    def norm(self, channels: int, *, eps: float = 1e-5) -> nn.Module:
        """Batch normalisation."""
        return BATCH[self.rank](channels, eps=eps)

    def pool(self, size: int, stride: int, *, padding: int = 0, up: bool = False) -> nn.Module:
        """Maximum of windows; with `up` a last window that is not full counts too."""
        edge = self.sized(padding, across=0)
        return POOL[self.rank](self.sized(size), self.sized(stride), edge, ceil_mode=up)

    def mean(self, size: int) -> nn.Module:
        """Mean of windows that do not overlap."""
        return MEAN[self.rank](self.sized(size), self.sized(size))

    def binned(self, size: int) -> tuple[nn.Module, int]:
        """What brings any grid to `size` per axis, and how many values that makes of a channel."""
        sizes = self.sized(size)
        return Binned(sizes), math.prod(sizes)


class Binned(nn.Module):  # type: ignore[misc]
    """Means of bins that cover each axis evenly, overlapping where the grid is no multiple: adaptive average pooling.

    The bins are computed from the grid, so that the exported network takes any.

    Parameters
    ----------
    sizes
        Bins per axis.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = tuple(sizes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, *grid) to (n, c, *sizes)."""
        for axis, size in enumerate(self.sizes, start=2):
            x = x.mean(axis, keepdim=True) if size == 1 else binned(x, axis, size)
        return x


def binned(x: Tensor, axis: int, size: int) -> Tensor:
    """Means of `size` bins that cover one axis of (n, c, *grid) evenly."""
    length = x.shape[axis]
    bins = torch.arange(size, device=x.device)
    low, high = bins * length // size, ((bins + 1) * length + size - 1) // size
    place = torch.arange(length, device=x.device)
    inside = ((place >= low[:, None]) & (place < high[:, None])).to(x.dtype)
    share = inside / inside.sum(1, keepdim=True)
    out: Tensor = (x.transpose(axis, x.ndim - 1) @ share.T).transpose(axis, x.ndim - 1)
    return out


def pooled(x: Tensor) -> Tensor:
    """(n, c, *grid) to (n, c): the mean over the grid."""
    out: Tensor = x.flatten(2).mean(2)
    return out
