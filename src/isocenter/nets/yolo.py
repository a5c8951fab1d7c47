"""YOLO: an anchor-free network with a decoupled head, and version 3 with anchors on three scales."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from isocenter.nets.boxes import STEEPEST, centres
from isocenter.nets.detectors import NECK, Detector, grid_of_anchors, strided, unlikely
from isocenter.nets.parts import CONVOLUTION, initialised
from isocenter.nets.pyramid import Encoder, Pyramid, tower

STRIDES = ((2, 2),) * 5
# Convolutions of a branch.
BRANCH = 2


class Points(Detector):
    """Each cell gives the distances to the four (six) sides of its box and a score per class.

    Decoupled branches for box and class (YOLOX: Ge et al. 2021), distances as in FCOS (Tian et al., ICCV 2019), a
    pyramid with a path back (PAN). A row is 2 rank distances (low sides, high sides) and a logit per class; a place is
    the cell's centre and its stride, (2, rank).

    Parameters
    ----------
    rank, channels, outputs
        Spatial axes, input channels, classes.
    width, strides, blocks
        As width, steps, blocks of `pyramid.Encoder`; pyramid and branches have twice `width`.
    levels
        Scales: so many of the last stages.
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 24,
        strides: Sequence[Sequence[int]] = STRIDES,
        levels: int = 3,
        blocks: int = 1,
    ) -> None:
        super().__init__(rank, outputs, strided(strides)[-levels:], numbers=2 * rank + outputs)
        neck = NECK * width
        self.encoder = Encoder(rank, channels, width=width, steps=strides, blocks=blocks)
        widths = self.encoder.widths[-levels:]
        self.pyramid = Pyramid(rank, widths, neck, steps=strides[len(strides) - levels + 1 :], back=True)
        made = range(levels)
        self.box = nn.ModuleList([tower(rank, neck, neck, depth=BRANCH, kind="batch") for _ in made])
        self.kind = nn.ModuleList([tower(rank, neck, neck, depth=BRANCH, kind="batch") for _ in made])
        self.distance = nn.ModuleList([CONVOLUTION[rank](neck, 2 * rank, 1) for _ in made])
        self.score = nn.ModuleList([CONVOLUTION[rank](neck, outputs, 1) for _ in made])
        initialised(self)
        for out in (*self.distance, *self.score):
            nn.init.normal_(out.weight, std=0.01)
        for out in self.distance:
            # Boxes of some three strides at first: each level begins with objects of its own size.
            nn.init.zeros_(out.bias)
        for out in self.score:
            unlikely(out, range(outputs))

    def features(self, x: Tensor) -> list[Tensor]:
        """As `Detector.features`."""
        levels = self.pyramid(self.encoder(x)[-len(self.levels) :])
        boxes = [out(branch(y)) for out, branch, y in zip(self.distance, self.box, levels, strict=True)]
        kinds = [out(branch(y)) for out, branch, y in zip(self.score, self.kind, levels, strict=True)]
        return [torch.cat(pair, 1) for pair in zip(boxes, kinds, strict=True)]

    def places(self, grids: Sequence[Sequence[int]], like: Tensor) -> Tensor:
        """(places, 2, rank): centre and stride of every cell."""
        out = []
        for grid, stride in zip(grids, self.levels, strict=True):
            points = centres(grid, stride, like)
            step = torch.tensor(stride, dtype=torch.float32, device=like.device)
            out.append(torch.stack((points, step.expand_as(points)), 1))
        return torch.cat(out)

    def edges(self, rows: Tensor, places: Tensor) -> Tensor:
        """As `Detector.edges`: a distance is 2 softplus of its number, in strides."""
        point, stride = places[:, 0], places[:, 1]
        away = 2 * functional.softplus(rows[..., : 2 * self.rank])
        low, high = away.chunk(2, -1)
        return torch.stack((point - low * stride, point + high * stride), -2)

    def probabilities(self, rows: Tensor) -> Tensor:
        """As `Detector.probabilities`: a sigmoid each."""
        return rows[..., 2 * self.rank :].sigmoid()


class Version3(Detector):
    """Anchors on three scales, a sigmoid for the shift in the cell, objectness, classes (Redmon and Farhadi 2018).

    A row is rank shifts, rank logarithms of the factor of size, objectness, and a logit per class; a place is low edge,
    high edge and stride of an anchor, (3, rank).

    Parameters
    ----------
    rank, channels, outputs
        Spatial axes, input channels, classes.
    anchors
        Sizes in pixels per level, the finest first; equally many each.
    width, strides, blocks
        As in `Points`.
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        anchors: Sequence[Sequence[Sequence[float]]],
        width: int = 24,
        strides: Sequence[Sequence[int]] = STRIDES,
        blocks: int = 1,
    ) -> None:
        levels, neck, numbers = len(anchors), NECK * width, 2 * rank + 1 + outputs
        super().__init__(rank, outputs, strided(strides)[-levels:], numbers=numbers)
        self.anchors = [[list(map(float, size)) for size in sizes] for sizes in anchors]
        self.encoder = Encoder(rank, channels, width=width, steps=strides, blocks=blocks)
        self.pyramid = Pyramid(rank, self.encoder.widths[-levels:], neck, steps=strides[len(strides) - levels + 1 :])
        self.tower = nn.ModuleList([tower(rank, neck, neck, depth=1, kind="batch") for _ in anchors])
        self.out = nn.ModuleList([CONVOLUTION[rank](neck, numbers * len(sizes), 1) for sizes in anchors])
        initialised(self)
        for out, sizes in zip(self.out, anchors, strict=True):
            nn.init.normal_(out.weight, std=0.01)
            unlikely(out, [2 * rank + i * numbers for i in range(len(sizes))])

    def features(self, x: Tensor) -> list[Tensor]:
        """As `Detector.features`."""
        levels = self.pyramid(self.encoder(x)[-len(self.levels) :])
        return [out(branch(y)) for out, branch, y in zip(self.out, self.tower, levels, strict=True)]

    def places(self, grids: Sequence[Sequence[int]], like: Tensor) -> Tensor:
        """(places, 3, rank): low edge, high edge, stride of every anchor."""
        return grid_of_anchors(grids, self.levels, self.anchors, like)

    def edges(self, rows: Tensor, places: Tensor) -> Tensor:
        """As `Detector.edges`."""
        low, high, stride = places.unbind(1)
        shift, grow = rows[..., : self.rank], rows[..., self.rank : 2 * self.rank]
        centre = (low + high) / 2 + (shift.sigmoid() - 0.5) * stride
        half = (high - low) * grow.clamp(max=STEEPEST).exp() / 2
        return torch.stack((centre - half, centre + half), -2)

    def probabilities(self, rows: Tensor) -> Tensor:
        """As `Detector.probabilities`: objectness times class, a sigmoid each."""
        rest = rows[..., 2 * self.rank :].sigmoid()
        return rest[..., :1] * rest[..., 1:]
