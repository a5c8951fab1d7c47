"""What lies below the pleural line: its repetitions (A-lines) and bright bands down to the bottom (B-lines)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.pleura import PleuralLine, half_strip, runs

# B-lines: bins of depth, SD of the smoothing across beams as a share of them; the share of the bins in which a band is
# brighter than the darker quarter of the beams, and by how much, as a share of the line's height above the darkest
# below it; least width and largest gap as shares of the beams; share of a band that the line is seen above.
BINS, ACROSS, LASTING, DARKER, BRIGHTER = 16, 0.006, 0.75, 0.25, 0.15
NARROWEST, GAP, FROM_LINE = 0.015, 0.01, 0.25
# Bins that a beam must have for a judgement.
LEAST = 4
# A-lines: steps between multiples of the depth that are looked at, how far a repetition may be from a whole multiple,
# least strength as a share of the line's own, and in SDs of what lies between; the last multiple.
STEP, NEAR, STRENGTH, ABOVE, LAST = 0.01, 0.08, 0.1, 4.0, 6


class Bands(NamedTuple):
    """B-lines: boolean (beams), and the first and last + 1 beam of each."""

    within: Array
    runs: list[tuple[int, int]]

    @property
    def share(self) -> float:
        """Share of the beams."""
        return float(self.within.mean())


def b_lines(values: Array, line: PleuralLine) -> Bands:
    """Bands from the pleural line to the bottom that do not fade.

    At each depth a beam is compared with the darker quarter of those beams that show the line. It belongs to a band
    where it is clearly brighter at three of four depths. Bands that flow together count as one; where nearly all beams
    are bright (white lung) none stands out.

    Sources: Volpicelli et al., Intensive Care Med. 38 (2012) 577 (what a B-line is); Brattain et al., J. Ultrasound
    Med. 32 (2013) 2185 (bright columns between angles in polar coordinates, and how far down they last).

    Parameters
    ----------
    values
        (depth, beams); not a number outside the picture.
    line
        Found in them.
    """
    from scipy import ndimage

    depth, beams = values.shape
    bins = _bins(values, line.rows + half_strip(depth))
    crest = np.round(line.rows).astype(int).clip(0, depth - 1)
    level = float(np.nanmedian(values[crest, np.arange(beams)][line.seen])) if line.seen.any() else np.nan
    usable = np.isfinite(bins).sum(axis=1) > 0
    if not usable.any() or not np.isfinite(level):
        return Bands(np.zeros(beams, bool), [])
    bins = bins[usable]
    known = np.isfinite(bins)
    sd = max(ACROSS * beams, 1.0)
    weight = ndimage.gaussian_filter1d(known.astype(np.float64), sd, axis=1)
    smooth = ndimage.gaussian_filter1d(np.where(known, bins, 0.0), sd, axis=1) / np.maximum(weight, 1e-6)
    dark = np.array([np.quantile(row[k & line.seen], DARKER) if (k & line.seen).any() else np.inf
                     for row, k in zip(smooth, known, strict=True)])
    brighter = (smooth - dark[:, None] > BRIGHTER * (level - float(np.nanmin(bins)))) & known
    count = known.sum(axis=0)
    within = (count >= LEAST) & (brighter.sum(axis=0) >= LASTING * count)
    return _bands(within, line.seen)


def _bins(values: Array, start: Array) -> Array:
    """(bins, beams): mean of each beam in equal pieces of depth below its start; not a number where it has none."""
    depth = len(values)
    rows = np.arange(depth)[:, None]
    there = np.isfinite(values) & (rows >= start)
    first = int(np.clip(np.floor(start.min()), 0, depth - 1))
    edges = np.unique(np.linspace(first, depth, BINS + 1).astype(int)[:-1])
    sums = np.add.reduceat(np.where(there, values, 0.0), edges, axis=0, dtype=np.float64)
    counts = np.add.reduceat(there, edges, axis=0, dtype=np.int64)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _bands(within: Array, seen: Array) -> Bands:
    """Small gaps closed; narrow bands, and those that do not come from the line, left out."""
    beams = len(within)
    closed = within.copy()
    for start, end in runs(~within):
        if end - start <= GAP * beams and start > 0 and end < beams:
            closed[start:end] = True
    kept = [(a, b) for a, b in runs(closed) if b - a >= NARROWEST * beams and seen[a:b].mean() >= FROM_LINE]
    out = np.zeros(beams, bool)
    for start, end in kept:
        out[start:end] = True
    return Bands(out, kept)


def a_lines(line: PleuralLine, bands: Bands) -> Array:
    """The repetitions of the pleural line, from twice its depth below the probe on, one after the other.

    How much ridge lies at each multiple of the line's depth, in the mean over the beams that show the line and no
    B-line, is a periodic profile where there are A-lines. The first multiple without a peak ends them.

    Sources: Lichtenstein et al., Am. J. Respir. Crit. Care Med. 156 (1997) 1640 (A- and B-lines); Anantrasirichai et
    al., IEEE Trans. Med. Imaging 36 (2017) 2045 (A-lines as lines at multiples of the depth of the pleura).

    Parameters
    ----------
    line
        Its rows count from the face of the probe: where that is cut off above, multiples are wrong and none is found.
    bands
        The B-lines beside it.

    Returns
    -------
    float64 (lines, beams): the row of each; not a number where a beam does not show it.
    """
    depth, beams = line.ridge.shape
    clear = line.seen & ~bands.within
    none = np.zeros((0, beams))
    end = min((depth - 1) / max(float(np.median(line.rows[clear])), 1.0) if clear.any() else 0.0, LAST + 0.5)
    multiples = np.arange(1 + 3 * NEAR, end, STEP)
    if end < 2 - NEAR or len(multiples) < 3 or float(np.median(line.rows)) * NEAR < 1:
        return none
    profile, own = _profile(line, clear, multiples), _profile(line, clear, np.arange(0.97, 1.03, STEP)).max()
    found = []
    between = np.abs(multiples - np.round(multiples)) > 2 * NEAR
    usual = float(np.median(profile[between]))
    spread = float(np.median(np.abs(profile[between] - usual))) / 0.6745
    for k in range(2, LAST + 1):
        at = np.abs(multiples - k) <= NEAR
        if multiples[-1] < k - NEAR / 2 or not at.any():
            break
        peak = float(profile[at].max())
        if peak - usual < max(STRENGTH * own, ABOVE * spread):
            break
        found.append(_course(line, clear, float(multiples[at][np.argmax(profile[at])]), usual + (peak - usual) / 2))
    return np.stack(found) if found else none


def _profile(line: PleuralLine, clear: Array, multiples: Array) -> Array:
    """Mean ridge at each multiple of the line's depth over the beams in which that lies within the picture."""
    from scipy import ndimage

    beams = np.flatnonzero(clear)
    rows = multiples[:, None] * line.rows[beams]
    at = [rows, np.broadcast_to(beams, rows.shape)]
    inside = rows <= len(line.ridge) - 1
    ridge = ndimage.map_coordinates(line.ridge, at, order=1, mode="nearest")
    counts = inside.sum(axis=1)
    return np.where(counts > 0, np.where(inside, ridge, 0).sum(axis=1) / np.maximum(counts, 1), 0.0)


def _course(line: PleuralLine, clear: Array, multiple: float, least: float) -> Array:
    """Where each clear beam has most ridge near a multiple of the line's depth; not a number where that is weak."""
    depth, beams = line.ridge.shape
    reach = max(1, round(NEAR / 2 * float(np.median(line.rows[clear]))))
    offsets = np.arange(-reach, reach + 1)
    rows = np.round(multiple * line.rows).astype(int) + offsets[:, None]
    ridge = np.where((rows >= 0) & (rows < depth), line.ridge[rows.clip(0, depth - 1), np.arange(beams)], 0)
    best = ridge.argmax(axis=0)
    at = rows[best, np.arange(beams)].astype(np.float64)
    return np.where(clear & (ridge.max(axis=0) >= least), at, np.nan)
