"""What one frame of a lung ultrasound shows: pleural line, A-lines and B-lines, as lines and as a label map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.beams import Beams, laid_back, laid_out
from isocenter.ops.lung_artefacts import Bands, a_lines, b_lines
from isocenter.ops.pleura import PleuralLine, half_strip, pleural_line, thickness

# Classes, numbered from 0.
NAMES = ("background", "pleural_line", "a_line", "b_line")
# Fewer pixels along a side have no room for a line and what lies below it.
SMALLEST = 16


class LungFrame(NamedTuple):
    """One frame beam by beam.

    Parameters
    ----------
    values
        float32 (depth, beams); not a number outside the picture.
    line
        The pleural line.
    thickness
        Of the line in steps; None where it has no crest.
    bands
        B-lines.
    repeats
        float64 (lines, beams): the row of each A-line; not a number where a beam does not show it.
    """

    values: Array
    line: PleuralLine
    thickness: float | None
    bands: Bands
    repeats: Array


def lung_frame(image: Array, beams: Beams) -> LungFrame | None:
    """Everything about a picture (y, x) whose beams are known; None where it shows no pleural line."""
    values = laid_out(image, beams)
    # A film's beams may not fit a frame that is dark.
    if min(values.shape) < SMALLEST // 2 or np.isfinite(values).sum() < 0.25 * values.size:
        return None
    line = pleural_line(values)
    if line is None or not line.seen.any():
        return None
    bands = b_lines(values, line)
    return LungFrame(values, line, thickness(values, line), bands, a_lines(line, bands))


def lung_labels(found: LungFrame, beams: Beams, shape: Sequence[int]) -> Array:
    """uint8 (*shape), numbered as `NAMES`: the pleural line as thick as it is, A-lines likewise, B-lines down to the
    bottom and over the A-lines, which they erase.
    """
    depth, n = found.values.shape
    rows = np.arange(depth)[:, None]
    half = max((found.thickness or half_strip(depth) / 2) / 2, 0.5)
    labels = np.zeros((depth, n), np.uint8)
    for course in found.repeats:
        labels[np.abs(rows - course) <= half] = 2
    labels[(rows > found.line.rows) & found.bands.within] = 3
    labels[(np.abs(rows - found.line.rows) <= half) & found.line.seen] = 1
    labels[~np.isfinite(found.values)] = 0
    return laid_back(labels, beams, shape)
