"""The section on attacks and worse scans: unchanged and changed scores side by side, curves, what was changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.data import Disturbed, Test
from isocenter.ops.array import Array
from isocenter.report.change import Change
from isocenter.report.figures import Canvas, data_uri, framed, windowed
from isocenter.report.markup import Markup, joined, shortened, tag
from isocenter.report.run import Run
from isocenter.report.section_pairs import pair_table
from isocenter.report.section_scores import Footnotes
from isocenter.report.svg import Drawing, Frame, series_class
from isocenter.report.view import Section, View, paragraph, series_of, slug, table
from isocenter.report.wording import digits, estimate, metric_name

# How often the change is enlarged beside the change as it is.
ENLARGED = 20


def under_section(view: View, run: Run) -> Section | None:
    """Every attack and corruption: its table, its curve, its paired tests; then pictures of changes."""
    names = list(dict.fromkeys(d.name for d in run.under))
    parts = [p for name in names for p in _one(view, run, [d for d in run.under if d.name == name])]
    return view.section("under", "Under attack and on worse scans", *parts, _changes(view, run.changes))


def _one(view: View, run: Run, rows: Sequence[Disturbed]) -> list[Markup]:
    first, notes = rows[0], Footnotes()
    shown, clean = first.metric
    head = ["Method", f"{metric_name(clean)}, unchanged", *(f"at {level}" for level in first.levels), "n"]
    body = [
        [d.method, _cell(d, "", notes), *(_cell(d, level, notes) for level in d.levels), d.shown(d.lead).n]
        for d in rows
    ]
    said = [f"{d.method}: {n}. " for d in rows for n in d.notes]
    words = f"{metric_name(shown)} after {first.name.replace('_', ' ')}, each with its interval. "
    tests: dict[Test, None] = dict.fromkeys(t for d in rows for t in d.tests)
    found = [
        tag("h3", first.name.replace("_", " ")),
        table(head, body, caption=joined([words, *map(view.text, said), notes.text()])),
        view.chart(
            f"under-{slug(first.name)}", lambda width: curve_chart(run, rows, width=width),
            "Marks are estimates, whiskers their intervals; the leftmost are the cases as they are. A method whose "
            "curve falls late is harder to fool, unless a letter in the table says that the attack was too weak.",
        ),
    ]
    if tests:
        words = (
            "Each row compares scores on the same cases at the leading level: changed against unchanged, and methods "
            "with each other. An interval that crosses the dashed line of zero may be chance."
        )
        found += [paragraph(words), pair_table(run, tuple(tests))]
    return found


def _cell(row: Disturbed, level: str, notes: Footnotes) -> Markup:
    score = row.shown(level)
    return joined([" ".join(t for t in estimate(score) if t), notes.marks(score.flags) or Markup()])


def curve_chart(run: Run, rows: Sequence[Disturbed], *, width: int, height: int = 300) -> Drawing:
    """The shown metric over the level, a line a method."""
    first = rows[0]
    drawing = Drawing(width, height, f"{metric_name(first.metric[0])} under {first.name}")
    amounts = [0.0, *first.amounts]
    frame = Frame(drawing, (50, 28, width - 18, height - 46), (0.0, max(amounts) * 1.03 or 1.0), (0.0, 1.0))
    # Budgets are named as they were asked for: 2/255 says more than 0.0078.
    for x, text in zip(amounts, ("0", *first.levels), strict=True):
        drawing.line((frame.px(x), frame.box[1]), (frame.px(x), frame.box[3]), "grid")
        drawing.text((frame.px(x), frame.box[3] + 16), text, "tick mid")
    drawing.line((frame.box[0], frame.box[3]), (frame.box[2], frame.box[3]), "axis")
    drawing.text(((frame.box[0] + frame.box[2]) / 2, frame.box[3] + 35), "severity" if _severities(first) else
                 "budget, share of the image's range", "title mid")
    frame.y_axis(metric_name(first.metric[0]))
    series = series_of(run)
    for k, row in enumerate(rows):
        number = series.get(row.method, k)
        scores = [row.shown(), *(row.shown(level) for level in row.levels)]
        values = [float("nan") if s.value is None else s.value for s in scores]
        frame.line(amounts, values, series_class(number))
        for x, value, score in zip(amounts, values, scores, strict=True):
            if score.value is None:
                continue
            if score.low is not None and score.high is not None:
                drawing.line(frame.at(x, score.low), frame.at(x, score.high), f"whisker slim {series_class(number)}")
            drawing.marker(frame.at(x, value), number, size=4, title=f"{row.method}: {digits(value, 3)}")
        drawing.marker((width - 22, 14.0 + 16 * k), number, size=4)
        drawing.text((width - 32, 18.0 + 16 * k), shortened(row.method, 12, width * 0.4), "key end")
    return drawing


def _severities(row: Disturbed) -> bool:
    return row.metric[0] == row.metric[1]


def _changes(view: View, changes: Sequence[Change]) -> Markup | None:
    if not changes:
        return None
    drawn = [
        tag("div", tag("div", _picture(values, change, view.detail, label), class_="frame"),
            tag("p", joined([tag("b", f"{label}. "), view.text(change.text) if i == 0 else ""])), class_="picture")
        for change in changes
        for i, (values, label) in enumerate((
            (_grey(change.image, change.limits), "As it was"),
            (_grey(change.changed, change.limits), "Changed, as it is"),
            (_grey(ENLARGED * change.difference, _about_zero(change.limits)), f"The change, {ENLARGED} times"),
        ))
    ]
    words = (
        f"What altered an answer: the image, the image with the change at its own size, and the change alone enlarged "
        f"{ENLARGED} times (grey: nothing was changed)."
    )
    return view.figure("changes", tag("div", *drawn, class_="pictures"), words)


def _about_zero(limits: tuple[float, float]) -> tuple[float, float]:
    half = (limits[1] - limits[0]) / 2 or 1.0
    return -half, half


def _grey(values: Array, limits: tuple[float, float]) -> Array:
    if values.ndim == 3:
        return windowed(values)
    low, high = limits
    return np.asarray(np.rint(np.clip((values - low) / ((high - low) or 1.0), 0, 1) * 255), np.uint8)


def _picture(values: Array, change: Change, detail: float, label: str, *, side: int = 240) -> Markup:
    canvas = Canvas.of(values.shape[:2], change.spacing, side)
    return framed(canvas, [canvas.image(data_uri(values, side=int(detail * side)))], label)
