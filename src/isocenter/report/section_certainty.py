"""The section on how sure a classifier is: whether acting on it does good, sets of classes, abstention."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.metrics.decision import DecisionCurve, decision_curve
from isocenter.report.markup import Markup, joined, shortened, tag
from isocenter.report.run import Run
from isocenter.report.section_scores import Footnotes, key_sign
from isocenter.report.svg import Drawing, Frame, padded, series_class
from isocenter.report.view import Section, View, bullets, series_of, table
from isocenter.report.wording import estimate

# Below this share of the greatest benefit a curve is not drawn: harm has no lower bound.
LEAST = -0.2
RESAMPLES = 1000


def certainty_section(view: View, run: Run) -> Section | None:
    """Decision curves where there is one positive class; coverage and size of sets, and what abstention costs."""
    if run.task != "classify":
        return None
    return view.section("certainty", "How sure", _decisions(view, run), _table(run))


def decision_chart(curves: Sequence[tuple[int, str, DecisionCurve]], *, size: tuple[int, int]) -> Drawing:
    """Net benefit over the threshold from which one would act, with bands; always and never beside.

    Parameters
    ----------
    curves
        Series, method and curve of each.
    size
        Width and height.
    """
    width, height = size
    drawing = Drawing(width, height, "Decision curves")
    best = max(float(np.nanmax(c.benefit)) for *_, c in curves)
    floor = LEAST * max(best, 1e-3)
    span = padded([floor, best, *(v for *_, c in curves if c.high is not None for v in c.high)], share=0.02)
    frame = Frame(drawing, (52, 26, width - 14, height - 46), (0.0, 1.0), span)
    frame.x_axis("Probability from which one would act")
    frame.y_axis("Net benefit")
    first = curves[0][2]
    frame.line([0.0, 1.0], [0.0, 0.0], "ink thin")
    frame.line(first.threshold, np.where(first.treat_all >= floor, first.treat_all, np.nan), "ink thin")
    for series, _, c in curves:
        if c.low is not None and c.high is not None:
            low, high = (np.clip(v, floor, None) for v in (c.low, c.high))
            frame.band(c.threshold.tolist(), low.tolist(), high.tolist(), series_class(series))
    for row, (series, name, c) in enumerate(curves):
        frame.line(c.threshold, np.where(c.benefit >= floor, c.benefit, np.nan), series_class(series))
        y = frame.box[1] + 12 + 18 * row
        drawing.marker((width - 22, y - 4), series, size=4.5)
        drawing.text((width - 34, y), shortened(name, 12, width * 0.36), "key end")
    return drawing


def _decisions(view: View, run: Run) -> Markup | None:
    series = series_of(run)
    found: list[tuple[int, str, DecisionCurve]] = []
    for c in run.curves:
        scores = next((s for s in run.scores if s.method == c.method), None)
        if scores is None or not c.positive:
            continue
        curve = decision_curve(scores, c.positive, resamples=RESAMPLES, level=scores.interval.level)
        if curve is not None:
            found.append((series[c.method], c.method, curve))
    if not found:
        return None
    drawn = view.keep("decision", decision_chart(found, size=(560, 360)))
    lines = bullets((joined([key_sign(s), f"{name}: {_useful(c)}"]) for s, name, c in found), "plain")
    positive = found[0][2].target
    words = (
        f"Decision curve (Vickers and Elkin 2006), {positive} against the rest, n = {found[0][2].n}: net benefit is "
        "the share of true positives less that of false positives, weighed by the odds of the threshold. The thin "
        "lines are acting always (falling) and never (0); acting on a method is worth it where its line lies above "
        "both. Bands are intervals. Thresholds that nobody would choose say nothing."
    )
    return view.figure("decision", joined([drawn, lines]), words)


def _useful(curve: DecisionCurve) -> str:
    if curve.useful is None:
        return "at no threshold proven to do more good than acting always or never"
    low, high = curve.useful
    return f"proven to do more good than acting always or never at thresholds between {low:.2f} and {high:.2f}"


def _table(run: Run) -> Markup | None:
    notes, rows = Footnotes(), []
    for method in run.methods:
        for text, score in method.certainty.rows() if method.certainty else ():
            value = " ".join(t for t in estimate(score) if t)
            rows.append([method.name, text, joined([value, notes.marks(score.flags) or Markup()]), score.n])
    if not rows:
        return None
    words = (
        "A set holds every class that cannot be ruled out; its limit, and the confidence below which there is no "
        "answer, were chosen on val and are measured here. The area is the mean share of wrong decisions over all "
        "shares answered, the surest first. "
    )
    head = ["Method", "What", "Value", "n"]
    return joined([tag("h3", "Sets and abstention"), table(head, rows, caption=joined([words, notes.text()]))])
