"""The section on single cases: every case as a point, the worst, median and best one drawn."""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.report.charts import Strip, forest_chart, strip_chart
from isocenter.report.figures_objects import KINDS, drawn, kinds_of
from isocenter.report.headline import lead_of
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.overlaid import Overlaid
from isocenter.report.percase import alias, case_values, is_share
from isocenter.report.run import MethodResult, Picture, Run
from isocenter.report.section_overlaid import overlaid_pictures
from isocenter.report.section_scores import direction
from isocenter.report.view import Section, View, paragraph, series_of, slug
from isocenter.report.wording import metric_name, target_name

PICTURES = 9
# Names are taken out of words, not out of pixels.
BURNED = " Text that a scanner wrote into the pixels is shown as it is: look for names before you pass this page on."


def cases_section(view: View, run: Run) -> Section | None:
    """Every case as a point, and the worst, median and best case of each method drawn."""
    key, target = lead_of(run)
    series = series_of(run)
    strips = [s for m in run.methods if (s := strip_of(view, m, key, target, series)) is not None]
    chart = None
    if strips:
        chart = view.chart(
            "cases",
            lambda width: strip_chart(
                strips,
                title=f"{metric_name(key)}, {_target(run, key, target)}",
                unit=_unit(run, key, target),
                share=is_share(run.task, key),
                width=width,
            ),
            "Each mark is one case"
            + ("; pale lines join the same case under different methods" if len(strips) > 1 else "")
            + ". The box holds the middle half of the cases, the bar is their median. "
            + ("Ringed cases are drawn below. " if any(s.marked for s in strips) else "")
            + "Look for marks far from their box: an average hides them.",
        )
    return view.section("cases", "Case by case", chart, pictures(view, run))


def _unit(run: Run, key: str, target: str) -> str:
    return next((s.metrics[key][target].unit for s in run.scores if target in s.metrics.get(key, {})), "")


def _target(run: Run, key: str, target: str) -> str:
    return target_name(next((alias(s.metrics[key], target) for s in run.scores if key in s.metrics), target))


def strip_of(view: View, method: MethodResult, key: str, target: str, series: dict[str, int]) -> Strip | None:
    """The cases of one method as a row of marks; None where the metric has no value per case."""
    values = case_values(method.scores, key, target) if method.scores is not None else None
    if method.scores is None or values is None or not any(v is not None for v in values):
        return None
    cases = [c.case for c in method.scores.cases]
    marked = {cases.index(p.case): p.rank for p in method.pictures if p.rank and p.case in cases}
    return Strip(method.name, series[method.name], values, [view.codes.of(c) for c in cases], marked)


def pictures(view: View, run: Run) -> Markup | None:
    """The drawn cases of every method, with switches for the lines."""
    if any(isinstance(p, Overlaid) for m in run.methods for p in m.pictures):
        return overlaid_pictures(view, run.methods, burned=BURNED, most=PICTURES)
    rows = []
    for m in run.methods:
        if m.pictures:
            shown = [picture(view, p, f"case-{slug(m.name)}-{i + 1}") for i, p in enumerate(m.pictures[:PICTURES])]
            class_ = "pictures" if len(shown) > 1 else "pictures one"
            rows.append(joined([tag("p", m.name, class_="panel-title"), tag("div", *shown, class_=class_)]))
    if not rows:
        return None
    kinds = kinds_of([p for m in run.methods for p in m.pictures[:PICTURES]])
    if kinds:
        return _objects(view, rows, kinds)
    thin = any('class="areas"' in row for row in rows)
    if not thin and not any('class="rim"' in row for row in rows):
        words = "From the most wrong to the most right case; below each, what is true and what was answered."
        return joined([tag("h3", "Drawn cases"), view.figure("pictures", joined(rows), words + BURNED)])
    if all(p.truth is None for m in run.methods for p in m.pictures):
        words = "Marked is the answer; there is no truth to hold it against."
        return joined([tag("h3", "Drawn cases"), view.figure("pictures", joined(rows), words + BURNED)])
    words = "The solid blue line is the truth, the dashed orange line the answer; where they part, the method errs."
    return tag(
        "div",
        tag("h3", "Drawn cases"),
        _legend(thin),
        view.figure("pictures", joined(rows), words + BURNED),
        class_="has-overlay",
    )


def _objects(view: View, rows: Sequence[Markup], kinds: Sequence[str]) -> Markup:
    """Pictures of boxes or objects with the legend of the kinds that they hold."""
    sides = dict.fromkeys(KINDS[k][0] for k in kinds)
    switches = [_switch(side, side, swatch=False) for side in ("truth", "answer") if side in sides]
    own = {"missed": "object-missed", "swapped": "object-swapped"}
    switches += [tag("label", tag("span", class_=f"swatch {own.get(k, k)}"), KINDS[k][1]) for k in kinds]
    if "truth" in sides:
        words = (
            "What is true is drawn solid, what was answered dashed; both stand for each other from an IoU of 0.5. "
            "Small numbers are scores; boxes scored below 0.5 are not drawn."
        )
    else:
        words = "Marked is the answer; there is no truth to hold it against."
    return tag(
        "div",
        tag("h3", "Drawn cases"),
        tag("div", *switches, class_="switches"),
        view.figure("pictures", joined(rows), words + BURNED),
        class_="has-overlay",
    )


def _switch(class_: str, words: str, *, swatch: bool = True) -> Markup:
    return tag(
        "label",
        tag("input", type="checkbox", checked=True, class_=f"see-{class_}"),
        tag("span", class_=f"swatch {class_}") if swatch else None,
        words,
    )


def _legend(thin: bool) -> Markup:
    switches = [_switch("truth", "truth"), _switch("answer", "answer")]
    kinds = (("agreed", "agreement"), ("missed", "missed"), ("extra", "extra"), ("swapped", "another class"))
    switches += [tag("label", tag("span", class_=f"swatch {c}"), w) for c, w in kinds] if thin else []
    words = "Where regions are only a few pixels wide, areas stand in place of outlines."
    return joined([tag("div", *switches, class_="switches"), paragraph(words, class_="note") if thin else Markup()])


def picture(view: View, shown: Picture, name: str) -> Markup:
    """One drawn case with its caption."""
    words = " ".join(w for w in (shown.rank.capitalize(), view.codes.of(shown.case)) if w)
    made = drawn(shown, side=320, detail=view.detail, label=f"{words}: {view.text(shown.text)}")
    view.keep_picture(name, made)
    return tag(
        "div",
        tag("div", made, class_="frame"),
        tag(
            "p",
            tag("b", shown.rank.capitalize()) if shown.rank else None,
            " " if shown.rank else None,
            tag("code", view.codes.of(shown.case)) if shown.case else None,
            tag("br"),
            view.text(shown.text),
        ),
        class_="picture",
    )


def lead_chart(view: View, run: Run) -> Markup | None:
    """The leading metric of all methods, for the head of the page; None for fewer than two methods."""
    key, target = lead_of(run)
    series = series_of(run)
    rows = [
        (s.method, series[s.method], s.metrics[key][target]) for s in run.scores if target in s.metrics.get(key, {})
    ]
    if len(rows) < 2:
        return None
    title = ", ".join(t for t in (metric_name(key), _target(run, key, target), direction(run.task, key)) if t)
    return view.chart(
        "lead",
        lambda width: forest_chart(rows, title=title, share=is_share(run.task, key), width=width),
        "The mark is the estimate, the bar its interval. Whether two methods differ is answered by the paired "
        "comparisons, which are sharper than looking at whether bars overlap.",
    )
