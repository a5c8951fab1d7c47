"""The page: head, chapters, table of contents, nothing from outside and no script."""

from __future__ import annotations

from collections.abc import Callable

from isocenter.report.headline import answer, caveats
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.run import Run
from isocenter.report.section_asked import asked_section
from isocenter.report.section_cases import cases_section, lead_chart
from isocenter.report.section_certainty import certainty_section
from isocenter.report.section_explanations import explanations_section
from isocenter.report.section_follow import follow_section
from isocenter.report.section_inside import inside_section
from isocenter.report.section_numbers import numbers_section
from isocenter.report.section_objects import objects_section
from isocenter.report.section_pairs import pairs_section
from isocenter.report.section_record import card_section, made_section, problems_section
from isocenter.report.section_scores import scores_section
from isocenter.report.section_search import search_section
from isocenter.report.section_strata import strata_section
from isocenter.report.section_study import (
    curves_section,
    data_section,
    learning_section,
    plan_section,
    samples_section,
)
from isocenter.report.section_suspects import suspects_section
from isocenter.report.section_under import under_section
from isocenter.report.style import page_style, policy
from isocenter.report.view import IDENTIFIED, RESEARCH, Section, View, bullets, facts_list, paragraph
from isocenter.report.wording import counted, where_text

ORDER: tuple[Callable[[View, Run], Section | None], ...] = (
    asked_section,
    follow_section,
    scores_section,
    pairs_section,
    under_section,
    search_section,
    objects_section,
    numbers_section,
    strata_section,
    cases_section,
    curves_section,
    certainty_section,
    explanations_section,
    inside_section,
    data_section,
    plan_section,
    samples_section,
    learning_section,
    suspects_section,
    problems_section,
    card_section,
    made_section,
)


def page(view: View, run: Run) -> str:
    """The whole page as HTML text; the figures that stand alone are left in `view`."""
    body, contents = chapter(view, run, "")
    for i, part in enumerate(run.parts, 1):
        inner, items = _nested(view, part, f"{i}-")
        body, contents = joined([body, inner]), joined([contents, items])
    style = page_style()
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(style)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="generator", content="isocenter"),
        tag("title", view.text(run.title)),
        Markup(f"<style>{style}</style>"),
    )
    nav = tag("nav", tag("b", "Contents"), tag("ol", contents), aria_label="Contents")
    sheet = tag("div", nav, tag("main", body, tag("footer", RESEARCH)), class_="sheet")
    return f'<!DOCTYPE html>\n<html lang="en">\n{head}\n{tag("body", banners(view), sheet)}\n</html>\n'


def banners(view: View) -> Markup:
    """What must be read first; in print it stands on every page."""
    each = f"Research use only, not a medical device.{' ' + IDENTIFIED if view.codes.identified else ''}"
    first, _, rest = RESEARCH.partition(". ")
    return joined(
        [
            tag("div", tag("b", first + "."), " " + rest, class_="research", role="note"),
            tag("div", IDENTIFIED, class_="identified", role="note") if view.codes.identified else Markup(),
            tag("div", each, class_="each-page", aria_hidden="true"),
        ]
    )


def _nested(view: View, run: Run, prefix: str) -> tuple[Markup, Markup]:
    body, contents = chapter(view, run, prefix)
    link = tag("li", tag("a", view.text(run.title), href=f"#{prefix}top"), tag("ol", contents))
    for i, part in enumerate(run.parts, 1):
        inner, items = _nested(view, part, f"{prefix}{i}-")
        body, link = joined([body, inner]), joined([link, items])
    return body, link


def chapter(view: View, run: Run, prefix: str) -> tuple[Markup, Markup]:
    """One run as HTML, and its entries in the table of contents."""
    view.prefix = prefix
    top = opening(view, run)
    sections = [s for make in ORDER if (s := make(view, run)) is not None]
    drawn = [tag("section", tag("h2", s.title), s.body, id=s.anchor) for s in sections]
    contents = joined(tag("li", tag("a", s.title, href=f"#{s.anchor}")) for s in sections)
    inside = joined([top, *drawn])
    return (tag("div", inside, class_="chapter", id=f"{prefix}top") if prefix else inside), contents


def opening(view: View, run: Run) -> Markup:
    """Title, the answer in a sentence or two, what speaks against it, and the leading chart."""
    size = ""
    if run.data is not None and run.data.splits:
        size = counted(sum(s.get("cases", 0) for s in run.data.splits.values()), "case")
    eyebrow = (
        " · ".join(w for w in ("isocenter", run.verb, run.task) if w)
        if not view.prefix
        else " · ".join(w for w in (run.verb, run.task) if w)
    )
    meta = " · ".join(w for w in (run.data.name if run.data else "", size, run.created) if w)
    said = view.text(run.headline) if run.headline else answer(run)
    chosen = run.chosen_by and run.chosen and len(run.scores) > 1
    return joined(
        part
        for part in (
            tag("p", eyebrow, class_="eyebrow") if eyebrow else None,
            tag("h1", view.text(run.title)),
            tag("p", meta, class_="meta") if meta else None,
            tag("p", said, class_="said") if said else None,
            paragraph(f"{run.chosen} was named {_before(run)}, by {view.text(run.chosen_by)}.", class_="note")
            if chosen
            else None,
            bullets((view.text(c) for c in caveats(run)), "caveats"),
            facts_list(view, run.facts),
            lead_chart(view, run),
        )
        if part is not None
    )


def _before(run: Run) -> str:
    split = run.scores[0].split
    folds = where_text(split).startswith("over ")
    return "inside each fold before its test part was opened" if folds else "before the split was opened"
