"""Autoencoders: an image through a few numbers and back, and how badly that went as logits of two classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from isocenter.errors import RecipeError, nearest
from isocenter.nets.parts import CONVOLUTION, Block, enlarged, initialised
from isocenter.nets.small import NORM, stages

KINDS = CONVOLUTIONAL, VARIATIONAL, DENOISING = ("convolutional", "variational", "denoising")
SCORES = ERROR, ELBO, MAHALANOBIS = ("error", "elbo", "mahalanobis")
# Most channels from which the code is read.
SQUEEZED = 16
# What is added before a logarithm, in units of the normalised values squared: no image is restored better.
LEAST = 1e-8


class Autoencoder(nn.Module):  # type: ignore[misc]
    """The stages of `Small`, a code of a few numbers, and the way back to the image.

    In training it gives the image that it restored, and of the variational kind mean and log variance of the code
    (Kingma and Welling, ICLR 2014). Otherwise it gives logits (n, 2), of which that of the class that is not normal
    grows with the score: z / 2 and -z / 2 where z is the logarithm of the score in standard deviations of normal
    images. `settle` sets what is read off normal images once all is learnt.

    Parameters
    ----------
    rank, channels, outputs
        Spatial axes; channels of the image; 2.
    grid
        Places per axis at the deepest stage: the image's own by 2 ** (depth - 1). It is fixed, as the code is no map.
    sizes
        Width and depth as in `Small`, under whose names the stages lie; and how many numbers stand for an image.
    kind
        One of `KINDS`.
    score
        ``"error"`` (mean squared), ``"elbo"`` (minus the evidence lower bound but for what is the same for all images)
        or ``"mahalanobis"`` (squared distance of the code from that of normal images).

    Raises
    ------
    RecipeError
        Another kind or score, other than two classes, or an ELBO of a kind that has none.
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        outputs: int,
        *,
        grid: Sequence[int],
        sizes: Sequence[int],
        kind: str = CONVOLUTIONAL,
        score: str = ERROR,
    ) -> None:
        super().__init__()
        _refused(outputs, kind, score)
        width, depth, code = sizes
        widths = [width * 2**i for i in range(depth)]
        squeezed, self.grid = min(SQUEEZED, widths[-1]), tuple(grid)
        self.kind, self.score = kind, score
        self.stages = stages(rank, channels, width=width, depth=depth)
        self.narrow = CONVOLUTION[rank](widths[-1], squeezed, 1)
        self.wide = CONVOLUTION[rank](squeezed, widths[-1], 1)
        steps = [Block(rank, a, b, kind=NORM) for a, b in pairwise(widths[::-1])]
        self.up = nn.ModuleList(steps)
        self.out = CONVOLUTION[rank](width, channels, 1)
        initialised(self)
        places = squeezed * math.prod(self.grid)
        self.encode = nn.Linear(places, 2 * code if kind == VARIATIONAL else code)
        self.decode = nn.Linear(code, places)
        # Mean and whitening of codes, variance of the pixels, mean and SD of the logarithm of the score.
        self.register_buffer("centre", torch.zeros(code))
        self.register_buffer("white", torch.eye(code))
        self.register_buffer("variance", torch.ones(1))
        self.register_buffer("moments", torch.tensor([0.0, 1.0]))
        self.register_buffer("sides", torch.tensor([-0.5, 0.5]))

    def coded(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, channels, *grid) to mean and log variance (n, code) of its code; the latter is 0 but of `VARIATIONAL`."""
        found: Tensor = self.encode(self.narrow(self.stages(x)).flatten(1))
        if self.kind != VARIATIONAL:
            return found, torch.zeros_like(found)
        mean, spread = found.chunk(2, 1)
        # Beyond these a variance is 0 or beyond all bounds in single precision.
        return mean, spread.clamp(-12.0, 12.0)

    def decoded(self, code: Tensor) -> Tensor:
        """(n, code) to images (n, channels, *grid)."""
        x = self.wide(self.decode(code).unflatten(1, (-1, *self.grid)))
        for block in self.up:
            x = block(enlarged(x, (2,) * len(self.grid)))
        out: Tensor = self.out(x)
        return out

    def restored(self, x: Tensor) -> Tensor:
        """(n, channels, *grid) as they come back through their code."""
        return self.decoded(self.coded(x)[0])

    def measured(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean squared error (n,), divergence of the code from its prior in nats (n,), and the code (n, code)."""
        mean, spread = self.coded(x)
        error = (self.decoded(mean) - x).square().flatten(1).mean(1)
        return error, divergence(mean, spread), mean

    def scored(self, x: Tensor) -> Tensor:
        """(n,) logarithm of the score: higher for images that are less like those it learnt from."""
        error, away, code = self.measured(x)
        if self.score == MAHALANOBIS:
            raw = ((code - self.centre) @ self.white.T).square().mean(1)
        elif self.score == ELBO:
            raw = error * (0.5 * x[0].numel()) / self.variance + away
        else:
            raw = error
        return torch.log(raw + LEAST)

    def settle(self, *, centre: Tensor, white: Tensor, variance: float, abnormal: int) -> None:
        """Sets what is known of normal images: mean (code,) and whitening (code, code) of codes, variance of pixels.

        Parameters
        ----------
        abnormal
            Index of the class that is not normal, 0 or 1.
        """
        self.centre.copy_(centre)
        self.white.copy_(white)
        self.variance.fill_(max(variance, LEAST))
        self.sides.copy_(torch.tensor([-0.5, 0.5] if abnormal else [0.5, -0.5]))

    def forward(self, x: Tensor) -> Any:
        """In training (restored, mean, log variance); else logits (n, 2)."""
        if self.training:
            mean, spread = self.coded(x)
            noise = torch.randn_like(mean) * torch.exp(0.5 * spread) if self.kind == VARIATIONAL else 0.0
            return self.decoded(mean + noise), mean, spread
        z = (self.scored(x) - self.moments[0]) / self.moments[1]
        return z[:, None] * self.sides


def divergence(mean: Tensor, spread: Tensor) -> Tensor:
    """(n,) Kullback-Leibler divergence in nats of normals of mean and log variance (n, code) from the standard one."""
    return 0.5 * (mean.square() + spread.exp() - 1.0 - spread).sum(1)


def restoring(out: tuple[Tensor, Tensor, Tensor], wanted: Tensor, *, kind: str) -> Tensor:
    """The loss of a batch: mean squared error; of the variational kind minus the ELBO by pixel.

    The variance of the pixels is the one under which the batch is most likely, so that no weight has to be set between
    the two terms (Rybkin, Daniilidis, Levine, Simple and effective VAE training with calibrated decoders, ICML 2021).

    Parameters
    ----------
    out
        What an `Autoencoder` gives in training.
    wanted
        (n, channels, *grid).
    """
    restored, mean, spread = (part.float() for part in out)
    error = (restored - wanted).square().mean()
    if kind != VARIATIONAL:
        return error
    return 0.5 * torch.log(error + LEAST) + divergence(mean, spread).mean() / wanted[0].numel()


def _refused(outputs: int, kind: str, score: str) -> None:
    for what, value, known in (("kind of autoencoder", kind, KINDS), ("score", score, SCORES)):
        if value not in known:
            raise RecipeError(f"no {what} {value!r}", remedy=nearest(value, known))
    if outputs != 2:
        raise RecipeError("an autoencoder tells normal from the rest", got=f"{outputs} classes", wanted="2 classes")
    if score == ELBO and kind != VARIATIONAL:
        raise RecipeError("only a variational autoencoder has an ELBO", got=f"kind={kind}")
