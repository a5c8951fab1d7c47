"""AlexNet in two and three dimensions (Krizhevsky 2014), with the parameter names in common use for its 2D weights."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from isocenter.nets.axes import Axes
from isocenter.nets.parts import initialised

# Channels of the five convolutions and of the dense layers, for a first stage of 64.
WIDTHS, DENSE = (64, 192, 384, 256, 256), 4096


class AlexNet(nn.Module):  # type: ignore[misc]
    """Five convolutions, three poolings, three dense layers with dropout ("one weird trick", arXiv 1404.5997).

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the first convolution (64 in the paper); all others in proportion.
    dropout
        Share dropped before each of the first two dense layers.
    pooled
        Means per axis and channel that the dense layers see, whatever the grid; 6 with the published weights.
    context
        As in `Axes`.
    """

    LAST: ClassVar[str] = "classifier.6"

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 64,
        dropout: float = 0.5,
        pooled: int = 6,
        context: int | None = None,
    ) -> None:
        super().__init__()
        axes = Axes(rank, context)
        a, b, c, d, e = (max(1, round(w * width / 64)) for w in WIDTHS)
        dense = max(1, round(DENSE * width / 64))
        self.features = nn.Sequential(
            axes.first(channels, a, 11, stride=4, padding=2, bias=True),
            nn.ReLU(inplace=True),
            axes.pool(3, 2),
            axes.convolution(a, b, 5, bias=True),
            nn.ReLU(inplace=True),
            axes.pool(3, 2),
            axes.convolution(b, c, 3, bias=True),
            nn.ReLU(inplace=True),
            axes.convolution(c, d, 3, bias=True),
            nn.ReLU(inplace=True),
            axes.convolution(d, e, 3, bias=True),
            nn.ReLU(inplace=True),
            axes.pool(3, 2),
        )
        self.avgpool, bins = axes.binned(pooled)
        initialised(self, slope=0.0)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(e * bins, dense),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(dense, dense),
            nn.ReLU(inplace=True),
            nn.Linear(dense, outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs); at least 63 pixels per axis."""
        logits: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return logits
