"""U-Net in two and three dimensions, and between (Ronneberger et al. 2015; Cicek et al. 2016; Isensee et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from isocenter.errors import RecipeError
from isocenter.nets.distance import MultiTask
from isocenter.nets.parts import CONVOLUTION, TRANSPOSED, Block, enlarged, initialised

FLAT = (1, 3, 3)


@dataclass(frozen=True)
class Form:
    """What sets one U-Net apart from another.

    Parameters
    ----------
    residual
        Residual blocks (He et al. 2016).
    attention
        Gates on the skips (Oktay et al. 2018).
    context
        rank 3: the network looks at each slice in the plane alone, as one of two axes does, but for its first
        convolution, which sees so many slices above and below ("2.5D"). None: three axes throughout.
    deep
        Number of coarser stages with a head of their own, in training mode only (deep supervision, Lee et al. 2015).
    distance
        A second head says how far each pixel lies from the edge of each region, in training mode only
        (Murugesan et al. 2019; Dangi et al. 2019).
    """

    residual: bool = False
    attention: bool = False
    context: int | None = None
    deep: int = 0
    distance: bool = False


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
    form
        Fields of `Form`.

    Raises
    ------
    RecipeError
        Widths, strides or context do not fit each other.
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        widths: Sequence[int],
        strides: Sequence[Sequence[int]],
        **form: Any,
    ) -> None:
        super().__init__()
        what = Form(**form)
        _refused(rank, widths, strides, what.context)
        self.strides = tuple(tuple(s) for s in strides)
        flat: int | tuple[int, ...] = 3 if what.context is None else FLAT
        first = 3 if what.context is None else (2 * what.context + 1, 3, 3)
        self.down = nn.ModuleList([Block(rank, channels, widths[0], residual=what.residual, kernels=(first, flat))])
        for stride, inputs, width in zip(strides, widths[:-1], widths[1:], strict=True):
            self.down.append(Block(rank, inputs, width, stride=stride, residual=what.residual, kernels=(flat, flat)))
        self.up, self.join = nn.ModuleList(), nn.ModuleList()
        for stride, inputs, width in reversed(list(zip(strides, widths[1:], widths[:-1], strict=True))):
            self.up.append(TRANSPOSED[rank](inputs, width, tuple(stride), tuple(stride), bias=False))
            self.join.append(Block(rank, 2 * width, width, residual=what.residual, kernels=(flat, flat)))
        self.head = CONVOLUTION[rank](widths[0], outputs, 1)
        self.aux = nn.ModuleList(CONVOLUTION[rank](w, outputs, 1) for w in widths[1 : 1 + what.deep])
        self.distance = what.distance
        if what.distance:
            self.aux.append(CONVOLUTION[rank](widths[0], outputs - 1, 1))
        steps = reversed(list(zip(strides, widths[1:], widths[:-1], strict=True)))
        self.gate = nn.ModuleList(Gate(rank, skip, coarse, stride=s) for s, coarse, skip in steps if what.attention)
        initialised(self)

    def forward(self, x: Tensor) -> Tensor | list[Tensor] | MultiTask:
        """(n, channels, *grid) to logits (n, outputs, *grid).

        In training with `deep` a list, full grid first; with `distance` that list and the distances.
        """
        skips: list[Tensor] = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        skips.pop()
        coarse: list[Tensor] = [x]
        for i, (up, join) in enumerate(zip(self.up, self.join, strict=True)):
            skip = skips.pop()
            if len(self.gate):
                skip = self.gate[i](skip, x)
            x = join(torch.cat((up(x), skip), 1))
            coarse.append(x)
        logits: Tensor = self.head(x)
        if not (self.training and len(self.aux)):
            return logits
        deep = list(self.aux)[: len(self.aux) - self.distance]
        heads = [logits, *(head(coarse[-2 - i]) for i, head in enumerate(deep))]
        return MultiTask(heads, self.aux[-1](x)) if self.distance else heads


class Gate(nn.Module):  # type: ignore[misc]
    """Additive attention: the coarse features say which pixels of the skip matter (Oktay et al. 2018).

    Parameters
    ----------
    rank, skip, coarse
        Spatial axes; channels of the fine and of the coarse features.
    stride
        From the fine to the coarse grid.
    """

    def __init__(self, rank: int, skip: int, coarse: int, *, stride: Sequence[int]) -> None:
        super().__init__()
        self.stride = tuple(stride)
        inner = max(1, skip // 2)
        self.fine = CONVOLUTION[rank](skip, inner, self.stride, self.stride, bias=False)
        self.coarse = CONVOLUTION[rank](coarse, inner, 1)
        self.weight = CONVOLUTION[rank](inner, 1, 1)

    def forward(self, skip: Tensor, coarse: Tensor) -> Tensor:
        """(n, skip, *grid) weighed by 0 to 1 per pixel; `coarse` is (n, coarse, *grid / stride)."""
        share = torch.sigmoid(self.weight(functional.relu(self.fine(skip) + self.coarse(coarse))))
        return skip * enlarged(share, self.stride)


def _refused(rank: int, widths: Sequence[int], strides: Sequence[Sequence[int]], context: int | None) -> None:
    if len(widths) != len(strides) + 1 or any(len(s) != rank for s in strides):
        raise RecipeError(
            "widths and strides of the network do not fit",
            got=f"{widths} and {strides}",
            wanted=f"one stride of {rank} numbers less than widths",
        )
    if context is not None and (rank != 3 or any(s[0] != 1 for s in strides)):
        raise RecipeError(
            "slices as context need volumes, and steps down in the plane alone",
            got=f"rank {rank}, strides {strides}",
            remedy="Leave context out",
        )
