"""Lesions of one subject over time: what became of each, how large it is, how sure that is, and the sum of diameters.

Findings and change alone: no value here is a response, and none is a recommendation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

# Half the width of a 95 % interval, in standard deviations.
WIDE = 1.959964
# What may become of a lesion from one examination to the next.
STATES = ("first", "new", "kept", "split", "merged", "joined", "gone", "back")


@dataclass(frozen=True)
class Sized:
    """A size or a diameter with its error.

    Parameters
    ----------
    value
        In mm3, mm2 or mm; px where the spacing is unknown.
    random, shared
        Standard deviations: of what differs from lesion to lesion, and of what all lesions of an examination share.

    >>> a = Sized(10.0, 0.3, 0.4)
    >>> a.error, round(a.low, 2), round(a.high, 2)
    (0.5, 9.02, 10.98)
    """

    value: float
    random: float = 0.0
    shared: float = 0.0

    @property
    def error(self) -> float:
        """Standard deviation of both together."""
        return math.hypot(self.random, self.shared)

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval, not below 0."""
        return max(self.value - WIDE * self.error, 0.0)

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.value + WIDE * self.error

    def __add__(self, other: Sized) -> Sized:
        return Sized(self.value + other.value, math.hypot(self.random, other.random), self.shared + other.shared)


@dataclass(frozen=True)
class Change:
    """From one size to another, in percent of the first, with the 95 % limits of error."""

    percent: float
    low: float
    high: float

    @classmethod
    def between(cls, before: Sized, after: Sized) -> Change | None:
        """None where there was nothing before.

        The ratio is taken as log-normal, with the relative variances of both added; to nothing it is -100 %.

        >>> found = Change.between(Sized(100.0, 3.0), Sized(50.0, 2.0))
        >>> round(found.percent), round(found.low, 1), round(found.high, 1)
        (-50, -54.7, -44.9)
        """
        if before.value <= 0:
            return None
        if after.value <= 0:
            return cls(-100.0, -100.0, -100.0)
        ratio = after.value / before.value
        reach = math.exp(WIDE * math.hypot(before.error / before.value, after.error / after.value))
        return cls(100 * (ratio - 1), 100 * (ratio / reach - 1), 100 * (ratio * reach - 1))

    @property
    def beyond(self) -> bool:
        """Whether it is more than the error of measurement explains."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Sighting:
    """One lesion at one examination.

    Parameters
    ----------
    state
        One of `STATES`: ``first`` at the baseline, ``joined`` into another lesion, ``back`` after it was gone.
    parts
        Positions of its objects among those of the examination; several where it is split, none where it is gone.
    size, longest, short
        Volume (area) of all parts; longest diameter in the plane, and the longest at right angles to it, of the parts
        together (their sum, as RECIST asks of a lesion in pieces). None where it is gone or joined.
    centre
        Index on the examination's own grid: of the lesion, or where it would be.
    overlap
        Share of the smaller one in the other at the match; None without one.
    shift
        mm between its middle and where it was expected; None without a match.
    into
        Lesion that it joined, or lesions that joined it, by name.
    """

    state: str
    parts: tuple[int, ...] = ()
    size: Sized | None = None
    longest: Sized | None = None
    short: Sized | None = None
    centre: tuple[float, ...] = ()
    overlap: float | None = None
    shift: float | None = None
    into: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lesion:
    """One lesion over all examinations.

    Parameters
    ----------
    name
        ``L1``, ``L2``, ... by size at the baseline, then in the order in which they appear.
    kind
        Its class: the organ, where the labels say one.
    seen
        One an examination; None before it appears.
    node
        Whether it is a lymph node, of which the short axis counts.
    target
        Whether it takes part in the sum of diameters.
    """

    name: str
    kind: str
    seen: tuple[Sighting | None, ...]
    node: bool = False
    target: bool = False

    def sizes(self, exam: int) -> Sized | None:
        """Its size at an examination: 0 where it is gone; None before it appears, and where it joined another."""
        return self._of(exam, "size")

    def diameter(self, exam: int) -> Sized | None:
        """Its longest diameter, of a node the short axis; 0 and None as `sizes`."""
        return self._of(exam, "short" if self.node else "longest")

    def _of(self, exam: int, name: str) -> Sized | None:
        at = self.seen[exam]
        if at is None or at.state == "joined":
            return None
        found: Sized | None = getattr(at, name)
        return found or Sized(0.0)


@dataclass(frozen=True)
class Total:
    """The sum of diameters of the target lesions at one examination.

    Parameters
    ----------
    sum
        In mm.
    baseline
        Change from the baseline; None there, and without targets.
    nadir
        The smallest sum before this examination; None at the baseline.
    from_nadir
        Change from it.
    crossed
        Which thresholds of RECIST 1.1 the sum crossed, in words; empty: none.
    sure
        Whether the limits of error lie beyond the thresholds that were crossed (or short of all); None where there is
        nothing to compare.
    """

    sum: Sized
    baseline: Change | None = None
    nadir: Sized | None = None
    from_nadir: Change | None = None
    crossed: tuple[str, ...] = ()
    sure: bool | None = None


@dataclass(frozen=True)
class Examined:
    """One examination.

    Parameters
    ----------
    name
        Of its labels.
    day
        Days after the baseline; None where no dates are known.
    lesions
        How many objects it holds.
    burden
        Size of all of them together.
    aligned
        How it was brought to the baseline, in words.
    residual
        Median distance in mm between lesions and where they were expected; None without a match.
    numbers
        How alike the images were before and after, where they were registered.
    """

    name: str
    day: float | None
    lesions: int
    burden: Sized
    aligned: str = ""
    residual: float | None = None
    numbers: tuple[tuple[str, float | None], ...] = ()


@dataclass(frozen=True)
class Followed:
    """What became of the lesions of one subject.

    Parameters
    ----------
    subject
        Identifier, or "".
    exams
        In order of time.
    lesions
        All that were seen.
    totals
        The sum of diameters at each examination; empty where the spacing is unknown.
    unit
        Of sizes: ``"mm3"``, ``"mm2"``, ``"px"``.
    notes
        What a reader must know, as sentences.
    """

    subject: str
    exams: tuple[Examined, ...]
    lesions: tuple[Lesion, ...]
    totals: tuple[Total, ...] = ()
    unit: str = "mm3"
    notes: tuple[str, ...] = field(default=())

    @property
    def length(self) -> str:
        """Unit of diameters."""
        return "px" if self.unit == "px" else "mm"

    def count(self, state: str, exam: int = -1) -> int:
        """How many lesions are in a state at an examination."""
        return sum(1 for lesion in self.lesions if (at := lesion.seen[exam]) is not None and at.state == state)
