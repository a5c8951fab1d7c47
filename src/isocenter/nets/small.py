"""A small network for classification, for few images or little time."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from isocenter.nets.axes import Axes
from isocenter.nets.parts import Block, initialised

NORM = "group"


def stages(rank: int, channels: int, *, width: int, depth: int, context: int | None = None) -> nn.Sequential:
    """Residual blocks that double the channels and halve the grid, the first one as it is; parameters as in `Small`."""
    widths = [width * 2**i for i in range(depth)]
    axes = Axes(rank, context)
    flat, first = axes.sized(3), axes.sized(3, across=2 * (context or 0) + 1)
    found = [Block(rank, channels, width, kind=NORM, kernels=(first, flat))]
    found += [
        Block(rank, a, b, stride=axes.sized(2), kind=NORM, residual=True, kernels=(flat, flat))
        for a, b in pairwise(widths)
    ]
    return nn.Sequential(*found)


class Small(nn.Module):  # type: ignore[misc]
    """Residual blocks with group normalisation, global average pooling, dropout and one linear layer.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    width
        Channels of the first stage; each further stage doubles them.
    depth
        Number of stages; every one after the first halves the grid.
    dropout
        Share of pooled features dropped in training.
    context
        As in `axes.Axes`.
    """

    # The layer that begins anew where other weights are taken over.
    LAST: ClassVar[str] = "fc"

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        width: int = 16,
        depth: int = 4,
        dropout: float = 0.2,
        context: int | None = None,
    ) -> None:
        super().__init__()
        self.stages = stages(rank, channels, width=width, depth=depth, context=context)
        self.dropout = nn.Dropout(dropout)
        initialised(self)
        self.fc = nn.Linear(width * 2 ** (depth - 1), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to logits (n, outputs)."""
        pooled = self.stages(x).flatten(2).mean(2)
        logits: Tensor = self.fc(self.dropout(pooled))
        return logits
