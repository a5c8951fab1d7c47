"""Near copies: pairs of images that show the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from isocenter.inspect.thumbs import low_band
from isocenter.ops.array import Array

# Correlation from which two images are near copies, and the share of a thumbnail that the perceptual hash must hold for
# its own limit to be sure: two unit vectors that correlate by 0.99 differ by 0.02 squared, so parts that hold a share s
# of them correlate by at least 1 - 0.02 / (2 s).
SAME, SHARE = 0.99, 0.1
ALIKE = 1 - (1 - SAME) / SHARE
# Elements of one block of the table of all pairs, and thumbnails that are worked on at a time.
BLOCK, SLAB = 1 << 24, 256


@dataclass(frozen=True)
class Pair:
    """Two images that look the same: positions in the list that was searched, and their correlation."""

    a: int
    b: int
    correlation: float


def near_duplicates(thumbs: Array) -> tuple[Pair, ...]:
    """Pairs of thumbnails that correlate by at least 0.99 after the mean of all was removed.

    Finds copies that were re-encoded, resized, brightened or slightly disturbed; not those that were turned, mirrored
    or cropped.

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
    found = [Pair(int(known[i]), int(known[j]), round(r, 4)) for i, j, r in _correlated(units) if round(r, 4) >= SAME]
    return tuple(sorted(found, key=lambda p: (p.a, p.b)))


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
    for start in range(0, n, SLAB):
        part = thumbs[start : start + SLAB].astype(np.float32) - mean
        length = np.linalg.norm(part, axis=1)
        lengths[start : start + SLAB] = length
        units[start : start + SLAB] = part / np.maximum(length, 1e-9)[:, None]
    known = np.flatnonzero(lengths > 1e-2 * np.sqrt(thumbs.shape[1]) if n else lengths)
    return (units if len(known) == n else units[known]), known


def _correlated(units: Array) -> Iterator[tuple[int, int, float]]:
    """Pairs that the perceptual hash cannot tell apart, with their correlation."""
    if len(units) < 2:
        return
    band = np.concatenate([low_band(units[i : i + SLAB]) for i in range(0, len(units), SLAB)])
    length = np.linalg.norm(band, axis=1)
    # Where the hash holds little of an image, its word is not trusted: such images are compared with each other whole.
    weak = length**2 < SHARE
    band /= np.maximum(length, 1e-9)[:, None]
    rows = max(1, BLOCK // len(units))
    for start in range(0, len(units), rows):
        i, j = np.nonzero(band[start : start + rows] @ band.T >= ALIKE)
        i += start
        keep = (j > i) & ~(weak[i] & weak[j])
        yield from _pairwise(units, i[keep], j[keep])
    yield from _all_with_all(units, np.flatnonzero(weak))


def _pairwise(units: Array, i: Array, j: Array) -> Iterator[tuple[int, int, float]]:
    for start in range(0, len(i), SLAB):
        a, b = i[start : start + SLAB], j[start : start + SLAB]
        r = np.einsum("np,np->n", units[a].astype(np.float32), units[b].astype(np.float32))
        yield from zip(a.tolist(), b.tolist(), r.tolist(), strict=True)


def _all_with_all(units: Array, chosen: Array) -> Iterator[tuple[int, int, float]]:
    slabs = [chosen[s : s + SLAB] for s in range(0, len(chosen), SLAB)]
    for n, a in enumerate(slabs):
        left = units[a].astype(np.float32)
        for b in slabs[n:]:
            table = left @ units[b].astype(np.float32).T
            i, j = np.nonzero(table >= SAME - 1e-3)
            keep = a[i] < b[j]
            yield from zip(a[i][keep].tolist(), b[j][keep].tolist(), table[i, j][keep].tolist(), strict=True)
