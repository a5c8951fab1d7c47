"""What it is, and how likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.errors import LabelError
from isocenter.ops.array import Array


@dataclass(frozen=True)
class Probabilities:
    """A probability per class for one case. A truth holds zeros and ones.

    Parameters
    ----------
    classes
        Class names.
    values
        One number in [0, 1] per class; they sum to 1 unless `multilabel`.
    multilabel
        Several classes may hold at once.
    decided
        The classes that the method decides for, at thresholds chosen on val; with `multilabel` perhaps none. None: no
        thresholds, so the most probable class, or with `multilabel` every class from 0.5 on.

    Raises
    ------
    LabelError
        Lengths differ, a value lies outside [0, 1], or an exclusive set does not sum to 1 or decides for nothing.

    >>> Probabilities.truth(("normal", "pneumonia"), ["pneumonia"]).label
    'pneumonia'
    """

    classes: tuple[str, ...]
    values: tuple[float, ...]
    multilabel: bool = False
    decided: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        v = np.asarray(self.values, float)
        if len(self.classes) != len(v) or not np.all((v >= -1e-6) & (v <= 1 + 1e-6)):
            raise LabelError("not probabilities", got=str(self.values), wanted=f"{len(self.classes)} numbers in [0, 1]")
        if not self.multilabel and abs(v.sum() - 1) > 1e-3:
            raise LabelError("probabilities do not sum to 1", got=f"{v.sum():.4g}", wanted="1, to within 0.001",
                             remedy="Divide each by their sum; where several classes may hold at once, say so in the "
                             "truth: names with a semicolon between them")
        if self.decided == () and not self.multilabel:
            raise LabelError("one of several classes must be decided for", got="none", wanted=", ".join(self.classes))

    @classmethod
    def truth(cls, classes: Sequence[str], present: Sequence[str], *, multilabel: bool = False) -> Probabilities:
        """The certain answer that these classes hold; LabelError for an unknown name."""
        unknown = [p for p in present if p not in classes]
        if unknown or (not multilabel and len(present) != 1):
            raise LabelError("not a class of this set", got=", ".join(present), wanted=", ".join(classes))
        return cls(tuple(classes), tuple(float(c in present) for c in classes), multilabel)

    @property
    def array(self) -> Array:
        """The values as a float64 array."""
        return np.asarray(self.values, float)

    @property
    def label(self) -> str:
        """The most probable class (the first on a tie)."""
        return self.classes[int(np.argmax(self.values))]

    @property
    def decision(self) -> tuple[str, ...]:
        """The classes decided for."""
        if self.decided is not None:
            return self.decided
        if not self.multilabel:
            return (self.label,)
        return tuple(c for c, v in zip(self.classes, self.values, strict=True) if v >= 0.5)

    def of(self, name: str) -> float:
        """The probability of one class."""
        return self.values[self.classes.index(name)]
