"""A light residual encoder and its feature pyramid, on which detectors stand."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from isocenter.nets.parts import CONVOLUTION, Block, convolution, norm

# Channels grow by two a stage up to this many times the first.
WIDEST = 8


class Encoder(nn.Module):  # type: ignore[misc]
    """A strided stem and residual stages, one a step down (He et al., CVPR 2016).

    Parameters
    ----------
    rank, channels
        Spatial axes, and channels of the input.
    width
        Channels of the stem; each further stage doubles them, up to 8 times.
    steps
        Stride of the stem and of every stage, `rank` whole numbers each.
    blocks
        Residual blocks of a stage.
    kind
        As in `parts.norm`.
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        *,
        width: int,
        steps: Sequence[Sequence[int]],
        blocks: int = 1,
        kind: str = "batch",
    ) -> None:
        super().__init__()
        self.widths = [width * min(WIDEST, 2**i) for i in range(len(steps))]
        stem = [convolution(rank, channels, width, stride=steps[0]), norm(kind, rank, width), nn.LeakyReLU(0.01)]
        self.stages = nn.ModuleList([nn.Sequential(*stem)])
        for step, inputs, outputs in zip(steps[1:], self.widths, self.widths[1:], strict=False):
            first = Block(rank, inputs, outputs, stride=step, kind=kind, residual=True)
            more = [Block(rank, outputs, outputs, kind=kind, residual=True) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(first, *more))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(n, channels, *grid) to the output of each stage, the finest first."""
        out = []
        for stage in self.stages:
            x = stage(x)
            out.append(x)
        return out


class Pyramid(nn.Module):  # type: ignore[misc]
    """Features of every level, with what the coarser ones know (FPN: Lin et al., CVPR 2017).

    Parameters
    ----------
    rank
        Spatial axes.
    inputs
        Channels of each level, the finest first.
    channels
        Of each level afterwards.
    steps
        Stride from each level to the next, one fewer than levels.
    kind
        As in `parts.norm`.
    back
        Whether a path from fine to coarse follows (PAN: Liu et al., CVPR 2018).
    """

    def __init__(
        self,
        rank: int,
        inputs: Sequence[int],
        channels: int,
        *,
        steps: Sequence[Sequence[int]],
        kind: str = "batch",
        back: bool = False,
    ) -> None:
        super().__init__()
        self.steps = [tuple(float(s) for s in step) for step in steps]
        self.side = nn.ModuleList([CONVOLUTION[rank](n, channels, 1) for n in inputs])
        self.smooth = nn.ModuleList([tower(rank, channels, channels, depth=1, kind=kind) for _ in inputs])
        self.climb = nn.ModuleList([convolution(rank, channels, channels, stride=s) for s in steps if back])
        self.mend = nn.ModuleList([tower(rank, channels, channels, depth=1, kind=kind) for _ in self.climb])

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """(n, inputs, *grid) per level to (n, channels, *grid) per level, the finest first."""
        held = [side(x) for side, x in zip(self.side, levels, strict=True)]
        for i in range(len(held) - 2, -1, -1):
            held[i] = held[i] + functional.interpolate(held[i + 1], scale_factor=self.steps[i], mode="nearest")
        held = [smooth(x) for smooth, x in zip(self.smooth, held, strict=True)]
        for i, (climb, mend) in enumerate(zip(self.climb, self.mend, strict=True), start=1):
            held[i] = mend(held[i] + climb(held[i - 1]))
        return held


def tower(rank: int, inputs: int, outputs: int, *, depth: int, kind: str) -> nn.Module:
    """Convolutions with normalisation and activation that keep the grid."""
    parts: list[nn.Module] = []
    for i in range(depth):
        layer = convolution(rank, inputs if i == 0 else outputs, outputs)
        parts += [layer, norm(kind, rank, outputs), nn.LeakyReLU(0.01, inplace=True)]
    return nn.Sequential(*parts)
