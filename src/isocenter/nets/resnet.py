"""ResNet-18 in two and three dimensions (He et al. 2016), with the parameter names in common use for its 2D weights."""

from __future__ import annotations

from torch import Tensor, nn

from isocenter.nets.parts import BATCH, CONVOLUTION, POOL, convolution, initialised


class BasicBlock(nn.Module):  # type: ignore[misc]
    """Two 3-wide convolutions and the identity, projected where shapes differ."""

    def __init__(self, rank: int, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = convolution(rank, inputs, outputs, stride=(stride,) * rank)
        self.bn1 = BATCH[rank](outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = convolution(rank, outputs, outputs)
        self.bn2 = BATCH[rank](outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                convolution(rank, inputs, outputs, stride=(stride,) * rank, kernel=1), BATCH[rank](outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, outputs, *grid / stride)."""
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
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
    """

    def __init__(self, rank: int, channels: int, outputs: int, *, width: int = 64, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv1 = CONVOLUTION[rank](channels, width, 7, 2, 3, bias=False)
        self.bn1 = BATCH[rank](width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = POOL[rank](3, 2, 1)
        inputs = width
        for stage in range(4):
            outputs_ = width * 2**stage
            blocks = nn.Sequential(
                BasicBlock(rank, inputs, outputs_, 1 if stage == 0 else 2), BasicBlock(rank, outputs_, outputs_)
            )
            setattr(self, f"layer{stage + 1}", blocks)
            inputs = outputs_
        self.dropout = nn.Dropout(dropout)
        initialised(self, slope=0.0)
        self.fc = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        logits: Tensor = self.fc(self.dropout(x.flatten(2).mean(2)))
        return logits
