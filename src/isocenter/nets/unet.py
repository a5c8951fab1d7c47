"""U-Net in two and three dimensions (Ronneberger et al. 2015; Cicek et al. 2016; Isensee et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from isocenter.errors import RecipeError
from isocenter.nets.parts import CONVOLUTION, TRANSPOSED, Block, initialised


class UNet(nn.Module):  # type: ignore[misc]
    """Encoder by strided convolutions, decoder by transposed ones, one skip per stage.

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input and logits.
    widths
        Channels per stage, the full grid first.
    strides
        One per step down, `rank` whole numbers each; an axis that is small already keeps 1.
    residual
        Residual blocks.
    deep
        Number of coarser stages with a head of their own, in training mode only (deep supervision, Lee et al. 2015).
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        widths: Sequence[int],
        strides: Sequence[Sequence[int]],
        residual: bool = False,
        deep: int = 0,
    ) -> None:
        super().__init__()
        if len(widths) != len(strides) + 1 or any(len(s) != rank for s in strides):
            raise RecipeError(
                "widths and strides of the network do not fit",
                got=f"{widths} and {strides}",
                wanted=f"one stride of {rank} numbers less than widths",
            )
        self.strides = tuple(tuple(s) for s in strides)
        self.down = nn.ModuleList([Block(rank, channels, widths[0], residual=residual)])
        for stride, inputs, width in zip(strides, widths[:-1], widths[1:], strict=True):
            self.down.append(Block(rank, inputs, width, stride=stride, residual=residual))
        self.up, self.join = nn.ModuleList(), nn.ModuleList()
        for stride, inputs, width in reversed(list(zip(strides, widths[1:], widths[:-1], strict=True))):
            self.up.append(TRANSPOSED[rank](inputs, width, tuple(stride), tuple(stride), bias=False))
            self.join.append(Block(rank, 2 * width, width, residual=residual))
        self.head = CONVOLUTION[rank](widths[0], outputs, 1)
        self.aux = nn.ModuleList(CONVOLUTION[rank](w, outputs, 1) for w in widths[1 : 1 + deep])
        initialised(self)

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """(n, channels, *grid) to logits (n, outputs, *grid); in training with `deep` a list, full grid first."""
        skips: list[Tensor] = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        skips.pop()
        coarse: list[Tensor] = [x]
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat((up(x), skips.pop()), 1))
            coarse.append(x)
        logits: Tensor = self.head(x)
        if not (self.training and len(self.aux)):
            return logits
        return [logits, *(head(coarse[-2 - i]) for i, head in enumerate(self.aux))]
