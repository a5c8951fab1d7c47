"""The section on numbers: answers over truths, and their differences (Bland and Altman)."""

from __future__ import annotations

import numpy as np

from isocenter.data import Scores
from isocenter.metrics import BlandAltman, bland_altman
from isocenter.metrics.regress import sides
from isocenter.ops.array import Array
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.percase import ALL
from isocenter.report.run import Run
from isocenter.report.svg import Drawing, Frame, padded
from isocenter.report.view import Section, View, series_of, slug, table
from isocenter.report.wording import decimals, digits, estimate

KEY = "mae"
# Cases that a chart shows, and methods that have charts of their own.
MARKS, METHODS = 400, 6
WORDS = (
    "left, answer over truth; on the line they are the same. Right, answer less truth over the mean of both, with the "
    "mean difference and the limits between which 95 in 100 differences lie. Cases without an answer are left out; of "
    f"more than {MARKS} cases some are drawn, evenly over the truth."
)


def numbers_section(view: View, run: Run) -> Section | None:
    """Answers over truths and their differences, of each number and method; None for other questions."""
    if run.task != "regress" or not run.scores:
        return None
    names = [t for t in run.scores[0].metrics.get(KEY, {}) if t != ALL]
    parts = [part for name in names if (part := _of(view, run, name)) is not None]
    return view.section("numbers", "Answers and truths", *parts) if parts else None


def _of(view: View, run: Run, name: str) -> Markup | None:
    told = [(s, pair) for s in run.scores if len((pair := answered(s, name))[0]) > 1]
    if not told:
        return None
    unit = next((s.metrics[KEY][name].unit for s, _ in told), "")
    agreed = [(s, bland_altman(answer, truth, unit=unit)) for s, (truth, answer) in told]
    charts = []
    for (scores, (truth, answer)), (_, found) in list(zip(told, agreed, strict=True))[:METHODS]:
        series, part = series_of(run)[scores.method], f"{slug(name)}-{slug(scores.method)}"
        panels = [
            view.keep(f"scatter-{part}", scatter_chart(truth, answer, series, f"{name} {unit}".strip())),
            view.keep(f"bland-altman-{part}", difference_chart(truth, answer, found, series)),
        ]
        said = joined([view.text(scores.method), f": {WORDS}"])
        charts.append(view.figure(f"numbers-{part}", tag("div", *panels, class_="panels"), said))
    return joined([tag("h3", view.text(name)), limits_table(view, agreed), *charts])


def answered(scores: Scores, name: str) -> tuple[Array, Array]:
    """Truth and answer (n,) of the cases that were answered."""
    records = [c.records[KEY] for c in scores.cases if c.records[KEY].get("answered", True)]
    truth, answer = sides(records, name)
    known = ~np.isnan(truth)
    return truth[known], answer[known]


def limits_table(view: View, agreed: list[tuple[Scores, BlandAltman]]) -> Markup:
    """Mean difference and limits of agreement of each method, each with its interval."""
    rows: list[list[object]] = []
    for scores, found in agreed:
        three = (found.bias, found.lower, found.upper)
        places = decimals([v for s in three for v in (s.value, s.low, s.high)], found.bias.unit)
        said = [" ".join(estimate(s, places)) for s in three]
        note = "" if scores.n_subjects == len(scores.cases) else f" ({scores.n_subjects} subjects)"
        rows.append([view.text(scores.method), *said, f"{found.bias.n}{note}"])
    head = ("Method", "Mean difference", "Lower limit", "Upper limit", "n")
    words = (
        "Answer less truth. Intervals by Bland and Altman (1999) take cases for independent: where a subject has "
        "several they are too narrow."
    )
    return table(head, rows, caption=words)


def scatter_chart(truth: Array, answer: Array, series: int, name: str, *, size: int = 380) -> Drawing:
    """Answer over truth, one mark a case, with the line on which they are the same."""
    drawing = Drawing(size, size, f"Answer over truth: {name}")
    span = padded([*truth.tolist(), *answer.tolist()])
    frame = Frame(drawing, (56, 26, size - 14, size - 46), span, span)
    frame.x_axis("Truth")
    frame.y_axis("Answer")
    drawing.line(frame.at(span[0], span[0]), frame.at(span[1], span[1]), "chance")
    for i in _drawn(truth):
        drawing.marker(frame.at(float(truth[i]), float(answer[i])), series, size=3)
    return drawing


def difference_chart(truth: Array, answer: Array, found: BlandAltman, series: int, *, size: int = 380) -> Drawing:
    """Answer less truth over the mean of both, with the mean difference and the limits of agreement."""
    drawing = Drawing(size, size, "Differences by size")
    middle, off = (truth + answer) / 2, answer - truth
    three = [float(s.value or 0.0) for s in (found.lower, found.bias, found.upper)]
    across = padded(middle.tolist())
    frame = Frame(drawing, (56, 26, size - 14, size - 46), across, padded([*off.tolist(), *three]))
    frame.x_axis("Mean of answer and truth")
    frame.y_axis("Answer − truth")
    for value, class_ in zip(three, ("chance", "ink thin", "chance"), strict=True):
        drawing.line(frame.at(across[0], value), frame.at(across[1], value), class_)
        drawing.text((size - 18, frame.py(value) - 4), digits(value, decimals(three)), "tick end")
    for i in _drawn(truth):
        drawing.marker(frame.at(float(middle[i]), float(off[i])), series, size=3)
    return drawing


def _drawn(truth: Array) -> list[int]:
    order = np.argsort(truth, kind="stable")
    at = np.unique(np.linspace(0, len(order) - 1, min(len(order), MARKS)).round().astype(int))
    return [int(i) for i in order[at]]
