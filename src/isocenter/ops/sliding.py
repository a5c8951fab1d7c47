"""Lung sliding: how the pleural line moves along itself between two frames, against the tissue above it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.pleura import PleuralLine, half_strip, straightened

# Number of blocks along the line, largest motion along it and across it that is looked for, in beams and steps; least
# correlation of a block that counts.
BLOCKS, REACH, RISE, SURE = 10, 8, 2, 0.5
# Rows of the strips of the line and of the tissue above, in half strips below and above the line.
AT_LINE, ABOVE = (-0.3, 1.0), (-3.0, -1.0)


class Sliding(NamedTuple):
    """Between two frames.

    Parameters
    ----------
    motion
        Of the line against the tissue above, in beams, positive to the right; None where too few blocks are alike.
    correlation
        Median over the blocks of the line's strip, each moved to where it fits best: 1 alike, 0 unlike.
    decorrelation
        How much less alike the strip of the line is, unmoved, than the tissue above: 0 still, towards 1 where the
        lung alone changes.
    """

    motion: float | None
    correlation: float
    decorrelation: float


def sliding(before: Array, after: Array, line: PleuralLine) -> Sliding | None:
    """The motion of the strip at the line less that of the strip above, by matching blocks.

    The strip around the line (at the same place in both frames) is cut into ten blocks; each is sought in the frame
    after by normalised correlation, up to 8 beams along and 2 steps across the line, and set between beams by a
    parabola. Blocks that correlate by less than 0.5 take no part; of the others the median counts.

    Sources: Bohs & Trahey, IEEE Trans. Biomed. Eng. 38 (1991) 280 (speckle tracking by blocks); Duclos et al.,
    Intensive Care Med. 45 (2019) 1212 (speckle tracking of lung sliding).

    Parameters
    ----------
    before, after
        (depth, beams) of two frames on the same beams; not a number outside the picture.
    line
        Found in `before`.

    Returns
    -------
    None where there is no room for blocks, or no line.
    """
    half, beams = half_strip(len(before)), len(line.rows)
    if beams < BLOCKS * 4 + 2 * REACH or not line.seen.any():
        return None
    moved = {}
    for name, (low, high) in (("line", AT_LINE), ("above", ABOVE)):
        offsets = np.arange(round(low * half), round(high * half) + 1.0)
        here = straightened(before, line.rows, offsets)
        there = [straightened(after, line.rows, offsets + rise) for rise in range(-RISE, RISE + 1)]
        moved[name] = _matched(here, there)
    at, peak, still = moved["line"]
    at_above, peak_above, still_above = moved["above"]
    blocks = _blocks(beams)
    shown = np.array([line.seen[a:b].mean() >= 0.5 for a, b in blocks])
    use = shown & np.isfinite(peak) & np.isfinite(peak_above)
    if not use.any():
        return None
    sure = use & (peak >= SURE) & (peak_above >= SURE)
    motion = float(np.median((at - at_above)[sure])) if np.count_nonzero(sure) >= 3 else None
    return Sliding(motion, float(np.median(peak[use])), float(np.median((still_above - still)[use])))


def _blocks(beams: int) -> list[tuple[int, int]]:
    """First and last + 1 beam of each block; room for motion is left at both ends."""
    edges = np.linspace(REACH, beams - REACH, BLOCKS + 1).astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _matched(here: Array, there: list[Array]) -> tuple[Array, Array, Array]:
    """Of each block: motion along the line, its correlation, and the correlation unmoved."""
    shifts = np.arange(-REACH, REACH + 1)
    at, peak, still = [], [], []
    for a, b in _blocks(here.shape[1]):
        table = np.array([[_correlation(here[:, a:b], other[:, a + s : b + s]) for s in shifts] for other in there])
        best = table[int(np.argmax(table.max(axis=1)))]
        k = int(np.argmax(best))
        at.append(shifts[k] + (_between(*best[k - 1 : k + 2]) if 0 < k < len(best) - 1 else 0.0))
        # At the end of what was looked at the true place may lie beyond.
        peak.append(best[k] if 0 < k < len(best) - 1 else -1.0)
        still.append(table[RISE, REACH])
    return np.array(at), np.array(peak), np.array(still)


def _correlation(a: Array, b: Array) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    if np.count_nonzero(both) < both.size / 2:
        return -1.0
    x, y = a[both] - a[both].mean(), b[both] - b[both].mean()
    norm = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum() / norm) if norm > 0 else 0.0


def _between(left: float, middle: float, right: float) -> float:
    bend = left - 2 * middle + right
    return float(np.clip((left - right) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
