"""One number a pixel, of both images alike."""

from __future__ import annotations

import numpy as np

from isocenter.data import Image, NotEvaluated
from isocenter.errors import NotFoundError, nearest
from isocenter.ops.array import Array


def grey(image: Image, channel: str | None) -> Array | NotEvaluated:
    """float32 (*grid): a channel by name or number from 0, or the mean of all but alpha.

    Returns
    -------
    NaN where a pixel holds no finite value; NotEvaluated where none does.

    Raises
    ------
    NotFoundError
        There is no such channel.
    InputError
        The image is a film.
    """
    array = image.channels_first()
    known = list(image.channels or map(str, range(len(array))))
    if channel is not None and channel not in known:
        raise NotFoundError(f"no channel {channel!r}", where=image.name, remedy=nearest(channel, known))
    kept = [i for i, c in enumerate(known) if c != "alpha" and channel in (None, c)] or [0]
    with np.errstate(over="ignore", invalid="ignore"):
        values = array[kept].mean(axis=0, dtype=np.float64).astype(np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        return NotEvaluated("no pixel holds a finite value", image.name)
    return np.asarray(values if finite.all() else np.where(finite, values, np.float32(np.nan)))
