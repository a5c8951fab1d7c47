"""New images answered, each result beside a record of what made it."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Unpack, overload

from isocenter import catalog
from isocenter.data import Case, NotEvaluated, Problem, Progress, Tracks, Transform, as_settings
from isocenter.data.findings.boxes import OPERATING
from isocenter.errors import IsocenterError, OutputError, UsageError
from isocenter.infer import limited
from isocenter.infer.envelope import OUTSIDE
from isocenter.verbs._inputs import NOTHING, Input, bound, in_roles, inputs_of, of_roles
from isocenter.verbs._known_facts import ignored_facts
from isocenter.verbs._ledger import PROBLEMS, Ledger
from isocenter.verbs._method import Method, resolve
from isocenter.verbs._options import Answering, Opening, checked, opening_of, reporter, threads_of
from isocenter.verbs._overlaid import is_pair, registered
from isocenter.verbs._places import usable
from isocenter.verbs._recipe import Settings, settings_of
from isocenter.verbs._score import engine_of
from isocenter.verbs._text import counted, number, typed
from isocenter.verbs._writing import answer_of, asked_formats, caution, plain, planned, sure, written

FILES = (
    ".nii", ".nii.gz", ".tif", ".tiff", ".png", ".npy", ".npz", ".json", ".csv", ".xml", ".txt", ".geojson", ".zip",
    ".seg.nrrd", ".tfm", ".gif", ".mp4", ".avi",
)  # fmt: skip


@dataclass(frozen=True)
class Predictions:
    """What was answered, and where it lies.

    Parameters
    ----------
    folder
        Of the answers.
    method
        What answered, as ``TASK/METHOD``.
    items
        One mapping an input: name, source, status (``answered``, ``not evaluated``, ``refused``), files, answer.
    skipped
        Inputs that an earlier run had answered.
    problems
        What was refused.
    next
        The command that comes next.
    notes
        What a person should know of the inputs, as sentences.
    """

    folder: Path
    method: str
    items: tuple[Mapping[str, Any], ...]
    skipped: int
    problems: tuple[Problem, ...]
    next: str
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """3 when inputs were refused."""
        return 3 if self.problems else 0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": 1,
            "folder": str(self.folder),
            "method": self.method,
            "items": [dict(i) for i in self.items],
            "skipped": self.skipped,
            "n_refused": len(self.problems),
            "problems": [p.as_json() for p in self.problems],
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """One line an input, and where everything lies."""
        lines = [_line(item, self.folder) for item in self.items] + [f"note: {n}" for n in self.notes]
        if any(OUTSIDE in item["note"] for item in self.items if item["status"] == "not evaluated"):
            lines.append("--outside answer answers images outside all the same")
        if self.skipped:
            lines.append(f"{counted(self.skipped, 'input')} had been answered before")
        if self.problems:
            lines.append(f"{counted(len(self.problems), 'input')} refused, see {self.folder / PROBLEMS}")
        return [*lines, f"answers: {self.folder}", f"next: {self.next}"]


@overload
def predict(
    method: Any, inputs: Any, *, out: None = None, settings: Any = None, **options: Unpack[Answering]
) -> Any: ...


@overload
def predict(
    method: Any,
    inputs: Any,
    *,
    out: str | Path,
    settings: Any = None,
    overwrite: bool = False,
    formats: Sequence[str] = (),
    least: float = OPERATING,
    **options: Unpack[Answering],
) -> Predictions: ...


def predict(
    method: Any,
    inputs: Any,
    *,
    out: str | Path | None = None,
    settings: Mapping[str, Any] | Settings | None = None,
    overwrite: bool = False,
    formats: Sequence[str] = (),
    least: float = OPERATING,
    **options: Unpack[Answering],
) -> Any:
    """Answers one input or many.

    Parameters
    ----------
    method
        A bundle (path or name), ``"TASK/METHOD"``, or an object with `predict`.
    inputs
        A path, `Case`, `Image`, array, nibabel, SimpleITK or torch object, or a list of them. Paths: a file, a series
        folder, a folder of images. One case by name: a mapping of roles and facts, or a list of ``"ROLE=PATH"`` and
        ``"FACT=VALUE"``.
    out
        Folder for answers, or one file for one input; None gives the finding itself (a list of findings for a list).
    settings
        Of a method's recipe.
    overwrite
        Replace answers that are there.
    formats
        With a folder, more formats of boxes and objects: ``"coco"``, ``"voc"``, ``"yolo"``, ``"geojson"`` (QuPath),
        ``"roiset"`` (ImageJ), ``"nrrd"`` (3D Slicer); of tracks: ``"ctc"`` (Cell Tracking Challenge), ``"trackmate"``,
        ``"geojson"``, ``"mp4"``, ``"avi"``.
    least
        With `out`: boxes from this score on are written and counted, 0.5 being the limit of the greatest F1 on val; 0
        writes all of them, which curves and average precision need. The finding itself holds all of them.

    Returns
    -------
    The finding, or with `out` the `Predictions`.

    Raises
    ------
    IsocenterError
        The only input is refused; with several the rest goes on.
    """
    checked(options, Answering)
    outside = options.get("outside", "refuse")
    how = opening_of(options)
    asked = resolve(method, settings=settings_of(settings))
    if not asked.answers:
        raise UsageError(
            f"{asked.name} must be trained first", remedy=f"Run: isocenter train {asked.task} DATA -o BUNDLE"
        )
    asked, films = replace(asked, object=asked.answering(outside)), asked.task == "track"
    with limited(threads_of(options)):
        if out is not None:
            if not 0 <= least <= 1:
                raise UsageError("scores lie between 0 and 1", got=str(least), wanted="--least 0.5 or the like")
            points = options.get("landmarks")
            place = _Place(Path(out), overwrite, asked_formats(formats, asked.task), least, outside,
                           None if points is None else Path(points))
            place.checked(asked.task)
            return _to_disk(asked, _paths(inputs), place=place, options=options)
        if isinstance(inputs, (list, tuple)) and not bound(inputs):
            return [asked.object.predict(case_of(one, how=how, films=films)) for one in inputs]
        return asked.object.predict(case_of(inputs, how=how, films=films))


@dataclass(frozen=True)
class _Place:
    """Where answers go: folder or file, whether what is there is replaced, formats, which boxes, images, landmarks."""

    out: Path
    overwrite: bool
    formats: tuple[str, ...] = ()
    least: float = OPERATING
    outside: str = "refuse"
    landmarks: Path | None = None

    def checked(self, task: str) -> None:
        """UsageError where landmarks were given that nothing brings over."""
        if self.landmarks is not None and (task != "register" or self.out.name.lower().endswith(FILES)):
            raise UsageError("landmarks are brought over by a registration, into a folder",
                             got=f"{task}, -o {self.out}", wanted="register/METHOD, -o FOLDER")


def _to_disk(asked: Method, paths: Sequence[str | Path], *, place: _Place, options: Opening) -> Predictions:
    roles = catalog.task(asked.task).roles if asked.task in catalog.tasks() else ()
    inputs, out = inputs_of(in_roles(paths, roles), how=opening_of(options), films=asked.task == "track"), place.out
    single = out.name.lower().endswith(FILES)
    if single and len(inputs) > 1:
        raise UsageError("one file for several inputs", got=str(out), wanted="a folder", remedy="Pass -o FOLDER")
    folder = out.parent if single else out
    usable(folder)
    # One named file has a record under its own name, so that a folder can hold several.
    record = {"record": f"{out.name}.json"} if single else {}
    which: dict[str, Any] = {"least": place.least} if asked.task == "detect" else {}
    if asked.envelope is not None and place.outside != "refuse":
        which["outside"] = place.outside
    ledger = Ledger(folder, _made(asked) | which, **record)
    problems: list[Problem] = []
    skipped = 0
    try:
        for i, one in enumerate(inputs):
            try:
                skipped += not _answered(asked, one, ledger=ledger, out=out if single else None, place=place)
            except IsocenterError as error:
                if len(inputs) == 1:
                    raise
                problems.append(Problem.of(error, one.source))
                ledger.put(one.name, source=one.source, status="refused", files=[], note=error.line())
            reporter(options)(Progress("predict", (i + 1) / len(inputs)))
    finally:
        ledger.close(problems)
    items = tuple(ledger.items[i.name] for i in inputs)
    after = _next(asked, inputs, items, folder)
    told = tuple(dict.fromkeys(note for i in inputs for note in ignored_facts(asked, i.facts)))
    return Predictions(folder, f"{asked.task}/{asked.method}", items, skipped, tuple(problems), after, told)


def _answered(asked: Method, one: Input, *, ledger: Ledger, out: Path | None, place: _Place) -> bool:
    """Answers one input; False where an earlier run had done so already."""
    case = one.open()
    sha = one.sha256()
    files = planned(one.name, case.image(), task=asked.task, out=out, formats=place.formats)
    # A format that is asked for now may not have been asked for then.
    new = any(f in files and not (ledger.folder / files[f]).exists() for f in place.formats)
    before = ledger.done(one.name, sha)
    if before and not place.overwrite and not new:
        return False
    there = [f for f in files.values() if (ledger.folder / f).exists()]
    if there and not place.overwrite and not before and not ledger.ours(one.name, sha):
        raise OutputError(
            "the file exists and was not made by this method from this input",
            where=str(ledger.folder / there[0]),
            remedy="Pass --overwrite or name another folder",
        )
    ledger.put(one.name, source=one.source, sha256=sha, status="pending", files=list(files.values()))
    try:
        start = time.perf_counter()
        found = asked.object.predict(case)
        seconds = round(time.perf_counter() - start, 3)
        found, unsure = sure(found, place.least)
        kept, more = _kept(asked, found, case, folder=ledger.folder, files=files, landmarks=place.landmarks)
    except Exception:
        # Whatever it was: what this input had begun to write goes, unless it stood there before.
        ledger.items.pop(one.name)
        for name in files.values():
            if name not in there:
                (ledger.folder / name).unlink(missing_ok=True)
        raise
    note = found.line() if isinstance(found, NotEvaluated) else ""
    status = "not evaluated" if note else "answered"
    note = "; ".join(n for n in (note or caution(found), unsure) if n)
    said = {"status": status, "files": kept, "answer": answer_of(found) | more, "note": note, "seconds": seconds}
    if isinstance(found, Tracks):
        said["ms_per_frame"] = round(1e3 * seconds / max(found.length, 1), 3)
    ledger.put(one.name, source=one.source, sha256=sha, **said)
    return True


def _kept(
    asked: Method, found: Any, case: Case, *, folder: Path, files: Mapping[str, str], landmarks: Path | None
) -> tuple[list[str], dict[str, Any]]:
    """Writes the answer's files; gives their names, and what more is measured of a registration."""
    if isinstance(found, NotEvaluated):
        return [], {}
    moving = case.images.get("moving")
    kept = written(found, case.image(), folder=folder, files=files, codes=_codes(asked), moving=moving)
    if not isinstance(found, Transform) or "page" not in files or not is_pair(case):
        return kept, {}
    name = f"{asked.task}/{asked.method}"
    beside, more = registered(found, case, folder=folder, files=files, method=name, landmarks=landmarks)
    return kept + beside, more


def _made(asked: Method) -> dict[str, Any]:
    """What made the answers: enough to name it again."""
    made: dict[str, Any] = {
        "method": f"{asked.task}/{asked.method}", "isocenter": version("isocenter"), "engine": engine_of(asked)
    }
    if asked.bundle is not None:
        seal = (asked.bundle.path / "bundle.json").read_bytes()
        return {**made, "bundle": asked.bundle.path.name, "bundle_sha256": hashlib.sha256(seal).hexdigest()}
    if asked.parts:
        made["parts"] = [_made(p) for p in asked.parts]
    return {**made, "parameters": _parameters(asked.object)}


def _parameters(method: Any) -> dict[str, Any]:
    """JSON-able settings of a method; a part stands as its type, it has a record of its own."""
    if not is_dataclass(method):
        return {}
    said = {k: getattr(method, k) if hasattr(getattr(method, k), "predict") else v
            for k, v in as_settings(method).items()}
    return dict(plain(said))


def _codes(asked: Method) -> dict[str, int]:
    made = asked.bundle.about.get("made", {}) if asked.bundle else {}
    return dict(made.get("codes") or {})


def _paths(inputs: Any) -> list[str | Path]:
    given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    if not all(isinstance(one, (str, Path)) for one in given):
        raise UsageError(
            "only files and folders are answered to disk",
            got=type(given[0]).__name__,
            remedy="Leave out `out`, and write the finding with isocenter.write",
        )
    return given


def case_of(one: Any, *, how: Mapping[str, Any] = NOTHING, films: bool = False) -> Case:
    """A case from a path (read as `how` says), an image in memory, roles by name, or a `Case`; raises as reading.

    Where `films` are asked about, a folder of single images is one.
    """
    if isinstance(one, Case):
        return one
    if isinstance(one, Mapping):
        return of_roles(one)
    if isinstance(one, (str, Path, list, tuple)):
        found = inputs_of([one] if isinstance(one, (str, Path)) else one, how=how, films=films)
        if len(found) != 1:
            raise UsageError("a folder of several images", got=str(one), wanted="one input, or `out`")
        return found[0].open()
    from isocenter.io import as_image

    return Case.of(as_image(one))


def _line(item: Mapping[str, Any], folder: Path) -> str:
    if item["status"] != "answered":
        # A refusal names the file that it is about, which is mostly the input itself.
        note = item["note"] or item["status"]
        return note if note.startswith(str(item["source"])) else f"{item['source']}: {note}"
    # The matrix of a registration stands in the table; people want its page.
    told = {k: v for k, v in item["answer"].items() if v is not None and not re.fullmatch(r"m\d\d", k)}
    said = ", ".join(f"{k} {number(v) if isinstance(v, float) else v}" for k, v in told.items())
    first = next((f for f in item["files"] if f.endswith(".html")), (item["files"] or [""])[0])
    place = f" -> {folder / first}" if first else ""
    note = f" ({item['note']})" if item["note"] else ""
    said += f", {item['ms_per_frame']:.3g} ms a frame" if "ms_per_frame" in item else ""
    return f"{item['source']}: {said}{note}{place}"


def _next(asked: Method, inputs: Sequence[Input], items: Sequence[Mapping[str, Any]], folder: Path) -> str:
    first = inputs[0].source
    if asked.bundle is not None and asked.task == "instances" and items[0].get("files"):
        return f"isocenter measure {typed(folder / items[0]['files'][0])} {typed(first)}"
    if asked.bundle is not None and asked.task in ("detect", "register", "track"):
        return f"isocenter evaluate {asked.reference} DATA --split test"
    if asked.bundle is not None:
        return f"isocenter explain {asked.reference} {typed(first)} -o explained"
    return f"isocenter evaluate {asked.reference} DATA --split test"
