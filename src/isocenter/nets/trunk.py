"""An encoder of residual blocks for networks that answer per pixel: ResNet-18 with free strides (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from isocenter.nets.parts import POOL, convolution, norm


class Residual(nn.Module):  # type: ignore[misc]
    """Two 3-wide convolutions and the identity, projected where shapes differ; the convolutions may be atrous."""

    def __init__(
        self,
        rank: int,
        inputs: int,
        outputs: int,
        *,
        stride: Sequence[int] = (),
        dilation: int = 1,
        kind: str = "batch",
    ) -> None:
        super().__init__()
        self.conv1 = convolution(rank, inputs, outputs, stride=stride, dilation=dilation)
        self.norm1 = norm(kind, rank, outputs)
        self.conv2 = convolution(rank, outputs, outputs, dilation=dilation)
        self.norm2 = norm(kind, rank, outputs)
        self.act = nn.ReLU(inplace=True)
        self.project: nn.Module = nn.Identity()
        if inputs != outputs or any(s != 1 for s in stride):
            straight = convolution(rank, inputs, outputs, stride=stride, kernel=1)
            self.project = nn.Sequential(straight, norm(kind, rank, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, outputs, *grid / stride)."""
        y = self.norm2(self.conv2(self.act(self.norm1(self.conv1(x)))))
        out: Tensor = self.act(y + self.project(x))
        return out


class Trunk(nn.Module):  # type: ignore[misc]
    """Stem, pooling and four stages of two blocks.

    Parameters
    ----------
    rank, channels
        Spatial axes, and channels of the input.
    width
        Channels of the stem and the first stage (64 in the paper); each further stage doubles them.
    strides
        Of the stem, the pooling, and stages 2, 3, 4; fewer than five: the stages that are left keep the grid and are
        atrous instead (Chen et al. 2017).
    kind
        As in `parts.norm`.
    """

    def __init__(
        self, rank: int, channels: int, *, width: int, strides: Sequence[Sequence[int]], kind: str = "batch"
    ) -> None:
        super().__init__()
        self.conv = convolution(rank, channels, width, stride=strides[0], kernel=7 if rank == 2 else 3)
        self.norm = norm(kind, rank, width)
        self.act = nn.ReLU(inplace=True)
        pool = tuple(strides[1])
        size = tuple(3 if s > 1 else 1 for s in pool)
        self.pool = POOL[rank](size, pool, tuple(s // 2 for s in size))
        self.stages = nn.ModuleList()
        inputs, dilation = width, 1
        for stage in range(4):
            step = [(1,) * rank, *strides[2:]]
            stride = tuple(step[stage]) if stage < len(step) else ()
            dilation = dilation if stage < len(step) else 2 * dilation
            made = width * 2**stage
            self.stages.append(
                nn.Sequential(
                    Residual(rank, inputs, made, stride=stride, dilation=dilation, kind=kind),
                    Residual(rank, made, made, dilation=dilation, kind=kind),
                )
            )
            inputs = made

    def forward(self, x: Tensor) -> list[Tensor]:
        """(n, channels, *grid) to the output of each stage, the finest first."""
        x = self.pool(self.act(self.norm(self.conv(x))))
        out = []
        for stage in self.stages:
            x = stage(x)
            out.append(x)
        return out
