"""MobileNetV3-Small in two and three dimensions (Howard et al. 2019), with the parameter names in common use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from isocenter.nets.axes import Axes, pooled
from isocenter.nets.parts import initialised


@dataclass(frozen=True)
class Step:
    """One block: width of its depthwise convolution, channels inside and out, gate, activation, stride."""

    kernel: int
    inside: int
    outputs: int
    gated: bool
    hard: bool
    stride: int


# Table 2 of the paper, for a first stage of 16.
STEPS = (
    Step(3, 16, 16, True, False, 2), Step(3, 72, 24, False, False, 2), Step(3, 88, 24, False, False, 1),
    Step(5, 96, 40, True, True, 2), Step(5, 240, 40, True, True, 1), Step(5, 240, 40, True, True, 1),
    Step(5, 120, 48, True, True, 1), Step(5, 144, 48, True, True, 1),
    Step(5, 288, 96, True, True, 2), Step(5, 576, 96, True, True, 1), Step(5, 576, 96, True, True, 1),
)  # fmt: skip
FIRST, DENSE, EPS = 16, 1024, 1e-3


class Gate(nn.Module):  # type: ignore[misc]
    """Squeeze and excitation: each channel weighed by what all channels are on average (Hu et al. 2018)."""

    def __init__(self, axes: Axes, channels: int) -> None:
        super().__init__()
        squeezed = eighths(channels // 4)
        # As convolutions, because the published weights have these shapes.
        self.fc1 = axes.convolution(channels, squeezed, 1, bias=True)
        self.fc2 = axes.convolution(squeezed, channels, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to the same shape."""
        y = functional.linear(pooled(x), self.fc1.weight.flatten(1), self.fc1.bias)
        y = functional.linear(functional.relu(y), self.fc2.weight.flatten(1), self.fc2.bias)
        return x * functional.hardsigmoid(y)[(..., *(None,) * (x.ndim - 2))]


class Inverted(nn.Module):  # type: ignore[misc]
    """1-wide to more channels, depthwise, gate, 1-wide to few; and the identity where shapes are the same."""

    def __init__(self, axes: Axes, inputs: int, *, step: Step) -> None:
        super().__init__()
        act = nn.Hardswish if step.hard else nn.ReLU
        layers: list[nn.Module] = []
        if step.inside != inputs:
            layers.append(normed(axes, axes.convolution(inputs, step.inside, 1), step.inside, act=act))
        wide = axes.convolution(step.inside, step.inside, step.kernel, stride=step.stride, groups=step.inside)
        layers.append(normed(axes, wide, step.inside, act=act))
        if step.gated:
            layers.append(Gate(axes, step.inside))
        layers.append(normed(axes, axes.convolution(step.inside, step.outputs, 1), step.outputs))
        self.block = nn.Sequential(*layers)
        self.same = step.stride == 1 and inputs == step.outputs

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, *grid) to (n, outputs, *grid / stride)."""
        out: Tensor = x + self.block(x) if self.same else self.block(x)
        return out


class MobileNetV3Small(nn.Module):  # type: ignore[misc]
    """Eleven inverted residual blocks, global average pooling, a dense layer, dropout, one linear layer.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the first stage (16 in the paper); all others in proportion, in multiples of 8.
    dropout
        Share dropped before the last layer.
    context
        As in `Axes`.
    """

    LAST: ClassVar[str] = "classifier.3"

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 16,
        dropout: float = 0.2,
        context: int | None = None,
    ) -> None:
        super().__init__()
        axes, share = Axes(rank, context), width / FIRST
        inputs = eighths(FIRST * share)
        first = axes.first(channels, inputs, 3, stride=2)
        features: list[nn.Module] = [normed(axes, first, inputs, act=nn.Hardswish)]
        for s in STEPS:
            inside, made = eighths(s.inside * share), eighths(s.outputs * share)
            step = Step(s.kernel, inside, made, s.gated, s.hard, s.stride)
            features.append(Inverted(axes, inputs, step=step))
            inputs = made
        features.append(normed(axes, axes.convolution(inputs, 6 * inputs, 1), 6 * inputs, act=nn.Hardswish))
        self.features = nn.Sequential(*features)
        initialised(self, slope=0.0)
        dense = eighths(DENSE * share)
        self.classifier = nn.Sequential(
            nn.Linear(6 * inputs, dense), nn.Hardswish(), nn.Dropout(dropout), nn.Linear(dense, outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs)."""
        logits: Tensor = self.classifier(pooled(self.features(x)))
        return logits


def normed(axes: Axes, conv: nn.Module, channels: int, *, act: type[nn.Module] | None = None) -> nn.Module:
    """A convolution with batch normalisation and, where one is named, an activation."""
    return nn.Sequential(conv, axes.norm(channels, eps=EPS), *([] if act is None else [act()]))


def eighths(channels: float) -> int:
    """The nearest multiple of 8, at least 8 and not more than a tenth below.

    >>> eighths(18), eighths(11)
    (24, 16)
    """
    near = max(8, int(channels + 4) // 8 * 8)
    return near if near >= 0.9 * channels else near + 8
