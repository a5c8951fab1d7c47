"""The pleural line in a picture laid out beam by beam: its course, where it is seen, its thickness and irregularity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

# SD across the line at which ridges are looked for, as shares of the depth; along the line this many times as much, at
# first and when the course is found again near the first one.
ACROSS, ALONG, AGAIN = (0.006, 0.012), 3.0, 1.0
# Depths, as shares of the picture's, between which the line is looked for.
BETWEEN = (0.05, 0.6)
# What a step of one row between neighbouring beams costs, in ridges of full strength; the steepest step in rows.
CLIMB, STEEPEST = 0.15, 2
# How much the strongest ridge below a place counts against it, since the body shows no line of its own below air; of
# ridges near multiples of its depth, which may be its repetitions, this share; how near, as a share of the depth.
LOWEST, REPEATED, NEAR = 1.0, 0.25, 0.1
# Ridges stronger than this quantile are all full; where that is a smaller share of the range there are none.
FULL, FAINT = 0.995, 1e-3
# The line is seen where its height above what surrounds it, over this share of the beams, reaches this share of the
# upper quartile of its heights.
SMOOTHED, SEEN = 0.01, 0.4
# Less than this share of the beams is neither a gap nor a part of the line.
LEAST = 0.02
# Half the height of the strip that the line and what surrounds it are read from, as a share of the depth; as shares of
# the strip, within which the crest lies and beyond which what surrounds it; its quantile there, so that a layer of the
# tissue in it does not matter. Number of pieces of the line that profiles are averaged over.
STRIP, CREST, ROUND, QUIET, PIECES = 0.06, 0.35, 0.45, 0.25, 12
# SD in beams of the smooth course that irregularity is about, as a share of the beams.
COURSE = 0.05


class PleuralLine(NamedTuple):
    """A line from beam to beam.

    Parameters
    ----------
    rows
        float64 (beams): depth in steps.
    seen
        Boolean (beams): where the picture shows it; elsewhere the course is the shortest way on.
    ridge
        float32 (depth, beams), 0 to 1: how much of a bright line along the beams' faces each place is.
    """

    rows: Array
    seen: Array
    ridge: Array

    @property
    def breaks(self) -> int:
        """Gaps between parts of the line."""
        return max(0, len(runs(self.seen)) - 1)

    @property
    def share(self) -> float:
        """Share of the beams that show it."""
        return float(self.seen.mean())


def pleural_line(values: Array) -> PleuralLine | None:
    """The course of most ridge between the first and the last beam, no steeper than two rows a beam.

    A ridge is where the second derivative of a Gaussian across the line is negative, at the stronger of two scales;
    along the line the Gaussian is longer, which averages over speckle. The course is found by dynamic programming, then
    again with a shorter Gaussian near the first course, and set between rows by a parabola.

    Sources: Carrer et al., IEEE Trans. Ultrason. Ferroelectr. Freq. Control 67 (2020) 2207 (the pleural line as the
    best path through beams, by the Viterbi algorithm); Lindeberg, Int. J. Comput. Vis. 30 (1998) 117 (ridges by
    scale).

    Parameters
    ----------
    values
        (depth, beams); not a number outside the picture.

    Returns
    -------
    None where no place between the depths is a ridge.
    """
    ridge = ridges(values, along=ALONG)
    depth, beams = ridge.shape
    low, high = max(1, round(BETWEEN[0] * depth)), min(depth - 1, max(round(BETWEEN[1] * depth), 3))
    if high - low < 3 or not ridge[low:high].any():
        return None
    path = best_path(np.ascontiguousarray(_likeness(ridge)[low:high]), CLIMB) + low
    near = np.abs(np.arange(depth)[:, None] - path) <= CREST * half_strip(depth)
    finer = np.where(near, ridges(values, along=AGAIN), np.float32(-1))
    path = best_path(np.ascontiguousarray(finer[low:high]), CLIMB) + low
    above, here, below = (finer[np.clip(path + k, 0, depth - 1), np.arange(beams)].astype(float) for k in (-1, 0, 1))
    bend = above - 2 * here + below
    shift = np.where(bend < 0, (above - below) / (2 * np.where(bend < 0, bend, -1.0)), 0.0)
    rows = path + np.clip(shift, -0.5, 0.5)
    return PleuralLine(rows, _seen(values, rows), ridge)


def half_strip(depth: int) -> int:
    """Rows on either side of the line in which it and what surrounds it lie."""
    return max(4, round(STRIP * depth))


def ridges(values: Array, *, along: float) -> Array:
    """float32 (depth, beams), 0 to 1: strength of bright lines across the beams; 0 near what is outside the picture.

    Parameters
    ----------
    values
        As in `pleural_line`.
    along
        SD along the line, in SDs across it.
    """
    from scipy import ndimage

    outside = ~np.isfinite(values)
    # About 0: the sampled derivative does not quite vanish where nothing changes.
    image = np.where(outside, np.nanmin(values), values).astype(np.float32)
    image -= np.median(image)
    best = np.zeros(values.shape, np.float32)
    for share in ACROSS:
        sd = max(share * values.shape[0], 1.0)
        bend = ndimage.gaussian_filter(image, (sd, along * sd), order=(2, 0), mode="nearest")
        best = np.maximum(best, -bend * np.float32(sd**2))
    reach = round(3 * max(ACROSS[-1] * values.shape[0], 1.0))
    best[ndimage.maximum_filter1d(outside.view(np.uint8), 2 * reach + 1, axis=0) > 0] = 0
    full = float(np.quantile(best, FULL))
    return np.minimum(best / np.float32(full), 1) if full > FAINT * np.ptp(image) else np.zeros_like(best)


def _likeness(ridge: Array) -> Array:
    """Ridge, less the strongest one further below than the strip around a line reaches; repetitions count less."""
    depth, gap = len(ridge), half_strip(len(ridge))
    lowest = np.maximum.accumulate(ridge[::-1], axis=0)[::-1]
    out = ridge.copy()
    for row in range(depth - gap):
        strongest = REPEATED * lowest[row + gap]
        # Between the multiples of its depth, and below the last of them.
        last = row + gap
        for k in range(2, depth // max(row, 1) + 2):
            low, high = round((k - NEAR) * row), round((k + NEAR) * row) + 1
            if row and low > last:
                strongest = np.maximum(strongest, ridge[last : min(low, depth)].max(axis=0))
            last = max(last, high)
            if last >= depth or not row:
                break
        if last < depth:
            strongest = np.maximum(strongest, lowest[last])
        out[row] -= np.float32(LOWEST) * strongest
    return np.asarray(out)


@kernel
def best_path(gain: Array, climb: float) -> Array:
    """int64 (columns): the row in each column so that the sum of gains less `climb` a row climbed is largest.

    Neighbouring rows differ by at most two. Of equal ways the uppermost end is taken, and the flattest way to it.
    """
    rows, columns = gain.shape
    total = gain[:, 0].astype(np.float64)
    origin = np.zeros((rows, columns), np.int64)
    for j in range(1, columns):
        new = np.empty(rows, np.float64)
        for i in range(rows):
            best, chosen = total[i], i
            for step in (1, -1, 2, -2):
                k = i + step
                if 0 <= k < rows and total[k] - climb * abs(step) > best:
                    best, chosen = total[k] - climb * abs(step), k
            new[i] = best + gain[i, j]
            origin[i, j] = chosen
        total = new
    path = np.empty(columns, np.int64)
    path[-1] = np.argmax(total)
    for j in range(columns - 1, 0, -1):
        path[j - 1] = origin[path[j], j]
    return path


def thickness(values: Array, line: PleuralLine) -> float | None:
    """Width of the line at half of its height along its normal, in steps; the median over its pieces.

    The strip around the line is laid straight; along each of 12 pieces profiles are averaged over the beams that show
    the line; on either side the half is that between the crest and what lies around it on that side.

    Parameters
    ----------
    values
        As in `pleural_line`: grey values, log-compressed as the machine shows them.

    Returns
    -------
    None where no piece has a crest.
    """
    half = half_strip(len(values))
    offsets = np.arange(-half, half + 0.25, 0.5)
    strip = straightened(values, line.rows, offsets)
    slope = np.gradient(smooth_course(line.rows, line.seen))
    found = []
    for piece in np.array_split(np.flatnonzero(line.seen), PIECES):
        width = _width(strip[:, piece].mean(axis=1), offsets) if len(piece) >= 3 else None
        if width is not None:
            found.append(width * float(np.cos(np.arctan(slope[piece].mean()))))
    return float(np.median(found)) if found else None


def straightened(values: Array, rows: Array, offsets: Array) -> Array:
    """(offsets, beams): values along each beam at `rows` plus `offsets`; not a number outside the picture."""
    from scipy import ndimage

    at = rows[None, :] + offsets[:, None]
    beams = np.broadcast_to(np.arange(len(rows)), at.shape)
    return np.asarray(ndimage.map_coordinates(values, [at, beams], order=1, mode="constant", cval=np.nan))


def irregularity(line: PleuralLine) -> float:
    """Root mean square of the course about its smooth course where it is seen, in steps.

    It orders lines rather than measures them: of simulated courses it tells a third to a half, since speckle must be
    averaged along the line, and 0.1 to 0.3 steps where the line is smooth.
    """
    away = (line.rows - smooth_course(line.rows, line.seen))[line.seen]
    return float(np.sqrt(np.mean(np.square(away)))) if len(away) else 0.0


def smooth_course(rows: Array, seen: Array) -> Array:
    """(beams): at each beam the line fitted to what is seen around it, weighted by a Gaussian (Cleveland, J. Am. Stat.
    Assoc. 74 (1979) 829, without his robust steps).
    """
    x = np.arange(len(rows), dtype=np.float64)
    if np.count_nonzero(seen) < 3:
        return np.asarray(rows, np.float64)
    weight = np.exp(-0.5 * np.square((x[:, None] - x[None, seen]) / max(COURSE * len(rows), 2.0))) + 1e-12
    weight /= weight.sum(axis=1, keepdims=True)
    away, course = x[seen], rows[seen]
    mean_x, mean_y = weight @ away, weight @ course
    spread = weight @ np.square(away) - mean_x**2
    slope = (weight @ (away * course) - mean_x * mean_y) / np.maximum(spread, 1e-9)
    return np.asarray(mean_y + slope * (x - mean_x))


def _seen(values: Array, rows: Array) -> Array:
    """Boolean (beams): parts and gaps that are too short belong to what is beside them."""
    from scipy import ndimage

    half, n = half_strip(len(values)), len(rows)
    offsets = np.arange(-half, half + 1.0)
    strip = straightened(values, rows, offsets)
    # What is not known is brighter than any line, so that nothing is seen beside it.
    strip = np.where(np.isfinite(strip), strip, np.nanmax(values))
    strip = ndimage.gaussian_filter1d(strip, max(SMOOTHED * n, 1.0), axis=1)
    around = [np.quantile(strip[side * offsets > ROUND * half], QUIET, axis=0) for side in (-1, 1)]
    height = np.maximum(strip[np.abs(offsets) <= 1].mean(axis=0) - np.maximum(*around), 0)
    seen = (height > 0) & (height >= SEEN * np.quantile(height, 0.75))
    for value in (False, True):
        parts = runs(seen == value)
        for start, end in parts:
            if end - start < LEAST * n and len(parts) > 1:
                seen[start:end] = not value
    return np.asarray(seen)


def runs(flags: Array) -> list[tuple[int, int]]:
    """Start and end of each run of True."""
    turns = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in turns.reshape(-1, 2)]


def _width(profile: Array, offsets: Array) -> float | None:
    """Between the places where a profile falls to half of its height on either side; None where it does not."""
    near = np.abs(offsets) <= CREST * offsets[-1]
    if not np.isfinite(profile[near]).all():
        return None
    crest = int(np.argmax(np.where(near, profile, -np.inf)))
    ends = []
    for side in (-1, 1):
        around = profile[(side * offsets > ROUND * offsets[-1]) & np.isfinite(profile)]
        if not len(around):
            return None
        level = (profile[crest] + np.quantile(around, QUIET)) / 2
        way = profile[crest:] if side > 0 else profile[crest::-1]
        below = np.flatnonzero(way < level)
        if not len(below):
            return None
        k = int(below[0])
        ends.append(k - 1 + (way[k - 1] - level) / (way[k - 1] - way[k]))
    return float(sum(ends) * (offsets[1] - offsets[0]))
