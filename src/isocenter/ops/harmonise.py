"""Values that mean the same from one device or site to the next: landmarks of train, foreground, local contrast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array

# Percentiles of the foreground that are landmarks, as in the paper's best choice (L4: deciles between two ends).
PERCENTILES = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)
# Ends of the standard scale, so that most values have an SD of about 1; what lies twice as far out is cut.
ENDS = (-2.0, 2.0)
# Of adaptive equalisation: tiles an axis and the share of a tile's pixels that one grey level may hold.
TILES, CLIP = 8, 0.01


def inside(channel: Array) -> Array:
    """bool (*grid): the foreground, values above the channel's mean (Nyul and Udupa 1999); all where none is."""
    found = channel > channel.mean(dtype=np.float64)
    return np.asarray(found if found.any() else np.ones(channel.shape, bool))


def landmarks(channel: Array) -> Array:
    """float64 (11,): `PERCENTILES` of the foreground of one channel (*grid), in the image's unit."""
    return np.asarray(np.percentile(channel[inside(channel)].astype(np.float64), PERCENTILES))


def standard(found: Array) -> Array:
    """The standard scale that many images together stand for.

    Each image's landmarks are stretched so that the first and the last lie at `ENDS`; the scale is their mean. Learnt
    from train. Source: Nyul, Udupa, Zhang, New variants of a method of MRI scale standardization, IEEE Trans. Medical
    Imaging 19 (2000) 143.

    Parameters
    ----------
    found
        (n, 11) landmarks of n images; those of one value only take no part.

    Returns
    -------
    float64 (11,), rising from -2 to 2; evenly where no image has a spread.
    """
    rows = np.asarray(found, np.float64)
    reach = rows[:, -1] - rows[:, 0]
    rows, reach = rows[reach > 0], reach[reach > 0]
    if not len(rows):
        return np.linspace(*ENDS, len(PERCENTILES))
    shares = (rows - rows[:, :1]) / reach[:, None]
    return np.asarray(ENDS[0] + (ENDS[1] - ENDS[0]) * shares.mean(0))


def matched(array: Array, scale: Sequence[float]) -> Array:
    """float32 (c, *grid) on the standard scale: each channel's own landmarks are moved onto those of train.

    Between landmarks the map is linear; beyond them it goes on with the mean slope, up to twice the scale's ends.

    Parameters
    ----------
    array
        (c, *grid) in the image's unit.
    scale
        c times the 11 numbers of `standard`, one channel after the other; one channel that stands for several takes
        the mean of theirs.
    """
    pairs = zip(array, _scales(scale, len(array)), strict=True)
    return np.stack([_moved(channel, landmarks(channel), to) for channel, to in pairs])


def sloped(array: Array, scale: Sequence[float]) -> tuple[Array, Array]:
    """As `matched`, and by how much each value there would change with its own, its landmarks being given."""
    slopes = np.zeros(array.shape, np.float32)
    for i, to in enumerate(_scales(scale, len(array))):
        own = landmarks(array[i])
        step = 1e-3 * (own[-1] - own[0])
        if step > 0:
            low, high = (_moved(array[i].astype(np.float64) + side, own, to) for side in (-step, step))
            slopes[i] = (high - low) / (2 * step)
    return matched(array, scale), slopes


def _scales(scale: Sequence[float], channels: int) -> Array:
    rows = np.asarray(scale, np.float64).reshape(-1, len(PERCENTILES))
    return np.asarray(rows.mean(0, keepdims=True)) if channels == 1 else rows


def _moved(channel: Array, own: Array, to: Array) -> Array:
    reach = own[-1] - own[0]
    if reach <= 1e-6 * max(1.0, abs(own[0])):
        return np.zeros(channel.shape, np.float32)
    # Of landmarks at one value the last counts.
    kept = np.append(np.diff(own) > 0, True)
    out = np.interp(channel, own[kept], to[kept])
    slope = (to[-1] - to[0]) / reach
    beyond = np.where(channel < own[0], channel - own[0], np.where(channel > own[-1], channel - own[-1], 0.0))
    return np.asarray(np.clip(out + slope * beyond, 2 * ENDS[0], 2 * ENDS[1]), np.float32)


def foreground(array: Array) -> Array:
    """float32 (c, *grid) with mean 0 and SD 1 over the foreground of each channel; of each image by itself."""
    out = np.empty(array.shape, np.float32)
    for i, channel in enumerate(array):
        values = channel[inside(channel)].astype(np.float64)
        mean, sd = float(values.mean()), float(values.std())
        out[i] = (channel - mean) * (1.0 / sd if sd > 1e-6 * max(1.0, abs(mean)) else 0.0)
    return out


def clahe(array: Array) -> Array:
    """float32 (c, y, x): contrast equalised tile by tile, limited so that noise is not; of each image by itself.

    8 tiles an axis; own 0.5 and 99.5 percentiles are the ends; then (x - 0.5) / 0.25. Source: Zuiderveld, Contrast
    limited adaptive histogram equalization, Graphics Gems IV (1994) 474.
    """
    from skimage.exposure import equalize_adapthist

    out = np.zeros(array.shape, np.float32)
    for i, channel in enumerate(array):
        low, high = np.percentile(channel, (0.5, 99.5))
        if high - low > 1e-6 * max(1.0, abs(low)):
            shares = np.clip((channel.astype(np.float64) - low) / (high - low), 0.0, 1.0)
            tile = [max(1, -(-n // TILES)) for n in channel.shape]
            out[i] = (equalize_adapthist(shares, tile, clip_limit=CLIP) - 0.5) * 4.0
    return out
