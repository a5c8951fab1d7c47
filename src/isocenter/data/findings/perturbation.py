"""What had to change in an image for an answer to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from isocenter.data.findings.not_evaluated import NotEvaluated
from isocenter.data.findings.probabilities import Probabilities
from isocenter.data.findings.segmentation import Segmentation
from isocenter.data.geometry import Geometry
from isocenter.errors import LabelError
from isocenter.ops.array import Array

Answer = Probabilities | Segmentation | NotEvaluated


@dataclass(frozen=True, eq=False)
class Perturbation:
    """A change of an image's own pixels, and the answers before and after it.

    Parameters
    ----------
    values
        float32 (c, *grid) on the grid of `geometry`: what was added to each pixel, in the image's unit, after rounding
        to its stored type.
    geometry
        Of the case's own grid.
    before, after
        The answer to the image as it was, and to the image with `values` added; both by the usual way of predicting.
    aim
        What the attack wanted to move the answer away from: the truth, or the answer itself where there is none.
    method
        Such as ``"pgd"``.
    norm
        ``"linf"`` (largest change of a pixel) or ``"l2"`` (root of the sum of squares).
    epsilon
        The budget in that norm, a share of `span`; None for an attack that looks for the smallest change.
    span
        Lowest and highest value that a pixel may have, in the image's unit: that of an 8-bit type, else the image's
        own.
    unit
        Of `values`, such as ``"HU"``; ``"grey levels"`` for 8 bits without a unit.
    checks
        What was measured on the way, for the flags of masked gradients; see `isocenter.metrics.attack.masking`.

    Raises
    ------
    LabelError
        The change lies on another grid.
    """

    values: Array
    geometry: Geometry
    before: Answer
    after: Answer
    aim: Probabilities | Segmentation
    method: str
    norm: str = "linf"
    epsilon: float | None = None
    span: tuple[float, float] = (0.0, 1.0)
    unit: str = ""
    checks: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values.ndim < 1 or self.values.shape[1:] != self.geometry.shape:
            raise LabelError("the change lies on another grid", got=str(self.values.shape),
                             wanted=f"(channels, {', '.join(map(str, self.geometry.shape))})")

    @property
    def largest(self) -> float:
        """Largest change of a pixel, in the image's unit."""
        return float(np.abs(self.values).max())

    @property
    def size(self) -> float:
        """The change in the norm of the attack, a share of `span` as `epsilon`."""
        flat = self.values.astype(np.float64) / max(self.span[1] - self.span[0], 1e-30)
        return float(np.abs(flat).max() if self.norm == "linf" else np.sqrt((flat * flat).sum()))

    @property
    def altered(self) -> bool:
        """Whether the answer after is another one than before: other classes decided for, or other labels."""
        if isinstance(self.before, Probabilities) and isinstance(self.after, Probabilities):
            return set(self.before.decision) != set(self.after.decision)
        if isinstance(self.before, Segmentation) and isinstance(self.after, Segmentation):
            return not np.array_equal(self.before.labels, self.after.labels)
        return type(self.before) is not type(self.after)

    def line(self) -> str:
        """One line for a person: how large the change is and what it did."""
        size = f"{self.size:.3g} ({self.norm}, share of the range), at most {self.largest:.3g} {self.unit}".rstrip()
        done = "alters the answer" if self.altered else "does not alter the answer"
        if isinstance(self.before, Probabilities) and isinstance(self.after, Probabilities):
            done += f": {' + '.join(self.before.decision)} -> {' + '.join(self.after.decision)}"
        return f"{self.method}: a change of {size} {done}"
