"""A network for sequences: every slice or frame by itself, then a recurrent layer along them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from isocenter.nets.axes import binned
from isocenter.nets.parts import initialised
from isocenter.nets.small import stages

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}
ATTENTION, MEAN, MAX, LAST = POOLINGS = ("attention", "mean", "max", "last")
# Parts per axis of the plane of which the mean is kept: what moves from one to another is seen to move.
PARTS = 2
# Share of features dropped in training, before and after the recurrent layer.
DROPOUT = 0.2


class Recurrent(nn.Module):  # type: ignore[misc]
    """Residual blocks in the plane of each slice, means of its four quarters, an LSTM or GRU both ways, pooling.

    Sources: Hochreiter and Schmidhuber, Neural Computation 9 (1997) 1735 (LSTM); Cho et al., EMNLP 2014 (GRU); Schuster
    and Paliwal, IEEE Trans. Signal Processing 45 (1997) 2673 (both ways); Ilse et al., ICML 2018 (attention).

    Parameters
    ----------
    rank
        3: slices or frames, and two axes in their plane.
    channels, outputs
        Of input and logits.
    sizes
        Width and depth of the blocks, as in `small.Small`.
    cell
        ``"lstm"`` or ``"gru"``.
    hidden
        Units of the recurrent layer, each way.
    pooling
        What is taken of its answers along the sequence: a weighted mean whose weights are learnt (``"attention"``),
        the ``"mean"``, the ``"max"``, or the ``"last"`` of each way.
    """

    # The layer that begins anew where other weights are taken over.
    LAST: ClassVar[str] = "fc"

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        sizes: Sequence[int] = (16, 4),
        cell: str = "gru",
        hidden: int = 64,
        pooling: str = ATTENTION,
    ) -> None:
        super().__init__()
        width, depth = sizes
        self.pooling, self.hidden = pooling, hidden
        self.stages = stages(rank, channels, width=width, depth=depth, context=0)
        initialised(self)
        self.dropout = nn.Dropout(DROPOUT)
        self.cell = CELLS[cell](width * 2 ** (depth - 1) * PARTS**2, hidden, batch_first=True, bidirectional=True)
        self.weigh = nn.Linear(2 * hidden, 1) if pooling == ATTENTION else None
        self.fc = nn.Linear(2 * hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, slices, y, x) to logits (n, outputs)."""
        logits: Tensor = self.fc(self.dropout(self._pooled(self.cell(self.dropout(self._rows(x)))[0])))
        return logits

    def _rows(self, x: Tensor) -> Tensor:
        """(n, slices, features): the means of the quarters of each slice."""
        x = self.stages(x)
        for axis in (3, 4):
            x = binned(x, axis, PARTS)
        return x.transpose(1, 2).flatten(2)

    def _pooled(self, answers: Tensor) -> Tensor:
        """(n, slices, 2 hidden) to (n, 2 hidden)."""
        if self.weigh is not None:
            return (torch.softmax(self.weigh(answers), 1) * answers).sum(1)
        if self.pooling == LAST:
            # The way back ends at the first slice.
            return torch.cat((answers[:, -1, : self.hidden], answers[:, 0, self.hidden :]), 1)
        return answers.amax(1) if self.pooling == MAX else answers.mean(1)
