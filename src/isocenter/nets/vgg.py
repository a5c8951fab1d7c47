"""VGG-16, also with a decoder as in U-Net, with the parameter names in common use for its 2D weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from isocenter.nets.axes import Axes
from isocenter.nets.parts import CONVOLUTION, POOL, TRANSPOSED, Block, initialised

# Convolutions per stage, and channels of a stage in units of the first (Simonyan and Zisserman 2015, column D).
CONVOLUTIONS, GROWTH = (2, 2, 3, 3, 3), (1, 2, 4, 8, 8)
# Channels of the dense layers in units of the first stage.
DENSE = 64


class VGG16(nn.Module):  # type: ignore[misc]
    """Thirteen convolutions in five stages, each with a pooling; three dense layers with dropout.

    Simonyan and Zisserman, ICLR 2015.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the first stage (64 in the paper); all others in proportion.
    dropout
        Share dropped after each of the first two dense layers.
    pooled
        Means per axis and channel that the dense layers see, whatever the grid; 7 with the published weights.
    context
        As in `Axes`.
    """

    LAST: ClassVar[str] = "classifier.6"

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 64,
        dropout: float = 0.5,
        pooled: int = 7,
        context: int | None = None,
    ) -> None:
        super().__init__()
        axes = Axes(rank, context)
        layers: list[nn.Module] = []
        seen = channels
        for stage, made in enumerate(width * g for g in GROWTH):
            for _ in range(CONVOLUTIONS[stage]):
                make = axes.convolution if layers else axes.first
                layers += [make(seen, made, 3, bias=True), nn.ReLU(inplace=True)]
                seen = made
            layers.append(axes.pool(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool, bins = axes.binned(pooled)
        initialised(self, slope=0.0)
        self.classifier = nn.Sequential(
            nn.Linear(seen * bins, DENSE * width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(DENSE * width, DENSE * width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(DENSE * width, outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs); at least 32 pixels per axis."""
        logits: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return logits


class VGGDecoder(nn.Module):  # type: ignore[misc]
    """The thirteen convolutions of VGG-16 with a skip from each stage to a decoder.

    The encoder's parameters are ``features.N.weight`` and ``features.N.bias`` with N from 0 to 28; in two axes with
    `width` 64 they are those of the published network.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the first stage; 64 in the paper.
    strides
        Of the four poolings between the stages, `rank` whole numbers each.
    frozen
        The encoder does not learn.
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 64,
        strides: Sequence[Sequence[int]] = ((2, 2),) * 4,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        widths = [width * g for g in GROWTH]
        layers: list[nn.Module] = []
        self.ends: list[int] = []
        for stage, inputs in enumerate([channels, *widths[:-1]]):
            for i in range(CONVOLUTIONS[stage]):
                seen = inputs if i == 0 else widths[stage]
                layers += [CONVOLUTION[rank](seen, widths[stage], 3, 1, 1), nn.ReLU(inplace=True)]
            self.ends.append(len(layers))
            if stage < len(strides):
                layers.append(POOL[rank](tuple(strides[stage]), tuple(strides[stage])))
        self.features = nn.Sequential(*layers)
        self.up, self.join = nn.ModuleList(), nn.ModuleList()
        for stride, (fine, coarse) in reversed(list(zip(strides, pairwise(widths), strict=True))):
            self.up.append(TRANSPOSED[rank](coarse, fine, tuple(stride), tuple(stride), bias=False))
            self.join.append(Block(rank, 2 * fine, fine))
        self.head = CONVOLUTION[rank](widths[0], outputs, 1)
        initialised(self, slope=0.0)
        self.features.requires_grad_(not frozen)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs, *grid)."""
        skips = []
        for i, layer in enumerate(self.features, start=1):
            x = layer(x)
            if i in self.ends:
                skips.append(x)
        skips.pop()
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat((up(x), skips.pop()), 1))
        logits: Tensor = self.head(x)
        return logits
