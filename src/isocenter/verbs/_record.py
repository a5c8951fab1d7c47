"""What a run rests on, as one JSON file in the private part of its report: enough to write it up and to repeat it."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isocenter.data import Cases, Scores
from isocenter.errors import MissingFileError, UnreadableError
from isocenter.files import write_text
from isocenter.verbs._inventory import checksums, counted_splits, described, files_of, sourced
from isocenter.verbs._method import Method
from isocenter.verbs._options import threads_of
from isocenter.verbs._recipe import settings_of
from isocenter.verbs._writing import plain

if TYPE_CHECKING:
    from isocenter.report import Run

FORMAT = 1
PRIVATE, FILE = "private", "record.json"
# Which do not change a result, or are known only to the run itself.
PASSING = ("report", "command", "overwrite", "resume", "out")
PARTS = ("isocenter", "numpy", "scipy", "numba", "scikit-image", "onnxruntime", "torch", "optuna")
# What a clock, a place or the wording decides: no part of what a repetition must give again.
CIRCUMSTANCES = frozenset((
    "seconds", "peak_mb", "estimated_mb", "training", "report", "bundle", "folder", "threads", "notes", "problems",
    "data", "place",
))  # fmt: skip


def keep(
    run: Run, given: Mapping[str, Any], *, made: Any, cases: Cases, methods: Sequence[Method], folder: Path
) -> Path:
    """Writes ``private/record.json`` into the folder of a report.

    Parameters
    ----------
    run
        What the report shows; gives the verb, the time and the command.
    given
        Every argument and option of the call, by name.
    made
        What the verb gives back.
    cases
        As they were used: all splits, before one was chosen.
    methods
        As they answered.
    folder
        Of the report.

    Raises
    ------
    OutputError, ResourceError
        It cannot be written.
    """
    arguments, memory = _arguments(given)
    # What a search made is no input of it.
    bundles = [m.bundle.path for m in methods if m.bundle is not None and run.verb != "tune"]
    record = {
        "format": FORMAT, "verb": run.verb, "created": run.created, "command": run.command, "arguments": arguments,
        "in_memory": memory, "data": _data(cases, arguments.get("data")),
        "inputs": checksums(files_of(cases, more=bundles)), "pixels": dict(run.made.get("inputs") or {}),
        "methods": {m.name: _method(m) for m in methods}, "versions": versions(), "machine": machine(),
        "problems": [p.as_json() for p in run.problems],
        "result": plain(made.as_json()), "outcome": outcome(made),
    }
    target = folder / PRIVATE / FILE
    write_text(target, json.dumps(record, indent=1, ensure_ascii=False) + "\n", overwrite=True)
    return target


def read_record(run: str | Path) -> dict[str, Any]:
    """The record of a report folder, of its report.html, or of a bundle whose report lies beside it.

    Raises
    ------
    MissingFileError
        There is none.
    UnreadableError
        It is no record, or one of a newer format.
    """
    from isocenter.verbs._bundling import report_folder

    given = Path(run)
    folder = given.parent if given.is_file() else given
    places = (folder, report_folder(folder)) if folder.name else (folder,)
    path = next((p / PRIVATE / FILE for p in places if (p / PRIVATE / FILE).is_file()), None)
    if path is None:
        raise MissingFileError(
            "there is no record of a run here", where=str(given), wanted=f"{PRIVATE}/{FILE} in the folder of a report",
            remedy="Name the folder that train, evaluate, compare or tune wrote its report into; a report of an older "
            "version has no record, so run its command again")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnreadableError("the record is not JSON", where=str(path), got=str(error)) from error
    if not isinstance(record, dict) or not isinstance(record.get("format"), int):
        raise UnreadableError("this is no record of a run", where=str(path))
    if record["format"] > FORMAT:
        raise UnreadableError("the record is of a newer format", where=str(path), got=str(record["format"]),
                              wanted=f"at most {FORMAT}", remedy="Install a newer isocenter")
    return {**record, "folder": str(path.parent.parent)}


def outcome(made: Any) -> dict[str, Any]:
    """What a repetition must give again, bit for bit: results, the records of every case, the network's checksums."""
    document = stripped(made.as_json())
    tables = {"": made} if isinstance(made, Scores) else dict(getattr(made, "methods", None) or {})
    if isinstance(getattr(made, "scores", None), Scores):
        tables["val"] = made.scores
    gain = getattr(made, "gain", None)
    tables |= dict(gain.methods) if gain is not None else {}
    found: dict[str, Any] = {"result": plain(document), "cases": {k: _cases(s) for k, s in tables.items()}}
    bundle = getattr(made, "bundle", None)
    if bundle is not None:
        files = bundle.about.get("files", {})
        found["weights"] = {n: f["sha256"] for n, f in files.items() if n.endswith((".onnx", ".safetensors"))}
    return found


def stripped(value: Any) -> Any:
    """A document without what a clock or a place decides."""
    if isinstance(value, Mapping):
        return {k: stripped(v) for k, v in value.items() if k not in CIRCUMSTANCES}
    return [stripped(v) for v in value] if isinstance(value, (list, tuple)) else value


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that compute; those that are not installed are left out."""
    found = {"python": platform.python_version()}
    for part in PARTS:
        try:
            found[part] = version(part)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Where it ran: system, processor and its family, cores."""
    return {"system": sys.platform, "processor": platform.machine(), "family": _family(), "cores": os.cpu_count()}


def _family() -> str:
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return platform.processor() or "unknown"
    said = [line.partition(":") for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    known = {key.strip(): value.strip() for key, _, value in reversed(said)}
    flags = known.get("flags", known.get("Features", "")).split()
    wide = [f for f in ("avx512f", "avx2", "avx", "asimd") if f in flags]
    parts = (known.get("vendor_id"), known.get("cpu family"), known.get("model name"), *wide[:1])
    return " ".join(p for p in parts if p) or "unknown"


def _arguments(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The call as plain values, paths absolute; and the names of what was given in memory."""
    from isocenter.verbs._study import plan_of

    memory: list[str] = []
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in PASSING:
            continue
        if name in ("data", "method"):
            found[name] = _place(value)
            memory += [] if value is None or isinstance(value, (str, Path)) else [name]
        elif name == "methods":
            found[name] = [_place(v) for v in value]
            memory += [name] if any(not isinstance(v, (str, Path)) for v in value) else []
        elif name == "settings":
            settings = settings_of(value)
            found[name] = {k: _named(v) for k, v in settings.values.items()}
            found["origins"] = dict(settings.origins)
            memory += [f"settings {k}" for k, v in settings.values.items() if plain(v) != _as_list(v)]
        else:
            found[name] = plain(plan_of(value) if name == "plan" else value)
    found["threads"] = threads_of(given)  # type: ignore[arg-type]
    return {**found, "seed": found.get("seed", 0)}, memory


def _as_list(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _as_list(v) for k, v in value.items()}
    return [_as_list(v) for v in value] if isinstance(value, (list, tuple)) else value


def _place(value: Any) -> Any:
    """A path as it is found from everywhere; the name of a method or of a shipped bundle as it is."""
    if not isinstance(value, (str, Path)):
        return None
    return str(Path(value).resolve()) if Path(value).exists() else str(value)


def _named(value: Any, key: str = "") -> Any:
    """A setting as plain values; files and bundles that it names are found from everywhere."""
    if isinstance(value, Mapping):
        return {k: _named(v, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_named(v, key) for v in value]
    if isinstance(value, (str, Path)) and value and (key == "use" or Path(value).suffix or os.sep in str(value)):
        return _place(value)
    return plain(value)


def _data(cases: Cases, place: str | None) -> dict[str, Any]:
    return {
        "name": cases.name, "table": str(Path(cases.table).resolve()) if cases.table else "",
        "layout": cases.layout, "task": cases.task,
        "classes": list(cases.classes), "positive": cases.positive, "multilabel": cases.multilabel,
        "subjects_known": cases.subjects_known, "subjects": cases.n_subjects, "cases": len(cases),
        "allow": dict(cases.allow), "left_out": dict(cases.unused),
        "problems": [p.as_json() for p in cases.problems], "splits": counted_splits(cases),
        **described(cases), "source": sourced(place or cases.table),
    }


def _method(method: Method) -> dict[str, Any]:
    from isocenter.verbs._score import engine_of

    about: Mapping[str, Any] = getattr(method.object, "about", None) or {}
    files = method.bundle.about.get("files", {}) if method.bundle else {}
    plan = dict(about.get("scheme") or {"plan": about.get("plan") or {}})
    return {
        "task": method.task, "method": method.method, "recipe": plain(about.get("recipe") or {}),
        "plan": plain({k: v for k, v in plan.items() if k != "origins"}), "engine": engine_of(method),
        "origins": {**plain(plan.get("origins") or {}), **plain(about.get("origins") or {}), **method.origins},
        "stopped": str(about.get("stopped") or ""), "last": plain((list(about.get("history") or ()) or [None])[-1]),
        "bundle": str(method.bundle.path) if method.bundle else None,
        "made": dict(method.bundle.about.get("made") or {}) if method.bundle else {},
        "card": plain(dict(method.bundle.about.get("card") or {})) if method.bundle else {},
        "files": {n: f.get("sha256", "") for n, f in files.items()},
        "parts": {p.name: _method(p) for p in method.parts},
    }


def _cases(scores: Scores) -> list[dict[str, Any]]:
    return [{"case": c.case, "group": c.group, "note": c.note, "records": _as_list(c.records)} for c in scores.cases]
