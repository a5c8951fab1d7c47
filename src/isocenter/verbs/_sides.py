"""What is looked at before one method is scored: whether the split keeps patients and pictures apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from isocenter.data import Cases
from isocenter.errors import LeakageError, UsageError
from isocenter.verbs._cases import refuse
from isocenter.verbs._method import Method
from isocenter.verbs._options import Options


class Judging(Options, total=False):
    """Options of a verb that scores one method.

    Parameters
    ----------
    allow, because
        ``"leakage"`` and the reason for which it is allowed.
    strict
        Refuse near copies between splits too, for a method that learns here.
    outside
        Of cases outside the method's envelope: ``"answer"`` (default) answers them and says how many they are,
        ``"refuse"`` counts them as not evaluated, as `predict` does.
    outside_data
        A folder, a list of paths, or a table of images that the method was not made for: how well its envelope tells
        them from the cases of the split (``ood_auroc``).
    coverage, sets
        classify: the share of sets of classes that are to hold the truth, their limits chosen on val; ``"lac"``
        (default) or ``"aps"``, each also with ``"-by-class"``; see `metrics.conformal`.
    risk
        classify: the largest share of wrong decisions; below a confidence chosen on val there is no answer.
    overwrite, command
        As in `Reporting`.
    """

    allow: str | None
    because: str | None
    strict: bool
    outside: str
    outside_data: Any
    coverage: float | None
    sets: str
    risk: float | None
    overwrite: bool
    command: str


def apart(asked: Method, cases: Cases, *, split: str, options: Judging) -> None:
    """Refuses a split that shares patients, and for a method that learns from train here, pictures.

    Findings made elsewhere and methods that learn nothing are the same on either side of a split.

    Raises
    ------
    LeakageError
        One group or identical images on two sides, unless the set or the caller allows it with a reason.
    UsageError
        ``allow`` without ``because``, or the other way round.
    """
    from isocenter.inspect import examine, leakage
    from isocenter.inspect.leaking import shared_groups

    if bool(options.get("allow")) != bool(options.get("because")):
        raise UsageError("--allow leakage needs a reason", wanted="--allow leakage --because REASON")
    learnt = asked.bundle is not None or asked.learns or bool(asked.fingerprint)
    if cases.allow.get("leakage") or options.get("allow") or not learnt or "train" not in cases.splits:
        return
    # What answers as it is reads fields off train alone; its val is never opened.
    studied = ("train",) if asked.learns and asked.answers else ("train", "val")
    met = cases.subset([i for i, e in enumerate(cases.entries) if e.split in (*studied, split)])
    found = shared_groups(met)
    if asked.learns:
        near = bool(options.get("strict"))
        found = leakage(met, near=near, exam=examine(met, thumbs=near))
    refuse([replace(p, code=LeakageError.code, severity="error") for p in found])
