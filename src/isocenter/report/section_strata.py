"""The section on strata: groups of cases side by side, regions by size, classes by how often they occur."""

from __future__ import annotations

from isocenter.data import Score, Scores
from isocenter.metrics.strata import by_class, by_size
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.percase import lead_target
from isocenter.report.run import Run
from isocenter.report.section_scores import Footnotes
from isocenter.report.view import Section, View, bullets, table
from isocenter.report.wording import digits, estimate, flag_text, metric_name, p_text, target_name

# Metrics that a row of a group has room for.
SHOWN = 3


def strata_section(view: View, run: Run) -> Section | None:
    """Groups of cases by a column; of segmentations also Dice by thirds of the size and by class.

    Objects have the latter two in a section of their own.
    """
    parts = (_groups(view, run), _gaps(view, run), _sizes(run), _classes(run))
    return view.section("strata", "Where the mean differs", *parts)


def _groups(view: View, run: Run) -> Markup | None:
    grouped = [m for m in run.methods if m.by]
    if not grouped:
        return None
    notes, rows = Footnotes(), []
    keys = list(dict.fromkeys(k for m in grouped for s in m.by.values() for k in s.metrics))[:SHOWN]
    for method in grouped:
        for value, scores in method.by.items():
            who = [method.name, view.text(value), len(scores.cases), scores.n_subjects]
            rows.append([*who, *(_lead(scores, key, run.positive, notes) for key in keys)])
    head = ["Method", "Group", "Cases", "Subjects", *(metric_name(k) for k in keys)]
    words = "Cases of one value of the column apart; each estimate with its interval. "
    return joined([tag("h3", "By group"), table(head, rows, caption=joined([words, notes.text()]))])


def _gaps(view: View, run: Run) -> Markup | None:
    rows, lines = [], []
    for method in run.methods:
        for gap in method.gaps:
            found = Score(gap.difference, gap.low, gap.high, gap.n)
            flag = "gap" if "gap" in gap.flags else ", ".join(flag_text(f) for f in gap.flags)
            values = [digits(v) for v in (gap.value, gap.rest)]
            difference = " ".join(t for t in estimate(found) if t)
            rows.append([method.name, view.text(gap.group), gap.n, gap.n_subjects, *values, difference,
                         p_text(gap.p_holm), tag("b", flag) if flag == "gap" else flag])
        t = method.trend
        if t is not None and t.slope is not None:
            p = f", {p_text(t.p)}" if t.p is not None else ""
            lines.append(f"{method.name}: {t.slope:+.3g} in {metric_name(t.metric)} per unit of the column (years for "
                         f"dates){p}; {t.test}, {t.n} cases of {t.n_subjects} subjects.")
    if not rows:
        return bullets(lines, "plain")
    metric = metric_name(next(g.metric for m in run.methods for g in m.gaps))
    head = ["Method", "Group", "Cases", "Subjects", metric, "All others", "Difference", "p (Holm)", "Flag"]
    words = ("Each group against all others; the difference with its interval, resampled by subject. A gap is flagged "
             "where the interval leaves out 0 and p, corrected over the groups, is below 0.05. One without the flag is "
             "not proven to be none.")
    return joined([tag("h3", "Gaps between groups"), table(head, rows, caption=words), bullets(lines, "plain") or ""])


def _lead(scores: Scores, key: str, positive: str | None, notes: Footnotes) -> Markup:
    targets = scores.metrics.get(key, {})
    found = targets.get(lead_target(targets, positive))
    return Markup("\N{EN DASH}") if found is None else _cell(found, notes)


def _cell(score: Score, notes: Footnotes) -> Markup:
    return joined([" ".join(t for t in estimate(score) if t), notes.marks(score.flags) or Markup()])


def _sizes(run: Run) -> Markup | None:
    if run.task != "segment":
        return None
    notes = Footnotes()
    rows = [
        [scores.method, third, _cell(score, notes), score.n]
        for scores in run.scores
        for third, score in by_size(scores).items()
    ]
    if not rows:
        return None
    words = "By thirds of the size of the true regions, all classes together: the limits are those of this split. "
    head = ["Method", "Size of the region", metric_name("dice"), "n"]
    return joined([tag("h3", "By size of the region"), table(head, rows, caption=joined([words, notes.text()]))])


def _classes(run: Run) -> Markup | None:
    if run.task != "segment":
        return None
    notes, rows = Footnotes(), []
    for scores in run.scores:
        found = by_class(scores)
        for row in found if len(found) > 1 else ():
            cell = Markup("\N{EN DASH}") if row.score is None else _cell(row.score, notes)
            rows.append([scores.method, target_name(row.name), row.cases, cell])
    if not rows:
        return None
    head = ["Method", "Class", "Cases that hold it", metric_name("dice")]
    words = "The class that the fewest cases hold comes first. "
    return joined([tag("h3", "By class"), table(head, rows, caption=joined([words, notes.text()]))])
