"""RetinaNet: anchors on a feature pyramid, learnt with the focal loss (Lin et al., ICCV 2017), in two or three axes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from isocenter.nets.boxes import decoded
from isocenter.nets.detectors import NECK, Detector, grid_of_anchors, strided, unlikely
from isocenter.nets.parts import CONVOLUTION, initialised
from isocenter.nets.pyramid import Encoder, Pyramid, tower

# Convolutions of a branch; 4 in the paper, for a hundred times as many images.
BRANCH = 2


class RetinaNet(Detector):
    """Encoder, pyramid, and two branches that all levels share.

    A row is 2 rank moves of the anchor (`boxes.decoded`) and a logit per class; a place is low edge, high edge and
    stride of an anchor, (3, rank).

    Parameters
    ----------
    rank, channels, outputs
        Spatial axes, input channels, classes.
    anchors
        Sizes in pixels per level, the finest first; equally many each, as the levels share their branches.
    width, strides, blocks
        As width, steps, blocks of `pyramid.Encoder`; pyramid and branches have twice `width` (256 in the paper).
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        anchors: Sequence[Sequence[Sequence[float]]],
        width: int = 24,
        strides: Sequence[Sequence[int]] = ((2, 2),) * 5,
        blocks: int = 1,
    ) -> None:
        levels, each, neck = len(anchors), len(anchors[0]), NECK * width
        super().__init__(rank, outputs, strided(strides)[-levels:], numbers=2 * rank + outputs)
        self.each = each
        self.anchors = [[list(map(float, size)) for size in sizes] for sizes in anchors]
        self.encoder = Encoder(rank, channels, width=width, steps=strides, blocks=blocks, kind="group")
        widths = self.encoder.widths[-levels:]
        self.pyramid = Pyramid(rank, widths, neck, steps=strides[len(strides) - levels + 1 :], kind="group")
        self.box = tower(rank, neck, neck, depth=BRANCH, kind="group")
        self.kind = tower(rank, neck, neck, depth=BRANCH, kind="group")
        self.move = CONVOLUTION[rank](neck, 2 * rank * each, 3, 1, 1)
        self.score = CONVOLUTION[rank](neck, outputs * each, 3, 1, 1)
        initialised(self)
        nn.init.normal_(self.move.weight, std=0.01)
        nn.init.normal_(self.score.weight, std=0.01)
        unlikely(self.score, range(outputs * each))

    def features(self, x: Tensor) -> list[Tensor]:
        """As `Detector.features`."""
        out = []
        for y in self.pyramid(self.encoder(x)[-len(self.levels) :]):
            # Numbers of one anchor side by side, anchor after anchor.
            parts = zip(
                self.move(self.box(y)).chunk(self.each, 1), self.score(self.kind(y)).chunk(self.each, 1), strict=True
            )
            out.append(torch.cat([part for pair in parts for part in pair], 1))
        return out

    def places(self, grids: Sequence[Sequence[int]], like: Tensor) -> Tensor:
        """(places, 3, rank): low edge, high edge, stride of every anchor."""
        return grid_of_anchors(grids, self.levels, self.anchors, like)

    def edges(self, rows: Tensor, places: Tensor) -> Tensor:
        """As `Detector.edges`."""
        return decoded(rows[..., : 2 * self.rank], places[:, :2])

    def probabilities(self, rows: Tensor) -> Tensor:
        """As `Detector.probabilities`: a sigmoid each."""
        return rows[..., 2 * self.rank :].sigmoid()
