"""Keyword options that the verbs share, and the circumstances that follow from them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, get_type_hints

from isocenter.data import Progress, Watch
from isocenter.errors import UsageError, nearest
from isocenter.verbs._text import typed


class Options(TypedDict, total=False):
    """Options of every verb that reads data or runs a method.

    Parameters
    ----------
    target, facts, group, positive, role
        Which column holds the truth, which notes are facts, which column groups, the positive class, the image's role.
    seed
        Of everything random; default 0.
    threads
        Default: the cores that this process may use.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    report
        Receives progress.
    """

    target: str | None
    facts: Sequence[str]
    group: str | None
    positive: str | None
    role: str | None
    seed: int
    threads: int | None
    device: str
    report: Callable[[Progress], None]


class Opening(Options, total=False):
    """Options of the verbs that open images by themselves, for what a file does not say.

    Parameters
    ----------
    series
        Number, description or UID of the wanted series where a folder holds several.
    axes
        Names of the file's axes in its own order, letters of "tczyx".
    spacing
        mm per spatial axis in the order (z,) y, x.
    """

    series: str | int | None
    axes: str | None
    spacing: Sequence[float] | None


class Answering(Options, total=False):
    """Options of the verb that answers new images.

    Parameters
    ----------
    series, axes, spacing
        As in `Opening`.
    outside
        Of images unlike those that a bundle learnt from: ``"refuse"`` (default) gives `NotEvaluated`, ``"answer"``
        answers all the same. Bundles without an envelope answer everything.
    landmarks
        Of a registration: CSV of points of the moving image (X, Y[, Z] in pixels), written where they lie in the fixed.
    """

    series: str | int | None
    axes: str | None
    spacing: Sequence[float] | None
    outside: str
    landmarks: str | Path | None


def opening_of(options: Opening) -> dict[str, Any]:
    """What `isocenter.io.read` is told about an image beside its path."""
    said: dict[str, Any] = {name: options.get(name) for name in ("series", "axes", "spacing")}
    if said["spacing"] is not None:
        said["spacing"] = tuple(float(s) for s in said["spacing"])
    return {name: value for name, value in said.items() if value is not None}


class Reporting(Options, total=False):
    """Options of the verbs that write a report.

    Parameters
    ----------
    overwrite
        Replace what is there.
    command
        As typed, for the report.
    """

    overwrite: bool
    command: str


class Studying(Options, total=False):
    """Options of the verbs that let a method learn.

    Parameters
    ----------
    time
        Budget of one training: minutes, or text such as ``"20m"``.
    resume
        Continue in ``BUNDLE.part``.
    plan
        A plan (mapping or JSON file) that was edited and handed back.
    folds
        Number of folds by group for a score over all cases, or ``"subject"``; 0 for none.
    inner
        compare: in each fold choose by so many folds of the rest, not by one val part; adds the row ``chosen``, what
        the whole procedure, choice included, would have answered.
    seeds
        Number of trainings with seeds ``seed``, ``seed + 1`` ...; the spread is reported.
    val_from
        ``"train"``: cut a part of train by group for stopping.
    allow, because
        ``"leakage"`` and the reason for which it is allowed.
    strict
        Refuse near copies between splits too.
    overwrite, command
        As in `Reporting`.
    attack
        compare: a method of the task ``attack``; its fields are settings such as ``pgd.steps``.
    epsilon
        Its budgets, shares of the image's range: numbers or text such as ``"2/255"``. The middle one leads.
    corrupt
        compare: names of `isocenter.ops.corruptions`, or ``"usual"`` for those of the images' modality.
    severity
        1 to 5, one or several. The middle one leads.
    at_most
        Cases that are attacked or corrupted, drawn by the seed; None: all.
    """

    time: str | float | None
    resume: bool
    plan: Any
    folds: int | str
    inner: int
    seeds: int
    val_from: str | None
    allow: str | None
    because: str | None
    strict: bool
    overwrite: bool
    command: str
    attack: str | None
    epsilon: Sequence[str | float]
    corrupt: Sequence[str]
    severity: Sequence[int]
    at_most: int | None


READING = ("target", "facts", "group", "positive", "role")


def checked(options: Mapping[str, Any], kind: type = Options) -> None:
    """UsageError where an option has no meaning, naming the nearest."""
    known = get_type_hints(kind)
    for name in options:
        if name not in known:
            raise UsageError(f"unknown option {name!r}", remedy=nearest(name, known))


def threads_of(options: Options) -> int:
    """Threads to use: as asked, else the cores that this process may use; UsageError below 1."""
    asked = options.get("threads")
    if asked is not None:
        if asked < 1:
            raise UsageError("too few threads", got=str(asked), wanted="1 or more")
        return asked
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def reporter(options: Options) -> Callable[[Progress], None]:
    """Where progress goes."""
    return options.get("report") or (lambda progress: None)


def place_of(data: Any, options: Mapping[str, Any]) -> str:
    """The data and how their table is read, as the next command takes them; ``DATA`` for what is no path.

    >>> place_of("my study", {"target": "age", "facts": ["crp", "sex"]})
    "'my study' --target age --facts crp,sex"
    """
    if not isinstance(data, (str, Path)):
        return "DATA"
    said = {name: options.get(name) for name in READING}
    given = {name: ",".join(v) if isinstance(v, (list, tuple)) else str(v) for name, v in said.items() if v}
    return " ".join([typed(data), *(f"--{name} {typed(text)}" for name, text in given.items())])


def watch_of(options: Options, *, folder: Path | None = None, **more: Any) -> Watch:
    """The circumstances of a run; `more` as in `Watch`."""
    return Watch(
        report=reporter(options), folder=folder, seed=options.get("seed", 0), threads=threads_of(options),
        device=options.get("device", "auto"), **more,
    )


def minutes_of(time: str | float | None) -> float | None:
    """A time budget in minutes.

    Parameters
    ----------
    time
        Minutes as a number, or text such as ``"90s"``, ``"20m"``, ``"1h30m"``; None for no budget.

    Raises
    ------
    UsageError
        Not a span of time above 0.

    >>> minutes_of("1h30m"), minutes_of("90s"), minutes_of(5)
    (90.0, 1.5, 5.0)
    """
    if time is None:
        return None
    text = f"{time}m" if re.fullmatch(r"\d+(\.\d+)?", str(time)) else str(time)
    parts = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", text.replace(" ", ""))
    minutes = sum(float(p or 0) * f for p, f in zip(parts.groups(), (60, 1, 1 / 60), strict=True)) if parts else 0.0
    if minutes <= 0:
        raise UsageError("not a span of time", got=str(time), wanted="such as 90s, 20m or 1h30m")
    return minutes
