"""A method learns on train, stops and sets thresholds on val, and becomes a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from isocenter import catalog
from isocenter.bundle import open_bundle
from isocenter.data import Cases, Problem, Scores
from isocenter.errors import IsocenterError, UsageError
from isocenter.verbs._bundling import report_folder, vacant, workspace
from isocenter.verbs._cases import (
    UNSPLIT,
    Examined,
    cases_of,
    caveats,
    divided,
    examined,
    first_refusal,
    known_to_train,
    with_allowance,
)
from isocenter.verbs._enclosing import enclosed
from isocenter.verbs._folds import cross_fitted
from isocenter.verbs._method import Method, opened, resolve
from isocenter.verbs._options import Studying, checked, minutes_of, place_of, reporter, threads_of
from isocenter.verbs._recipe import Settings, settings_of
from isocenter.verbs._record import keep
from isocenter.verbs._score import answer_all, summary
from isocenter.verbs._scores import best_of
from isocenter.verbs._study import Budget, alone, plan_of, sides, study
from isocenter.verbs._suspects import suspected
from isocenter.verbs._text import counted
from isocenter.verbs._trained import Trained
from isocenter.verbs.split import table_of

# What `train TASK DATA` learns when nobody names a method.
USUAL = {
    "segment": "unet", "classify": "cnn", "regress": "cnn", "instances": "contours", "detect": "yolo",
    "register": "dense_field",
}  # fmt: skip


def train(
    task: str,
    data: Any,
    *,
    method: Any = None,
    out: str | Path | None = None,
    settings: Mapping[str, Any] | Settings | None = None,
    **options: Unpack[Studying],
) -> Trained:
    """Lets a method learn.

    Parameters
    ----------
    task
        The question, such as ``"segment"``.
    data
        A folder, a table, `Cases`, ``(x, y)`` arrays or a DataFrame. Unsplit data are split by group, and that is said.
    method
        Of the task, ``"module:Class"``, or a `Learner`; default the task's usual network.
    out
        Where the bundle goes; it appears when it is complete. None: nothing is written.
    settings
        Of the recipe.

    Raises
    ------
    LeakageError
        One group or identical images on two sides of the split.
    OutputError
        The bundle exists, or an unfinished run lies there and nobody said whether to resume.
    NotFoundError
        No val split, no such task or method.
    """
    checked(options, Studying)
    asked = resolve(method or _usual(task), task=task, settings=settings_of(settings))
    if not asked.learns:
        raise UsageError(
            f"{asked.name} has nothing to learn", remedy=f"Run: isocenter evaluate {task}/{asked.name} DATA"
        )
    if out is None:
        return studied(asked, data, options=options, target=None)
    target, again = Path(out), options.get("resume", False)
    if again and target.is_dir():
        cases, notes = ready(asked, data, options=options)
        notes += ("complete already: nothing to resume",)
        return Trained(opened(target), cases, bundle=open_bundle(target), notes=notes, data=place_of(data, options))
    overwrite = options.get("overwrite", False)
    vacant(target, resume=again, overwrite=overwrite)
    made = studied(asked, data, options=options, target=target)
    given = {"task": task, "data": data, "method": method or _usual(task), "settings": settings, **options}
    return reported(made, target, given=given)


def studied(asked: Method, data: Any, *, options: Studying, target: Path | None) -> Trained:
    """Reads, refuses what leaks, learns, and writes the bundle where there is a target."""
    cases, notes = ready(asked, data, options=options)
    exam = examined(cases, options)
    if target is None:
        made = gated(learnt(asked, cases, options=options, part=None), options)
        return noted(made, exam, notes=notes, data=place_of(data, options))
    overwrite = options.get("overwrite", False)
    with workspace(target, resume=options.get("resume", False), overwrite=overwrite) as part:
        made = gated(learnt(asked, cases, options=options, part=part), options)
        made = noted(made, exam, notes=notes, data=place_of(data, options))
        return replace(made, bundle=made.save(target, overwrite=overwrite))


def gated(made: Trained, options: Studying) -> Trained:
    """With the envelope of its training images."""
    return replace(made, method=enclosed(made.method, made.cases, options=options))


def noted(made: Trained, exam: Examined, *, notes: tuple[str, ...], data: str) -> Trained:
    """With what was found before the training, why it stopped, and what the method itself has to say."""
    about = getattr(made.method.object, "about", {})
    stopped = str(about.get("stopped") or "")
    last = (f"stopped early: {stopped}",) if stopped else tuple(map(str, about.get("said", ())))
    return replace(
        made,
        problems=(*exam.problems, *made.problems),
        notes=(*notes, *made.notes, *last),
        shas=exam.shas,
        data=data,
    )


def ready(asked: Method, data: Any, *, options: Studying) -> tuple[Cases, tuple[str, ...]]:
    """The cases with all the splits that a study needs, and what was done for that.

    Raises
    ------
    NotFoundError
        train or val is missing.
    LabelError
        A class of val or test is unknown to train.
    """
    from isocenter.infer.holding import held

    read = cases_of(data, asked.task, options=options, unlabelled=alone(asked))
    cases, notes = divided(read, seed=options.get("seed", 0), val_from=options.get("val_from"))
    cases = with_allowance(cases, options.get("because"))
    sides(asked, cases)
    for split in ("val", "test"):
        if split in cases.splits:
            known_to_train(cases, cases.split(split), by=(asked.object,))
    cases, more = taking_part(asked, cases)
    return held(cases), (*notes, *more, *caveats(cases))


def taking_part(asked: Method, cases: Cases) -> tuple[Cases, tuple[str, ...]]:
    """The cases with truth, and those of train without it where the method learns from images alone; what to say."""
    n = len(cases) - len(cases.labelled)
    if not n:
        return cases, ()
    if not alone(asked):
        return cases.labelled, (f"{counted(n, 'case')} without truth left out: the method learns from truth alone",)
    kept = cases.subset([i for i, e in enumerate(cases.entries) if not e.unlabelled or e.split == "train"])
    use = "learnt from by their images" if getattr(asked.object, "unsupervised", False) else "for pre-training alone"
    return kept, (f"{counted(len(kept) - len(kept.labelled), 'case')} of train without truth: {use}",)


def learnt(asked: Method, cases: Cases, *, options: Studying, part: Path | None) -> Trained:
    """One or several trainings, and a score over folds where that was asked for."""
    budget = Budget(minutes_of(options.get("time")), part, options.get("resume", False), plan_of(options.get("plan")))
    first, n = options.get("seed", 0), options.get("seeds", 1)
    if n < 1:
        raise UsageError("too few seeds", got=str(n), wanted="1 or more")
    made: dict[int, Trained] = {}
    for seed in range(first, first + n):
        folder = part / f"seed-{seed}" if part and n > 1 else part
        again: Studying = {**options, "seed": seed}
        method, taken = study(asked, cases, options=again, budget=replace(budget, folder=folder))
        made[seed] = Trained(method, cases, _on_val(method, cases, options=again), taken=taken, seed=seed)
    seed = best_of({s: t.scores for s, t in made.items()}) if n > 1 else first
    spread = {s: t.scores for s, t in made.items() if t.scores is not None} if n > 1 else {}
    notes = (f"of {n} seeds, {seed} was the best on val and is the one kept",) if n > 1 else ()
    folds = cross_fitted(asked, cases, options=options, budget=budget) if options.get("folds") else None
    suspects, more = suspected(folds)
    return replace(made[seed], seeds=spread, folds=folds, problems=suspects, notes=(*notes, *more))


def reported(made: Trained, out: Path, *, given: Mapping[str, Any]) -> Trained:
    """With its report, and the table of a split that we made, beside the bundle.

    A report that fails is a warning: the bundle stands.
    """
    from isocenter.report import write_report
    from isocenter.verbs._report import training_run

    folder = report_folder(out)
    try:
        run = training_run(made, command=given.get("command", ""))
        made = replace(made, report=write_report(run, folder, overwrite=True))
        keep(run, given, made=made, cases=made.cases, methods=[made.method], folder=folder)
        if made.notes and made.notes[0].startswith(UNSPLIT) and any(e.files for e in made.cases.entries):
            table = table_of(made.cases, folder / "private" / "split.csv", overwrite=True)
            made = replace(made, data=place_of(table, given), notes=(*made.notes, f"the split stands in {table}"))
    except IsocenterError as error:
        made = replace(made, problems=(*made.problems, replace(Problem.of(error, "report"), severity="warning")))
    return made


def _usual(task: str) -> str:
    return USUAL.get(task) or next((m for m in catalog.methods(task) if hasattr(catalog.find(task, m), "fit")), "")


def _on_val(method: Method, cases: Cases, *, options: Studying) -> Scores | None:
    if "val" not in cases.splits:
        return None
    val = cases.split("val")
    answered = answer_all(method, val, report=reporter(options), what="score on val")
    if not answered.scores:
        raise first_refusal(answered.problems, len(val))
    return summary(method, answered, cases=val, split="val", abstain="wrong", seed=options.get("seed", 0),
                   threads=threads_of(options))
