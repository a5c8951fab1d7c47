"""How well a method's envelope tells other images from the cases that it was made for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isocenter.data import Cases, Image, Progress, Score
from isocenter.errors import IsocenterError, MissingFileError, UsageError
from isocenter.infer.envelope import Envelope
from isocenter.metrics.outside import AUROC, told_apart
from isocenter.verbs._inputs import inputs_of
from isocenter.verbs._method import Method
from isocenter.verbs._options import reporter
from isocenter.verbs._sides import Judging
from isocenter.verbs._text import counted, number, table

TEXTS = {
    AUROC: "outside farther than inside (AUROC)", "refused_outside": "refused of those outside",
    "refused_inside": "refused of the split (falsely)",
}


def gate_of(method: Method, test: Cases, *, options: Judging) -> tuple[dict[str, Score], str]:
    """The numbers with their intervals, and what they rest on as a sentence.

    Parameters
    ----------
    method
        With an envelope.
    test
        Of the split that is scored: inside.
    options
        ``outside_data``: a folder, a list of paths, or `Cases`; ``seed``.

    Raises
    ------
    UsageError
        The method has no envelope, or one without a limit on how images look.
    MissingFileError
        There is no such folder.
    InputError
        Nothing on one of the two sides can be judged.
    """
    envelope = method.envelope
    if envelope is None or envelope.limit is None:
        raise UsageError(
            "outside data are judged by an envelope with a limit, and the method has none", where=method.name,
            remedy="Name a bundle that was trained on some 20 images or more",
        )
    reporter(options)(Progress("look at the images outside", 0.5))
    given = options["outside_data"]
    inside = list(_judged(envelope, test))
    outside = list(_judged(envelope, given)) if isinstance(given, Cases) else _of_files(envelope, given)
    found = told_apart(inside, outside, seed=options.get("seed", 0))
    return found, (
        f"the envelope held against {counted(len(outside), 'other image')}: these are farther than "
        f"{counted(len(inside), 'case')} of the split with AUROC {number(found[AUROC].value)} "
        f"({number(found[AUROC].low)} to {number(found[AUROC].high)})"
    )


def gate_lines(found: Mapping[str, Score]) -> list[str]:
    """The table; nothing where nothing was asked."""
    if not found:
        return []
    rows = [(TEXTS[k], number(s.value), number(s.low), number(s.high), str(s.n), ", ".join(s.flags))
            for k, s in found.items()]
    return ["", *table(("the gate", "value", "low", "high", "n", "flags"), rows, right=range(1, 5))]


def gate_json(found: Mapping[str, Score]) -> dict[str, Any]:
    """As metrics of the target ``all``."""
    return {key: {"all": {**asdict(s), "flags": list(s.flags)}} for key, s in found.items()}


def _judged(envelope: Envelope, cases: Cases) -> list[tuple[str, float]]:
    """Group and distance of each case; what cannot be opened or judged is left out."""
    found = []
    for entry, group in zip(cases.entries, cases.groups, strict=True):
        with suppress(IsocenterError):
            found += _away(envelope, group, entry.open().image())
    return found


def _of_files(envelope: Envelope, given: Any) -> list[tuple[str, float]]:
    """As `_judged`, of a folder (and those below it) or of a list of paths; each file is its own group."""
    paths = [given] if isinstance(given, (str, Path)) else list(given)
    for path in map(Path, paths):
        if not path.exists():
            raise MissingFileError("no such file or folder", where=str(path), wanted="images of another kind")
    folders = [f for p in map(Path, paths) if p.is_dir() for f in sorted(p.rglob("*")) if f.is_dir()]
    found: list[tuple[str, float]] = []
    for word in [*paths, *folders]:
        # A folder of folders holds no image itself.
        with suppress(IsocenterError):
            for one in inputs_of([word]):
                with suppress(IsocenterError):
                    found += _away(envelope, one.source, one.open().image())
    return list(dict(found).items())


def _away(envelope: Envelope, group: str, image: Image) -> list[tuple[str, float]]:
    found = envelope.strangeness(image)
    return [] if found is None else [(group, found)]
