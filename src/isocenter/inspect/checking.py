"""The pre-flight check of a data set: everything that can be known before a method is asked."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from isocenter.data import Cases, Problem
from isocenter.inspect.cost import Cost, estimate
from isocenter.inspect.exam import Exam, Glimpse, examine
from isocenter.inspect.leaking import Twin, leakage, twins
from isocenter.inspect.proof import FEW, Proof, distinguishable, proofs
from isocenter.inspect.truths import Truths, classes_compared, gathered, read_all

# Regions and classes of one kind that are listed for people; a document holds them all.
SHOWN = 12


@dataclass(frozen=True)
class Check:
    """What a check found.

    Parameters
    ----------
    name, layout, task, method
        Of what and for what.
    n_cases, n_subjects, subjects_known
        How many; without known patients every case counts as one.
    splits
        Split to number of cases.
    counts
        Split to class to number of cases that hold it.
    shares
        segment: region to its mean share of the image's pixels.
    twins
        Pairs that show the same, with their paths, so that a report can draw them.
    proofs
        What the test split can prove.
    cost
        Expected time and memory; None where no image could be read.
    problems
        All of them, errors first.
    unused
        Reason to number of rows left out.
    objects
        detect, instances: split to class to number of objects.
    """

    name: str
    task: str
    method: str
    n_cases: int
    n_subjects: int
    subjects_known: bool
    splits: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    shares: Mapping[str, float] = field(default_factory=dict)
    twins: tuple[Twin, ...] = ()
    proofs: tuple[Proof, ...] = ()
    cost: Cost | None = None
    problems: tuple[Problem, ...] = ()
    unused: Mapping[str, int] = field(default_factory=dict)
    layout: str = ""
    allow: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing was found that other verbs would refuse."""
        return not any(p.severity == "error" for p in self.problems)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": 1, "name": self.name, "layout": self.layout, "task": self.task, "method": self.method,
            "ok": self.ok, "n_cases": self.n_cases, "n_subjects": self.n_subjects,
            "subjects_known": self.subjects_known,
            "splits": dict(self.splits), "counts": {s: dict(c) for s, c in self.counts.items()},
            "shares": dict(self.shares), "twins": [t.as_json() for t in self.twins],
            "proofs": [p.as_json() for p in self.proofs], "cost": self.cost.as_json() if self.cost else None,
            "unused": dict(self.unused), "allow": dict(self.allow),
            "objects": {s: dict(c) for s, c in self.objects.items()}, "problems": [p.as_json() for p in self.problems],
        }

    def lines(self) -> list[str]:
        """For people: what it is, what is wrong, what it can prove, what it will cost."""
        who = _number(self.n_subjects, "subject")
        if not self.subjects_known:
            who = "patients unknown, so each case counts as a subject"
        out = [f"{self.name}: {_number(self.n_cases, 'case')}, {who}" + (f", {self.task}" if self.task else "")]
        out += [f"  {_split(s)}: {_number(n, 'case')}" + _counted(self.counts.get(s, {}))
                for s, n in self.splits.items()]
        out += [f"  {_split(s)}: {_number(sum(n.values()), 'object')}{_counted(n)}" for s, n in self.objects.items()]
        out += [f"  left out: {_number(n, 'row')}: {why}" for why, n in self.unused.items()]
        out += [f"  {name}: {share:.2%} of the pixels on average" for name, share in [*self.shares.items()][:SHOWN]]
        out += [f"  and {len(self.shares) - SHOWN} regions more (--json)"] if len(self.shares) > SHOWN else []
        out += [f"{p.severity}: {p.line()}" for p in self.problems] or ["no problem found"]
        out += [f"allowed: {what}, because {why}" for what, why in self.allow.items()]
        out += [f"can prove: {p.text}" for p in self.proofs] + [s for s in (distinguishable(self.proofs),) if s]
        if self.cost:
            out += [f"cost: {self.cost.text}", *(f"  to halve it: {h}" for h in self.cost.halving)]
        return out


def check(cases: Cases, *, task: str, method: str = "unet", network: bool = False) -> Check:
    """The pre-flight check: reads every image and every truth once; refuses nothing.

    Parameters
    ----------
    cases
        With the truth of `task` bound; ``layouts.survey`` reads them so that bad rows are listed, not refused.
    task
        ``"segment"``, ``"classify"``, ``"instances"`` or ``"detect"``.
    method
        Whose cost is estimated.
    network
        Whether it is one: of a network that is not counted there is no estimate.
    """
    exam = examine(cases)
    truths = read_all(cases)
    pairs = twins(exam)
    problems = [
        *cases.problems, *gathered(exam.problems), *truths.problems, *_pictures(exam), *_leaks(cases, exam),
        *_doubles(pairs), *classes_compared(truths, cases), *_subjects(cases),
    ]
    order = {"error": 0, "warning": 1, "note": 2}
    test = cases.split("test") if "test" in cases.splits else None
    return Check(
        cases.name, task, method, len(cases), cases.n_subjects, cases.subjects_known, cases.splits, truths.counts,
        _shares(truths, cases), pairs, proofs(test, task) if test else (), _cost(method, cases, exam, network),
        tuple(sorted(dict.fromkeys(problems), key=lambda p: order[p.severity])), cases.unused, cases.layout,
        cases.allow, truths.objects,
    )


def _leaks(cases: Cases, exam: Exam) -> Iterator[Problem]:
    reason = cases.allow.get("leakage")
    for p in gathered(leakage(cases, exam=exam)):
        allowed = reason and p.severity == "error"
        yield replace(p, severity="warning", what=f"{p.what} (allowed: {reason})") if allowed else p


def _doubles(pairs: Sequence[Twin]) -> tuple[Problem, ...]:
    """Copies on one side: they are no leak, but they count twice, and labels that differ are a fault."""
    found = []
    for twin in pairs:
        kind = "identical pixels" if twin.exact else f"near copies (correlation {twin.correlation:.3f})"
        both = f"{twin.a} and {twin.b}"
        if twin.disagree:
            named = " and ".join("+".join(labels) for labels in twin.labels)
            found.append(Problem(
                "copies-disagree", "warning", f"{kind} under different labels", twin.paths[0], f"{both}: {named}", "",
                "One of the two labels is wrong: correct it, or leave both out",
            ))
        elif not twin.crosses and twin.exact:
            what = f"{kind} in one split"
            found.append(Problem("copies", "note", what, twin.paths[0], both, "", "Remove one of them"))
    return gathered(found)


def _pictures(exam: Exam) -> tuple[Problem, ...]:
    found = []
    for entry, glimpse in zip(exam.cases.entries, exam.glimpses, strict=True):
        if glimpse is None:
            continue
        where = next(iter(entry.files.values()), entry.id)
        if glimpse.infinite:
            got = f"{glimpse.infinite} pixels"
            found.append(Problem("not-finite", "warning", "values that are NaN or infinite", where, got, "numbers"))
        if glimpse.low is None or glimpse.low == glimpse.high:
            found.append(Problem("constant", "warning", "the image shows nothing: one value throughout", where,
                                 f"{glimpse.low}", "", "Leave it out, or fetch it again"))
    return (*gathered(found), *_mixture([g for g in exam.glimpses if g]))


def _mixture(glimpses: Sequence[Glimpse]) -> tuple[Problem, ...]:
    """Sets that mix what should be one: ranks, channels, known and unknown spacing."""
    axes = sorted({g.axes for g in glimpses})
    found = []
    if len({a.replace("c", "").replace("t", "") for a in axes}) > 1:
        found.append(Problem("mixed-rank", "warning", "2D and 3D images in one set", "", ", ".join(axes)))
    channels = Counter(g.shape[g.axes.index("c")] if "c" in g.axes else 1 for g in glimpses)
    if len(channels) > 1:
        got = ", ".join(f"{n} with {c}" for c, n in sorted(channels.items()))
        known = set(channels) == {1, 3}
        remedy = "Networks read grey as three equal colours" if known else "Networks refuse such a set: convert them"
        what = "images of different numbers of channels in one set"
        found.append(Problem("mixed-channels", "note" if known else "warning", what, "", got, "", remedy))
    if len({g.spacing is None for g in glimpses}) > 1:
        got = f"{sum(g.spacing is None for g in glimpses)} of {len(glimpses)}"
        found.append(Problem("mixed-spacing", "warning", "the spacing of some images is unknown", "", got))
    return tuple(found)


def _subjects(cases: Cases) -> tuple[Problem, ...]:
    n = cases.split("test").n_subjects if "test" in cases.splits else 0
    if 0 < n < FEW:
        return (Problem(
            "few-subjects", "warning", f"test holds {n} subject{'s' * (n > 1)}: intervals are wide, and no p is given",
            cases.name, str(n), f"at least {FEW}",
            "isocenter compare --folds 5 scores every case once" if cases.n_subjects >= FEW else "Bring more patients",
        ),)
    if not any(cases.splits):
        remedy = "isocenter split writes a table; train divides by itself and says so"
        return (Problem("unsplit", "note", "the data are not divided", cases.name, "", "", remedy),)
    if not n:
        got = ", ".join(filter(None, cases.splits))
        return (Problem("no-test", "warning", "there is no split named test", cases.name, got),)
    return ()


def _shares(truths: Truths, cases: Cases) -> dict[str, float]:
    totals = [(found, sum(found.values())) for found in truths.pixels.values()]
    return {
        name: statistics.fmean(found.get(name, 0) / max(total, 1) for found, total in totals)
        for name in (cases.classes if totals else ())
    }


def _cost(method: str, cases: Cases, exam: Exam, network: bool) -> Cost | None:
    shapes = [_grid(g) for g in exam.glimpses if g]
    if not shapes:
        return None
    rank = max(map(len, shapes))
    same = [s for s in shapes if len(s) == rank]
    shape = tuple(int(statistics.median(s[i] for s in same)) for i in range(rank))
    n = cases.splits.get("train") or len(cases)
    channels = max(g.shape[g.axes.index("c")] if "c" in g.axes else 1 for g in exam.glimpses if g)
    return estimate(method, shape=shape, n_train=n, network=network, channels=channels)


def _grid(glimpse: Glimpse) -> tuple[int, ...]:
    return tuple(n for n, a in zip(glimpse.shape, glimpse.axes, strict=True) if a in "zyx")


def _split(name: str) -> str:
    return name or "not divided"


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{c} {n}" for c, n in counts.items()][:SHOWN]
    more = [f"{len(counts) - SHOWN} more"] if len(counts) > SHOWN else []
    return f" ({', '.join(shown + more)})" if counts else ""


def _number(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"
