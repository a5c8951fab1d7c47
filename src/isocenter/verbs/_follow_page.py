"""The page of lesions over time: what is drawn, cut out of each examination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from isocenter.data import OBJECT, Array
from isocenter.data.findings.followed import Followed, Lesion, Sighting
from isocenter.inspect.follow_tables import change
from isocenter.inspect.following import Exam, axial, outlined
from isocenter.report import Run, windowed
from isocenter.report.followed import FollowRun, Strip, Tile
from isocenter.verbs._exams import Course
from isocenter.verbs._explanation import stamp
from isocenter.verbs._follow_words import HEAD, WORDS, amount, headline, row
from isocenter.verbs._pictures import shown
from isocenter.verbs._text import counted

# Lesions that are drawn; the tables hold all.
DRAWN = 8
# Side of a tile by the longest diameter of its lesion, and the least in mm (px).
ROOM, LEAST = 2.2, 30.0


def page_of(subjects: Sequence[Followed], courses: Sequence[Course], command: str) -> Run:
    """One page; of several subjects a chapter each."""
    if len(subjects) == 1:
        return _page(subjects[0], courses[0], command)
    chapters = tuple(_page(f, c, "") for f, c in zip(subjects, courses, strict=True))
    names = tuple(n for c in chapters for n in c.identifiers)
    return Run(title=f"Lesions of {len(subjects)} subjects over time", verb="follow", created=stamp(), command=command,
               headline=f"{len(subjects)} subjects, one chapter each.", parts=chapters, identifiers=names)


def _page(found: Followed, course: Course, command: str) -> FollowRun:
    planes = [_Planes(exam) for exam in course.exams]
    chosen = _chosen(found)
    strips = tuple(Strip(one.name, _named(one), _tiles(found, one, planes)) for one in chosen)
    names = (found.subject, *course.identifiers, *(e.name for e in course.exams))
    return FollowRun(
        title=f"Lesions over time{': ' + found.subject if found.subject else ''}", verb="follow", created=stamp(),
        command=command, headline=headline(found), notes=found.notes, facts=_facts(found), followed=found,
        strips=strips, rows=(HEAD, *(row(found, one) for one in found.lesions)),
        made={"notice": "research use only"}, identifiers=tuple(dict.fromkeys(n for n in names if n)),
    )  # fmt: skip


def _facts(found: Followed) -> dict[str, str]:
    facts = {}
    for k, exam in enumerate(found.exams):
        day = "" if exam.day is None else f", day {exam.day:g}"
        residual = "" if exam.residual is None else f"; lesions {exam.residual:.1f} {found.length} from where expected"
        how = f"; brought over by {exam.aligned}" if k else ""
        total = f"{counted(exam.lesions, 'lesion')}, {amount(exam.burden, found.unit)}"
        facts[f"examination {k + 1}{day}"] = f"{total}{how}{residual}"
    return facts


def _named(lesion: Lesion) -> str:
    kind = "" if lesion.kind == OBJECT else lesion.kind
    return ", ".join(w for w in (kind, "node" if lesion.node else "", "target" if lesion.target else "") if w)


def _chosen(found: Followed) -> list[Lesion]:
    """Targets, then new lesions, then those that changed most, then the largest."""
    last = len(found.exams) - 1

    def order(lesion: Lesion) -> tuple[float, ...]:
        grown = change(found, lesion, last)
        largest = max((s.value for k in range(last + 1) if (s := lesion.sizes(k)) is not None), default=0.0)
        return (not lesion.target, lesion.seen[0] is not None, -abs(grown.percent) if grown else 0.0, -largest)

    picked = sorted(found.lesions, key=order)[:DRAWN]
    return [one for one in found.lesions if one in picked]


class _Planes:
    """Slices of one examination, windowed; its pixels are read once."""

    def __init__(self, exam: Exam) -> None:
        self.exam, self.axis = exam, axial(exam.found.geometry)
        self.array = None if exam.image is None else exam.image.channels_first()

    def slice(self, plane: int) -> Array:
        """uint8 (y, x) or (y, x, 3); mid-grey where there is no image."""
        grid = self.exam.found.geometry
        if self.array is None or self.exam.image is None:
            kept = [n for a, n in enumerate(grid.shape) if grid.ndim == 2 or a != self.axis]
            return np.full(kept, 90, np.uint8)
        flat = self.array if grid.ndim == 2 else np.take(self.array, plane, axis=1 + self.axis)
        return windowed(shown(flat, self.exam.image))

    def spacing(self) -> tuple[float, float] | None:
        """mm per axis of a slice."""
        grid = self.exam.found.geometry
        if grid.spacing is None:
            return None
        y, x = (s for a, s in enumerate(grid.spacing) if grid.ndim == 2 or a != self.axis)
        return y, x


def _tiles(found: Followed, lesion: Lesion, planes: Sequence[_Planes]) -> tuple[Tile | None, ...]:
    largest = max((d.value for at in lesion.seen if at is not None and (d := at.longest) is not None), default=0.0)
    side = max(ROOM * largest, LEAST)
    tiles: list[Tile | None] = []
    for k, at in enumerate(lesion.seen):
        made = None if at is None or not at.centre or not np.isfinite(at.centre).all() else _tile(at, planes[k], side)
        tiles.append(None if made is None or at is None else replace(made, text=_text(found, lesion, at, k)))
    return tuple(tiles)


def _tile(at: Sighting, planes: _Planes, side: float) -> Tile | None:
    """A square around a lesion, in the slice of its longest diameter; None where it lies beyond the image."""
    grid = planes.exam.found.geometry
    order = (planes.axis, *(a for a in range(grid.ndim) if a != planes.axis)) if grid.ndim == 3 else (0, 1)
    centre = np.asarray(at.centre, float)[list(order)]
    shape = np.asarray(grid.shape)[list(order)]
    spacing = planes.spacing()
    if (centre < -0.5).any() or (centre > shape - 0.5).any():
        return None
    held = outlined(planes.exam.found, at.parts) if at.parts else None
    plane = held.plane if held else round(float(centre[0])) if grid.ndim == 3 else 0
    half = side / 2 / np.asarray(spacing or (1.0, 1.0))
    low = np.maximum(np.floor(centre[-2:] - half), 0).astype(int)
    high = np.minimum(np.ceil(centre[-2:] + half) + 1, shape[-2:]).astype(int)
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    pixels = planes.slice(plane)[window]
    if held is None:
        return Tile(pixels, spacing=spacing)
    return Tile(pixels, held.mask[window], held.ends - low, spacing)


def _text(found: Followed, lesion: Lesion, at: Sighting, exam: int) -> str:
    if at.size is None or at.longest is None:
        into = f" ({', '.join(at.into)})" if at.into else ""
        return f"{WORDS.get(at.state, at.state)}{into}"
    grown = change(found, lesion, exam)
    percent = "" if grown is None else f", {grown.percent:+.0f} % ({grown.low:+.0f} to {grown.high:+.0f})"
    parts = f", {len(at.parts)} parts" if len(at.parts) > 1 else ""
    state = "" if at.state in ("first", "kept") else f"{WORDS.get(at.state, at.state)}: "
    diameter = lesion.diameter(exam)
    length = "" if diameter is None else f"{diameter.value:.1f} {found.length}, "
    return f"{state}{length}{amount(at.size, found.unit)}{percent}{parts}"
