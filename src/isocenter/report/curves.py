"""The charts of curves: ROC, reliability, confusion, probabilities of cases, learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from isocenter.ops.array import Array
from isocenter.report.markup import shortened, width_of
from isocenter.report.run import Curves
from isocenter.report.svg import Drawing, Frame, Point, padded, series_class
from isocenter.report.wording import digits

UNIT: Point = (0.0, 1.0)
CORNERS = 300


def square(label: str, size: int) -> tuple[Drawing, Frame]:
    """A square chart from 0 to 1 on both axes."""
    drawing = Drawing(size, size, label)
    return drawing, Frame(drawing, (46, 26, size - 14, size - 46), UNIT, UNIT)


def fewer(table: Array, limit: int = CORNERS) -> Array:
    """At most about `limit` columns, the first and last among them."""
    if table.shape[1] <= limit:
        return table
    return table[:, np.unique(np.round(np.linspace(0, table.shape[1] - 1, limit)).astype(int))]


def roc_chart(curves: Sequence[tuple[int, Curves]], *, size: int = 380) -> Drawing:
    """Sensitivity over the false positive rate, with bands, and the point of the decision that is reported."""
    drawing, frame = square("ROC curves", size)
    frame.x_axis("1 − specificity")
    frame.y_axis("Sensitivity")
    drawing.line(frame.at(0, 0), frame.at(1, 1), "chance")
    shown = [(series, c, fewer(c.roc.array)) for series, c in curves if c.roc is not None]
    for series, _, roc in shown:
        if roc.shape[0] >= 5:
            frame.band(roc[0], roc[3], roc[4], series_class(series))
    for series, _, roc in shown:
        frame.line(roc[0], roc[1], series_class(series))
    for series, c, _ in shown:
        if c.operating is not None:
            words = (
                f"{c.method}: {threshold_text(c)}" if c.threshold is not None else f"{c.method}: the decisions reported"
            )
            drawing.marker(frame.at(*c.operating), series, size=6, title=words, class_="halo")
    for row, (series, c, _) in enumerate(reversed(shown)):
        y = frame.box[3] - 14 - 18 * row
        name = shortened(c.method, 12, size * 0.36)
        text = f"{name}  {digits(c.auc.value, 3)}" if c.auc is not None else name
        drawing.marker((size - 22, y - 4), series, size=4.5)
        drawing.text((size - 34, y), text, "key end")
    return drawing


def threshold_text(curves: Curves) -> str:
    """The threshold and where it was chosen."""
    return f"threshold {digits(curves.threshold, 2)}, chosen on {curves.threshold_from}"


def reliability_chart(curves: Sequence[tuple[int, Curves]], *, size: int = 380) -> Drawing:
    """Observed share over predicted probability; on the diagonal a stated 30 % happens 30 times in 100."""
    drawing, frame = square("Reliability", size)
    frame.x_axis("Predicted probability")
    frame.y_axis("Observed share")
    drawing.line(frame.at(0, 0), frame.at(1, 1), "chance")
    for series, c in curves:
        if c.reliability is None:
            continue
        bins = c.reliability.array
        frame.line(bins[0], bins[1], f"{series_class(series)} thin")
        for mean, observed, low, high, n in bins.T:
            if np.isfinite([low, high]).all():
                drawing.line(frame.at(mean, low), frame.at(mean, high), f"whisker slim {series_class(series)}")
            drawing.marker(frame.at(mean, observed), series, size=4, title=f"{c.method}: {int(n)} cases in this bin")
    return drawing


def confusion_chart(curves: Curves, *, size: int = 320) -> Drawing:
    """Counts of truth by decision; the darker a cell, the larger its share of the row."""
    matrix = curves.confusion
    if matrix is None:
        return Drawing(0, 0)
    counts = np.asarray(matrix.counts, float)
    left = min(max((width_of(n, 12) for n in matrix.rows), default=40.0) + 18, size * 0.34)
    cell = (size - left - 8) / len(matrix.columns)
    drawing = Drawing(size, 48 + cell * len(matrix.rows) + 10, f"Confusion matrix of {curves.method}")
    drawing.text((left, 14), "Decision", "title")
    drawing.text((left - 10, 40), "Truth", "title end")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for j, name in enumerate(matrix.columns):
        drawing.text((left + cell * (j + 0.5), 40), shortened(name, 12, cell - 4), "tick mid")
    for i, name in enumerate(matrix.rows):
        drawing.text((left - 10, 48 + cell * (i + 0.5) + 4), shortened(name, 12, left - 14), "tick end")
        for j in range(len(matrix.columns)):
            _cell(drawing, (left + cell * j, 48 + cell * i), cell, counts[i, j], shares[i, j])
    return drawing


def _cell(drawing: Drawing, at: Point, cell: float, count: float, share: float) -> None:
    x, y = at
    drawing.rect(x + 1, y + 1, cell - 2, cell - 2, "cell-ground", rx="3")
    drawing.rect(x + 1, y + 1, cell - 2, cell - 2, "cell", rx="3", opacity=float(round(share, 3)))
    ink = "cell-text light" if share > 0.62 else "cell-text"
    if cell >= 18:
        drawing.text((x + cell / 2, y + cell / 2 + (0 if cell >= 56 else 5)), f"{count:g}", f"{ink} mid")
    if cell >= 56:
        drawing.text((x + cell / 2, y + cell / 2 + 17), f"{100 * share:.0f} % of row", f"{ink} small mid")


def history_keys(history: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """The keys of a history that are losses, and those that are scores on val."""
    keys = list(
        dict.fromkeys(
            k for row in history for k, v in row.items() if isinstance(v, (int, float)) and not isinstance(v, bool)
        )
    )
    losses = [k for k in keys if "loss" in k]
    scores = [k for k in keys if ("score" in k or k in ("dice", "auc", "accuracy")) and k not in losses]
    return losses, scores


def learning_chart(
    history: Sequence[Mapping[str, Any]], keys: Sequence[str], *, title: str, best: bool, size: Point,
    along: str = "epoch",
) -> Drawing:  # fmt: skip
    """One or more columns of a history over epochs.

    Parameters
    ----------
    history
        One mapping an epoch.
    keys
        Columns to draw.
    title
        Of the y axis.
    best
        Whether to mark the highest value of the first column: the epoch whose weights were kept.
    size
        Width and height.
    along
        The column that the others are drawn over.
    """
    width, height = size
    drawing = Drawing(width, height, f"{title} by {along}")
    epochs = [float(row.get(along, i + 1)) for i, row in enumerate(history)]
    table = [[_number(row.get(k)) for row in history] for k in keys]
    seen = [v for column in table for v in column if np.isfinite(v)]
    high = max(len(epochs) and max(epochs), min(epochs, default=0.0) + 1)
    frame = Frame(drawing, (50, 28, width - 14, height - 44), (min(epochs, default=0.0), high), padded(seen))
    frame.x_axis(along.capitalize(), wanted=4 if width < 500 else 6, grid=False)
    frame.y_axis(title, wanted=4)
    for i, column in enumerate(table):
        frame.line(epochs, column, series_class(i))
        if len(keys) > 1:
            drawing.marker((width - 20, 14.0 + 16 * i), i, size=4)
            drawing.text((width - 30, 18.0 + 16 * i), keys[i].replace("_", " "), "key end")
    if best and seen and np.isfinite(table[0]).any():
        at = int(np.nanargmax(table[0]))
        drawing.marker(frame.at(epochs[at], table[0][at]), 0, size=5, class_="halo")
        side = "end" if frame.px(epochs[at]) > width * 0.6 else ""
        shift = -9 if side else 9
        drawing.text(
            (frame.px(epochs[at]) + shift, frame.py(table[0][at]) + 20),
            f"{digits(table[0][at], 3)} at {epochs[at]:g}",
            f"key {side}",
        )
    return drawing


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def probability_chart(curves: Curves, series: int, *, width: int) -> Drawing:
    """The probability of the positive class of every case, by truth, with the threshold of the decision."""
    from isocenter.report.charts import Strip, strip_chart

    pairs = list(zip(curves.probabilities, curves.present, strict=True))
    strips = [
        Strip(
            curves.positive if kind else f"not {curves.positive}",
            series if kind else 7,
            [p if there is kind else None for p, there in pairs],
        )
        for kind in (True, False)
    ]
    title = f"Probability of {curves.positive} ({curves.method})"
    return strip_chart(strips, title=title, unit="", share=True, width=width, rule=curves.threshold)
