"""Fully convolutional network: scores of coarse grids, enlarged and added (Long et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from isocenter.nets.parts import CONVOLUTION, Block, enlarged, initialised
from isocenter.nets.trunk import Trunk

ENCODERS = ("vgg", "resnet18")


class FCN(nn.Module):  # type: ignore[misc]
    """An encoder, a 1-wide convolution to scores at its last grids, and linear enlargement.

    The scores of a finer grid are added to the enlarged scores of the coarser one. The first grid that has scores is
    the finest the network knows: what is smaller than its pixels blurs.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the first stage; each further stage doubles them, up to 8 times.
    strides
        One per step down, `rank` whole numbers each; at least two.
    skips
        Finer grids whose scores are added: 0, 1 or 2 (32s, 16s, 8s with five steps of 2).
    encoder
        ``"vgg"`` (two convolutions a stage) or ``"resnet18"``.
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int,
        strides: Sequence[Sequence[int]],
        skips: int = 2,
        encoder: str = "vgg",
    ) -> None:
        super().__init__()
        self.strides = tuple(tuple(s) for s in strides)
        self.encoder: nn.Module
        if encoder == "resnet18":
            self.encoder = Trunk(rank, channels, width=width, strides=strides, kind="instance")
            widths = [width * 2**i for i in range(4)]
            # The first stage lies two steps down; where there are fewer than five, the last ones are atrous.
            scales = [_product(self.strides[: 2 + i], rank) for i in range(4)]
        else:
            self.encoder = Plain(rank, channels, width=width, strides=strides)
            widths = [width * min(8, 2**i) for i in range(len(strides) + 1)]
            scales = [_product(self.strides[:i], rank) for i in range(len(strides) + 1)]
        kept = max(-len(scales), -1 - skips)
        self.scales = scales[kept:]
        self.score = nn.ModuleList(CONVOLUTION[rank](w, outputs, 1) for w in widths[kept:])
        initialised(self, slope=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs, *grid)."""
        found = self.encoder(x)[-len(self.scales) :]
        scores = [score(feature) for score, feature in zip(self.score, found, strict=True)]
        out: Tensor = scores.pop()
        for coarse, fine in pairwise(reversed(self.scales)):
            out = enlarged(out, [c // f for c, f in zip(coarse, fine, strict=True)]) + scores.pop()
        return enlarged(out, self.scales[0])


class Plain(nn.Module):  # type: ignore[misc]
    """Stages of two convolutions, each stage after the first on a coarser grid (after Simonyan and Zisserman 2015)."""

    def __init__(self, rank: int, channels: int, *, width: int, strides: Sequence[Sequence[int]]) -> None:
        super().__init__()
        widths = [width * min(8, 2**i) for i in range(len(strides) + 1)]
        stages: list[nn.Module] = [Block(rank, channels, width)]
        stages += [Block(rank, a, b, stride=s) for (a, b), s in zip(pairwise(widths), strides, strict=True)]
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(n, channels, *grid) to the output of each stage, the finest first."""
        out = []
        for stage in self.stages:
            x = stage(x)
            out.append(x)
        return out


def _product(strides: Sequence[Sequence[int]], rank: int) -> tuple[int, ...]:
    out = [1] * rank
    for stride in strides:
        out = [a * b for a, b in zip(out, stride, strict=True)]
    return tuple(out)
