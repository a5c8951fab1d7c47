"""The mean answer over mirrored inputs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from isocenter.errors import BundleError
from isocenter.infer.engines import Engine
from isocenter.ops.array import Array


def answered(engine: Engine, array: Array, mirror: Sequence[str], classes: int) -> Array:
    """Logits of one input, averaged over every combination of mirrored axes and mirrored back.

    Parameters
    ----------
    engine
        As `infer.engine` makes it.
    array
        float32 (c, *grid).
    mirror
        Names of axes among z, y, x.
    classes
        Number of outputs expected.

    Returns
    -------
    float32 (classes, *grid), or (classes,) of a network that answers once per image.

    Raises
    ------
    BundleError
        The network's output has another shape, or is not finite.
    """
    axes = ["zyx"[-(array.ndim - 1) :].index(name) + 1 for name in mirror]
    turns = [turn for n in range(len(axes) + 1) for turn in itertools.combinations(axes, n)]
    total: Array | None = None
    for turn in turns:
        logits = engine(np.flip(array, turn)[None])[0]
        if logits.shape not in ((classes, *array.shape[1:]), (classes,)):
            wanted = f"{classes} classes on {array.shape[1:]}"
            raise BundleError(
                "the network answers in another shape than its plan", got=str(logits.shape), wanted=wanted
            )
        if logits.ndim > 1:
            logits = np.flip(logits, turn)
        total = logits.astype(np.float32) if total is None else total + logits
    mean = np.asarray(total) / np.float32(len(turns))
    if not np.isfinite(mean).all():
        raise BundleError("the network's answer is not finite", remedy="Fetch or train it again: weights are damaged")
    return mean
