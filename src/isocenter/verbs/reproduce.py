"""A run once more from its record: equal bit for bit, or what differs, where, by how much, and what may be why."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isocenter.data import Progress
from isocenter.errors import InputError, OutputError, UsageError
from isocenter.verbs._inventory import changed
from isocenter.verbs._places import usable
from isocenter.verbs._record import machine, read_record, versions
from isocenter.verbs._text import counted, typed

# Differences that the lines show; all stand in the JSON document.
SHOWN = 12


@dataclass(frozen=True)
class Difference:
    """One value that is not what it was.

    Parameters
    ----------
    where
        Such as ``result metrics dice lung value``.
    recorded, now
        Both values; ``"absent"`` where one side has none.
    by
        The change of a number; None for anything else.
    """

    where: str
    recorded: Any
    now: Any
    by: float | None = None


@dataclass(frozen=True)
class Reproduction:
    """What came of running again.

    Parameters
    ----------
    run, folder
        The report that was repeated, and that of the repetition.
    verb
        What was run.
    compared
        Number of values that were held against each other.
    differences
        Those that are not the same.
    inputs
        File to what is the matter with it, where the data were not as recorded and it was to go on all the same.
    circumstances
        Versions, processor, threads and so on that are not as they were.
    hints
        What may be why.
    """

    run: Path
    folder: Path
    verb: str
    compared: int
    differences: tuple[Difference, ...] = ()
    inputs: Mapping[str, str] | None = None
    circumstances: tuple[Difference, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether every value is the same."""
        return not self.differences

    @property
    def exit_code(self) -> int:
        """0 equal, 3 different."""
        return 0 if self.equal else 3

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": 1, "run": str(self.run), "folder": str(self.folder), "verb": self.verb, "equal": self.equal,
            "compared": self.compared, "differences": [asdict(d) for d in self.differences],
            "inputs": dict(self.inputs or {}), "circumstances": [asdict(d) for d in self.circumstances],
            "hints": list(self.hints), "report": str(self.folder / "report.html"),
        }

    def lines(self) -> list[str]:
        """The verdict first."""
        n = counted(self.compared, "value")
        lines = [f"equal: {n} of {self.verb} are the same, bit for bit" if self.equal else
                 f"different: {len(self.differences)} of {n} of {self.verb} are not as they were"]
        lines += [f"  {_told(d)}" for d in self.differences[:SHOWN]]
        more = len(self.differences) - SHOWN
        lines += [f"  and {more} more: isocenter reproduce ... --json lists them"] if more > 0 else []
        lines += [f"input: {path} {why} since" for path, why in (self.inputs or {}).items()]
        lines += [f"circumstance: {_told(d)}" for d in self.circumstances]
        lines += [f"hint: {h}" for h in self.hints]
        return [*lines, f"report: {self.folder / 'report.html'}", f"next: {self._next()}"]

    def _next(self) -> str:
        return f"isocenter paper {typed(self.run)}" if self.equal else f"isocenter reproduce {typed(self.run)} --json"


def reproduce(
    run: str | Path, *, out: str | Path | None = None, anyway: bool = False, overwrite: bool = False,
    report: Callable[[Progress], None] | None = None,
) -> Reproduction:
    """Runs the verb of a record again and holds what it gives against what it gave.

    Parameters
    ----------
    run
        Folder of a report, or a bundle whose report lies beside it.
    out
        Folder of the repetition; default ``RUN.again``.
    anyway
        Go on although files have changed since.
    overwrite
        Replace an earlier repetition.
    report
        Receives progress.

    Raises
    ------
    MissingFileError, UnreadableError
        There is no record.
    InputError
        The data were given in memory, or are no longer what they were.
    OutputError
        The folder exists.
    """
    record = read_record(run)
    folder = Path(out) if out is not None else Path(record["folder"]).with_name(Path(record["folder"]).name + ".again")
    repeatable(record)
    touched = changed(record["inputs"])
    if touched and not anyway:
        first, why = next(iter(touched.items()))
        raise InputError(
            f"{counted(len(touched), 'file')} of {len(record['inputs'])} changed since the run", where=first, got=why,
            wanted="the bytes that the record names", remedy="Put them back, or pass --anyway to see what that does")
    _cleared(folder, overwrite=overwrite)
    _again(record, folder, report)
    new = read_record(folder / named(record) if record["verb"] == "train" else folder)
    pairs = list(_pairs(record["outcome"], new["outcome"], ()))
    found = tuple(d for d in (_difference(*p) for p in pairs) if d)
    aside = circumstances(record)
    return Reproduction(Path(record["folder"]), Path(new["folder"]), record["verb"], len(pairs), found, touched, aside,
                        hints(record, touched, aside) if found else ())


def repeatable(record: Mapping[str, Any]) -> None:
    """InputError where the record does not hold what the run was given."""
    from isocenter.verbs import VERBS

    if record["verb"] not in VERBS:
        raise UsageError("the record is of a verb that is not known here", got=str(record["verb"]))
    if record["in_memory"]:
        raise InputError(
            "the run was given objects in memory, which no record can bring back", where=record["folder"],
            got=", ".join(record["in_memory"]), wanted="paths and names",
            remedy="Write the images and a table to a folder (see: isocenter split) and run the verb on that folder; "
            "or run the same Python code again and compare the two private/record.json")


def named(record: Mapping[str, Any]) -> str:
    """Name of the bundle of a repeated training: that of the first one, since reports speak of it."""
    old = Path(record["folder"]).name
    return (old.removesuffix(".report") or "run") + ".bundle"


def circumstances(record: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Versions and machine that are not as recorded."""
    before = {"version": record["versions"], "machine": record["machine"]}
    now = {"version": versions(), "machine": machine()}
    return tuple(d for d in (_difference(*p) for p in _pairs(before, now, ())) if d)


def hints(
    record: Mapping[str, Any], inputs: Mapping[str, str], aside: tuple[Difference, ...]
) -> tuple[str, ...]:
    """What may be why a repetition differs."""
    found = []
    if inputs:
        found.append(f"{counted(len(inputs), 'input file')} changed, which alone explains other results")
    other = [d.where.removeprefix("version ") for d in aside if d.where.startswith("version ")]
    if other:
        wanted = " ".join(f"{p}=={record['versions'][p]}" for p in other if p in record["versions"] and p != "python")
        found.append(f"other versions of {', '.join(other)}" + (f": pip install {wanted}" if wanted else ""))
    if any(d.where in ("machine family", "machine processor", "machine system") for d in aside):
        found.append("another processor or system: sums are rounded in another order, expect changes in late digits")
    if any(d.where == "machine cores" for d in aside):
        found.append(f"another number of cores; the run used --threads {record['arguments'].get('threads')}")
    if record["arguments"].get("time"):
        found.append("the run had a time budget: a machine under load may have ended it early")
    if record["arguments"].get("device") not in (None, "cpu"):
        found.append("the device was chosen by what was there; --device cpu fixes it")
    return tuple(found) or ("nothing recorded has changed: numbers that depend on chance or on load, or files that the "
                            "method reads beside the data; run once more to see whether they wander",)


def _again(record: Mapping[str, Any], folder: Path, report: Callable[[Progress], None] | None) -> None:
    from isocenter.verbs import verb

    given = {k: v for k, v in record["arguments"].items() if k not in ("origins",) and v not in (None, [], "")}
    if given.pop("time", None) and record["verb"] in ("train", "compare"):
        given["settings"] = {**given.get("settings", {}), **_epochs(record)}
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / named(record) if record["verb"] == "train" else folder
    # A search wants to make its folder itself.
    if record["verb"] == "tune":
        folder.rmdir()
    quiet: Callable[[Progress], None] = report or (lambda progress: None)
    verb(record["verb"])(**given, out=out, report=quiet, command=f"isocenter reproduce {typed(record['folder'])}")


def _epochs(record: Mapping[str, Any]) -> dict[str, int]:
    """A time budget became a number of epochs once; that number, and no clock, decides a repetition."""
    found = {}
    for name, method in record["methods"].items():
        epochs = (method["plan"].get("study") or {}).get("epochs")
        if epochs and method["bundle"] is None:
            found["study.epochs" if record["verb"] == "train" else f"{name}.study.epochs"] = epochs
    return found


def _cleared(folder: Path, *, overwrite: bool) -> None:
    usable(folder)
    if not folder.exists() or not any(folder.iterdir()):
        return
    # Nothing but an earlier run of ours is ever removed.
    ours = (folder / "report.html").is_file() or any(folder.glob("*.report/report.html"))
    if not overwrite or not ours:
        raise OutputError("the folder exists", where=str(folder),
                          remedy="Name another with -o" + (", or pass --overwrite" if ours else ""))
    shutil.rmtree(folder)


def _pairs(a: Any, b: Any, where: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Every value of two documents, side by side."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys((*a, *b)):
            yield from _pairs(a.get(key, "absent"), b.get(key, "absent"), (*where, str(key)))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            name = x.get("case", i) if isinstance(x, Mapping) else i
            yield from _pairs(x, y, (*where, str(name)))
    else:
        yield where, a, b


def _difference(where: tuple[str, ...], a: Any, b: Any) -> Difference | None:
    if a == b or (a != a and b != b):
        return None
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (a, b))
    return Difference(" ".join(w for w in where if w), a, b, b - a if numbers else None)


def _told(difference: Difference) -> str:
    change = "" if difference.by is None else f" (by {difference.by:+.3g})"
    return f"{difference.where}: was {difference.recorded}, now {difference.now}{change}"
