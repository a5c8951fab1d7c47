"""The section on paired comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isocenter.data import Test
from isocenter.report.charts import difference_bar, difference_span, scale_bar
from isocenter.report.headline import headline_method, lead_of, oriented
from isocenter.report.markup import Markup, tag
from isocenter.report.percase import alias, is_share
from isocenter.report.run import Run
from isocenter.report.section_scores import Footnotes, direction
from isocenter.report.svg import Point
from isocenter.report.view import Section, View, fold, paragraph
from isocenter.report.wording import decimals, digits, interval_text, metric_name, p_text, target_name


def pairs_section(view: View, run: Run) -> Section | None:
    """The paired tests, the leading metric first; the rest folded."""
    if not run.tests:
        return None
    key, target = lead_of(run)
    chosen = headline_method(run)
    groups: dict[tuple[str, str], list[Test]] = {}
    for t in run.tests:
        turned = oriented(t, chosen.name) if chosen and chosen.name in (t.a, t.b) else t
        groups.setdefault((t.metric, t.target), []).append(turned)
    lead = groups.pop((key, target), [])
    words = paragraph(
        "Each row compares two methods on the same cases. A difference whose interval crosses the dashed line of zero "
        "may be chance. p is corrected for the number of comparisons after Holm, with the plain p in brackets; a dash "
        "stands where there are too few subjects for a test."
    )
    parts = [pair_table(run, lead)] if lead else []
    if groups:
        parts.append(
            fold(
                f"Further comparisons ({sum(map(len, groups.values()))})",
                *(pair_table(run, g) for g in groups.values()),
            )
        )
    return view.section("tests", "Paired comparisons", words, *parts)


def pair_table(run: Run, tests: Sequence[Test]) -> Markup:
    """Comparisons on one metric and target: a row per pair of methods, a column of p per kind of test."""
    notes, span, first = Footnotes(), difference_span(tests), tests[0]
    targets = next((s.metrics[first.metric] for s in run.scores if first.metric in s.metrics), {})
    small = ", ".join(t for t in (target_name(alias(targets, first.target)), direction(run.task, first.metric)) if t)
    kinds = list(dict.fromkeys(t.test for t in tests))
    pairs: dict[tuple[str, str], dict[str, Test]] = {}
    for t in tests:
        pairs.setdefault((t.a, t.b), {})[t.test] = t
    head = tag(
        "tr",
        tag("th", metric_name(first.metric), tag("small", small), colspan="2", scope="rowgroup"),
        tag("td", scale_bar(span), class_="bars"),
        *(tag("td") for _ in kinds),
        class_="group",
    )
    places = decimals(
        (v for t in tests for v in (t.difference, t.low, t.high)), "" if is_share(run.task, first.metric) else "unit"
    )
    rows = [pair_row(found, kinds, notes, (span, places)) for found in pairs.values()]
    columns = [
        ("Comparison", None),
        ("Difference (interval)", None),
        ("", None),
        *((f"p, {kind}", "r") for kind in kinds),
    ]
    heads = tag("thead", tag("tr", *(tag("th", h, scope="col", class_=c) for h, c in columns)))
    caption = tag("caption", notes.text()) if notes.flags else None
    return tag(
        "div",
        tag("table", caption, heads, tag("tbody", head, *rows), class_="forest tests"),
        class_="scroll",
        tabindex="0",
    )


def pair_row(found: Mapping[str, Test], kinds: Sequence[str], notes: Footnotes, drawn: tuple[Point, int]) -> Markup:
    """One pair of methods under all its tests; `drawn` is the range of the bars and the number of decimals."""
    test, (span, places) = next(iter(found.values())), drawn
    flags = tuple(dict.fromkeys(f for t in found.values() for f in t.flags))
    value = tag(
        "td",
        tag("b", digits(test.difference, places)),
        " ",
        tag("span", interval_text(test.low, test.high, places)),
        notes.marks(flags),
        class_="est",
    )
    ps = []
    for kind in kinds:
        t = found.get(kind)
        raw = tag("small", f"({p_text(t.p)})") if t is not None and t.p is not None else None
        ps.append(tag("td", p_text(t.p_holm if t else None), " " if raw else None, raw, class_="r"))
    who = tag("th", test.a, tag("span", " against ", class_="soft"), test.b, scope="row")
    return tag("tr", who, value, tag("td", difference_bar(test, span), class_="bars"), *ps)
