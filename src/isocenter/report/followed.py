"""Lesions over time as pictures and charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from isocenter.data.findings.followed import Followed, Sized
from isocenter.ops.array import Array
from isocenter.report.figures import Canvas, data_uri, framed, outline
from isocenter.report.markup import Markup, shortened, tag
from isocenter.report.run import Run
from isocenter.report.svg import Drawing, Frame, padded, path_of, series_class

# Thresholds of the sum that are drawn: %, of the baseline and of the smallest sum before.
FALL, RISE = 0.7, 1.2


@dataclass(frozen=True, eq=False)
class Tile:
    """One lesion at one examination, cut out of its slice.

    Parameters
    ----------
    pixels
        uint8 (y, x) or (y, x, 3), windowed as its slice is.
    mask
        bool (y, x); None where the lesion is not there.
    ends
        float (4, 2): (y, x) of both ends of the longest diameter, then of the short one; None without.
    spacing
        mm per axis (y, x), or None.
    text
        What is said below it.
    """

    pixels: Array
    mask: Array | None = None
    ends: Array | None = None
    spacing: tuple[float, float] | None = None
    text: str = ""


@dataclass(frozen=True, eq=False)
class Strip:
    """One lesion at every examination: its name and class, and a tile an examination (None before it appears)."""

    name: str
    text: str
    tiles: tuple[Tile | None, ...]


@dataclass(frozen=True)
class FollowRun(Run):
    """A page of lesions over time.

    Parameters
    ----------
    followed
        What became of them.
    strips
        Those that are drawn.
    rows
        Of the table of lesions: cells of each, the head first.
    """

    followed: Followed | None = None
    strips: tuple[Strip, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def tile(shown: Tile, *, side: int = 200, detail: float = 2.0, label: str = "") -> Markup:
    """One tile as an SVG element: outline solid, the longest diameter as a line, the short one dashed."""
    canvas = Canvas.of(shown.pixels.shape, shown.spacing, side)
    parts = [canvas.image(data_uri(shown.pixels, side=int(detail * side)))]
    if shown.mask is not None and (path := outline(shown.mask, canvas)):
        parts += [tag("path", d=path, class_="casing"),
                  tag("g", tag("path", d=path, class_="rim"), class_="truth")]
    if shown.ends is not None:
        points = canvas.points(shown.ends)
        lines = ((points[:2], "caliper"), (points[2:], "caliper short"))
        parts += [tag("path", d=path_of(ends), class_=class_) for ends, class_ in lines]
    return framed(canvas, parts, label)


def times(found: Followed) -> tuple[list[float], str]:
    """Where the examinations lie along time, and the name of that axis."""
    days = [e.day for e in found.exams]
    known = [d for d in days if d is not None]
    if len(known) == len(days):
        return known, "Days after the first examination"
    return [float(k + 1) for k in range(len(days))], "Examination"


def sum_chart(found: Followed, *, width: int) -> Drawing:
    """The sum of diameters over time with its limits of error, and what is 30 % below the first and 20 % above the
    smallest before the last."""
    at, title = times(found)
    sums = [t.sum for t in found.totals]
    lines = [(FALL * sums[0].value, "30 % below the baseline")]
    if found.totals[-1].nadir is not None and found.totals[-1].nadir.value > 0:
        lines.append((RISE * found.totals[-1].nadir.value, "20 % above the smallest before"))
    drawing, frame = _framed(at, [*(v for s in sums for v in (s.low, s.high)), *(v for v, _ in lines)], width,
                             ("Sum of diameters", "Sum of diameters of the target lesions (mm)", title))
    frame.band(at, [s.low for s in sums], [s.high for s in sums], series_class(0))
    for value, words in lines:
        drawing.line((frame.box[0], frame.py(value)), (frame.box[2], frame.py(value)), "rule")
        drawing.text((frame.box[2], frame.py(value) - 5), words, "tick end")
    frame.line(at, [s.value for s in sums], series_class(0))
    for x, s in zip(at, sums, strict=True):
        drawing.marker(frame.at(x, s.value), 0, size=5, title=f"{s.value:.1f} mm ({s.low:.1f} to {s.high:.1f})")
    return drawing


def diameter_chart(found: Followed, names: Sequence[str], *, width: int) -> Drawing:
    """The diameter of each named lesion over time, with its limits of error; 0 where it is gone."""
    at, title = times(found)
    chosen = [one for one in found.lesions if one.name in names]
    table = [[one.diameter(k) for k in range(len(at))] for one in chosen]
    ends = [v for row in table for d in row if d is not None for v in (d.low, d.high)]
    drawing, frame = _framed(at, [0.0, *ends], width,
                             ("Diameters", f"Longest diameter, of nodes the short axis ({found.length})", title))
    called: list[tuple[float, float, str]] = []
    for i, (lesion, row) in enumerate(zip(chosen, table, strict=True)):
        frame.line(at, [math.nan if d is None else d.value for d in row], series_class(i))
        for x, d in zip(at, row, strict=True):
            if d is not None:
                _whisker(drawing, frame, x, d, i, lesion.name)
        last = next((k for k in reversed(range(len(at))) if row[k] is not None), None)
        if last is not None and (value := row[last]) is not None:
            called.append((frame.px(at[last]) + 8, frame.py(value.value) + 4, shortened(lesion.name, 12, 60)))
    _call(drawing, called)
    return drawing


def _call(drawing: Drawing, called: Sequence[tuple[float, float, str]]) -> None:
    """Names beside the ends of lines, from the lowest up, none over another."""
    above: dict[float, float] = {}
    for x, y, name in sorted(called, key=lambda c: -c[1]):
        y = min(y, above.get(x, math.inf) - 13)
        above[x] = y
        drawing.text((x, y), name, "called")


def _whisker(drawing: Drawing, frame: Frame, x: float, value: Sized, series: int, name: str) -> None:
    drawing.line(frame.at(x, value.low), frame.at(x, value.high), f"whisker slim {series_class(series)}")
    drawing.marker(frame.at(x, value.value), series, size=4.5, title=f"{name}: {value.value:.1f}")


def _framed(at: Sequence[float], values: Sequence[float], width: int, words: tuple[str, str, str]
            ) -> tuple[Drawing, Frame]:
    label, along_y, along_x = words
    drawing = Drawing(width, 300, label)
    reach = max(at) - min(at) or 1.0
    span = (min(at) - 0.04 * reach, max(at) + 0.08 * reach)
    frame = Frame(drawing, (50, 30, width - 18, 252), span, padded(values, floor=0.0))
    frame.x_axis(along_x, wanted=min(len(at), 6) if along_x == "Examination" else 6, grid=False)
    frame.y_axis(along_y, wanted=4)
    return drawing, frame
