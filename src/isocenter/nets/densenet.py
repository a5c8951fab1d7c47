"""DenseNet-121 in two and three dimensions (Huang et al. 2017), with the parameter names in common use."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from isocenter.nets.axes import Axes, pooled
from isocenter.nets.parts import initialised

BLOCKS = (6, 12, 24, 16)
# Channels of a layer's 1-wide convolution in units of what it adds.
BOTTLENECK = 4


class DenseLayer(nn.Module):  # type: ignore[misc]
    """Normalised 1-wide and 3-wide convolutions, whose answer stands beside the input."""

    def __init__(self, axes: Axes, inputs: int, *, growth: int) -> None:
        super().__init__()
        self.norm1 = axes.norm(inputs)
        self.conv1 = axes.convolution(inputs, BOTTLENECK * growth, 1)
        self.norm2 = axes.norm(BOTTLENECK * growth)
        self.conv2 = axes.convolution(BOTTLENECK * growth, growth, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, inputs + growth, *grid)."""
        y = self.conv1(functional.relu(self.norm1(x), inplace=True))
        return torch.cat((x, self.conv2(functional.relu(self.norm2(y), inplace=True))), 1)


class DenseNet121(nn.Module):  # type: ignore[misc]
    """Stem, four dense blocks with halving transitions between, global average pooling, dropout, one linear layer.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the stem (64 in the paper); every layer adds half as many.
    dropout
        Share of pooled features dropped in training.
    context
        As in `Axes`.
    """

    LAST: ClassVar[str] = "classifier"

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 64,
        dropout: float = 0.0,
        context: int | None = None,
    ) -> None:
        super().__init__()
        axes, growth, inputs = Axes(rank, context), max(1, width // 2), width
        self.features = nn.Sequential()
        self.features.add_module("conv0", axes.first(channels, width, 7, stride=2))
        self.features.add_module("norm0", axes.norm(width))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        self.features.add_module("pool0", axes.pool(3, 2, padding=1))
        for i, count in enumerate(BLOCKS, start=1):
            block = nn.Sequential()
            for k in range(1, count + 1):
                block.add_module(f"denselayer{k}", DenseLayer(axes, inputs, growth=growth))
                inputs += growth
            self.features.add_module(f"denseblock{i}", block)
            if i < len(BLOCKS):
                self.features.add_module(f"transition{i}", transition(axes, inputs))
                inputs //= 2
        self.features.add_module("norm5", axes.norm(inputs))
        self.dropout = nn.Dropout(dropout)
        initialised(self, slope=0.0)
        self.classifier = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs); at least 29 pixels per axis."""
        x = functional.relu(self.features(x))
        logits: Tensor = self.classifier(self.dropout(pooled(x)))
        return logits


def transition(axes: Axes, inputs: int) -> nn.Module:
    """Half the channels on half the grid."""
    made = nn.Sequential()
    made.add_module("norm", axes.norm(inputs))
    made.add_module("relu", nn.ReLU(inplace=True))
    made.add_module("conv", axes.convolution(inputs, inputs // 2, 1))
    made.add_module("pool", axes.mean(2))
    return made
