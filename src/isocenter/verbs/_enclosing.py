"""A method with the envelope of its training images, and how many of other images lie outside."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from isocenter.data import Cases, Plan, Progress
from isocenter.errors import IsocenterError
from isocenter.infer.enclosing import enclosed as drawn
from isocenter.verbs._method import Method
from isocenter.verbs._options import Options, reporter
from isocenter.verbs._sides import Judging
from isocenter.verbs._text import counted


def enclosed(method: Method, cases: Cases, *, options: Options) -> Method:
    """The fitted method with the envelope of train, its limit set on val; without one where no image could be seen."""
    reporter(options)(Progress("look at the training images", 1.0))
    plan = getattr(method.object, "plan", None)
    empty = replace(cases, entries=())
    sides = (cases.split(name) if name in cases.splits else empty for name in ("train", "val"))
    return replace(method, envelope=drawn(*sides, plan=plan if isinstance(plan, Plan) else None))


def described(said: Mapping[str, Any] | None) -> str:
    """What an envelope does, in one phrase.

    Parameters
    ----------
    said
        ``about.envelope`` of a bundle; None for bundles of before there were any.

    >>> described(None)
    'none: answers every image'
    """
    if said is None:
        return "none: answers every image"
    if said.get("limit") is None:
        return "modality and values alone: too few images to say what looks different"
    facts = said.get("facts") or {}
    n = counted(int(facts.get("n_limit", 0)), "image")
    return f"refuses {facts.get('refused', 0):.0%} of images like those of train, by {n} of {facts.get('from', '')}"


def outsiders(method: Method, cases: Cases) -> int:
    """How many cases have a leading image outside the method's envelope; cases that cannot be opened do not count."""
    envelope = method.envelope
    count = 0
    for entry in cases.entries if envelope is not None else ():
        with suppress(IsocenterError):
            count += envelope is not None and envelope.refused(entry.open().image()) is not None
    return count


def at_the_gate(
    method: Method, notes: tuple[str, ...], cases: Cases, *, options: Judging
) -> tuple[Method, tuple[str, ...]]:
    """The method as it is scored on some cases, and the notes with how many of these lie outside its envelope.

    Raises
    ------
    UsageError
        As `Method.answering`.
    """
    outside = options.get("outside", "answer")
    answering = replace(method, object=method.answering(outside))
    if method.envelope is None:
        return answering, notes
    n, lie = outsiders(method, cases), f"of {counted(len(cases), 'case')} lie outside the method's envelope"
    how = "not evaluated" if outside == "refuse" else "answered all the same; with --outside refuse not evaluated"
    return answering, (*notes, f"{n} {lie}" + (f" ({how})" if n else ""),)
