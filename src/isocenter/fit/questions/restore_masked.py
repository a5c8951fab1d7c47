"""Learning to restore what was masked: the question of pre-training, whose answers nobody sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from isocenter.data import Case
from isocenter.fit.feed import generator
from isocenter.fit.questions.question import Question, Ready
from isocenter.fit.scheme import Scheme
from isocenter.fit.validation import asked
from isocenter.infer.segmenting import logits
from isocenter.ops.array import Array

if TYPE_CHECKING:
    from isocenter.fit.augment import Pose
    from isocenter.fit.feed import Shelf


class RestoreMasked(Question):
    """The image itself is the truth; the error counts where the network saw nothing (Pathak et al., CVPR 2016)."""

    task = "segment"

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """The image alone."""
        return Ready(image, np.empty(0, np.float32))

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> Array:
        """Nothing: the target follows from what the network would have been shown."""
        empty: Array = ready.target
        return empty

    def shown(self, image: Array, target: Any, rng: np.random.Generator, scheme: Scheme) -> tuple[Array, Any]:
        """The patch (c, *patch) with masked blocks; and the whole patch with bool (1, *patch), True where masked."""
        hidden = masked(rng, scheme, image.shape[1:])
        return without(image, hidden), (image, hidden[None])

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """Mean squared error over the masked pixels, in units of the normalised values."""

        def error(out: Tensor, target: tuple[Tensor, Tensor]) -> Tensor:
            whole, hidden = target
            there = hidden.float()
            squares = ((out.float() - whole) ** 2 * there).sum()
            mean: Tensor = squares / (there.sum() * whole.shape[1]).clamp(min=1.0)
            return mean

        return error

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """Share of the variance within masked blocks that is restored, over all images; each keeps its own mask."""
        scheme = valid.scheme
        left = spread = 0.0
        for i in range(len(valid)):
            image = valid[i].image
            hidden = masked(generator(0, 0, i), scheme, image.shape[1:])
            slabs = logits(lambda x: asked(module, x), without(image, hidden), scheme.plan)
            found = np.concatenate(list(slabs), axis=1)[:, hidden]
            wanted = image[:, hidden].astype(np.float64)
            left += float(((found - wanted) ** 2).sum())
            spread += float(((wanted - wanted.mean(1, keepdims=True)) ** 2).sum())
        return 1.0 - left / spread if spread else 0.0


def masked(rng: np.random.Generator, scheme: Scheme, shape: Sequence[int]) -> Array:
    """bool (*shape), True in the blocks of a scheme's pre-training."""
    return blocks(rng, shape, share=scheme.pretraining.share, side=int(scheme.pretraining.block or 1))


def blocks(rng: np.random.Generator, shape: Sequence[int], *, share: float, side: int) -> Array:
    """bool (*shape): True in about a share of all blocks, which lie on a lattice that begins anywhere.

    Parameters
    ----------
    rng
        Source of randomness.
    shape
        Pixels per axis.
    share
        0 to 1. Where there are several blocks, at least one is True and one is not.
    side
        Of a block in pixels, the same along all axes; blocks are cut off at the edges.

    >>> blocks(np.random.default_rng(0), (64, 64), share=0.25, side=8).mean().round(1)
    np.float64(0.2)
    """
    start = rng.integers(0, side, len(shape))
    counts = [-(-(n + int(s)) // side) for n, s in zip(shape, start, strict=True)]
    total = math.prod(counts)
    order = rng.permutation(total)
    chosen = np.zeros(total, bool)
    chosen[order[: min(max(1, round(share * total)), max(1, total - 1))]] = True
    lattice = chosen.reshape(counts)
    for axis in range(len(shape)):
        lattice = lattice.repeat(side, axis)
    return np.ascontiguousarray(lattice[tuple(slice(int(s), int(s) + n) for s, n in zip(start, shape, strict=True))])


def without(image: Array, hidden: Array) -> Array:
    """float32 (c, *grid) whose hidden pixels have the mean of the others, channel by channel."""
    seen = image[:, ~hidden] if not hidden.all() else image.reshape(len(image), -1)
    column = (slice(None),) + (None,) * hidden.ndim
    return np.where(hidden, seen.mean(1, dtype=np.float64).astype(np.float32)[column], image)


QUESTION = RestoreMasked()
