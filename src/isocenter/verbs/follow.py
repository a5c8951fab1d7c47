"""Lesions of one subject followed over examinations: which is which, what changed, and how sure that is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack

from isocenter.data.findings.followed import Followed
from isocenter.errors import UsageError, nearest
from isocenter.files import write_text
from isocenter.infer import limited
from isocenter.inspect.follow_tables import tables
from isocenter.inspect.following import Exam, Rules, axial, followed, large_enough
from isocenter.inspect.readout import Readout
from isocenter.inspect.recist import summed
from isocenter.verbs._aligning import aligned
from isocenter.verbs._exams import DATE, Asked, Course, courses, organs_known
from isocenter.verbs._follow_words import said
from isocenter.verbs._options import Options, checked, reporter, threads_of
from isocenter.verbs._places import vacant_report
from isocenter.verbs._readouts import NOTICE, write_readouts
from isocenter.verbs._recipe import settings_of
from isocenter.verbs._text import typed

# Classes that are lymph nodes by their name.
NODES = ("node", "nodes", "lymph_node", "lymph node", "lymphnode")
# Share of the reach beyond which lesions lie so far off that the alignment is doubted.
FAR = 0.3
# Folder of the page within the results.
PAGE = "report"
MEASURES = ("size", "diameter")


class Following(Options, total=False):
    """Options of `follow`.

    Parameters
    ----------
    images, dates
        One an examination, in the same order; dates as 2024-03-01, 20240301, or days.
    find
        What finds the lesions where the examinations are images: a bundle or TASK/METHOD.
    settings
        Of the recipe of `register`.
    names
        Number to class of label maps; a class that names an organ lets RECIST's rule of two an organ hold.
    whole
        Each number of a label map is one lesion; else each of its connected parts is.
    date
        Of a table, the column of the dates; default ``"date"``.
    nodes
        Classes that are lymph nodes.
    reach, border, repeatability, least
        As in `isocenter.inspect.following.Rules`.
    overwrite, command
        Replace what is there; as typed, for the report.
    series, axes, spacing
        As in `isocenter.verbs._options.Opening`.
    """

    images: Sequence[Any] | None
    dates: Sequence[str] | None
    find: Any
    settings: Any
    names: Mapping[int, str] | None
    whole: bool
    date: str | None
    nodes: Sequence[str]
    reach: float | None
    border: float | None
    repeatability: Mapping[str, float] | None
    least: float | None
    overwrite: bool
    command: str
    series: str | int | None
    axes: str | None
    spacing: Sequence[float] | None


@dataclass(frozen=True)
class FollowUp:
    """What became of the lesions of each subject.

    Parameters
    ----------
    subjects
        One finding a subject.
    tables
        ``sums``, ``lesions``, ``exams``.
    courses
        The examinations themselves.
    files
        What was written.
    next
        The command that comes next.
    """

    subjects: tuple[Followed, ...]
    tables: Mapping[str, Readout]
    courses: tuple[Course, ...] = field(default=(), repr=False)
    files: tuple[Path, ...] = ()
    next: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        rows = {title: [dict(row) for row in table.rows] for title, table in self.tables.items()}
        notes = [list(one.notes) for one in self.subjects]
        return {"format": 1, "notice": NOTICE, **rows, "notes": notes, "files": [str(f) for f in self.files]}

    def lines(self) -> list[str]:
        """What was found, in words; where the rest lies; what comes next."""
        lines = []
        for one in self.subjects:
            lines += ([f"subject {one.subject}"] if len(self.subjects) > 1 else []) + said(one)
        lines += [f"note: {n}" for n in dict.fromkeys(n for one in self.subjects for n in one.notes)]
        lines += [f"written: {f}" for f in self.files]
        return [*lines, f"next: {self.next}"] if self.next else lines


def follow(
    exams: Any, *, out: str | Path | None = None, register: Any = None, **options: Unpack[Following]
) -> FollowUp:
    """Follows lesions over two or more examinations of one subject, or of each subject of a table.

    Sizes are measured on each examination's own grid; the registration only decides which lesion is which. Every size
    carries the error of its measurement (`isocenter.ops.size_error`), and every change its limits.

    Parameters
    ----------
    exams
        Label maps or annotation files of the lesions in order of time (paths, `Segmentation`, `Instances`, arrays),
        images with `find`, or a table or `Cases` with subject, date, image and mask.
    out
        Folder for CSV, JSON and report/report.html; None: nothing is written.
    register
        A method of register, a bundle or an object; ``"world"``: the headers as they are; None: the world that they
        share, refused where they share none.

    Raises
    ------
    UsageError
        Fewer than two examinations; dates that leave the order open; different patients; an option out of range.
    GeometryError
        Labels on another grid than their image; examinations that share no world.
    InputError
        As reading; a registration that fails.
    """
    checked(options, Following)
    rules = _rules(options)
    if out is not None:
        vacant_report(Path(out) / PAGE, overwrite=options.get("overwrite", False))
    asked = Asked(
        options.get("images"), options.get("dates"), options.get("find"), options.get("names"),
        options.get("whole", False), options.get("date") or DATE,
        {k: v for k, v in options.items() if k in Options.__annotations__ or k in ("series", "axes", "spacing")},  # type: ignore[arg-type]
    )
    with limited(threads_of(options)):
        read = courses(exams, asked)
        read = tuple(replace(c, exams=tuple(large_enough(e, rules) for e in c.exams)) for c in read)
        found = tuple(_followed(one, register, rules, options) for one in read)
    made = FollowUp(found, tables(found), read, next=_next(exams, out, options))
    return made if out is None else _written(made, Path(out), options)


def _rules(options: Following) -> Rules:
    reach, border, least = (options.get(k) for k in ("reach", "border", "least"))
    repeated = dict(options.get("repeatability") or {})
    for name in repeated:
        if name not in MEASURES:
            raise UsageError(f"no repeatability of {name!r}", remedy=nearest(name, MEASURES))
    numbers = {"reach": reach, "border": border, "least": least, **repeated}
    for name, number in numbers.items():
        if number is not None and not 0 <= float(number) < 1e6:  # type: ignore[arg-type]
            raise UsageError(f"{name} is a length or a share, 0 or more", got=str(number))
    plain = Rules(border=border, repeatability=repeated, nodes=(*NODES, *options.get("nodes", ())))  # type: ignore[arg-type]
    return replace(plain, reach=plain.reach if reach is None else float(reach), least=float(least or 0.0))  # type: ignore[arg-type]


def _followed(course: Course, register: Any, rules: Rules, options: Following) -> Followed:
    exams = course.exams
    ways, words, facts, notes = aligned(
        exams, register, settings=settings_of(options.get("settings")), report=reporter(options))
    found = followed(exams, ways, rules, subject=course.subject, aligned=words, numbers=facts)
    grid = exams[0].found.geometry
    organs = organs_known(exams)
    thick = grid.spacing[axial(grid)] if grid.spacing and grid.ndim == 3 else None
    made = summed(found, thickness=thick, organs=organs)
    return replace(made, notes=(*course.notes, *notes, *_notes(made, exams, rules, organs)))


def _notes(found: Followed, exams: Sequence[Exam], rules: Rules, organs: bool) -> list[str]:
    """What a reader must know of the numbers."""
    lines = []
    if not found.lesions:
        lines.append("no examination holds a lesion: check that these are labels of lesions (isocenter look LABELS)")
    elif found.unit == "px":
        lines.append("the spacing is unknown: lengths are in px, and RECIST's sums are left out (--spacing gives mm)")
    elif not found.totals:
        lines.append("no lesion of the baseline is large enough for a target of RECIST 1.1 (10 mm; nodes 15 mm)")
    if found.totals and not organs:
        lines.append("the labels name no organs, so that at most two targets an organ is not observed (--names 1=liver,"
                     "2=lung)")
    if found.totals and any("split" in (s.state for s in one.seen if s) for one in found.lesions):
        lines.append("the diameters of a lesion in parts are added up")
    how = ("from the repeatability given" if rules.repeatability else
           f"a border seen within {rules.border:g} mm (one standard deviation)" if rules.border is not None else
           "a border seen anywhere within half a pixel")
    lines.append(f"limits are 95 % limits of the error of measurement: grid, and {how}")
    far = [e.residual for e in found.exams if e.residual is not None and e.residual > FAR * rules.reach]
    if far:
        lines.append(f"lesions lie {max(far):.1f} {found.length} from where they were expected: the examinations may "
                     "not be aligned, and lesions may be mixed up (--register; isocenter methods register)")
    if any(e.image is None for e in exams):
        lines.append("without images the pictures show outlines alone (--images)")
    return lines


def _written(made: FollowUp, out: Path, options: Following) -> FollowUp:
    from isocenter.report import write_report
    from isocenter.verbs._follow_page import page_of

    overwrite = options.get("overwrite", False)
    files = write_readouts(out, made.tables, overwrite=overwrite)
    run = page_of(made.subjects, made.courses, options.get("command", ""))
    page = write_report(run, out / PAGE, overwrite=overwrite)
    made = replace(made, files=(*files, out / "followed.json", page))
    write_text(out / "followed.json", json.dumps(made.as_json(), indent=1, allow_nan=False) + "\n", overwrite=overwrite)
    return made


def _next(exams: Any, out: Any, options: Following) -> str:
    given = list(exams) if isinstance(exams, list | tuple) else [exams]
    words = [typed(one) for one in given if isinstance(one, str | Path)]
    if not words or len(words) != len(given):
        return ""
    if out is None:
        command = options.get("command") or " ".join(["isocenter follow", *words])
        return f"{command} -o followed"
    last = options.get("images")
    return " ".join(["isocenter measure", words[-1], *([typed(last[-1])] if last else []), "-o measured.xlsx"])
