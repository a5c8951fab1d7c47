"""How large, how many, how bright, how they lie to each other, and how they change: numbers read off labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from isocenter.data import Cases, NotEvaluated, Problem, Progress
from isocenter.errors import InputError, UsageError, nearest
from isocenter.inspect.readout import Readout, joined
from isocenter.verbs._bounds import bounds_of, levels_of
from isocenter.verbs._labels import Labelled, Reading, folder_frames, is_data, of_cases, of_frames, of_one
from isocenter.verbs._lung import LEAD as LUNG
from isocenter.verbs._lung import lung_tables
from isocenter.verbs._options import Options, checked, opening_of, reporter
from isocenter.verbs._readouts import document, shown, write_readouts
from isocenter.verbs._text import counted, typed
from isocenter.verbs._writing import caution

if TYPE_CHECKING:
    from isocenter.inspect.over_time import Moment

STAINS = ("hdab",)
# Options that change what is measured.
SAID = (
    "names", "parts", "thresholds", "frames", "frame", "slice", "given", "task", "series", "axes", "spacing", "target",
    "below", "above", "uptake", "radiomics",
)  # fmt: skip
# Columns of the summary that are shown, the first of each that there is.
LEAD = (
    ("case",), ("subject",), ("slice",), ("frame",), ("class",), ("objects",),
    ("total_area_mm2", "total_volume_ml", "total_area_px", "total_volume_px"),
    ("median_area_mm2", "median_volume_mm3", "median_area_px", "median_volume_px"),
    ("median_equivalent_diameter_mm", "median_equivalent_diameter_px"),
    ("median_suv_max",), ("density_per_mm2", "density_per_ml", "density_per_Mpx"), ("positive_share",), ("h_score",),
)  # fmt: skip


class Measuring(Options, total=False):
    """Options of `measure`.

    Parameters
    ----------
    names
        Number to class, for label maps that do not say it.
    parts
        Each connected part of a number is an object of its own.
    reach
        Relate only pairs whose surfaces are at most this far apart (mm, or px where the spacing is unknown).
    thresholds
        Mean optical density of DAB from which an object is weak, moderate, strong; default QuPath's 0.2, 0.4, 0.6.
    below, above
        Shares of an object's pixels below and above these values, in the image's unit.
    uptake
        Threshold of MTV and TLG in PET: ``"41%"`` of the maximum (the default of images in SUV), or an SUV.
    radiomics
        A table of the IBSI's features: how many grey levels an object has, or ``"width=25"``.
    frames
        LABELS (and IMAGE) are folders whose files are frames in the order of their names.
    frame, slice
        Of a data set: the columns that hold frame and slice.
    given
        Of a data set: the column or folder of the labels; default the truth.
    task
        Of a data set: ``"instances"`` or ``"segment"``; default the first of them that it brings.
    lung
        The first argument is a picture or film of a lung ultrasound, or a data set of such: pleural line, A- and
        B-lines and sliding are measured in the images themselves.
    probe
        Of them: ``"auto"`` (what the sides of the picture say), ``"linear"`` or ``"convex"``.
    overwrite
        Replace files that are there.
    series, axes, spacing
        As in `Opening`.
    """

    names: Mapping[int, str] | None
    parts: bool
    reach: float | None
    thresholds: Sequence[float] | None
    below: Sequence[float] | None
    above: Sequence[float] | None
    uptake: str | float | None
    radiomics: str | int | None
    frames: bool
    frame: str | None
    slice: str | None
    given: str | None
    task: str | None
    lung: bool
    probe: str | None
    overwrite: bool
    series: str | int | None
    axes: str | None
    spacing: Sequence[float] | None


@dataclass(frozen=True)
class Measured:
    """What was read off.

    Parameters
    ----------
    tables
        ``objects`` (a row an object) and ``summary`` (a row an image and class); where asked for ``relations`` and
        ``radiomics``; where there are frames ``over_time`` and ``ejection``.
    graphs
        Of the relations, one an image: nodes and edges.
    notes
        What a reader must know: units, conventions, what could not be told.
    problems
        Cases that could not be measured.
    files
        What was written.
    next
        The command that comes next, or "".
    """

    tables: Mapping[str, Readout]
    graphs: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = ()
    next: str = ""

    @property
    def exit_code(self) -> int:
        """3 when some cases could not be measured."""
        return 3 if self.problems else 0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return document(self.tables, self.graphs) | {
            "notes": list(self.notes), "problems": [p.as_json() for p in self.problems],
            "files": [str(f) for f in self.files],
        }  # fmt: skip

    def lines(self) -> list[str]:
        """The summary, ejection fractions, notes, and where the rest lies."""
        lines = shown(self.tables["summary"], LUNG if "frames" in self.tables else LEAD)
        if "ejection" in self.tables:
            lines += ["", *_ejected(self.tables["ejection"])]
        lines += [f"note: {note}" for note in self.notes]
        if self.problems:
            first = self.problems[0]
            lines.append(f"{counted(len(self.problems), 'case')} not measured, the first: {first.where}: {first.what}")
        lines += [f"written: {f}" for f in self.files]
        return [*lines, f"next: {self.next}"] if self.next else lines


@dataclass
class _Collected:
    """Tables of the images so far; every image's own columns say which it was."""

    parts: dict[str, list[tuple[Mapping[str, Any], Readout]]] = field(default_factory=dict)
    graphs: list[Mapping[str, Any]] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)


def measure(
    labels: Any,
    image: Any = None,
    *,
    out: str | Path | None = None,
    relations: bool = False,
    stain: str | None = None,
    **options: Unpack[Measuring],
) -> Measured:
    """Measures objects and regions: a row an object, a summary an image, and what is asked for beside them.

    Sizes are in px and, where the spacing is known, in mm2, or mm3 and ml; lengths in mm, else in px: the columns say
    so. Each number of a label map is an object; of a data set the labels are its truth.

    Parameters
    ----------
    labels
        A label map (PNG, TIFF, NIfTI, NumPy; a film's frames one after the other), an annotation file (COCO, GeoJSON,
        ImageJ RoiSet, ``.seg.nrrd``), a folder with one mask an object, a `Segmentation`, `Instances`, an array, a
        nibabel, SimpleITK or torch object; a list of these: frames; or a data set (a table, a folder with a manifest,
        `Cases`): each of its cases.
    image
        On the same grid, as many frames; gives the grey values of each channel, and the spacing where labels lack it.
    out
        ``.xlsx`` (a sheet a table), ``.csv`` (other tables beside it), ``.json``, or a folder of CSV files.
    relations
        How each pair of objects lies to each other, as a table and a graph.
    stain
        ``"hdab"``: the image is a colour picture of hematoxylin and DAB; adds optical densities, grades, positive
        share and H-score.

    Raises
    ------
    UsageError
        An option without meaning, or frames that differ in number.
    GeometryError
        Labels and image lie on different grids.
    InputError
        The only case cannot be measured, or none of several; too many objects to relate without `reach`.
    OutputError
        A file exists or cannot be written; nothing is written then.
    """
    checked(options, Measuring)
    if stain is not None and stain not in STAINS:
        raise UsageError(f"no stain {stain!r}", remedy=nearest(stain, STAINS))
    if options.get("lung"):
        return _of_lung(labels, image, out, relations or stain is not None, options)
    if options.get("probe"):
        raise UsageError("--probe is about lung ultrasound", remedy="Pass --lung too")
    got = _Collected()
    for label in _labelled(labels, image, options, got):
        try:
            _measure(label, got, relations, stain, options)
        except InputError as error:
            if not is_data(labels):
                raise
            _refused(got, label.name, error)
    if not got.parts:
        raise got.errors[0] if got.errors else InputError(
            "nothing has labels", where=str(labels), remedy="Name their column with --target or --given"
        )
    tables = _tables(got)
    files: tuple[Path, ...] = ()
    if out is not None:
        files = write_readouts(out, tables, graphs=got.graphs, overwrite=options.get("overwrite", False))
    plain = not (relations or stain or any(options.get(name) for name in SAID))
    return Measured(
        tables, tuple(got.graphs), tuple(got.notes), tuple(got.problems), files,
        _next(labels, image) if plain and not files else "",
    )  # fmt: skip


def _of_lung(images: Any, image: Any, out: Any, more: bool, options: Measuring) -> Measured:
    """Read-outs of lung ultrasound, which has no labels."""
    if image is not None or more:
        raise UsageError("--lung measures one image, film or data set, without labels, relations and stains",
                         remedy="Leave them out, or leave out --lung")
    tables, notes, problems = lung_tables(images, options)
    files: tuple[Path, ...] = ()
    if out is not None:
        files = write_readouts(out, tables, overwrite=options.get("overwrite", False))
    return Measured(tables, (), notes, problems, files)


def _next(labels: Any, image: Any) -> str:
    words = [typed(one) for one in (labels, image) if isinstance(one, str | Path)]
    return " ".join(["isocenter measure", *words, "-o measured.xlsx"]) if words else ""


def _labelled(labels: Any, image: Any, options: Measuring, got: _Collected) -> Iterator[Labelled]:
    reading = Reading(
        options.get("names"), options.get("parts", False), opening_of(options), options.get("frame") or "",
        options.get("slice") or "", options.get("given") or "",
    )  # fmt: skip
    if is_data(labels):
        if image is not None:
            raise UsageError("a data set brings its own images", got=str(image), remedy="Leave out IMAGE")
        yield from _from_data(labels, reading, options, got)
        return
    for name in ("frame", "slice", "given", "task"):
        if options.get(name):
            raise UsageError(f"--{name} is about data sets, and this is none", got=str(labels),
                             wanted="a table, or a folder with a manifest")
    if options.get("frames"):
        labels, image = folder_frames(labels), None if image is None else folder_frames(image)
    if isinstance(labels, list | tuple):
        if image is not None and not isinstance(image, list | tuple):
            raise UsageError("frames of labels need a list of images", got=type(image).__name__)
        yield from of_frames(labels, image, reading)
        return
    yield from of_one(labels, image, reading)


def _from_data(data: Any, reading: Reading, options: Measuring, got: _Collected) -> Iterator[Labelled]:
    from isocenter.verbs._cases import cases_of, warned

    cases = cases_of(data, options.get("task") or _task(data), options=_data_options(options))
    got.notes |= dict.fromkeys(warned(cases.problems))
    for i, (name, found) in enumerate(of_cases(cases, reading)):
        if isinstance(found, Labelled):
            yield found
        elif isinstance(found, NotEvaluated):
            got.problems.append(Problem("not-evaluated", "warning", found.reason, where=name, got=found.measured))
        else:
            _refused(got, name, found)
        reporter(options)(Progress("measure", (i + 1) / len(cases)))


def _refused(got: _Collected, name: str, error: InputError) -> None:
    got.errors.append(error)
    got.problems.append(Problem.of(error, name))


def _data_options(options: Measuring) -> Any:
    return {k: v for k, v in options.items() if k in ("target", "facts", "group", "positive", "role")}


def _task(data: Any) -> str:
    from isocenter.layouts import read

    if isinstance(data, Cases) and data.task:
        return data.task
    tasks = data.tasks if isinstance(data, Cases) else read(data).tasks
    if tasks == ("detect",):
        raise InputError("boxes alone say nothing about pixels", where=str(data)[:200], wanted="outlines or label maps",
                         remedy="The sides of the boxes are what there is to measure: they stand in the files")
    return next((t for t in ("instances", "segment") if t in tasks), "segment")


def _measure(label: Labelled, got: _Collected, relate: bool, stain: str | None, options: Measuring) -> None:
    """Adds one image to the tables."""
    from isocenter.inspect.measuring import THRESHOLDS, measured, scattered, summarised

    limits = (options.get("thresholds") or THRESHOLDS) if stain else None
    where = {"case": label.name, "subject": label.subject, "slice": label.piece, "frame": label.frame,
             "time_s": label.seconds}
    rows = measured(label.found, label.image, ids=label.ids, thresholds=limits, bounds=bounds_of(options))
    if "suv_max" in rows.header:
        got.notes[bounds_of(options).line()] = None
    made = {"objects": rows, "summary": summarised(label.found, rows)}
    if said := caution(label.found):
        got.notes[said] = None
    if any(row.get("overlap_px") for row in made["summary"].rows):
        got.notes["objects overlap: sums of areas count a shared pixel once (overlap_px in the summary)"] = None
    if (levels := levels_of(options, label.image)) is not None and label.image is not None:
        from isocenter.inspect.featured import featured

        made["radiomics"] = featured(label.found, label.image, levels, ids=label.ids)
        got.notes[levels.line()] = None
    if relate:
        from isocenter.inspect.relating import graph, related

        made["relations"] = related(label.found, ids=label.ids, reach=options.get("reach"))
        got.graphs.append({**{k: v for k, v in where.items() if v}, "unit": label.found.geometry.unit,
                           **graph(rows, made["relations"])})
    for title, part in made.items():
        got.parts.setdefault(title, []).append((where, part))
    if label.frame:
        from isocenter.inspect.over_time import moment

        got.moments.append(moment(label.found, subject=label.subject, piece=label.piece, frame=label.frame,
                                  seconds=label.seconds))
    _note(label, got, limits, 1 if options.get("parts") else scattered(label.found))


def _note(label: Labelled, got: _Collected, limits: Sequence[float] | None, parts: int) -> None:
    if label.found.geometry.affine is None:
        got.notes["the spacing is unknown: lengths and sizes are in px (--spacing gives mm)"] = None
    if not len(label.found):
        got.empty.append(label.name)
    if parts > 1:
        got.notes["an object lies in several unconnected parts: --parts measures each by itself"] = None
    if limits is not None:
        steps = ", ".join(f"{t:g}" for t in limits)
        got.notes[f"grades by the mean optical density of DAB from {steps}"] = None


def _tables(got: _Collected) -> dict[str, Readout]:
    """The collected tables; columns that say which image a row is of stand only where there are several."""
    from isocenter.inspect.over_time import DISCS, curves, ejections

    wheres = [where for where, _ in got.parts.get("objects", [])]
    several = [k for k in (wheres[0] if wheres else ()) if len({w[k] for w in wheres}) > 1]
    made = {
        title: joined([({k: where[k] for k in several}, rows) for where, rows in parts])
        for title, parts in got.parts.items()
    }
    if got.empty:
        n = len(got.empty)
        got.notes[f"{got.empty[0]}: no object" if n == 1 else f"{n} images hold no object"] = None
    if got.moments:
        made |= {"over_time": curves(got.moments), "ejection": ejections(got.moments)}
        if any(row["basis"] == DISCS for row in made["ejection"].rows):
            got.notes["volumes are sums of areas: slices of one distance and one pixel size are assumed"] = None
        if any(row["slices_left_out"] for row in made["ejection"].rows):
            got.notes["slices that lack a frame take no part in the volume (column slices_left_out)"] = None
    return made


def _ejected(rows: Readout) -> list[str]:
    """Ejection fractions of whole cavities; of slices where there are no others."""
    whole = [row for row in rows.rows if row["basis"] != "area"]
    columns = ("subject", "class", "basis", "slices", "slices_left_out", "ed_frame", "es_frame",
               "ejection_fraction_percent")
    lines = shown(Readout(rows.header, tuple(whole or rows.rows)), [(c,) for c in columns])
    by_area = len(rows.rows) - len(whole)
    return [*lines, f"and {by_area} of single slices by their area"] if whole and by_area else lines
