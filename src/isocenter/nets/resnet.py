"""ResNet-18 and ResNet-50 in two and three dimensions (He et al. 2016), with the parameter names in common use."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from isocenter.nets.axes import Axes, pooled
from isocenter.nets.parts import initialised


class BasicBlock(nn.Module):  # type: ignore[misc]
    """Two 3-wide convolutions and the identity, projected where shapes differ."""

    GROWTH: ClassVar[int] = 1

    def __init__(self, axes: Axes, inputs: int, *, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = axes.convolution(inputs, width, 3, stride=stride)
        self.bn1 = axes.norm(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = axes.convolution(width, width, 3)
        self.bn2 = axes.norm(width)
        self.downsample = projected(axes, inputs, width, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, width, *grid / stride)."""
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out: Tensor = self.relu(y + (x if self.downsample is None else self.downsample(x)))
        return out


class Bottleneck(nn.Module):  # type: ignore[misc]
    """1-wide to fewer channels, 3-wide with the stride, 1-wide to four times as many; and the identity."""

    GROWTH: ClassVar[int] = 4

    def __init__(self, axes: Axes, inputs: int, *, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = axes.convolution(inputs, width, 1)
        self.bn1 = axes.norm(width)
        self.conv2 = axes.convolution(width, width, 3, stride=stride)
        self.bn2 = axes.norm(width)
        self.conv3 = axes.convolution(width, 4 * width, 1)
        self.bn3 = axes.norm(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = projected(axes, inputs, 4 * width, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, 4 width, *grid / stride)."""
        y = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        y = self.bn3(self.conv3(y))
        out: Tensor = self.relu(y + (x if self.downsample is None else self.downsample(x)))
        return out


class ResNet18(nn.Module):  # type: ignore[misc]
    """Stem, four stages of two blocks, global average pooling, dropout, one linear layer.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the first stage (64 in the paper).
    dropout
        Share of pooled features dropped in training.
    context
        As in `Axes`.
    """

    LAST: ClassVar[str] = "fc"
    BLOCK: ClassVar[type[BasicBlock] | type[Bottleneck]] = BasicBlock
    BLOCKS: ClassVar[tuple[int, ...]] = (2, 2, 2, 2)

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
        axes = Axes(rank, context)
        self.conv1 = axes.first(channels, width, 7, stride=2)
        self.bn1 = axes.norm(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = axes.pool(3, 2, padding=1)
        inputs = width
        for stage, count in enumerate(self.BLOCKS):
            blocks = []
            for i in range(count):
                stride = 2 if stage and not i else 1
                blocks.append(self.BLOCK(axes, inputs, width=width * 2**stage, stride=stride))
                inputs = width * 2**stage * self.BLOCK.GROWTH
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.dropout = nn.Dropout(dropout)
        initialised(self, slope=0.0)
        self.fc = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        logits: Tensor = self.fc(self.dropout(pooled(x)))
        return logits


class ResNet50(ResNet18):
    """Stages of 3, 4, 6 and 3 bottlenecks with the stride in the 3-wide convolution, as the published weights have it.

    Arguments as of `ResNet18`.
    """

    BLOCK = Bottleneck
    BLOCKS = (3, 4, 6, 3)


def projected(axes: Axes, inputs: int, outputs: int, *, stride: int) -> nn.Module | None:
    """What brings the input of a block to the shape of its output; None where it has it."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(axes.convolution(inputs, outputs, 1, stride=stride), axes.norm(outputs))
