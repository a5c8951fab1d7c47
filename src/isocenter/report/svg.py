"""A small SVG builder: shapes, text that stays text, and axes with sensible ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from isocenter.report.markup import Markup, joined, number, tag

Point = tuple[float, float]
NAMESPACE = "http://www.w3.org/2000/svg"


@dataclass
class Drawing:
    """A picture under construction, in user units of one pixel.

    Parameters
    ----------
    width, height
        Of the canvas.
    label
        What it shows, for people who cannot see it.
    """

    width: float
    height: float
    label: str = ""
    parts: list[Markup] = field(default_factory=list)

    def add(self, name: str, *children: object, **attributes: object) -> None:
        """One element on top."""
        self.parts.append(tag(name, *children, **attributes))

    def line(self, a: Point, b: Point, class_: str, **attributes: object) -> None:
        """A straight line."""
        self.add("line", x1=float(a[0]), y1=float(a[1]), x2=float(b[0]), y2=float(b[1]), class_=class_, **attributes)

    def rect(self, x: float, y: float, width: float, height: float, class_: str, **attributes: object) -> None:
        """A rectangle."""
        self.add(
            "rect",
            x=float(x),
            y=float(y),
            width=float(max(width, 0)),
            height=float(max(height, 0)),
            class_=class_,
            **attributes,
        )

    def text(self, at: Point, words: object, class_: str = "", **attributes: object) -> None:
        """A line of text whose baseline starts (or ends, by class) at a point."""
        self.add("text", words, x=float(at[0]), y=float(at[1]), class_=class_ or None, **attributes)

    def path(self, points: Iterable[Point], class_: str, *, closed: bool = False) -> None:
        """A line through points."""
        self.add("path", d=path_of(points, closed=closed), class_=class_)

    def marker(self, at: Point, series: int, *, size: float = 4.5, title: str = "", class_: str = "") -> None:
        """The sign of a series: its colour and, so that colour is not needed, its shape."""
        inside = tag("title", title) if title else None
        self.parts.append(sign(at, series, size=size, inside=inside, class_=class_))

    def inline(self, class_: str = "") -> Markup:
        """The picture for a page whose style sheet knows the classes."""
        size = {"viewBox": f"0 0 {number(float(self.width))} {number(float(self.height))}"}
        return tag(
            "svg",
            *self.parts,
            class_=f"ch {class_}".strip(),
            role="img",
            aria_label=self.label,
            width=float(self.width),
            height=float(self.height),
            **size,
        )

    def file(self, style: str, note: str = "") -> str:
        """The picture as a file of its own, with its style and a note in it."""
        wide, high = number(float(self.width)), number(float(self.height))
        style_tag = Markup(f"<style>{style}</style>")
        head = joined([tag("title", self.label), tag("desc", note) if note else Markup(), style_tag])
        ground = tag("rect", width=float(self.width), height=float(self.height), class_="ground")
        size = f'viewBox="0 0 {wide} {high}" width="{wide}" height="{high}"'
        opening = f'<svg xmlns="{NAMESPACE}" class="ch" {size} role="img">'
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{opening}{joined([head, ground, *self.parts])}</svg>\n'


SHAPES: tuple[tuple[Point, ...], ...] = (
    (),
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    ((0, -1.2), (1.15, 0.9), (-1.15, 0.9)),
    ((0, 1.2), (1.15, -0.9), (-1.15, -0.9)),
    ((-1.1, -0.45), (1.1, -0.45), (1.1, 0.45), (-1.1, 0.45)),
)
SERIES = 8


def series_class(series: int) -> str:
    """The class that gives a series its colour."""
    return f"s{series % SERIES}"


def sign(at: Point, series: int, *, size: float = 4.5, inside: Markup | None = None, class_: str = "") -> Markup:
    """The mark of a series as an element."""
    shape = SHAPES[series % len(SHAPES)]
    classes = f"mark {series_class(series)} {class_}".strip()
    if not shape:
        return tag("circle", inside, cx=float(at[0]), cy=float(at[1]), r=float(size), class_=classes)
    corners = ((at[0] + size * x, at[1] + size * y) for x, y in shape)
    return tag("path", inside, d=path_of(corners, closed=True), class_=classes)


def path_of(points: Iterable[Point], *, closed: bool = False) -> str:
    """Path data through points, with two decimals at most."""
    steps = " ".join(f"{number(float(x))},{number(float(y))}" for x, y in points)
    return f"M{steps}" + ("Z" if closed else "")


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers within a range, about as many as wanted.

    >>> ticks(0, 1, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    rough = (high - low) / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) + 0.0 for i in range(first, math.floor(high / step + 1e-9) + 1)]


def tick_text(value: float, all_ticks: Sequence[float]) -> str:
    """A tick's number with as many decimals as its neighbours need."""
    step = min((b - a for a, b in pairwise(all_ticks)), default=abs(value) or 1.0)
    places = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    if places and abs(step * 10**places - round(step * 10**places)) > 1e-6:
        places += 1
    return f"{value:.{places}f}".replace("-", "\N{MINUS SIGN}")


def padded(
    values: Iterable[float], *, share: float = 0.06, floor: float | None = None, ceiling: float | None = None
) -> Point:
    """A range that holds all values with some room, not beyond a natural bound."""
    finite = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    room = (high - low) * share or abs(high) * share or 0.5
    low, high = low - room, high + room
    if floor is not None:
        low = max(low, min(floor, min(finite)))
    if ceiling is not None:
        high = min(high, max(ceiling, max(finite)))
    return low, high


@dataclass(frozen=True)
class Frame:
    """A rectangle of a drawing with a linear scale on both axes.

    Parameters
    ----------
    drawing
        Where to draw.
    box
        left, top, right, bottom in pixels.
    x, y
        Ranges of the data; y grows upwards.
    """

    drawing: Drawing
    box: tuple[float, float, float, float]
    x: Point
    y: Point

    def px(self, value: float) -> float:
        """Pixel column of a value."""
        left, _, right, _ = self.box
        return left + (right - left) * (value - self.x[0]) / ((self.x[1] - self.x[0]) or 1.0)

    def py(self, value: float) -> float:
        """Pixel row of a value."""
        _, top, _, bottom = self.box
        return bottom - (bottom - top) * (value - self.y[0]) / ((self.y[1] - self.y[0]) or 1.0)

    def at(self, x: float, y: float) -> Point:
        """Pixel point of a data point."""
        return self.px(x), self.py(y)

    def x_axis(self, title: str = "", *, wanted: int = 5, grid: bool = True) -> None:
        """Ticks, grid lines and title below."""
        left, top, right, bottom = self.box
        marks = ticks(*self.x, wanted)
        for value in marks:
            if grid:
                self.drawing.line((self.px(value), top), (self.px(value), bottom), "grid")
            self.drawing.text((self.px(value), bottom + 16), tick_text(value, marks), "tick mid")
        self.drawing.line((left, bottom), (right, bottom), "axis")
        if title:
            self.drawing.text(((left + right) / 2, bottom + 35), title, "title mid")

    def y_axis(self, title: str = "", *, wanted: int = 5, grid: bool = True) -> None:
        """Ticks, grid lines and title at the left."""
        left, top, right, bottom = self.box
        marks = ticks(*self.y, wanted)
        for value in marks:
            if grid:
                self.drawing.line((left, self.py(value)), (right, self.py(value)), "grid")
            self.drawing.text((left - 7, self.py(value) + 4), tick_text(value, marks), "tick end")
        self.drawing.line((left, top), (left, bottom), "axis")
        if title:
            self.drawing.text((left, top - 10), title, "title")

    def line(self, xs: Iterable[float], ys: Iterable[float], class_: str) -> None:
        """A line through data points; gaps where a number is not finite."""
        run: list[Point] = []
        for x, y in (*zip(xs, ys, strict=True), (math.nan, math.nan)):
            if math.isfinite(x) and math.isfinite(y):
                run.append(self.at(x, y))
            elif run:
                self.drawing.path(run, f"curve {class_}")
                run = []

    def band(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], class_: str) -> None:
        """A filled band between two lines."""
        upper = [self.at(x, y) for x, y in zip(xs, high, strict=True)]
        lower = [self.at(x, y) for x, y in zip(xs, low, strict=True)]
        self.drawing.path([*upper, *reversed(lower)], f"band {class_}", closed=True)


def percent(value: float, span: Point) -> str:
    """Position in a range as a percentage, for bars that stretch with their cell.

    >>> percent(0.25, (0.0, 1.0))
    '25%'
    """
    share = (value - span[0]) / ((span[1] - span[0]) or 1.0)
    return f"{number(100.0 * min(max(share, 0.0), 1.0))}%"
