"""EfficientNet-Lite0 in two and three dimensions (Tan and Le 2019, without gates), by its published parameter names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from isocenter.nets.axes import Axes, pooled
from isocenter.nets.mobilenet import EPS, eighths
from isocenter.nets.parts import initialised


@dataclass(frozen=True)
class Stage:
    """Equal blocks in a row: how many, width of the depthwise convolution, stride of the first, factor, channels."""

    blocks: int
    kernel: int
    stride: int
    factor: int
    outputs: int


# Table 1 of the paper, whose baseline Lite0 keeps but for squeeze and excitation, and swish.
STAGES = (
    Stage(1, 3, 1, 1, 16), Stage(2, 3, 2, 6, 24), Stage(2, 5, 2, 6, 40), Stage(3, 3, 2, 6, 80), Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192), Stage(1, 3, 1, 6, 320),
)  # fmt: skip
FIRST, HEAD = 32, 1280


class Block(nn.Module):  # type: ignore[misc]
    """1-wide to more channels, depthwise, 1-wide to few; and the identity where shapes are the same."""

    def __init__(self, axes: Axes, inputs: int, *, stage: Stage, stride: int) -> None:
        super().__init__()
        inside = inputs * stage.factor
        if stage.factor != 1:
            self._expand_conv = axes.convolution(inputs, inside, 1)
            self._bn0 = axes.norm(inside, eps=EPS)
        self._depthwise_conv = axes.convolution(inside, inside, stage.kernel, stride=stride, groups=inside)
        self._bn1 = axes.norm(inside, eps=EPS)
        self._project_conv = axes.convolution(inside, stage.outputs, 1)
        self._bn2 = axes.norm(stage.outputs, eps=EPS)
        self._act = nn.ReLU6()
        self.wide = stage.factor != 1
        self.same = stride == 1 and inputs == stage.outputs

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, outputs, *grid / stride)."""
        y = self._act(self._bn0(self._expand_conv(x))) if self.wide else x
        y = self._bn2(self._project_conv(self._act(self._bn1(self._depthwise_conv(y)))))
        out: Tensor = x + y if self.same else y
        return out


class EfficientNetLite0(nn.Module):  # type: ignore[misc]
    """Sixteen inverted residual blocks with ReLU6, global average pooling, dropout, one linear layer.

    Edges are padded alike on both sides. The published weights learnt with padding that on grids of even size lies
    behind alone: their answers are the same on grids that stay odd (33, 65, 225 pixels), and close elsewhere.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the first stage (32 in the paper); all others in proportion, in multiples of 8.
    dropout
        Share dropped before the last layer.
    context
        As in `Axes`.
    """

    LAST: ClassVar[str] = "_fc"

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 32,
        dropout: float = 0.2,
        context: int | None = None,
    ) -> None:
        super().__init__()
        axes, share = Axes(rank, context), width / FIRST
        inputs, last = eighths(FIRST * share), eighths(HEAD * share)
        self._conv_stem = axes.first(channels, inputs, 3, stride=2)
        self._bn0 = axes.norm(inputs, eps=EPS)
        blocks: list[nn.Module] = []
        for s in STAGES:
            made = Stage(s.blocks, s.kernel, s.stride, s.factor, eighths(s.outputs * share))
            for i in range(s.blocks):
                blocks.append(Block(axes, inputs, stage=made, stride=1 if i else s.stride))
                inputs = made.outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = axes.convolution(inputs, last, 1)
        self._bn1 = axes.norm(last, eps=EPS)
        self._act = nn.ReLU6()
        self._dropout = nn.Dropout(dropout)
        self._fc = nn.Linear(last, outputs)
        initialised(self, slope=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs)."""
        x = self._act(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        x = self._act(self._bn1(self._conv_head(x)))
        logits: Tensor = self._fc(self._dropout(pooled(x)))
        return logits
