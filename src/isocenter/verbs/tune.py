"""A recipe that suits the data: fields are searched on val, and what that gained is measured once on test."""

from __future__ import annotations

import shutil
import statistics
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from isocenter.bundle import locked
from isocenter.data import Cases, Problem, Progress, Scores, merged
from isocenter.errors import IsocenterError, OutputError, UsageError
from isocenter.files import write_text
from isocenter.verbs._bundling import vacant
from isocenter.verbs._cases import Examined, examined
from isocenter.verbs._csv import write_rows
from isocenter.verbs._method import Method, opened, resolve
from isocenter.verbs._options import Studying, checked, minutes_of, reporter, threads_of
from isocenter.verbs._recipe import Settings, settings_of
from isocenter.verbs._record import keep
from isocenter.verbs._scores import leading, paired_lines, side_by_side
from isocenter.verbs._text import counted, duration, number, setting, table
from isocenter.verbs._trained import Trained
from isocenter.verbs._tuning import again, dimensions, kept, named, recipe_text, remembered, searchable
from isocenter.verbs.compare import Comparison, compare
from isocenter.verbs.train import USUAL as METHODS
from isocenter.verbs.train import gated, learnt, noted, ready

if TYPE_CHECKING:
    from isocenter.fit.tuning import Dimension, Search, Trial

# Trials where nobody gives a time or a number.
USUAL = 20
DEFAULT, TUNED, STORE = "default.bundle", "tuned.bundle", "search.sqlite"


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Parameters
    ----------
    folder
        With ``tuned.bundle``, ``default.bundle``, ``recipe.json``, ``trials.csv``, ``search.sqlite`` and the report.
    task, method
        What was tuned.
    metric
        Key and target of the score, on val.
    trials
        All, in order; the first is the recipe as it was asked.
    best
        Number of the trial that is kept.
    values
        Its fields.
    importance
        Field to the share of the variance of the scores that it explains by itself; empty for few trials.
    ranges
        Field to the values that were searched, in words.
    gain
        Tuned and default on test, paired; None without a test split, or where nothing beat the default.
    problems, notes
        As elsewhere.
    report
        The page.
    """

    folder: Path
    task: str
    method: str
    metric: tuple[str, str]
    trials: tuple[Trial, ...]
    best: int
    values: Mapping[str, Any]
    importance: Mapping[str, float]
    ranges: Mapping[str, str]
    gain: Comparison | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    report: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": 1, "task": self.task, "method": self.method, "folder": str(self.folder),
            "metric": self.metric[0], "target": self.metric[1], "split": "val",
            "trials": [asdict(t) for t in self.trials], "best": self.best, "values": dict(self.values),
            "importance": dict(self.importance), "ranges": dict(self.ranges),
            "test": self.gain.as_json() if self.gain else None,
            "problems": [p.as_json() for p in self.problems], "notes": list(self.notes),
            "report": str(self.report) if self.report else None,
        }

    def lines(self) -> list[str]:
        """The best trials, what mattered, what was gained on test."""
        lines = [f"{p.severity}: {p.line()}" for p in self.problems] + [f"note: {n}" for n in self.notes]
        lines += ["", *self._trial_lines(), ""]
        if self.importance:
            lines += ["what mattered: " + ", ".join(f"{k} {v:.0%}" for k, v in self.importance.items())]
        said = ", ".join(f"{k} = {setting(v)}" for k, v in self.values.items())
        lines += [f"kept: trial {self.best}, {said or 'the recipe as it was asked'}"]
        if self.gain is not None:
            lines += ["", "on test, once:", *side_by_side(self.gain.methods, leading(*self.gain.methods.values())),
                      *paired_lines(self.gain.tests)]
        lines += [f"report: {self.report}"] if self.report else []
        return [*lines, f"bundle: {self.folder / TUNED}", f"next: isocenter predict {self.folder / TUNED} INPUT -o OUT"]

    def _trial_lines(self) -> list[str]:
        known = sorted((t for t in self.trials if t.score is not None), key=lambda t: -float(t.score or 0.0))
        names = list(dict.fromkeys(k for t in self.trials for k in t.values))
        rows = [
            (str(t.number), number(t.score), duration(t.seconds),
             *(setting(t.values.get(k, "-")) for k in names))
            for t in known[:10]
        ]
        score = " ".join(self.metric)
        head = f"{counted(len(self.trials), 'trial')}, {score} on val (chosen here: it flatters)"
        return [head, *table(("trial", "score", "took", *names), rows, right=(0, 1, 2))]


@dataclass(frozen=True)
class _Job:
    """One search on its way."""

    asked: Method
    cases: Cases
    exam: Examined
    options: Studying
    part: Path
    search: Search

    def trained(self, method: Method, name: str) -> tuple[Trained, float]:
        """One training, resumed where it was killed, and its seconds."""
        folder = self.part / name
        folder.mkdir(exist_ok=True)
        start = clock.perf_counter()
        made = learnt(method, self.cases, options={**self.options, "resume": True}, part=folder)
        return noted(made, self.exam, notes=(), data="DATA"), round(clock.perf_counter() - start, 2)

    def saved(self, made: Trained, name: str) -> None:
        """Writes a bundle; the envelope is drawn for what is kept alone, not for every trial."""
        gated(made, self.options).save(self.part / name, overwrite=True)

    def cleared(self, name: str) -> None:
        """Removes the checkpoints of a training that is over."""
        shutil.rmtree(self.part / name, ignore_errors=True)


def tune(
    task: str,
    data: Any,
    *,
    method: Any = None,
    out: str | Path,
    settings: Mapping[str, Any] | Settings | None = None,
    over: Sequence[str] = (),
    trials: int | None = None,
    **options: Unpack[Studying],
) -> Tuned:
    """Searches the recipe of a method: trains on train, scores on val, and measures once on test what that gained.

    The first trial is the recipe as it was asked; then fields are proposed by a tree-structured Parzen estimator
    (Bergstra et al. 2011). A search that was killed goes on with ``resume=True``, in the middle of a trial too.

    Parameters
    ----------
    task, data, settings
        As in `train`.
    method
        Of the task; default its usual network.
    out
        Folder that appears when the search is complete; ``OUT.part`` before.
    over
        Fields to search, ``FIELD``, ``FIELD=LOW..HIGH`` or ``FIELD=a,b,c``; default all that the method marks as
        tunable, each in its own range or by a factor of four about its start.
    trials
        At most so many, the first included; default 20 where no time is given.
    options
        As in `train`; ``time`` is that of the whole search, and a trial that would not fit any more is not begun.

    Raises
    ------
    MissingExtraError
        optuna is not installed.
    OutputError
        The folder exists, or an unfinished or another search lies there.
    RecipeError
        An unknown field, or nothing to search.
    """
    checked(options, Studying)
    if options.get("folds") or options.get("seeds", 1) != 1:
        raise UsageError("a search trains once a trial", got="folds or seeds", wanted="neither")
    if trials is not None and trials < 1:
        raise UsageError("too few trials", got=str(trials), wanted="1 or more")
    asked = resolve(method or METHODS.get(task, ""), task=task, settings=settings_of(settings))
    if not asked.learns:
        raise UsageError(f"{asked.name} has nothing to learn")
    fields = named(over)
    searchable(asked, fields)
    target, resume, overwrite = Path(out), options.get("resume", False), options.get("overwrite", False)
    _vacant(target, resume=resume, overwrite=overwrite)
    with locked(target):
        part = target.with_name(target.name + ".part")
        if part.is_dir() and not resume:
            shutil.rmtree(part)
        part.mkdir(parents=True, exist_ok=True)
        given = {"task": task, "data": data, "method": asked.method, "settings": settings, "over": list(over),
                 "trials": trials, **options}
        made = _searched(asked, data, part=part, fields=fields, trials=trials, options=options, given=given)
        if target.exists():
            shutil.rmtree(target)
        part.replace(target)
    report = target / "report.html" if made.report else None
    return replace(made, folder=target, report=report)


def _vacant(target: Path, *, resume: bool, overwrite: bool) -> None:
    vacant(target, resume=resume, overwrite=overwrite)
    if target.exists() and not (target / STORE).is_file():
        raise OutputError("the folder exists and holds no search, so it is not replaced", where=str(target),
                          remedy="Name another")


def _searched(
    asked: Method, data: Any, *, part: Path, fields: Mapping[str, Any], trials: int | None, options: Studying,
    given: Mapping[str, Any],
) -> Tuned:
    from isocenter.fit.tuning import Search

    budget, seed = minutes_of(options.get("time")), options.get("seed", 0)
    known = remembered(part, {"method": f"{asked.task}/{asked.method}", "recipe": recipe_text(asked),
                              "over": dict(fields), "seed": seed})
    each: Studying = {**options, "time": None}
    cases, notes = ready(asked, data, options=each)
    job = _Job(asked, cases, examined(cases, options), each, part, Search(part / STORE, seed=seed))
    said = _begun(job, known, fields)
    _tried(job, again(said), most=trials or (USUAL if budget is None else None), budget=budget)
    if said["left"]:
        notes += (f"not searched, as no range is known or the method refuses it: {', '.join(said['left'])}",)
    return _ended(job, said, notes=notes, given=given)


def _begun(job: _Job, known: Mapping[str, Any], fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is searched and by which score, after the first trial."""
    if known.get("dimensions") and job.search.trials():
        return known
    made, seconds = job.trained(job.asked, "trial-0")
    score, metric = _height(made.scores)
    space, starts, left = dimensions(job.asked, made.method.object, fields)
    job.saved(made, DEFAULT)
    said = {**known, "dimensions": [asdict(d) for d in space], "left": left, "metric": metric}
    kept(job.part, said)
    job.search.began(starts, space, score=score, seconds=seconds)
    job.cleared("trial-0")
    return said


def _tried(job: _Job, space: Sequence[Dimension], *, most: int | None, budget: float | None) -> None:
    """One trial after the other, until there are enough or the next would not fit into the time."""
    while True:
        done = job.search.trials()
        spent = sum(t.seconds for t in done)
        if most is not None and len(done) >= most:
            return
        if budget is not None and spent + statistics.median(t.seconds for t in done) > 60 * budget:
            return
        share = max(len(done) / most if most else 0.0, spent / (60 * budget) if budget else 0.0)
        best = max((t.score for t in done if t.score is not None), default=None)
        reporter(job.options)(Progress(f"trial {len(done)}", min(share, 1.0), score=best))
        _one(job, space, best)


def _one(job: _Job, space: Sequence[Dimension], best: float | None) -> None:
    number_, values = job.search.proposed(space)
    name = f"trial-{number_}"
    start = clock.perf_counter()
    try:
        tried = replace(
            job.asked, object=merged(job.asked.object, values),
            origins={**job.asked.origins, **dict.fromkeys(values, f"search: trial {number_}")},
        )
        made, seconds = job.trained(tried, name)
    except IsocenterError as error:
        spent = round(clock.perf_counter() - start, 2)
        job.search.ended(number_, score=None, seconds=spent, lack=Problem.of(error, name).line())
    else:
        score, _ = _height(made.scores)
        # The bundle first: a search that is killed in between tries this trial again.
        if best is None or score > best:
            job.saved(made, TUNED)
        job.search.ended(number_, score=score, seconds=seconds)
    job.cleared(name)


def _height(scores: Scores | None) -> tuple[float, tuple[str, str]]:
    """The leading score on val, higher is better, and its metric and target."""
    from isocenter.metrics import METRICS

    lead = leading(scores) if scores else None
    value = scores.metrics[lead[0]][lead[1]].value if scores and lead else None
    if lead is None or value is None:
        raise UsageError("val gives no score to search by", remedy="Give the data a val split with truth")
    return (-value if METRICS[lead[0]].better == "lower" else value), lead


def _ended(job: _Job, said: Mapping[str, Any], *, notes: tuple[str, ...], given: Mapping[str, Any]) -> Tuned:
    trials = job.search.trials()
    best = max((t for t in trials if t.score is not None), key=lambda t: (float(t.score or 0.0), -t.number))
    if best.number == 0:
        shutil.rmtree(job.part / TUNED, ignore_errors=True)
        shutil.copytree(job.part / DEFAULT, job.part / TUNED)
        notes += ("nothing beat the recipe as it was asked: it is the one that is kept",)
    values = dict(best.values) if best.number else {}
    tuned = opened(job.part / TUNED)
    write_text(job.part / "recipe.json", recipe_text(job.asked, values) + "\n", overwrite=True)
    names = list(dict.fromkeys(k for t in trials for k in t.values))
    rows = [{"trial": t.number, "score": t.score, "seconds": t.seconds, **t.values, "lack": t.lack} for t in trials]
    write_rows(job.part / "trials.csv", ("trial", "score", "seconds", *names, "lack"), rows=rows, overwrite=True)
    gain = _gain(job) if best.number and "test" in job.cases.splits else None
    made = Tuned(
        job.part, job.asked.task, job.asked.method, tuple(said["metric"]), tuple(trials), best.number, values,
        job.search.importance(), {d.name: d.text() for d in again(said)}, gain, job.exam.problems, notes,
    )
    return replace(made, report=_reported(made, job, tuned, given=given))


def _gain(job: _Job) -> Comparison:
    shared = Studying(seed=job.options.get("seed", 0), threads=threads_of(job.options), report=reporter(job.options))
    return compare(job.asked.task, job.cases, methods=[job.part / TUNED, job.part / DEFAULT], split="test", **shared)


def _reported(made: Tuned, job: _Job, tuned: Method, *, given: Mapping[str, Any]) -> Path:
    from isocenter.report import write_report
    from isocenter.verbs._report import tuning_run

    run = tuning_run(made, tuned, job.cases, command=job.options.get("command", ""))
    page = write_report(run, job.part, overwrite=True)
    keep(run, given, made=made, cases=job.cases, methods=[tuned], folder=job.part)
    return page
