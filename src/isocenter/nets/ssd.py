"""SSD: anchors on the maps of one encoder at several scales (Liu et al., ECCV 2016)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from isocenter.errors import RecipeError, nearest
from isocenter.nets.boxes import decoded
from isocenter.nets.detectors import Detector, grid_of_anchors, strided
from isocenter.nets.parts import CONVOLUTION, POOL, initialised
from isocenter.nets.pyramid import Encoder

ENCODERS = ("light", "vgg16")
# Residual blocks of a stage of the light encoder.
BLOCKS = 2
# Convolutions per stage, and channels of a stage in units of the first (Simonyan and Zisserman 2015, column D).
CONVOLUTIONS, GROWTH = (2, 2, 3, 3, 3), (1, 2, 4, 8, 8)


class SSD(Detector):
    """One convolution per level on top of an encoder, softmax over background and classes.

    A row is 2 rank moves of the anchor (`boxes.decoded`), a logit for background and one per class; a place is low
    edge, high edge and stride of an anchor, (3, rank).

    Parameters
    ----------
    rank, channels, outputs
        Spatial axes, input channels, classes.
    anchors
        Sizes in pixels per level, the finest first; as many as each level needs.
    strides
        As steps of `pyramid.Encoder`; the last levels answer.
    encoder
        ``"light"`` (residual) or ``"vgg16"`` (its further stages are residual).
    width
        Channels of its first stage; 64 in the paper.
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        anchors: Sequence[Sequence[Sequence[float]]],
        strides: Sequence[Sequence[int]],
        encoder: str = "light",
        width: int = 24,
    ) -> None:
        numbers = 2 * rank + 1 + outputs
        super().__init__(rank, outputs, strided(strides)[-len(anchors) :], numbers=numbers)
        if encoder not in ENCODERS:
            raise RecipeError(f"no encoder {encoder!r}", remedy=nearest(encoder, ENCODERS))
        self.anchors = [[list(map(float, size)) for size in sizes] for sizes in anchors]
        self.encoder: Encoder | VGG = (
            VGG(rank, channels, width=width, steps=strides)
            if encoder == "vgg16"
            else Encoder(rank, channels, width=width, steps=strides, blocks=BLOCKS)
        )
        widths = self.encoder.widths[-len(anchors) :]
        self.out = nn.ModuleList(
            [CONVOLUTION[rank](n, numbers * len(sizes), 3, 1, 1) for n, sizes in zip(widths, anchors, strict=True)]
        )
        self.scale = nn.ParameterList([nn.Parameter(torch.full((1, n) + (1,) * rank, 8.0)) for n in widths])
        initialised(self, slope=0.0)
        for out in self.out:
            nn.init.normal_(out.weight, std=0.01)

    def features(self, x: Tensor) -> list[Tensor]:
        """As `Detector.features`; maps are scaled to one length per cell first, as the paper does for its first."""
        levels = self.encoder(x)[-len(self.levels) :]
        return [
            out(functional.normalize(y, dim=1) * scale)
            for out, scale, y in zip(self.out, self.scale, levels, strict=True)
        ]

    def places(self, grids: Sequence[Sequence[int]], like: Tensor) -> Tensor:
        """(places, 3, rank): low edge, high edge, stride of every anchor."""
        return grid_of_anchors(grids, self.levels, self.anchors, like)

    def edges(self, rows: Tensor, places: Tensor) -> Tensor:
        """As `Detector.edges`."""
        return decoded(rows[..., : 2 * self.rank], places[:, :2])

    def probabilities(self, rows: Tensor) -> Tensor:
        """As `Detector.probabilities`: softmax without the background."""
        return rows[..., 2 * self.rank :].softmax(-1)[..., 1:]


class VGG(nn.Module):  # type: ignore[misc]
    """The thirteen convolutions of VGG-16, their parameters ``features.N``, and residual stages for coarser levels."""

    def __init__(self, rank: int, channels: int, *, width: int, steps: Sequence[Sequence[int]]) -> None:
        super().__init__()
        stages = min(len(CONVOLUTIONS), len(steps) + 1)
        self.widths, self.ends = [width * g for g in GROWTH[:stages]], []
        parts: list[nn.Module] = []
        for stage, inputs in enumerate([channels, *self.widths[:-1]]):
            for i in range(CONVOLUTIONS[stage]):
                parts.append(CONVOLUTION[rank](inputs if i == 0 else self.widths[stage], self.widths[stage], 3, 1, 1))
                parts.append(nn.ReLU(inplace=True))
            if stage + 1 < stages:
                self.ends.append(len(parts))
                parts.append(POOL[rank](tuple(steps[stage]), tuple(steps[stage])))
        self.features = nn.Sequential(*parts)
        more = steps[stages - 1 :]
        self.further = Encoder(rank, self.widths[-1], width=width * 4, steps=more) if more else None
        # The first map has the grid of the image; what follows starts one step down.
        self.widths = self.widths[1:] + (self.further.widths if self.further else [])

    def forward(self, x: Tensor) -> list[Tensor]:
        """(n, channels, *grid) to one map per step, the finest first."""
        out = []
        for i, layer in enumerate(self.features):
            if i in self.ends[1:]:
                out.append(x)
            x = layer(x)
        out.append(x)
        return out + (self.further(x) if self.further is not None else [])
