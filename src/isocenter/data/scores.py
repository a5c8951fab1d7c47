"""How well: numbers with n, interval and flags; never one without the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Score:
    """One number of one metric for one target.

    Parameters
    ----------
    value, low, high
        The estimate and its interval; None where undefined (never NaN).
    n
        Cases that entered it.
    unit
        "" for a share, else "mm", "px" ...
    flags
        ``few_subjects`` (fewer than 10 groups), ``one_subject``, ``undefined`` ...
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseScore:
    """What one case adds: one row of cases.csv per metric and target.

    Parameters
    ----------
    case, group
        Identifiers of case and group.
    records
        Metric key to the JSON-able record from which the metric's summary is computed.
    note
        Reason where the method did not answer, or "".
    """

    case: str
    group: str
    records: Mapping[str, Mapping[str, Any]]
    note: str = ""


@dataclass(frozen=True)
class Interval:
    """How intervals were made."""

    kind: str = "bootstrap percentile"
    by: str = "group"
    level: float = 0.95
    resamples: int = 2000


@dataclass(frozen=True)
class Scores:
    """One method on one split.

    Parameters
    ----------
    metrics
        Metric key to target to `Score`; the target ``"all"`` is the unweighted mean over classes.
    cases
        One entry a case, in order.
    """

    task: str
    method: str
    split: str
    metrics: Mapping[str, Mapping[str, Score]]
    cases: tuple[CaseScore, ...]
    n_subjects: int
    n_refused: int = 0
    interval: Interval = field(default_factory=Interval)
    seconds: float | None = None
    peak_mb: float | None = None
    threads: int = 1
    engine: str = "numpy"
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The document of DESIGN section 5, without the per-case records."""
        metrics = {k: {t: asdict(s) for t, s in targets.items()} for k, targets in self.metrics.items()}
        return {
            "format": 1,
            "task": self.task,
            "method": self.method,
            "split": self.split,
            "n_cases": len(self.cases),
            "n_subjects": self.n_subjects,
            "n_refused": self.n_refused,
            "interval": asdict(self.interval),
            "metrics": metrics,
            "seconds": self.seconds,
            "peak_mb": self.peak_mb,
            "threads": self.threads,
            "engine": self.engine,
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Test:
    """A paired comparison of two methods on the same cases.

    Parameters
    ----------
    a, b
        Method names; `difference` is a - b.
    test
        Such as ``"paired bootstrap"``, ``"wilcoxon"``, ``"delong"``, ``"mcnemar"``.
    p, p_holm
        None with fewer than 10 groups (flag ``few_subjects``).
    """

    __test__ = False  # test runners that collect by name leave it alone

    a: str
    b: str
    metric: str
    target: str
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    test: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Disturbed:
    """One method on the same cases unchanged and changed: by an attack, or as worse scans would have shown them.

    Parameters
    ----------
    name
        Such as ``"pgd"`` or ``"noise"``.
    method
        Whose answers.
    clean
        Scores on the cases as they are.
    levels
        Level as text (``"2/255"`` of the range, severity ``"3"``) to the scores on the changed cases, weakest first.
    amounts
        The levels as numbers.
    lead
        The level that tables and tests lead with.
    metric
        What is shown of the changed cases, and of the unchanged ones.
    tests
        Changed against unchanged at the leading level, and against other methods there.
    flags
        What speaks against believing an attack; see `isocenter.metrics.attack.masking`.
    notes
        What else the reader must know.
    """

    name: str
    method: str
    clean: Scores
    levels: Mapping[str, Scores]
    amounts: tuple[float, ...]
    lead: str
    metric: tuple[str, str]
    tests: tuple[Test, ...] = ()
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def shown(self, level: str = "") -> Score:
        """The number that tables show at a level; "" for the unchanged cases; undefined where there is none."""
        scores, key = (self.levels[level], self.metric[0]) if level else (self.clean, self.metric[1])
        targets = scores.metrics.get(key, {})
        none = Score(None, None, None, 0, flags=("undefined",))
        return targets.get("all") or targets.get("foreground") or next(iter(targets.values()), none)

    def as_json(self) -> dict[str, Any]:
        """The document of one method under one disturbance."""
        return {
            "name": self.name, "method": self.method, "lead": self.lead, "metric": list(self.metric),
            "clean": self.clean.as_json(), "levels": {k: s.as_json() for k, s in self.levels.items()},
            "tests": [{**asdict(t), "flags": list(t.flags)} for t in self.tests], "flags": list(self.flags),
            "notes": list(self.notes),
        }
