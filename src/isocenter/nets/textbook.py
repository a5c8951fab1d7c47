"""The network of the textbooks: convolutions with pooling, dropout, a dense layer, dropout, and the classes."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from isocenter.nets.axes import Axes
from isocenter.nets.parts import initialised

# Means per axis and channel that the dense layer sees, whatever the grid.
POOLED = 4


class Textbook(nn.Module):  # type: ignore[misc]
    """Stages of one 3-wide convolution, ReLU and maximum pooling; dropout; dense, ReLU; dropout; dense (LeCun et al.
    1998, with the ReLU of Nair and Hinton 2010 and the dropout of Srivastava et al. 2014).

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits; the softmax stands in the answer.
    width
        Channels of the first stage; each further stage doubles them.
    depth
        Number of stages, each of which halves the grid.
    dropout
        Share dropped before the last layer; half of it before the dense layer.
    context
        As in `Axes`.
    """

    LAST: ClassVar[str] = "classifier.4"

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 32,
        depth: int = 3,
        dropout: float = 0.5,
        context: int | None = None,
    ) -> None:
        super().__init__()
        axes = Axes(rank, context)
        features: list[nn.Module] = []
        inputs = channels
        for stage in range(depth):
            make = axes.first if stage == 0 else axes.convolution
            features += [make(inputs, width * 2**stage, 3, bias=True), nn.ReLU(inplace=True), axes.pool(2, 2)]
            inputs = width * 2**stage
        self.features = nn.Sequential(*features)
        self.avgpool, bins = axes.binned(POOLED)
        initialised(self, slope=0.0)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout / 2),
            nn.Linear(inputs * bins, 4 * width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4 * width, outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs)."""
        logits: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return logits
