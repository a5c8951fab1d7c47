"""Whether a map from logits to probabilities holds on cases that had no say in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.metrics.calibration import calibration_error
from isocenter.ops.array import Array

# Cases from which on a choice is checked on a half of them that it has not seen.
CHECKED = 40
# Logits to probabilities, (n, k) both.
Map = Callable[[Array], Array]


@dataclass(frozen=True)
class Check:
    """Expected calibration error on a half of val whose groups had no say, before and after, and its cases."""

    before: float
    after: float
    n: int

    @property
    def harms(self) -> bool:
        """Whether the choice makes it larger."""
        return self.after > self.before

    def text(self) -> str:
        """In words, for the origins of a plan."""
        moved = f"from {self.before:.4f} to {self.after:.4f}"
        return f"by half of it the calibration error of the other {self.n} goes {moved}"


def checked(
    sides: tuple[Array, Array], groups: Sequence[str], *, bare: Map, fit: Callable[[Array, Array], Map],
    multilabel: bool = False,
) -> Check | None:
    """What a choice on half of val does on the other; None for fewer than 40 cases, or a half with one class alone.

    Parameters
    ----------
    sides
        Logits and truth (n, k).
    groups
        (n,) what must not be torn apart.
    bare
        The map that is there without the choice.
    fit
        Makes the map from logits and truth.
    multilabel
        Several classes may hold at once.
    """
    logits, truth = sides
    first = halves(groups)
    if len(logits) < CHECKED or any(np.ptp(truth[side], axis=0).max() == 0 for side in (first, ~first)):
        return None
    made = fit(logits[first], truth[first])
    before, after = (gap(m(logits[~first]), truth[~first], multilabel=multilabel) for m in (bare, made))
    return Check(before, after, int((~first).sum()))


def halves(groups: Sequence[str], *, seed: int = 0) -> Array:
    """(n,) bool: the first half of cases, by whole groups, drawn by the seed.

    Parameters
    ----------
    groups
        (n,) names; cases of one name, such as a patient, stay together.
    """
    names, index, sizes = np.unique(np.asarray(groups, str), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    before = np.empty(len(names), int)
    before[order] = np.cumsum(sizes[order]) - sizes[order]
    return np.asarray((before + sizes / 2 <= len(groups) / 2)[index])


def gap(p: Array, truth: Array, *, multilabel: bool = False) -> float:
    """Expected calibration error, chance taken off: of the second of two classes, else the mean over classes.

    Parameters
    ----------
    p, truth
        (n, k) probabilities, and zeros and ones.
    """
    one = np.ones((1, len(p)))
    columns = [1] if p.shape[1] == 2 and not multilabel else range(p.shape[1])
    return float(np.mean([calibration_error(p[:, k], truth[:, k] > 0.5).at(one)[0] for k in columns]))
