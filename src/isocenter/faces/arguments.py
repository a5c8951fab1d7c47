"""Arguments that several commands share, and how their text becomes values."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from isocenter.errors import UsageError

Report = Callable[[Any], None]
# Flags under the names that textbooks use, and the field of the recipe that each one sets.
STUDY = {
    "epochs": ("study.epochs", int, "passes over the training data"),
    "steps": ("study.steps", int, "batches per epoch"),
    "batch-size": ("study.batch_size", int, "samples per batch"),
    "learning-rate": ("study.learning_rate", float, "peak of the schedule"),
    "patience": ("study.patience", int, "validations without a better score before stopping"),
    "patch": ("study.patch", str, "pixels per axis of one sample, such as 96,96"),
}


class Parser(argparse.ArgumentParser):
    """The arguments of one verb; what is malformed becomes one line and exit code 2.

    Parameters
    ----------
    verb, text
        Its name and what it does.
    examples
        Shown at the end of its help.
    """

    def __init__(self, verb: str, text: str, examples: Sequence[str]) -> None:
        ends = "examples:\n" + "\n".join(f"  {line}" for line in examples)
        super().__init__(
            prog=f"isocenter {verb}", description=text, epilog=ends, allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def error(self, message: str) -> NoReturn:
        """Raises UsageError."""
        raise UsageError(message, remedy=f"See: {self.prog} --help")


def everywhere(parser: argparse.ArgumentParser) -> None:
    """What every verb takes."""
    group = parser.add_argument_group("every verb")
    group.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else")
    group.add_argument("--quiet", action="store_true", help="no progress, no notes")
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of everything random (default 0)")
    group.add_argument("--threads", type=int, metavar="N", help="default: the cores that this process may use")
    group.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE",
                       help="a field of the recipe, such as study.batch_size=4 (see: isocenter methods TASK METHOD)")


def opening(parser: argparse.ArgumentParser) -> None:
    """What a file may leave unsaid."""
    group = parser.add_argument_group("how to open what a file does not say")
    group.add_argument("--series", metavar="WHICH", help="number, description or UID, where a folder holds several")
    group.add_argument("--axes", metavar="NAMES", help="the file's axes in its own order, such as tyx or cyx")
    group.add_argument("--spacing", metavar="MM", help="mm per axis in the order z,y,x, such as 3,0.7,0.7")


def opened(args: argparse.Namespace) -> dict[str, Any]:
    """Options of verbs that open images; UsageError where the spacing is no list of numbers."""
    series: Any = args.series
    try:
        spacing = [float(s) for s in args.spacing.split(",")] if args.spacing else None
    except ValueError as error:
        raise UsageError("not a spacing", got=args.spacing, wanted="such as 3,0.7,0.7") from error
    return {"series": int(series) if series and series.isdigit() else series, "axes": args.axes, "spacing": spacing}


def reading(parser: argparse.ArgumentParser) -> None:
    """How a table is read."""
    group = parser.add_argument_group("reading the data")
    group.add_argument("--target", metavar="COLUMN", help="the column that holds the truth")
    group.add_argument("--facts", metavar="COLUMNS", default="", help="notes that methods may use, comma between")
    group.add_argument("--group", metavar="COLUMN", help="what must stay on one side of a split (default: subject)")
    group.add_argument("--positive", metavar="NAME", help="the class that one-sided metrics lead with")
    group.add_argument("--role", metavar="NAME", help="the image that the answer is about, where a case has several; "
                       "any: for methods of several images, of which cases may lack some")


def studying(parser: argparse.ArgumentParser) -> None:
    """How methods learn."""
    group = parser.add_argument_group("how it learns")
    group.add_argument("--recipe", metavar="FILE", help="settings as a JSON file; --set and flags win over it")
    group.add_argument("--time", metavar="TIME", help="time budget of one training, such as 20m or 1h30m")
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where networks learn")
    for flag, (field, kind, text) in STUDY.items():
        group.add_argument(f"--{flag}", type=kind, metavar=kind.__name__.upper(), help=f"{text} ({field})")


def leaking(parser: argparse.ArgumentParser) -> None:
    """What may be overridden, with a reason."""
    group = parser.add_argument_group("leakage")
    group.add_argument(
        "--allow", choices=("leakage",), help="go on although sides of the split share patients or images"
    )
    group.add_argument("--because", metavar="REASON", help="why; recorded and printed in every table")
    group.add_argument("--strict", action="store_true", help="refuse near copies too")


def options(args: argparse.Namespace, report: Report) -> dict[str, Any]:
    """The options that verbs share, from parsed arguments."""
    names = ("target", "group", "positive", "role", "seed", "threads", "device")
    chosen = {n: getattr(args, n) for n in names if getattr(args, n, None) is not None}
    if getattr(args, "facts", ""):
        chosen["facts"] = words(args.facts)
    return {**chosen, "report": report}


def settings(args: argparse.Namespace) -> Any:
    """Settings from the recipe file, `--set` and flags, the later the stronger."""
    from isocenter.verbs._recipe import settings_of

    flags = {flag: getattr(args, flag.replace("-", "_"), None) for flag in STUDY}
    made = settings_of(getattr(args, "recipe", None)).over(assigned(args.set), "--set")
    for flag, given in flags.items():
        if given is not None:
            made = made.over({STUDY[flag][0]: value(str(given))}, f"--{flag}")
    return made


def assigned(pairs: Sequence[str]) -> Mapping[str, Any]:
    """``FIELD=VALUE`` words as a mapping; UsageError without ``=``.

    >>> assigned(["study.epochs=4", "study.patch=96,96"])
    {'study.epochs': 4, 'study.patch': [96, 96]}
    """
    out: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.strip():
            raise UsageError("not a setting", got=pair, wanted="FIELD=VALUE")
        out[name.strip()] = value(text.strip())
    return out


def value(text: str) -> Any:
    """A value as JSON where it is JSON, a list where commas part it, else text; none, true, false in any case.

    >>> value("4"), value("0.5,2"), value("none"), value("green"), value("[1, 2]")
    (4, [0.5, 2], None, 'green', [1, 2])
    """
    plain = {"none": None, "null": None, "true": True, "false": False, "yes": True, "no": False}
    if text.lower() in plain:
        return plain[text.lower()]
    try:
        return json.loads(text)
    except ValueError:
        return [value(part.strip()) for part in text.split(",")] if "," in text else text


def typed() -> str:
    """The command as it was typed, for the report."""
    return shlex.join(["isocenter", *sys.argv[1:]])


def folds(text: str) -> int | str:
    """A number of folds, or ``subject``."""
    return text if text == "subject" else int(text)


def words(text: str) -> list[str]:
    """The parts of a list with commas, without blanks and empty parts.

    >>> words("a, b,,c")
    ['a', 'b', 'c']
    """
    return [part.strip() for part in text.split(",") if part.strip()]
