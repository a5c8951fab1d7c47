"""What a report shows: one frozen value, every part of it optional."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from isocenter.data import Cases, Disturbed, Problem, Score, Scores, Test
from isocenter.errors import InputError
from isocenter.metrics import Confusion, Reliability, Roc, answers, confusion, operating_point, reliability, roc
from isocenter.metrics.certainty import Certainty
from isocenter.metrics.gaps import Gap, Trend
from isocenter.ops.array import Array
from isocenter.report.change import Change
from isocenter.report.searched import Searched

if TYPE_CHECKING:
    from isocenter.report.asked import Asked
    from isocenter.report.inside import LayerMaps, Shares

NONE: Mapping[str, Any] = MappingProxyType({})
ALL = "all"


def _none() -> Mapping[str, Any]:
    return NONE


@dataclass(frozen=True)
class Data:
    """What the cases are, as counts.

    Parameters
    ----------
    name
        Of the set. It is printed as it is, so it must not name a person.
    splits
        Split to number of cases and of subjects, ``{"train": {"cases": 12, "subjects": 10}}``.
    counts
        Split to class to number of cases in which the class holds.
    classes
        Class names in index order.
    subjects_known
        Whether every case names its subject; otherwise each case counts as a subject of its own and the page says so.
    allow, unused
        As in `Cases`: what was allowed and why; how many rows were left out and why.
    facts
        Anything else worth a line, such as ``{"image size": "128 x 128", "spacing": "0.7 mm"}``.
    """

    name: str = ""
    splits: Mapping[str, Mapping[str, int]] = field(default_factory=_none)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=_none)
    classes: tuple[str, ...] = ()
    subjects_known: bool = True
    allow: Mapping[str, str] = field(default_factory=_none)
    unused: Mapping[str, int] = field(default_factory=_none)
    facts: Mapping[str, str] = field(default_factory=_none)

    @classmethod
    def of(cls, cases: Cases, *, facts: Mapping[str, str] = NONE) -> Data:
        """The counts of a manifest; opens no file, so `counts` stays empty where classes are only known from masks."""
        groups: dict[str, list[str]] = {}
        counts: dict[str, dict[str, int]] = {}
        for entry, group in zip(cases.entries, cases.groups, strict=True):
            split = entry.split or "not split"
            groups.setdefault(split, []).append(group)
            for label in entry.labels:
                of_split = counts.setdefault(split, dict.fromkeys(cases.classes, 0))
                of_split[label] = of_split.get(label, 0) + 1
        numbers = {name: {"cases": len(found), "subjects": len(set(found))} for name, found in groups.items()}
        return cls(
            cases.name,
            numbers,
            counts,
            cases.classes,
            cases.subjects_known,
            dict(cases.allow),
            dict(cases.unused),
            dict(facts),
        )


@dataclass(frozen=True, eq=False)
class Mark:
    """One object in a picture.

    Parameters
    ----------
    kind
        As `isocenter.metrics.matched.Matched` says; ``answered`` where there is no truth to hold an answer against.
    shape
        Of a box float (2, 2): low and high edge as (y, x) in pixels; of an object bool (y, x): its pixels in a crop.
    start
        First pixel (y, x) of the crop; None: `shape` is a box.
    text
        Class and score, for the small text that a pointer shows.
    label
        A few characters beside it, such as its score; may be empty.
    """

    kind: str
    shape: Array
    start: tuple[int, int] | None = None
    text: str = ""
    label: str = ""


@dataclass(frozen=True, eq=False)
class Picture:
    """One case with its truth and an answer.

    Parameters
    ----------
    image
        (y, x) numbers, or (y, x, 3) colours as uint8.
    truth, prediction
        (y, x) label maps in which value i is ``names[i]`` and 255 takes part in nothing; None where there is none.
    names
        Region names by value, background first.
    spacing
        mm (or any common unit) per axis (y, x); None: square pixels.
    case
        Identifier; printed as a keyed code.
    rank
        Such as ``"worst"``, ``"median"``, ``"best"``; may be empty.
    text
        What is to be said under the picture, such as ``"Dice 0.871"`` or ``"truth: pneumonia; answer: normal 0.93"``.
    marks
        Boxes and objects of truth and answer, drawn in place of label maps.
    """

    image: Array
    truth: Array | None = None
    prediction: Array | None = None
    names: tuple[str, ...] = ()
    spacing: tuple[float, float] | None = None
    case: str = ""
    rank: str = ""
    text: str = ""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, eq=False)
class Explanation:
    """A picture of what an answer rests on.

    Parameters
    ----------
    image, spacing, case
        As in `Picture`.
    values
        (y, x) numbers: for the target where positive, against it where negative.
    target, method
        The class explained, and such as ``"grad-cam"``.
    numbers
        What was measured on the explanation, such as ``{"completeness error": 0.004}``.
    text
        A line more, such as the answer.
    """

    image: Array
    values: Array
    target: str
    method: str
    case: str = ""
    spacing: tuple[float, float] | None = None
    numbers: Mapping[str, float] = field(default_factory=_none)
    text: str = ""


@dataclass(frozen=True, eq=False)
class Curves:
    """How one method separates one class from the rest.

    Parameters
    ----------
    method, positive
        Names of method and class.
    roc, reliability, confusion
        As `isocenter.metrics` makes them; None where there is none.
    auc
        Area under `roc`, with interval.
    operating
        (false positive rate, sensitivity) of the decisions that are reported.
    threshold, threshold_from
        Probability from which it is decided for `positive`, and the split on which that was chosen.
    probabilities, present
        Per case: the probability of `positive`, and whether it holds.
    n
        Number of cases.
    """

    method: str
    positive: str = ""
    roc: Roc | None = None
    reliability: Reliability | None = None
    confusion: Confusion | None = None
    auc: Score | None = None
    operating: tuple[float, float] | None = None
    threshold: float | None = None
    threshold_from: str = "val"
    probabilities: Sequence[float] = ()
    present: Sequence[bool] = ()
    n: int = 0

    @classmethod
    def of(
        cls,
        scores: Scores,
        positive: str | None = None,
        *,
        threshold: float | None = None,
        threshold_from: str = "val",
        seed: int = 0,
        resamples: int = 2000,
    ) -> Curves:
        """All curves of a classification.

        Parameters
        ----------
        scores
            Of the task classify.
        positive
            The class; None: of two the positive one, of more none, and then only the confusion matrix is drawn.
        threshold, threshold_from
            As above.
        seed, resamples
            Of the bands.

        Raises
        ------
        InputError
            The scores hold no probabilities.
        NotFoundError
            There is no such class.
        """
        records = [c.records["auc"] for c in scores.cases if "auc" in c.records]
        if not records:
            raise InputError("only a classification has curves", got=scores.task, wanted="records of auc")
        found = answers(records)
        single = positive or (ALL if len(found.classes) == 2 and not found.multilabel else None)
        matrix = confusion(scores, positive if found.multilabel else None) if single or not found.multilabel else None
        if single is None:
            return cls(scores.method, confusion=matrix, n=len(scores.cases))
        level = scores.interval.level
        trust = reliability(scores, single, seed=seed, resamples=resamples, level=level)
        k = found.one(trust.target)
        targets = scores.metrics.get("auc", {})
        return cls(
            scores.method,
            trust.target,
            roc(scores, single, seed=seed, resamples=resamples, level=level),
            trust,
            matrix,
            targets.get(trust.target, targets.get(ALL)),
            operating_point(scores, single),
            threshold,
            threshold_from,
            tuple(found.p[found.answered, k].tolist()),
            tuple(found.truth[found.answered, k].tolist()),
            len(scores.cases),
        )


@dataclass(frozen=True, eq=False)
class MethodResult:
    """One method in the table.

    Parameters
    ----------
    name
        As in its `Scores`. Printed as it is, so it must not be a path.
    scores
        Its numbers on one split.
    text
        What it is, in one line.
    pictures
        Its worst, median and best cases, in that order.
    plan, origins
        Every setting (nested) and, by dotted name, where its value came from.
    history
        One mapping an epoch: ``epoch``, ``loss``, ``score`` ...
    training_seconds, training_mb
        What fitting took; None for a method that does not learn.
    decided
        What was chosen for it and on which split, such as ``"threshold 0.41, chosen on val"``.
    by
        Group of cases, such as ``"stain A"``, to their own scores.
    gaps, trend
        Each of these groups against the rest, and the trend along their column.
    certainty
        Sets of classes and abstention.
    """

    name: str
    scores: Scores | None = None
    text: str = ""
    pictures: tuple[Picture, ...] = ()
    plan: Mapping[str, Any] = field(default_factory=_none)
    origins: Mapping[str, str] = field(default_factory=_none)
    history: Sequence[Mapping[str, Any]] = ()
    training_seconds: float | None = None
    training_mb: float | None = None
    decided: str = ""
    by: Mapping[str, Scores] = field(default_factory=_none)
    gaps: tuple[Gap, ...] = ()
    trend: Trend | None = None
    certainty: Certainty | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """Everything that one report shows. Parts that are None or empty are left out of the page.

    Parameters
    ----------
    title
        Heading. Printed as it is, so it must not name a person.
    task, verb
        Names of the question and of what was done (``"compare"``, ``"train"`` ...).
    created
        When, as text (ISO 8601). Nothing here looks at the clock.
    command
        As typed. Paths in it are printed as codes.
    headline
        The answer in a sentence; empty: it is worded from `methods` and `tests`.
    chosen, chosen_by
        The method named before the test split was opened, and by what it was chosen. Only this one is called best.
    lead
        Metric key that leads; default the first of the scores.
    positive
        The class that tables lead with; default all classes.
    data, plan, origins, history, samples, methods, tests, curves, explanations, search, made, card, problems
        The parts, in the order of the page. `samples` are augmented training samples (at most 16 are shown).
        `made` is what made it: ``inputs`` (case to checksum), ``method``, ``weights``, ``parameters``, ``engine``,
        ``versions`` and whatever else. `card` is the model card, see `isocenter.report.card`.
    facts
        Short named lines for the top of the page.
    notes
        Sentences that the reader must know.
    identifiers
        Every string that may name a person: case, subject and group identifiers, paths. Wherever one of them turns up
        in the text of the page, a keyed code stands in its place.
    parts, under, changes
        Further runs, shown as chapters; methods under attacks and corruptions, and pictures of what was changed.
    asked, inside, suspects
        What was asked of many bundles about one patient; explanations that are no map over the image; doubted labels.
    """

    title: str
    task: str = ""
    verb: str = ""
    created: str = ""
    command: str = ""
    headline: str = ""
    chosen: str | None = None
    chosen_by: str = ""
    lead: str = ""
    positive: str | None = None
    data: Data | None = None
    plan: Mapping[str, Any] = field(default_factory=_none)
    origins: Mapping[str, str] = field(default_factory=_none)
    history: Sequence[Mapping[str, Any]] = ()
    samples: tuple[Picture, ...] = ()
    methods: tuple[MethodResult, ...] = ()
    tests: tuple[Test, ...] = ()
    curves: tuple[Curves, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    search: Searched | None = None
    made: Mapping[str, Any] = field(default_factory=_none)
    card: Mapping[str, Any] = field(default_factory=_none)
    problems: tuple[Problem, ...] = ()
    facts: Mapping[str, str] = field(default_factory=_none)
    notes: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    parts: tuple[Run, ...] = field(default=())
    under: tuple[Disturbed, ...] = ()
    changes: tuple[Change, ...] = ()
    asked: tuple[Asked, ...] = ()
    inside: tuple[Shares | LayerMaps, ...] = ()
    suspects: tuple[Picture, ...] = ()

    @property
    def scores(self) -> tuple[Scores, ...]:
        """The scores of all methods that have any, in order."""
        return tuple(m.scores for m in self.methods if m.scores is not None)

    @property
    def metric(self) -> str:
        """The key that leads the tables; "" without scores."""
        keys = [key for scores in self.scores for key in scores.metrics]
        return self.lead if self.lead in keys else (keys[0] if keys else "")

    def all_runs(self) -> tuple[Run, ...]:
        """This run and its chapters, outermost first."""
        return (self, *(r for part in self.parts for r in part.all_runs()))
