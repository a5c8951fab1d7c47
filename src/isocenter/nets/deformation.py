"""What learning a registration is made of: velocities integrated, images warped, likeness, smoothness, overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from isocenter.errors import RecipeError, nearest
from isocenter.ops.refining import FLAT, MSE, NCC, SIMILARITIES, SQUARINGS

IGNORED = 255
MODES = {2: "bilinear", 3: "trilinear"}


@dataclass(frozen=True)
class Goal:
    """What a registration is to reach.

    Parameters
    ----------
    similarity
        ``"ncc"``: squared correlation in windows; ``"mse"``: squared differences.
    window
        Side of the windows in pixels, odd.
    smoothness
        Weight of the mean squared gradient of the velocity (pixels by pixel), against the likeness (SD 1).
    labels
        Weight of 1 - Dice of the warped regions; 0: regions are not looked at.
    classes
        Regions, without background.

    Raises
    ------
    RecipeError
        An unknown similarity.
    """

    similarity: str = NCC
    window: int = 9
    smoothness: float = 1.0
    labels: float = 0.0
    classes: int = 0

    def __post_init__(self) -> None:
        if self.similarity not in SIMILARITIES:
            raise RecipeError(f"no similarity {self.similarity!r}", remedy=nearest(self.similarity, SIMILARITIES))

    def __call__(self, velocity: Tensor, targets: Sequence[Tensor]) -> Tensor:
        """The loss, both ways: the moving image on the fixed one by the velocity, and the fixed one by its negative.

        Parameters
        ----------
        velocity
            (n, axes, *half): in pixels of the whole grid, array order, from the fixed to the moving image.
        targets
            Images float32 (n, 2, *grid), fixed and moving; labels uint8 (n, 2, *grid), 255 where nobody says.
        """
        images, labels = targets
        velocity = velocity.float()
        total = self.smoothness * roughness(velocity)
        for sign, (here, there) in ((1.0, (0, 1)), (-1.0, (1, 0))):
            move = integrated(sign * velocity, images.shape[2:])
            found = warped(images[:, there, None], move)
            total = total + 0.5 * self._unlike(found, images[:, here, None])
            if self.labels and self.classes:
                total = total + 0.5 * self.labels * self._apart(move, labels[:, here], labels[:, there])
        return total

    def _unlike(self, found: Tensor, fixed: Tensor) -> Tensor:
        if self.similarity == MSE:
            return functional.mse_loss(found, fixed)
        return 1.0 - local_correlation(found, fixed, self.window).mean()

    def _apart(self, move: Tensor, fixed: Tensor, moving: Tensor) -> Tensor:
        """1 - soft Dice, over the regions that a sample holds; 0 where nobody said anything."""
        values = torch.arange(1, self.classes + 1, device=move.device)
        own, other = (
            (side[:, None] == values.view(1, -1, *[1] * (side.ndim - 1))).float() for side in (fixed, moving)
        )
        known = (fixed != IGNORED).float()[:, None]
        there = warped(other, move) * known
        both, sums = (2 * own * there).flatten(2).sum(2), (own + there).flatten(2).sum(2)
        held = (own.flatten(2).sum(2) > 0) & (other.flatten(2).sum(2) > 0)
        apart = (1.0 - both / sums.clamp_min(1e-6))[held]
        return apart.mean() if apart.numel() else move.sum() * 0.0


def warped(image: Tensor, move: Tensor) -> Tensor:
    """(n, c, *grid) read linearly where each pixel goes; beyond the edge the nearest pixel's value.

    Parameters
    ----------
    image
        (n, c, *grid).
    move
        (n, axes, *grid): displacement in pixels, array order.
    """
    size = move.shape[2:]
    axes = [torch.arange(s, dtype=move.dtype, device=move.device) for s in size]
    at = torch.stack(torch.meshgrid(*axes, indexing="ij"))[None] + move
    # grid_sample wants (x, y[, z]) in -1..1 over the edges of the image.
    scale = torch.tensor([float(s) for s in size], device=move.device).view(1, -1, *[1] * len(size))
    where = ((2 * at + 1) / scale - 1).flip(1).movedim(1, -1)
    out: Tensor = functional.grid_sample(image, where, mode="bilinear", padding_mode="border", align_corners=False)
    return out


def integrated(velocity: Tensor, size: Sequence[int]) -> Tensor:
    """The displacement (n, axes, *size) after unit time, in pixels of that grid: `ops.refining.integrated` in torch.

    Parameters
    ----------
    velocity
        (n, axes, *coarse): stationary, in pixels of the whole grid.
    size
        The whole grid.
    """
    ratio = velocity.new_tensor([c / n for c, n in zip(velocity.shape[2:], size, strict=True)])
    ratio = ratio.view(1, -1, *[1] * len(size))
    move = velocity * ratio / 2**SQUARINGS
    for _ in range(SQUARINGS):
        move = move + warped(move, move)
    mode = MODES[len(size)]
    out: Tensor = functional.interpolate(move / ratio, tuple(size), mode=mode, align_corners=False)
    return out


def roughness(velocity: Tensor) -> Tensor:
    """Mean over axes of the mean squared difference of neighbours."""
    axes = [a for a in range(2, velocity.ndim) if velocity.shape[a] > 1]
    parts = [torch.diff(velocity, dim=axis).square().mean() for axis in axes]
    out: Tensor = torch.stack(parts).mean()
    return out


def local_correlation(a: Tensor, b: Tensor, window: int) -> Tensor:
    """(n, 1, *grid): squared correlation of two images (n, 1, *grid) in the window around each pixel, 0 to 1.

    Avants et al., Medical Image Analysis 12 (2008) 26.
    """
    mean_a, mean_b = averaged(a, window), averaged(b, window)
    var_a = averaged(a * a, window) - mean_a * mean_a
    var_b = averaged(b * b, window) - mean_b * mean_b
    cross = averaged(a * b, window) - mean_a * mean_b
    out: Tensor = cross * cross / (var_a.clamp_min(0) * var_b.clamp_min(0) + FLAT)
    return out


def averaged(image: Tensor, window: int) -> Tensor:
    """Means over windows of odd side, one axis after the other; at the edge over what lies inside."""
    out = image
    rank = image.ndim - 2
    for axis in range(rank):
        kernel = [window if a == axis else 1 for a in range(rank)]
        edge = [window // 2 if a == axis else 0 for a in range(rank)]
        pool = functional.avg_pool2d if rank == 2 else functional.avg_pool3d
        out = pool(out, kernel, 1, edge, count_include_pad=False)
    return out
