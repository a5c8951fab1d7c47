"""Letting a method learn, with the circumstances of the run."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocenter.data import Cases, Plan, pretraining_of
from isocenter.errors import MissingFileError, NotFoundError, RecipeError
from isocenter.verbs._method import Method
from isocenter.verbs._options import Options, watch_of
from isocenter.verbs._score import peak_mb


@dataclass(frozen=True)
class Budget:
    """What one study may use.

    Parameters
    ----------
    minutes
        Time, or None.
    folder
        Where checkpoints go, or None.
    resume
        Continue from the last checkpoint.
    plan
        A plan that was edited and handed back.
    """

    minutes: float | None = None
    folder: Path | None = None
    resume: bool = False
    plan: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Taken:
    """What a study took: seconds, and the peak memory of the process in MB."""

    seconds: float | None = None
    peak_mb: float | None = None


def study(method: Method, cases: Cases, *, options: Options, budget: Budget | None = None) -> tuple[Method, Taken]:
    """The method after learning on train, with val for stopping and thresholds; one that learns nothing as it is.

    Raises
    ------
    NotFoundError
        train or val is missing.
    """
    if not method.learns:
        return method, Taken()
    budget = budget or Budget()
    train, valid = sides(method, cases)
    watch = watch_of(options, folder=budget.folder, minutes=budget.minutes, resume=budget.resume, plan=budget.plan)
    start = time.perf_counter()
    fitted = method.object.fit(train, valid, watch=watch)
    taken = Taken(round(time.perf_counter() - start, 2), peak_mb())
    return replace(method, object=fitted, fitted=True), taken


def sides(method: Method, cases: Cases) -> tuple[Cases, Cases]:
    """train and val. A method that answers as it is, and only reads some fields off train, can do without val.

    Cases without truth stay in train for methods that learn from images alone first, and nowhere else.

    Raises
    ------
    NotFoundError
        One is missing; says what to do.
    """
    train = cases.split("train") if alone(method) else cases.split("train").labelled
    if "val" in cases.splits:
        return train, cases.split("val").labelled
    if method.answers:
        return train, replace(cases, entries=())
    counts = ", ".join(f"{name or 'no split'} {n}" for name, n in cases.splits.items())
    raise NotFoundError("the data have no split 'val' to stop and set thresholds on", where=cases.name, got=counts,
                        remedy="Pass --val-from train, or see: isocenter split")


def alone(method: Method) -> bool:
    """Whether a method learns from images alone: first, or throughout, which its `unsupervised` says."""
    return pretraining_of(method.object).epochs > 0 or bool(getattr(method.object, "unsupervised", False))


def plan_of(given: Mapping[str, Any] | str | Path | None) -> Mapping[str, Any] | None:
    """A plan as a mapping, read from its JSON file where a path is given.

    Raises
    ------
    MissingFileError
        No such file.
    RecipeError
        It is no plan, or one with which nothing could be answered after the training.
    """
    plan = given if given is None or isinstance(given, Mapping) else _read(given)
    if plan is not None and isinstance(plan.get("plan"), Mapping):
        _refuse_flawed(plan["plan"])
    return plan


def _refuse_flawed(values: Mapping[str, Any]) -> None:
    from isocenter.infer.plans import flaws

    try:
        wrong = flaws(Plan.from_json(values))
    except (TypeError, ValueError, OverflowError) as error:
        raise RecipeError("the plan cannot be read", got=str(error)) from error
    if wrong:
        raise RecipeError("the plan contradicts itself", got=", ".join(wrong))


def _read(given: str | Path) -> Mapping[str, Any]:
    path = Path(given)
    if not path.is_file():
        raise MissingFileError("no such plan", where=str(path))
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecipeError("not a JSON file", where=str(path), got=str(error)) from error
    if not isinstance(plan, dict):
        raise RecipeError("a plan is a JSON object", where=str(path), got=type(plan).__name__)
    return plan
