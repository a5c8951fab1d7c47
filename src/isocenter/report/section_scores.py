"""The section on how well: all methods and metrics with their intervals, per class, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.data import Score
from isocenter.metrics.sizes import THIRDS
from isocenter.report.charts import common_span, interval_bar, scale_bar
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.percase import ALL, alias, is_share, lead_target, metric_of, shared_targets
from isocenter.report.run import Run
from isocenter.report.svg import sign
from isocenter.report.view import Section, View, facts_list, fold, series_of, table
from isocenter.report.wording import decimals, duration, estimate, flag_text, listed, memory, metric_name, target_name

MARKS = "abcdefghijklmnop"


class Footnotes:
    """Letters for flags, in order of appearance."""

    def __init__(self) -> None:
        self.flags: list[str] = []

    def marks(self, flags: Sequence[str]) -> Markup | None:
        """The raised letters of some flags."""
        for flag in flags:
            if flag not in self.flags:
                self.flags.append(flag)
        letters = ",".join(MARKS[self.flags.index(f) % len(MARKS)] for f in flags)
        return tag("sup", letters) if letters else None

    def text(self) -> Markup:
        """The meaning of all letters used."""
        return joined(
            [joined([tag("sup", MARKS[i % len(MARKS)]), " ", flag_text(f), ". "]) for i, f in enumerate(self.flags)]
        )


def key_sign(series: int) -> Markup:
    """The sign of a method beside its name."""
    return tag(
        "svg",
        sign((6.5, 6.5), series, size=4.5),
        class_="ch key-sign",
        aria_hidden="true",
        viewBox="0 0 13 13",
        width="13",
        height="13",
    )


def direction(task: str, key: str) -> str:
    """Which way is better, in words."""
    metric = metric_of(task, key)
    return f"{metric.better} is better" if metric is not None else ""


def keys_of(run: Run) -> list[str]:
    """All metric keys of a run, the leading one first."""
    keys = dict.fromkeys(k for s in run.scores for k in s.metrics)
    return sorted(keys, key=lambda k: k != run.metric)


def scores_section(view: View, run: Run) -> Section | None:
    """The table of all methods and metrics, the leading target first, then per class."""
    if not run.scores:
        return None
    notes, series = Footnotes(), series_of(run)
    defined = [
        key
        for key in keys_of(run)
        if any(x.value is not None for s in run.scores for x in s.metrics.get(key, {}).values())
    ]
    blocks = [block(run, key, None, notes, series) for key in defined]
    nowhere = [metric_name(key) for key in keys_of(run) if key not in defined]
    empty = f"Not defined on any of these cases: {listed(nowhere)}. " if nowhere else ""
    first = run.scores[0]
    by = "by subject" if first.interval.by in ("group", "subject") else f"by {first.interval.by}"
    how = (
        f"Estimate with its {100 * first.interval.level:g} % interval ({first.interval.kind}, {by}"
        + (f", {first.interval.resamples} resamples" if first.interval.resamples else "")
        + f"). n counts the cases that enter a number. Split: {first.split or 'none'}. "
    )
    allowed = joined(
        [f"{k.capitalize()} allowed: {view.text(v)}. " for k, v in (run.data.allow if run.data else {}).items()]
    )
    main = forest(blocks, joined([how, empty, allowed, notes.text()]))
    about = facts_list(view, {m.name: m.text for m in run.methods})
    return view.section("scores", "Scores", main, about, per_class(run, series), effort(run))


def forest(blocks: Sequence[Markup], caption: object) -> Markup:
    """Blocks of one metric each as a table with bars."""
    head = tag(
        "thead",
        tag(
            "tr",
            *(
                tag("th", h, scope="col", class_=c)
                for h, c in (("Method", None), ("Estimate (interval)", None), ("", None), ("n", "r"))
            ),
        ),
    )
    return tag(
        "div", tag("table", tag("caption", caption), head, *blocks, class_="forest"), class_="scroll", tabindex="0"
    )


def block(run: Run, key: str, target: str | None, notes: Footnotes, series: dict[str, int]) -> Markup:
    """The rows of one metric and target (None: the leading one)."""
    found: list[tuple[str, Score]] = []
    name = target or ""
    asked = target or lead_target(shared_targets(run.scores, key), run.positive)
    for scores in run.scores:
        targets = scores.metrics.get(key, {})
        if asked in targets:
            name = alias(targets, asked)
            found.append((scores.method, targets[asked]))
    if not found:
        return Markup()
    span = common_span([s for _, s in found], share=is_share(run.task, key))
    places = decimals((v for _, s in found for v in (s.value, s.low, s.high)), found[0][1].unit)
    small = ", ".join(t for t in (target_name(name), direction(run.task, key)) if t) if target is None else ""
    head = tag(
        "tr",
        tag(
            "th",
            metric_name(key) if target is None else target_name(name),
            tag("small", small) if small else None,
            colspan="2",
            scope="rowgroup",
        ),
        tag("td", scale_bar(span), class_="bars"),
        tag("td"),
        class_="group",
    )
    return tag(
        "tbody",
        head,
        *(
            score_row(
                score,
                (tag("th", key_sign(series[method]), method, scope="row"), interval_bar(score, series[method], span)),
                places,
                notes,
                named=method == run.chosen,
            )
            for method, score in found
        ),
    )


def score_row(score: Score, drawn: tuple[Markup, Markup], places: int, notes: Footnotes, *, named: bool) -> Markup:
    """One method under one metric; `drawn` is its name and its bar."""
    value, interval = estimate(score, places)
    return tag(
        "tr",
        drawn[0],
        tag("td", tag("b", value), " ", tag("span", interval), notes.marks(score.flags), class_="est"),
        tag("td", drawn[1], class_="bars"),
        tag("td", score.n, class_="r"),
        class_="named" if named else None,
    )


def per_class(run: Run, series: dict[str, int]) -> Markup | None:
    """Every metric per class, folded but for the leading metric."""
    folds = []
    for key in keys_of(run):
        targets = {t: s for scores in run.scores for t, s in scores.metrics.get(key, {}).items()}
        if all(s.value is None for s in targets.values()):
            continue
        lead = lead_target(shared_targets(run.scores, key), run.positive)
        rest = [
            t
            for t in targets
            if t not in (lead, alias(targets, lead), *THIRDS) and not (t == ALL and targets[ALL] == targets[lead])
        ]
        if rest:
            notes, way = Footnotes(), direction(run.task, key)
            blocks = [block(run, key, target, notes, series) for target in rest]
            small = key == run.metric and len(rest) * len(run.scores) <= 12
            folds.append(
                fold(f"{metric_name(key)} per class{way and f' ({way})'}", forest(blocks, notes.text()), opened=small)
            )
    return joined([tag("h3", "Per class"), *folds]) if folds else None


def effort(run: Run) -> Markup | None:
    """What each method cost, and what was decided for it where."""
    rows = []
    for m in run.methods:
        s = m.scores
        per_case = duration(s.seconds / len(s.cases)) if s and s.seconds is not None and s.cases else ""
        used = [
            duration(m.training_seconds),
            memory(m.training_mb),
            per_case,
            memory(s.peak_mb if s else None),
            f"{s.engine}, {s.threads} thread{'s' if s.threads != 1 else ''}" if s else "",
        ]
        rows.append([m.name, *used, m.decided])
    if not any(any(r[1:]) for r in rows):
        return None
    head = ["Method", "Training", "Memory to train", "Per case", "Memory to answer", "Engine", "Decided beforehand"]
    keep = [i for i in range(len(head)) if i == 0 or any(r[i] for r in rows)]
    return joined(
        [
            tag("h3", "Time and memory"),
            table([head[i] for i in keep], [[r[i] or "–" for i in keep] for r in rows], class_="wide"),
        ]
    )
