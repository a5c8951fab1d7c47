"""DeepLab V3+: an atrous pyramid over coarse features and a light decoder (Chen et al. 2018)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from isocenter.nets.parts import CONVOLUTION, Block, convolution, enlarged, initialised, norm
from isocenter.nets.trunk import Trunk


class DeepLab(nn.Module):  # type: ignore[misc]
    """Residual encoder, atrous spatial pyramid, decoder that joins the features of the first stage.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the encoder's first stage; 64 in the paper.
    strides
        Of the encoder, four steps (output stride 16 with steps of 2), `rank` whole numbers each; the encoder's last
        stage is atrous.
    rates
        Of the pyramid: distance in coarse pixels between the weights of its atrous convolutions.
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 64,
        strides: Sequence[Sequence[int]] = ((2, 2),) * 4,
        rates: Sequence[int] = (6, 12, 18),
    ) -> None:
        super().__init__()
        self.encoder = Trunk(rank, channels, width=width, strides=strides, kind="group")
        inner, low = 2 * width, max(4, 3 * width // 4)
        self.pyramid = Pyramid(rank, 8 * width, inner, rates=rates)
        self.low = nn.Sequential(convolution(rank, width, low, kernel=1), norm("group", rank, low), nn.ReLU())
        self.join = Block(rank, inner + low, inner, kind="group")
        self.head = CONVOLUTION[rank](inner, outputs, 1)
        self.first = [math.prod(s[a] for s in strides[:2]) for a in range(rank)]
        self.second = [math.prod(s[a] for s in strides[2:]) for a in range(rank)]
        initialised(self, slope=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs, *grid)."""
        stages = self.encoder(x)
        coarse = enlarged(self.pyramid(stages[-1]), self.second)
        joined = self.join(torch.cat((coarse, self.low(stages[0])), 1))
        return enlarged(self.head(joined), self.first)


class Pyramid(nn.Module):  # type: ignore[misc]
    """Atrous spatial pyramid: one 1-wide convolution, one atrous one a rate, the mean over the image, all joined."""

    def __init__(self, rank: int, inputs: int, outputs: int, *, rates: Sequence[int]) -> None:
        super().__init__()

        def branch(channels: int, kernel: int, rate: int) -> nn.Module:
            made = convolution(rank, channels, outputs, kernel=kernel, dilation=rate)
            return nn.Sequential(made, norm("group", rank, outputs), nn.ReLU())

        self.branches = nn.ModuleList([branch(inputs, 1, 1), *(branch(inputs, 3, r) for r in rates)])
        # A mean has no grid that could be normalised.
        self.mean = nn.Sequential(CONVOLUTION[rank](inputs, outputs, 1), nn.ReLU())
        self.out = branch(outputs * (2 + len(rates)), 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, outputs, *grid)."""
        found = [branch(x) for branch in self.branches]
        mean = self.mean(x.mean(dim=tuple(range(2, x.ndim)), keepdim=True)).expand_as(found[0])
        joined: Tensor = self.out(torch.cat((*found, mean), 1))
        return joined
