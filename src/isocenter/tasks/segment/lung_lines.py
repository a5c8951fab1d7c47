"""Lung lines: the pleural line, A-lines and B-lines of a lung ultrasound, without any label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.data import After, Before, Case, NotEvaluated, Segmentation, knob
from isocenter.ops.array import Array
from isocenter.ops.beams import PROBES, beams
from isocenter.ops.lung import NAMES, SMALLEST, lung_frame, lung_labels
from isocenter.tasks._settled import Settled
from isocenter.tasks.segment._grey import grey, refuse_unused
from isocenter.tasks.segment._settled import spaced


@dataclass(frozen=True)
class LungLines(Settled):
    """Pleural line, A-lines and B-lines of a lung ultrasound. Needs no training.

    The picture is laid out beam by beam (a fan where its straight sides show one); the pleural line is the best path
    across the beams; A-lines are its repetitions at multiples of its depth; B-lines are bands from it to the bottom
    that do not fade. A picture without them gets an empty answer. A volume is answered slice by slice. Constants were
    chosen on simulated frames alone.

    Sources: Carrer et al., IEEE Trans. Ultrason. Ferroelectr. Freq. Control 67 (2020) 2207 (path); Lichtenstein et al.,
    Am. J. Respir. Crit. Care Med. 156 (1997) 1640; Volpicelli et al., Intensive Care Med. 38 (2012) 577 (what the
    lines are); Anantrasirichai et al., IEEE Trans. Med. Imaging 36 (2017) 2045; Brattain et al., J. Ultrasound Med. 32
    (2013) 2185 (how they are found).

    Raises
    ------
    RecipeError
        A field of `before` that it cannot honour.
    """

    before: Before = knob(Before, "channel, denoise and window; the grid is the image's own")
    probe: str = knob("auto", "parallel beams, a fan, or what the sides of the picture say", choices=PROBES)

    def __post_init__(self) -> None:
        refuse_unused(self.before, After(), where="lung_lines")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The lines on the case's own grid; NotEvaluated where all pixels are alike or too few, or no fan is found."""
        values = grey(case, self.before)
        if isinstance(values, NotEvaluated):
            return values
        shape = values.shape[-2:]
        if min(shape) < SMALLEST:
            size = " x ".join(map(str, shape))
            return NotEvaluated("too small for a line and what is below it", size, f"{SMALLEST} pixels")
        if values.min() == values.max():
            return NotEvaluated("all pixels are alike")
        geometry = case.image().geometry
        slices = [self._slice(one, spaced(geometry)[-2:]) for one in values.reshape(-1, *shape)]
        found = [one for one in slices if one is not None]
        if not found:
            return NotEvaluated("no fan of beams is found", limit=f"probe={self.probe!r}")
        labels = np.stack([np.zeros(shape, np.uint8) if one is None else one for one in slices])
        return Segmentation(labels.reshape(values.shape), NAMES, geometry)

    def _slice(self, values: Array, spacing: tuple[float, ...]) -> Array | None:
        """uint8 (y, x); None where a fan was asked for and none is found."""
        found = beams(values, spacing, probe=self.probe)
        if found is None:
            return None
        lines = lung_frame(values, found)
        return np.zeros(values.shape, np.uint8) if lines is None else lung_labels(lines, found, values.shape)
