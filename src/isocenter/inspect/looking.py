"""What is this? A file, a series, a data set: described, never refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from isocenter import io
from isocenter.data import Cases, Image, Problem
from isocenter.errors import IsocenterError
from isocenter.inspect.truths import gathered

# The range of values is read from images up to this many pixels.
CHEAP = 64_000_000
# Fixed questions that any image can be asked.
ALWAYS = ("segment", "classify")

Survey = Callable[[Path], Cases]


@dataclass(frozen=True)
class Picture:
    """One image in words and numbers, without identifiers.

    Parameters
    ----------
    format
        Such as ``"nifti"``.
    axes, shape, dtype, channels, spacing, orientation, modality, unit, frames
        As the image says; spacing in mm in array order, None where unknown.
    low, high
        Range of the finite values, where reading them is cheap.
    """

    format: str
    axes: str
    shape: tuple[int, ...]
    dtype: str
    channels: tuple[str, ...] = ()
    spacing: tuple[float, ...] | None = None
    orientation: str | None = None
    modality: str | None = None
    unit: str = ""
    frames: int = 1
    low: float | None = None
    high: float | None = None

    def lines(self) -> list[str]:
        """For people."""
        size = " x ".join(map(str, self.shape))
        out = [f"{self.format}: {size} ({self.axes}), {self.dtype}" + (f", {self.modality}" if self.modality else "")]
        if self.spacing:
            where = f", axes run towards {self.orientation}" if self.orientation else ""
            out.append(f"spacing {' x '.join(f'{s:.4g}' for s in self.spacing)} mm{where}")
        else:
            out.append("spacing unknown: lengths would be in pixels")
        if self.channels:
            out.append(f"channels: {', '.join(self.channels)}")
        if self.low is not None:
            out.append(f"values {self.low:.6g} to {self.high:.6g}" + (f" {self.unit}" if self.unit else ""))
        return out


@dataclass(frozen=True)
class Look:
    """What something is.

    Parameters
    ----------
    path
        As given.
    kind
        ``"image"``, ``"series"``, ``"data set"`` or ``"unreadable"``.
    layout
        Convention of a data set, or format of a file.
    picture
        The image, or the first of a data set.
    series
        A line per DICOM series.
    chosen
        Which series would be read and why, or "".
    n_cases, n_subjects, subjects_known, splits, classes, tasks, columns
        Of a data set: counts, whether the patients are known, class names per task, questions with a truth, names of
        notes.
    problems
        What is wrong or worth knowing.
    """

    path: str
    kind: str
    layout: str = ""
    picture: Picture | None = None
    series: tuple[str, ...] = ()
    chosen: str = ""
    n_cases: int = 0
    n_subjects: int = 0
    subjects_known: bool = True
    splits: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        out = asdict(self)
        out["problems"] = [p.as_json() for p in self.problems]
        out["classes"] = {t: list(c) for t, c in self.classes.items()}
        return {"format": 1, **out, "splits": dict(self.splits)}

    def lines(self) -> list[str]:
        """For people."""
        out = [f"{self.path}: {self.kind}" + (f" ({self.layout})" if self.layout else "")]
        if self.kind == "data set":
            subjects = f"{self.n_subjects} subject{'s' * (self.n_subjects != 1)}"
            who = subjects if self.subjects_known else "patients unknown"
            out.append(f"{self.n_cases} case{'s' * (self.n_cases != 1)}, {who}")
            divided = {s: n for s, n in self.splits.items() if s}
            out.append("splits: " + (", ".join(f"{s} {n}" for s, n in divided.items()) if divided else "not divided"))
            out += [f"{task}: {_listed(self.classes[task])}" for task in self.tasks if self.classes.get(task)]
        first = "first image: " if self.kind == "data set" else ""
        out += [first * (i == 0) + line for i, line in enumerate(self.picture.lines() if self.picture else [])]
        out += [f"series {line}" for line in self.series] + ([self.chosen] if self.chosen else [])
        out += [f"notes: {', '.join(self.columns)}"] if self.columns else []
        out += [f"could be asked: {', '.join(self.tasks)}"] if self.tasks else []
        return out + [f"{p.severity}: {p.line()}" for p in self.problems]


def look(path: Any, *, read: Survey | None = None) -> Look:
    """What a path holds; never raises for what cannot be read, but says what is wrong with it.

    Parameters
    ----------
    path
        A file, a DICOM folder, a data set; or an image in memory, as `io.as_image` takes it.
    read
        Reads a path as a data set (``layouts.survey``); without it, only files and series are described.
    """
    if not isinstance(path, (str, Path)):
        return _held(path)
    path = Path(path)
    try:
        if path.is_file() and (read is None or not _tabular(path)):
            return _file(path)
        if read is None:
            return _series(path)
        cases = read(path)
        return _series(path) if cases.layout == "dicom_folder" else _set(path, cases, read)
    except IsocenterError as error:
        return Look(str(path), "unreadable", problems=(Problem.of(error, str(path)),))
    except (OSError, ValueError) as error:
        # A folder that may not be entered, a name that no file can have.
        text = error.strerror if isinstance(error, OSError) else str(error)
        return Look(str(path), "unreadable", problems=(
            Problem("unreadable", "error", "cannot be read", str(path)[:200], text or type(error).__name__),
        ))


def _held(obj: Any) -> Look:
    name, problems = type(obj).__name__, list[Problem]()
    try:
        image = io.as_image(obj)
    except IsocenterError as error:
        return Look(name, "unreadable", problems=(Problem.of(error, name),))
    return replace(_one(Path(name), image.source.format, described(image, problems), ()), problems=tuple(problems))


def _tabular(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".tsv", ".xlsx", ".parquet", ".json", ".npz")


def _file(path: Path) -> Look:
    problems: list[Problem] = []
    try:
        image = io.read_image(path, note=problems.append)
    except IsocenterError as error:
        return Look(str(path), "unreadable", problems=(*problems, Problem.of(error, str(path))))
    picture = described(image, problems)
    return _one(path, image.source.format, picture, problems)


def _one(path: Path, layout: str, picture: Picture | None, problems: Sequence[Problem]) -> Look:
    return Look(str(path), "image", layout, picture, n_cases=1, n_subjects=1, tasks=ALWAYS, problems=tuple(problems))


def described(image: Image, problems: list[Problem]) -> Picture:
    """An image in words and numbers; reads the pixels where that is cheap, and tells of values that are no numbers."""
    low = high = None
    if np.prod(image.shape) <= CHEAP:
        try:
            low, high = _range(image, problems)
        except IsocenterError as error:
            problems.append(Problem.of(error, image.name))
    g = image.geometry
    return Picture(
        image.source.format, image.axes, image.shape, image.dtype, image.channels, g.spacing, g.orientation,
        image.modality, image.unit, image.length("t"), low, high,
    )


def _range(image: Image, problems: list[Problem]) -> tuple[float | None, float | None]:
    array = image.pixels()
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    if finite.size < array.size:
        problems.append(Problem(
            "not-finite", "warning", "values that are NaN or infinite", image.name, f"{array.size - finite.size} pixels"
        ))
    if not finite.size:
        return None, None
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        what = "the image shows nothing: one value throughout"
        problems.append(Problem("constant", "warning", what, image.name, f"{low}"))
    return low, high


def _series(path: Path) -> Look:
    """A folder of DICOM: every series, and the one that would be read, with the reason."""
    series = io.find_series(path)
    best = next((s for s in series if s.recommended), None)
    problems = [p for s in series for p in s.problems]
    picture = None
    if best is not None:
        try:
            picture = described(io.read_image(path, series=best.uid, note=problems.append), problems)
        except IsocenterError as error:
            problems.append(Problem.of(error, str(path)))
    return Look(
        str(path), "series" if len(series) == 1 else "data set", "dicom_folder", picture,
        tuple(s.line() for s in series),
        _choice(series, best),
        n_cases=len(series), n_subjects=len(series), subjects_known=False, splits={"": len(series)},
        tasks=ALWAYS if picture else (), problems=gathered(list(dict.fromkeys(problems))),
    )


def _choice(series: Sequence[io.Series], best: io.Series | None) -> str:
    """Which series would be read, or why none would."""
    if best is not None:
        return f"series {best.number} would be read: {best.reason}"
    fit = sum(bool(s.shape) for s in series)
    if not fit:
        return "none of the series gives an image"
    return f"{fit} series give an image each, and none stands out as the one to read"


def _set(path: Path, cases: Cases, read: Survey) -> Look:
    problems = list(cases.problems)
    picture = None
    if cases.entries:
        try:
            picture = described(cases[0].image(), problems)
        except IsocenterError as error:
            problems.append(Problem.of(error, cases.entries[0].id))
    if len(cases) == 1 and not cases.table and not cases.tasks:
        return _one(path, cases.layout, picture, problems)
    classes = {task: found for task in cases.tasks if (found := _classes(path, task, read, problems))}
    columns = tuple(cases.entries[0].notes) if cases.entries else ()
    return Look(
        str(path), "data set", cases.layout, picture, n_cases=len(cases), n_subjects=cases.n_subjects,
        subjects_known=cases.subjects_known, splits=cases.splits, classes=classes, tasks=cases.tasks, columns=columns,
        problems=gathered(list(dict.fromkeys(problems))),
    )


def _classes(path: Path, task: str, read: Any, problems: list[Problem]) -> tuple[str, ...]:
    try:
        found: Cases = read(path, task=task)
    except IsocenterError as error:
        problems.append(Problem.of(error, str(path)))
        return ()
    problems += found.problems
    return found.classes


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
