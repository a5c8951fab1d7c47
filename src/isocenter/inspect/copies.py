"""Near copies: pairs of images that show the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.inspect.thumbs import low_band
from isocenter.ops.array import Array

# Correlation from which two images are near copies, and the share of a thumbnail that the perceptual hash must hold for
# its own limit to be sure: two unit vectors that correlate by 0.99 differ by 0.02 squared, so parts that hold a share s
# of them correlate by at least 1 - 0.02 / (2 s).
SAME, SHARE = 0.99, 0.1
ALIKE = 1 - (1 - SAME) / SHARE
# Elements of one block of the table of all pairs.
BLOCK = 1 << 24


@dataclass(frozen=True)
class Pair:
    """Two images that look the same: positions in the list that was searched, and their correlation."""

    a: int
    b: int
    correlation: float


def near_duplicates(thumbs: Array, *, same: float = SAME) -> tuple[Pair, ...]:
    """Pairs of thumbnails that correlate by at least `same` after the mean of all was removed.

    Parameters
    ----------
    thumbs
        (n, pixels), each of mean 0 and SD 1.

    Returns
    -------
    pairs
        With a < b, in order. Images that equal the mean are never part of one.
    """
    units, known = residuals(thumbs)
    found = [
        Pair(int(known[i]), int(known[j]), round(float(units[i].astype(np.float32) @ units[j].astype(np.float32)), 4))
        for i, j in _candidates(units)
    ]
    return tuple(p for p in sorted(found, key=lambda p: (p.a, p.b)) if p.correlation >= same)


def residuals(thumbs: Array) -> tuple[Array, Array]:
    """What sets each thumbnail apart, at unit length (float16), and the positions of those that differ from the mean.

    The mean over the set is what all images of one kind share (a chest, a plate, a sector of ultrasound); while it is
    in, everything resembles everything. Two images have no common kind, so nothing is removed from them.
    """
    n = len(thumbs)
    mean = thumbs.mean(axis=0, dtype=np.float32) if n > 2 else np.float32(0)
    units = np.empty(thumbs.shape, np.float16)
    lengths = np.empty(n)
    # In slabs, so that only the half-size thumbnails are ever held whole.
    for start in range(0, n, 256):
        part = thumbs[start : start + 256].astype(np.float32) - mean
        length = np.linalg.norm(part, axis=1)
        lengths[start : start + 256] = length
        units[start : start + 256] = part / np.maximum(length, 1e-9)[:, None]
    known = np.flatnonzero(lengths > 1e-2 * np.sqrt(thumbs.shape[1]) if n else lengths)
    return (units if len(known) == n else units[known]), known


def _candidates(units: Array) -> list[tuple[int, int]]:
    """Pairs that the perceptual hash cannot tell apart."""
    if len(units) < 2:
        return []
    band = np.concatenate([low_band(units[i : i + 256]) for i in range(0, len(units), 256)])
    length = np.linalg.norm(band, axis=1)
    # Where the hash holds little of an image, its word is not trusted: such images are compared with every other.
    weak = length**2 < SHARE
    band /= np.maximum(length, 1e-9)[:, None]
    rows = max(1, BLOCK // len(units))
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(units), rows):
        close = band[start : start + rows] @ band.T >= ALIKE
        close |= weak[start : start + rows, None] & weak[None, :]
        i, j = np.nonzero(close)
        keep = j > i + start
        pairs += zip((i[keep] + start).tolist(), j[keep].tolist(), strict=True)
    return pairs
