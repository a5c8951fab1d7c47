"""What all one-stage detectors share: rows of numbers at places of the grid, and the boxes that they stand for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor, nn

from isocenter.nets.boxes import anchored, centres

# Channels of the pyramid and the branches, in those of the encoder's stem.
NECK = 2
# Share of places that an untrained network calls an object (Lin et al., ICCV 2017).
PRIOR = 0.01


class Raw(NamedTuple):
    """What a detector gives while it learns.

    Parameters
    ----------
    rows
        (n, places, numbers): as the network's class says.
    places
        (places, m, rank): where the rows stand, as the class says.
    edges
        float32 (n, places, 2, rank): the boxes that the rows stand for, in pixels of the input.
    """

    rows: Tensor
    places: Tensor
    edges: Tensor


class Detector(nn.Module):  # type: ignore[misc]
    """A network that gives rows at places; in eval mode float32 (n, places, 2 rank + classes): low edges, high edges in
    pixels of its input, probability per class.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    outputs
        Classes.
    levels
        Stride of each level, the finest first.
    numbers
        Of a row.
    """

    def __init__(self, rank: int, outputs: int, levels: Sequence[Sequence[int]], *, numbers: int) -> None:
        super().__init__()
        self.rank, self.outputs, self.numbers = rank, outputs, numbers
        self.levels = [tuple(int(s) for s in stride) for stride in levels]

    def features(self, x: Tensor) -> list[Tensor]:
        """(n, channels, *grid) to the rows of each level as maps (n, numbers x anchors, *grid / stride)."""
        raise NotImplementedError

    def places(self, grids: Sequence[Sequence[int]], like: Tensor) -> Tensor:
        """Where the rows of all levels stand, for maps of these grids."""
        raise NotImplementedError

    def edges(self, rows: Tensor, places: Tensor) -> Tensor:
        """float32 (n, places, 2, rank) boxes in pixels of the input."""
        raise NotImplementedError

    def probabilities(self, rows: Tensor) -> Tensor:
        """float32 (n, places, classes)."""
        raise NotImplementedError

    def raw(self, x: Tensor) -> Raw:
        """Rows, places and boxes of a batch."""
        maps = self.features(x)
        places = self.places([m.shape[2:] for m in maps], x)
        rows = torch.cat([m.flatten(2).transpose(1, 2).reshape(m.shape[0], -1, self.numbers) for m in maps], 1).float()
        return Raw(rows, places, self.edges(rows, places))

    def forward(self, x: Tensor) -> Raw | Tensor:
        """(n, channels, *grid), every axis a multiple of the coarsest stride; `Raw` in training mode."""
        raw = self.raw(x)
        return raw if self.training else torch.cat((raw.edges.flatten(2), self.probabilities(raw.rows)), 2)


def strided(steps: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Stride of the output of every step: the product of the steps so far."""
    return list(accumulate((tuple(s) for s in steps), lambda a, b: tuple(x * y for x, y in zip(a, b, strict=True))))


def grid_of_anchors(
    grids: Sequence[Sequence[int]],
    strides: Sequence[Sequence[int]],
    anchors: Sequence[Sequence[Sequence[float]]],
    like: Tensor,
) -> Tensor:
    """float32 (places, 3, rank): low edge, high edge and stride of every anchor of every cell, level after level."""
    out = []
    for grid, stride, sizes in zip(grids, strides, anchors, strict=True):
        boxes = anchored(centres(grid, stride, like), torch.tensor(sizes, dtype=torch.float32, device=like.device))
        step = torch.tensor(stride, dtype=torch.float32, device=like.device)
        out.append(torch.cat((boxes, torch.zeros_like(boxes[:, :1]) + step), 1))
    return torch.cat(out)


def unlikely(layer: nn.Module, positions: Sequence[int]) -> None:
    """Sets the bias of these outputs so that an untrained network calls next to nothing an object."""
    with torch.no_grad():
        layer.bias[list(positions)] = -math.log((1 - PRIOR) / PRIOR)
