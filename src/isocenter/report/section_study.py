"""The sections on what was learnt from what: curves, data, plan, samples, learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isocenter.report.charts import share_bar
from isocenter.report.curves import (
    confusion_chart,
    history_keys,
    learning_chart,
    probability_chart,
    reliability_chart,
    roc_chart,
    threshold_text,
)
from isocenter.report.figures_objects import drawn as picture_drawn
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.run import Curves, Data, Run
from isocenter.report.section_scores import key_sign
from isocenter.report.view import (
    Section,
    View,
    bullets,
    facts_list,
    flat,
    fold,
    paragraph,
    series_of,
    shown,
    slug,
    table,
)
from isocenter.report.wording import counted, score_text

SAMPLES = 16
PROBABILITIES = 4


def curves_section(view: View, run: Run) -> Section | None:
    """ROC with bands, reliability, confusion and the probabilities of all cases."""
    if not run.curves:
        return None
    series = series_of(run)
    pairs = [(series[c.method], c) for c in run.curves]
    panels = [_curve_panels(view, pairs), _confusion(view, run.curves)]
    strips = [_probabilities(view, series[c.method], c) for c in run.curves[:PROBABILITIES] if len(c.probabilities)]
    return view.section("curves", "Curves", *panels, *strips)


def _curve_panels(view: View, pairs: Sequence[tuple[int, Curves]]) -> Markup | None:
    drawn = []
    if any(c.roc is not None for _, c in pairs):
        drawn.append(view.keep("roc", roc_chart(pairs)))
    if any(c.reliability is not None for _, c in pairs):
        drawn.append(view.keep("reliability", reliability_chart(pairs)))
    if not drawn:
        return None
    areas = bullets(
        (joined([key_sign(s), f"{c.method}: area under the ROC curve {score_text(c.auc)}"]) for s, c in pairs if c.auc),
        "plain",
    )
    positive = next((c.positive for _, c in pairs if c.positive), "")
    words = (
        f"ROC: each point is a threshold for {positive or 'the positive class'}; the nearer to the upper left, the "
        "better; the dashed diagonal is guessing; the band is the interval of sensitivity. The outlined mark is the "
        f"threshold in use{_thresholds(pairs)}. Reliability: marks on the diagonal mean that a stated probability "
        "comes true that often; below it the method is too sure of itself. Whiskers are intervals."
    )
    return view.figure("curves", joined([tag("div", *drawn, class_="panels"), areas]), words)


def _thresholds(pairs: Sequence[tuple[int, Curves]]) -> str:
    found = [f"{c.method}: {threshold_text(c)}" for _, c in pairs if c.threshold is not None]
    return f" ({'; '.join(found)})" if found else ""


def _confusion(view: View, curves: Sequence[Curves]) -> Markup | None:
    counted_up = [c for c in curves if c.confusion is not None]
    if not counted_up:
        return None
    panels = [
        tag(
            "div",
            tag("p", c.method, class_="panel-title"),
            view.keep(f"confusion-{slug(c.method)}", confusion_chart(c)),
        )
        for c in counted_up
    ]
    n = {int(c.confusion.counts.sum()) for c in counted_up if c.confusion is not None}
    size = f"n = {n.pop()}" if len(n) == 1 else "each on its own number of cases"
    return view.figure(
        "confusion",
        tag("div", *panels, class_="panels"),
        f"Decisions, {size}. Rows are the truth: along a row one sees where its cases went. The diagonal is right.",
    )


def _probabilities(view: View, series: int, curves: Curves) -> Markup:
    name = slug(curves.method)
    return view.chart(
        f"probabilities-{name}",
        lambda width: probability_chart(curves, series, width=width),
        f"Each mark is one case. A useful method keeps the two rows apart; cases of {curves.positive} left of "
        "the dashed threshold are missed, others right of it are false alarms.",
    )


def data_section(view: View, run: Run) -> Section | None:
    """Cases, subjects and classes by split, with what was allowed and what was left out."""
    data = run.data
    if data is None:
        return None
    facts = {"Data set": data.name, "Classes": ", ".join(data.classes), **data.facts}
    words = [] if data.subjects_known else ["Patients unknown: each case counts as a patient of its own."]
    words += [f"{k.capitalize()} allowed, because: {view.text(v)}" for k, v in data.allow.items()]
    words += [f"{counted(n, 'row')} left out: {view.text(reason)}" for reason, n in data.unused.items()]
    return view.section(
        "data",
        "Data and split",
        facts_list(view, facts),
        split_table(data),
        class_table(data),
        bullets(words, "caveats"),
    )


def split_table(data: Data) -> Markup | None:
    """Cases and subjects by split."""
    if not data.splits:
        return None
    total = sum(s.get("cases", 0) for s in data.splits.values())
    rows = [
        [
            split,
            tag("span", n.get("cases", 0)),
            n.get("subjects", "–") if data.subjects_known else "unknown",
            share_bar(n.get("cases", 0), total, 7),
        ]
        for split, n in data.splits.items()
    ]
    return table(
        ["Split", "Cases", "Subjects", "Share"],
        rows,
        caption="No subject stands in two splits, unless the page says that this was allowed.",
    )


def class_table(data: Data) -> Markup | None:
    """Cases of each class by split."""
    classes = list(data.classes) or list(dict.fromkeys(c for counts in data.counts.values() for c in counts))
    splits = [s for s in data.splits if s in data.counts] or list(data.counts)
    if not splits:
        return None
    rows = []
    for c in classes:
        cells: list[object] = [c]
        for split in splits:
            n, whole = (
                data.counts[split].get(c, 0),
                data.splits.get(split, {}).get("cases") or sum(data.counts[split].values()),
            )
            cells.append(f"{n} ({100 * n / whole:.0f} %)" if whole else str(n))
        rows.append(cells)
    return joined([tag("h3", "Cases that hold a class"), table(["Class", *splits], rows)])


def plan_section(view: View, run: Run) -> Section | None:
    """Every setting and where its value came from."""
    plans = [("", run.plan, run.origins)]
    plans += [(m.name, m.plan, m.origins) for m in run.methods if m.plan != run.plan]
    folds = [_plan(view, name, plan, origins) for name, plan, origins in plans if plan]
    if not folds:
        return None
    words = paragraph(
        "Every value that decides the answer, and who set it. What a person or the data changed stands first."
    )
    return view.section("plan", "Plan", words, *folds)


def _plan(view: View, name: str, plan: Mapping[str, Any], origins: Mapping[str, str]) -> Markup:
    rows = [(key, value, origins.get(key, "")) for key, value in flat(plan)]
    changed = [r for r in rows if r[2] and "default" not in r[2]]
    rest = [r for r in rows if r not in changed]

    def listing(chosen: Sequence[tuple[str, object, str]]) -> Markup:
        return table(
            ["Setting", "Value", "From"],
            [
                [tag("code", k), view.text(shown(v)), tag("span", view.text(o), class_="chip") if o else "–"]
                for k, v, o in chosen
            ],
        )

    parts = [
        tag("h3", name) if name else None,
        listing(changed) if changed else None,
        fold(f"{'Other' if changed else 'All'} settings ({len(rest)})", listing(rest)) if rest else None,
    ]
    return joined(p for p in parts if p is not None)


def samples_section(view: View, run: Run) -> Section | None:
    """Augmented training samples as the network sees them."""
    if not run.samples:
        return None
    drawn = [
        tag(
            "div",
            tag("div", picture_drawn(s, side=190, detail=view.detail), class_="frame"),
            tag("p", view.text(s.text)) if s.text else None,
            class_="picture",
        )
        for s in run.samples[:SAMPLES]
    ]
    words = (
        "Training samples after augmentation, as the network saw them, with the truth in blue. If a picture looks like "
        "nothing that a scanner could make, the augmentation is too strong."
    )
    return view.section(
        "samples", "Augmented samples", view.figure("samples", tag("div", *drawn, class_="pictures four"), words)
    )


def learning_section(view: View, run: Run) -> Section | None:
    """Losses and scores over epochs."""
    histories = [("", run.history), *((m.name, m.history) for m in run.methods if list(m.history) != list(run.history))]
    drawn = [part for name, history in histories if len(history) for part in _learning(view, name, history)]
    return view.section("learning", "Learning curves", *drawn)


def _learning(view: View, name: str, history: Sequence[Mapping[str, Any]]) -> list[Markup]:
    losses, scores = history_keys(history)
    suffix = f"-{slug(name)}" if name else ""
    panels = [("loss", losses, "Loss", False), ("score", scores, "Score on val", True)]
    drawn = [
        view.keep(f"{key}{suffix}", learning_chart(history, keys, title=title, best=best, size=(385, 250)))
        for key, keys, title, best in panels
        if keys
    ]
    words = (
        "Left: the loss must fall and then flatten. Right: the score on val, on which the kept epoch was chosen "
        "(outlined); test takes no part. A loss that falls while the score falls too is overfitting."
    )
    head = tag("p", name, class_="panel-title") if name else None
    return (
        [
            view.figure(
                f"learning{suffix}",
                joined(p for p in (head, tag("div", *drawn, class_="panels")) if p is not None),
                words,
            )
        ]
        if drawn
        else []
    )
