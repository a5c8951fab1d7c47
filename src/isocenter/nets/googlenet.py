"""GoogLeNet in two and three dimensions (Szegedy et al. 2015), with the parameter names in common use."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from isocenter.nets.axes import Axes, pooled
from isocenter.nets.parts import initialised

# Channels for a first stage of 64: 1-wide; reduced and made by the 3-wide; reduced and made by the second 3-wide, which
# the published weights have in place of the paper's 5-wide; after the pooling.
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip
# Share dropped in an auxiliary head, its channels and dense units for a first stage of 64, and its means per axis.
AUX_DROPOUT, AUX, AUX_DENSE, AUX_POOLED = 0.7, 128, 1024, 4
EPS = 1e-3


class Normed(nn.Module):  # type: ignore[misc]
    """A convolution without bias, batch normalisation, ReLU."""

    def __init__(self, conv: nn.Module, bn: nn.Module) -> None:
        super().__init__()
        self.conv, self.bn = conv, bn

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, outputs, *grid / stride)."""
        return functional.relu(self.bn(self.conv(x)), inplace=True)


class Inception(nn.Module):  # type: ignore[misc]
    """Four ways side by side: 1-wide, 1 then 3, 1 then 3 again, pooling then 1.

    Parameters
    ----------
    axes, inputs
        What makes layers; channels of the input.
    widths
        Six numbers as in `INCEPTION`.
    """

    def __init__(self, axes: Axes, inputs: int, *, widths: tuple[int, ...]) -> None:
        super().__init__()
        one, reduced, three, reduced2, second, after = widths
        self.branch1 = normed(axes, inputs, one)
        self.branch2 = nn.Sequential(normed(axes, inputs, reduced), normed(axes, reduced, three, kernel=3))
        self.branch3 = nn.Sequential(normed(axes, inputs, reduced2), normed(axes, reduced2, second, kernel=3))
        self.branch4 = nn.Sequential(axes.pool(3, 1, padding=1), normed(axes, inputs, after))
        self.outputs = one + three + second + after

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, outputs, *grid)."""
        return torch.cat((self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)), 1)


class Auxiliary(nn.Module):  # type: ignore[misc]
    """A head half way, in training alone."""

    def __init__(self, axes: Axes, inputs: int, *, outputs: int, width: int) -> None:
        super().__init__()
        made, dense = (max(1, round(w * width / 64)) for w in (AUX, AUX_DENSE))
        self.avgpool, bins = axes.binned(AUX_POOLED)
        self.conv = normed(axes, inputs, made)
        self.fc1 = nn.Linear(made * bins, dense)
        self.dropout = nn.Dropout(AUX_DROPOUT)
        self.fc2 = nn.Linear(dense, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to logits (n, outputs)."""
        x = functional.relu(self.fc1(self.conv(self.avgpool(x)).flatten(1)))
        logits: Tensor = self.fc2(self.dropout(x))
        return logits


class GoogLeNet(nn.Module):  # type: ignore[misc]
    """Three convolutions, nine inception modules, global average pooling, dropout, one linear layer.

    With batch normalisation, as the published weights have it.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the first stage (64 in the paper); all others in proportion.
    dropout
        Share of pooled features dropped in training.
    aux
        Two heads half way, which learn too; in training the answer is a list: logits, later head, earlier head.
    context
        As in `Axes`.
    """

    LAST: ClassVar[str] = "fc"

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 64,
        dropout: float = 0.2,
        aux: bool = False,
        context: int | None = None,
    ) -> None:
        super().__init__()
        axes, last = Axes(rank, context), 3 * width
        self.conv1 = Normed(axes.first(channels, width, 7, stride=2), axes.norm(width, eps=EPS))
        self.conv2 = normed(axes, width, width)
        self.conv3 = normed(axes, width, last, kernel=3)
        made = {}
        for name, widths in INCEPTION.items():
            block = Inception(axes, last, widths=tuple(max(1, round(w * width / 64)) for w in widths))
            setattr(self, f"inception{name}", block)
            made[name] = last = block.outputs
        self.maxpool, self.halved = axes.pool(3, 2, up=True), axes.pool(2, 2, up=True)
        self.aux1 = Auxiliary(axes, made["4a"], outputs=outputs, width=width) if aux else None
        self.aux2 = Auxiliary(axes, made["4d"], outputs=outputs, width=width) if aux else None
        self.dropout = nn.Dropout(dropout)
        initialised(self, slope=0.0)
        self.fc = nn.Linear(last, outputs)

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """(n, channels, *grid) to logits (n, outputs); in training with `aux` a list of three."""
        x = self.maxpool(self.conv3(self.conv2(self.maxpool(self.conv1(x)))))
        heads = {"4a": self.aux1, "4d": self.aux2}
        early: list[Tensor] = []
        for name in INCEPTION:
            x = getattr(self, f"inception{name}")(x)
            head = heads.get(name) if self.training else None
            if head is not None:
                early.insert(0, head(x))
            if name in ("3b", "4e"):
                x = self.maxpool(x) if name == "3b" else self.halved(x)
        logits: Tensor = self.fc(self.dropout(pooled(x)))
        return [logits, *early] if early else logits


def normed(axes: Axes, inputs: int, outputs: int, *, kernel: int = 1) -> Normed:
    """A convolution that keeps the grid, its batch normalisation and ReLU."""
    return Normed(axes.convolution(inputs, outputs, kernel), axes.norm(outputs, eps=EPS))
