"""The section on objects: how many of each class and size were found, and a detector's curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.metrics.detection_points import FREE_RESPONSE, PRECISION, curve
from isocenter.metrics.sizes import KEY, THIRDS, counts
from isocenter.ops.array import Array
from isocenter.report.curves import UNIT, fewer
from isocenter.report.markup import Markup, joined, shortened, tag
from isocenter.report.run import Run
from isocenter.report.section_scores import Footnotes, block, forest
from isocenter.report.svg import Drawing, Frame, Point, series_class
from isocenter.report.view import Section, View, series_of, table

# False positives an image up to which LUNA16's score reads the curve.
FALSE_MOST = 8.0
Line = tuple[int, str, Array]


def objects_section(view: View, run: Run) -> Section | None:
    """Counts by class, recall by size, and where boxes have scores precision over recall and the FROC curve."""
    if not any(KEY in s.metrics for s in run.scores):
        return None
    return view.section("objects", "Objects found and missed", _classes(run), _sizes(run), _curves(view, run))


def _classes(run: Run) -> Markup | None:
    rows = []
    for scores in run.scores:
        for name, (true, found, called) in counts([c.records.get(KEY, {}) for c in scores.cases]).items():
            rows.append([scores.method, name, true, found, true - found, called - found])
    if not rows:
        return None
    words = (
        "Objects over all cases of the split, the rarest class first. Found: at an IoU of 0.5 or more with an answer "
        "of the same class; boxes count from a score of 0.5. An answer without classes counts for all of them together."
    )
    return joined([
        tag("h3", "By class"), table(["Method", "Class", "True", "Found", "Missed", "False"], rows, caption=words),
    ])


def _sizes(run: Run) -> Markup | None:
    if not any(t in s.metrics.get(KEY, {}) for s in run.scores for t in THIRDS):
        return None
    notes, series = Footnotes(), series_of(run)
    blocks = [block(run, KEY, target, notes, series) for target in THIRDS]
    words = (
        "Share of the true objects that were found, by thirds of their area: the limits are those of this split's own "
        "true objects, all classes together. "
    )
    return joined([tag("h3", "By size"), forest([b for b in blocks if b], joined([words, notes.text()]))])


def _curves(view: View, run: Run) -> Markup | None:
    if run.task != "detect":
        return None
    series = series_of(run)

    def lines(key: str) -> list[Line]:
        found = [(series[s.method], s.method, curve(s, key)) for s in run.scores]
        return [(number, name, points) for number, name, points in found if points is not None]

    precision, free = lines(PRECISION), lines(FREE_RESPONSE)
    if not precision:
        return None
    panels = [
        view.keep("precision-recall", precision_chart(precision)),
        view.keep("froc", free_response_chart(free)),
    ]
    words = (
        "All classes together, whatever class was answered; each point is a threshold on the score. Left: precision "
        "over recall at an IoU of 0.5, the nearer to the upper right the better. Right: the share found over false "
        "positives an image, a find being a centre within the ellipse in the true box."
    )
    return joined([
        tag("h3", "Curves of the scores"),
        view.figure("detection", tag("div", *panels, class_="panels"), words),
    ])


def precision_chart(lines: Sequence[Line], *, size: int = 380) -> Drawing:
    """Precision over recall, one line a method."""
    drawing = Drawing(size, size, "Precision over recall")
    frame = Frame(drawing, (46, 26, size - 14, size - 46), UNIT, UNIT)
    frame.x_axis("Recall")
    frame.y_axis("Precision")
    for number, _, points in lines:
        x, y = fewer(points)
        frame.line(x, y, series_class(number))
    _keys(drawing, lines, (frame.box[0] + 14, frame.box[3] - 14))
    return drawing


def free_response_chart(lines: Sequence[Line], *, size: int = 380) -> Drawing:
    """Sensitivity over false positives an image, one stepped line a method, up to 8 false positives."""
    drawing = Drawing(size, size, "Free-response curve")
    most = max((float(points[0].max()) for _, _, points in lines), default=1.0)
    span: Point = (0.0, max(1.0, min(FALSE_MOST, np.ceil(most))))
    frame = Frame(drawing, (46, 26, size - 14, size - 46), span, UNIT)
    frame.x_axis("False positives an image")
    frame.y_axis("Sensitivity")
    for number, _, points in lines:
        x, y = stepped(fewer(points), span[1])
        frame.line(x, y, series_class(number))
    _keys(drawing, lines, (size - 150, frame.box[3] - 14))
    return drawing


def stepped(points: Array, most: float) -> Array:
    """(2, k) points of a curve that rises in steps, up to x = `most` and on to it."""
    x, y = points[:, points[0] <= most]
    x, y = np.append(x, most), np.append(y, y[-1])
    return np.array([np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]])


def _keys(drawing: Drawing, lines: Sequence[Line], at: Point) -> None:
    for row, (number, name, _) in enumerate(reversed(lines)):
        y = at[1] - 18 * row
        drawing.marker((at[0], y - 4), number, size=4.5)
        drawing.text((at[0] + 10, y), shortened(name, 12, 120), "key")
