"""The charts of scores: cases as points, shares of classes, differences; each takes numbers and a width."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from isocenter.data import Score, Test
from isocenter.report.markup import Markup, shortened, tag, width_of
from isocenter.report.svg import Drawing, Frame, Point, padded, percent, series_class, sign, tick_text, ticks
from isocenter.report.wording import digits

LINKED = 80
SHOWN = 1500
# The shortest range of an axis of scores.
FINEST = 0.01


@dataclass(frozen=True)
class Strip:
    """The cases of one method in a strip chart.

    Parameters
    ----------
    name, series
        Of the method, and the number of its colour.
    values
        One per case; None or NaN where the case has none.
    cases
        Codes, for the small text that a pointer shows.
    marked
        Position in `values` to a short word, such as ``"worst"``.
    """

    name: str
    series: int
    values: Sequence[float | None]
    cases: Sequence[str] = ()
    marked: Mapping[int, str] | None = None


def finite(values: Sequence[float | None]) -> list[tuple[int, float]]:
    """Position and value of every number that is one."""
    return [(i, float(v)) for i, v in enumerate(values) if v is not None and math.isfinite(v)]


def thinned(pairs: list[tuple[int, float]], keep: Sequence[int] = (), limit: int = SHOWN) -> list[tuple[int, float]]:
    """At most about `limit` of them, evenly over the order of their values, those to `keep` always among them."""
    if len(pairs) <= limit:
        return pairs
    ordered = sorted(pairs, key=lambda p: (p[1], p[0]))
    chosen = {ordered[round(i)][0] for i in np.linspace(0, len(ordered) - 1, limit)} | set(keep)
    return [p for p in pairs if p[0] in chosen]


def spread(xs: Sequence[float], room: float, size: float = 3.6) -> list[float]:
    """Vertical shifts that keep points of one row from lying on each other, within +-`room`.

    >>> spread([0, 0, 50], 20, 3)
    [0.0, 6.3, 0.0]
    """
    placed: list[Point] = []
    shifts = [0.0] * len(xs)
    step = 2.1 * size
    levels = [0.0] + [s * k * step for k in range(1, int(room / step) + 1) for s in (1, -1)]
    for i in sorted(range(len(xs)), key=lambda i: (xs[i], i)):
        near = [y for x, y in placed[-60:] if xs[i] - x < step]
        shifts[i] = next((level for level in levels if level not in near), levels[i % len(levels)])
        placed.append((xs[i], shifts[i]))
    return [round(s, 2) for s in shifts]


def strip_chart(
    strips: Sequence[Strip], *, title: str, unit: str, share: bool, width: int, rule: float | None = None
) -> Drawing:
    """Every case a point, method by method; lines join a case between neighbouring methods where there are few.

    Parameters
    ----------
    strips
        One row each, over the same cases in the same order.
    title, unit
        Of the axis.
    share
        Whether values lie in 0..1.
    width
        In pixels.
    rule
        Where to draw a dashed line across, such as a threshold.
    """
    narrow = width < 500
    longest = max((width_of(s.name, 13) for s in strips), default=0.0)
    left = 12.0 if narrow else min(longest + 24, width * 0.3)
    row = 112 if narrow else 96
    top = 12
    drawing = Drawing(width, top + row * len(strips) + 48, f"{title} of every case, by method")
    values = [v for s in strips for _, v in finite(s.values)]
    span = padded(values, floor=0.0 if values and min(values) >= 0 else None, ceiling=1.0 if share else None)
    frame = Frame(drawing, (left, top, width - 16, top + row * len(strips)), span, (0.0, 1.0))
    frame.x_axis(f"{title} ({unit})" if unit else title, wanted=4 if narrow else 6)
    if rule is not None:
        drawing.line((frame.px(rule), top), (frame.px(rule), frame.box[3]), "rule")
    centres = [top + row * (i + (0.64 if narrow else 0.55)) for i in range(len(strips))]
    spots = [_spots(s, frame, y, row) for s, y in zip(strips, centres, strict=True)]
    if all(len(s.values) <= LINKED for s in strips):
        for upper, lower in pairwise(spots):
            for i in upper.keys() & lower.keys():
                drawing.line(upper[i], lower[i], "link")
    for strip, y, places in zip(strips, centres, spots, strict=True):
        name = shortened(strip.name, 13, width - 24 if narrow else left - 20)
        at = (left, y - row * 0.53) if narrow else (left - 12, y + 4)
        drawing.text(at, name, "name" if narrow else "name end")
        _median(strip, frame, y, row)
        _points(drawing, strip, places, y - row * 0.38)
    return drawing


def _spots(strip: Strip, frame: Frame, y: float, row: float) -> dict[int, Point]:
    pairs = thinned(finite(strip.values), tuple(strip.marked or ()))
    xs = [frame.px(v) for _, v in pairs]
    return {i: (x, y + s) for (i, _), x, s in zip(pairs, xs, spread(xs, row * 0.24), strict=True)}


def _median(strip: Strip, frame: Frame, y: float, row: float) -> None:
    values = [v for _, v in finite(strip.values)]
    if values:
        low, middle, high = (frame.px(float(q)) for q in np.percentile(values, [25, 50, 75]))
        frame.drawing.rect(low, y - row * 0.25, high - low, row * 0.5, f"box {series_class(strip.series)}", rx="3")
        frame.drawing.line((middle, y - row * 0.25), (middle, y + row * 0.25), f"median {series_class(strip.series)}")


def _points(drawing: Drawing, strip: Strip, places: Mapping[int, Point], top: float) -> None:
    for i, at in places.items():
        code = f"{strip.cases[i]}: " if i < len(strip.cases) else ""
        drawing.marker(at, strip.series, size=3.6, title=f"{code}{digits(strip.values[i], 3)}", class_="dot")
    marked = sorted(((places[i], word) for i, word in (strip.marked or {}).items() if i in places), key=lambda m: m[0])
    for (at, word), x in zip(
        marked, apart([(at[0], width_of(word, 11.5)) for at, word in marked], drawing.width - 4), strict=True
    ):
        drawing.line((x, top + 3), (at[0], at[1] - 7), "leader")
        drawing.add("circle", cx=at[0], cy=at[1], r="7", class_="ring")
        drawing.text((x, top), word, "called mid")


def apart(labels: Sequence[Point], right: float) -> list[float]:
    """Centres of labels (wanted centre, width) from left to right that do not overlap and end before `right`."""
    centres: list[float] = []
    for x, width in labels:
        edge = centres[-1] + labels[len(centres) - 1][1] / 2 + 8 if centres else -math.inf
        centres.append(max(x, edge + width / 2))
    for i in range(len(centres) - 1, -1, -1):
        limit = right if i == len(centres) - 1 else centres[i + 1] - labels[i + 1][1] / 2 - 8
        centres[i] = min(centres[i], limit - labels[i][1] / 2)
    return centres


def interval_bar(score: Score, series: int, span: Point) -> Markup:
    """One interval as a bar that stretches with its table cell."""
    parts: list[Markup] = []
    if score.low is not None and score.high is not None:
        a, b = percent(score.low, span), percent(score.high, span)
        parts.append(tag("line", x1=a, x2=b, y1="11", y2="11", class_=f"whisker {series_class(series)}"))
    if score.value is not None:
        parts.append(dot_at(percent(score.value, span), series))
    return bar(parts)


def difference_bar(test: Test, span: Point) -> Markup:
    """The interval of a difference about the line of no difference."""
    zero = percent(0.0, span)
    parts = [tag("line", x1=zero, x2=zero, y1="0", y2="22", class_="zero")]
    if test.low is not None and test.high is not None:
        a, b = percent(test.low, span), percent(test.high, span)
        parts.append(tag("line", x1=a, x2=b, y1="11", y2="11", class_="whisker ink"))
    if test.difference is not None:
        parts.append(tag("circle", cx=percent(test.difference, span), cy="11", r="4.5", class_="mark ink"))
    return bar(parts)


def scale_bar(span: Point) -> Markup:
    """The ticks that belong to bars in cells; at least two, for one number gives no scale."""
    marks = next((m for m in (ticks(*span, wanted) for wanted in (3, 4, 5, 6)) if len(m) > 1), ticks(*span, 8))
    parts = []
    for value in marks:
        x = percent(value, span)
        share = (value - span[0]) / ((span[1] - span[0]) or 1.0)
        side = "tick start" if share < 0.08 else "tick end" if share > 0.92 else "tick mid"
        parts.append(tag("text", tick_text(value, marks), x=x, y="12", class_=side))
        parts.append(tag("line", x1=x, x2=x, y1="17", y2="22", class_="axis"))
    return bar(parts)


def share_bar(part: float, whole: float, series: int = 0) -> Markup:
    """A share of a whole as a filled bar."""
    inside = tag(
        "rect",
        x="0",
        y="7",
        height="8",
        rx="2",
        width=percent(part, (0.0, whole or 1.0)),
        class_=f"fill {series_class(series)}",
    )
    return bar([tag("rect", x="0", y="7", height="8", rx="2", width="100%", class_="trough"), inside])


def bar(parts: Sequence[Markup]) -> Markup:
    """A drawing as wide as its cell."""
    return tag("svg", *parts, class_="ch bar", width="100%", height="22", aria_hidden="true")


def dot_at(x: str, series: int) -> Markup:
    """The sign of a series at a share of the width."""
    return tag("svg", sign((0, 0), series, size=5), x=x, y="11", class_="over")


def common_span(scores: Sequence[Score], *, share: bool) -> Point:
    """One range for all bars of a metric; shares do not go beyond 0 and 1."""
    values = [v for s in scores for v in (s.value, s.low, s.high) if v is not None]
    if values and max(values) - min(values) < FINEST:
        # What differs by less is printed as one number; an axis of millionths would say that it is not.
        values.append(min(values) + FINEST if min(values) + FINEST <= 1 or not share else min(values) - FINEST)
    return (
        padded(values, share=0.1, floor=0.0 if share else None, ceiling=1.0 if share else None)
        if values
        else (0.0, 1.0)
    )


def difference_span(tests: Sequence[Test]) -> Point:
    """One range for all differences, with zero in it."""
    values = [v for t in tests for v in (t.difference, t.low, t.high) if v is not None]
    return padded([*values, 0.0], share=0.1)


def forest_chart(rows: Sequence[tuple[str, int, Score]], *, title: str, share: bool, width: int) -> Drawing:
    """Value and interval of every method below each other, for papers and for the head of the page."""
    longest = max((width_of(name, 13) for name, _, _ in rows), default=0.0)
    left, row, top = min(longest + 24, width * 0.4), 34, 10
    drawing = Drawing(width, top + row * len(rows) + 48, f"{title} with intervals")
    frame = Frame(
        drawing, (left, top, width - 16, top + row * len(rows)), common_span([s for *_, s in rows], share=share), (0, 1)
    )
    frame.x_axis(title, wanted=4 if width < 500 else 6)
    for i, (name, series, score) in enumerate(rows):
        y = top + row * (i + 0.5)
        drawing.text((left - 12, y + 4), shortened(name, 13, left - 16), "name end")
        if score.low is not None and score.high is not None:
            drawing.line((frame.px(score.low), y), (frame.px(score.high), y), f"whisker {series_class(series)}")
        if score.value is not None:
            drawing.marker((frame.px(score.value), y), series, size=5.5)
    return drawing
