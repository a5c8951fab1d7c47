"""The network of a learned registration: two images in, one velocity per pixel of half the grid out."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from isocenter.nets.parts import Block
from isocenter.nets.unet import UNet

# SD of the weights that a velocity is first read off with: a registration begins as the identity.
SMALL = 1e-5


class Velocity(nn.Module):  # type: ignore[misc]
    """A U-Net whose first step down is never taken back (Balakrishnan et al. 2019; Dalca et al. 2019).

    Parameters
    ----------
    rank
        2 or 3 spatial axes.
    channels, outputs
        Of input (the fixed and the moving image) and velocity (one an axis).
    widths
        Channels per stage, the grid after the first step first.
    strides
        One per step down, `rank` whole numbers each; as many as `widths`.

    Raises
    ------
    RecipeError
        Widths and strides do not fit each other.
    """

    def __init__(
        self, rank: int, channels: int, outputs: int, *, widths: Sequence[int], strides: Sequence[Sequence[int]]
    ) -> None:
        super().__init__()
        self.stem = Block(rank, channels, widths[0], stride=strides[0])
        self.body = UNet(rank, widths[0], outputs, widths=widths, strides=strides[1:])
        nn.init.normal_(self.body.head.weight, std=SMALL)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) to (n, outputs, *grid / first stride)."""
        out: Tensor = self.body(self.stem(x))
        return out
