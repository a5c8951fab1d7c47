"""The sections that keep account: problems, model card, what made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isocenter.data import Problem
from isocenter.report.card import card_html
from isocenter.report.markup import Markup, tag
from isocenter.report.run import Run
from isocenter.report.view import Section, View, facts_list, flat, fold, paragraph, shown, table
from isocenter.report.wording import counted

SEVERITIES = ("error", "warning", "note")
INPUTS = 200
PROBLEMS = 200


def problems_section(view: View, run: Run) -> Section | None:
    """What was found wrong, worst first, with what to do."""
    if not run.problems:
        return None
    ordered = sorted(run.problems, key=lambda p: SEVERITIES.index(p.severity))
    counts = [counted(n, s) for s in SEVERITIES if (n := sum(1 for p in ordered if p.severity == s))]
    codes = " Codes stand for files and cases; private/identifiers.csv, which stays at home, says which."
    words = f"{', '.join(counts)}.{'' if view.codes.identified else codes}"
    rows = [
        [tag("span", p.severity, class_=f"chip {p.severity}"), _problem(view, p), _place(view, p)]
        for p in ordered[:PROBLEMS]
    ]
    more = paragraph(f"{len(ordered) - PROBLEMS} more in problems.csv.") if len(ordered) > PROBLEMS else None
    listing = table(["", "What is wrong, and what to do", "Where"], rows, class_="problems")
    return view.section("problems", "Problems", paragraph(words), listing, more)


def _problem(view: View, problem: Problem) -> Markup:
    facts = [
        f"got {view.message(problem.got)}" if problem.got else "",
        f"needed {view.message(problem.wanted)}" if problem.wanted else "",
    ]
    middle = ", ".join(f for f in facts if f)
    what = view.message(problem.what)
    remedy = view.message(problem.remedy)
    return tag(
        "div", f"{what}{': ' + middle if middle else ''}.", tag("div", remedy, class_="note") if remedy else None
    )


def _place(view: View, problem: Problem) -> Markup | str:
    return tag("code", view.codes.place(problem.where)) if problem.where else ""


def card_section(view: View, run: Run) -> Section | None:
    """The model card."""
    if not run.card:
        return None
    return view.section("card", "Model card", card_html(run.card, view.text))


def made_section(view: View, run: Run) -> Section | None:
    """What made the result: command, method, versions, checksums."""
    if not run.made and not run.command:
        return None
    facts = {k.replace("_", " "): v for k, v in run.made.items() if not isinstance(v, Mapping)}
    nested = {k: v for k, v in run.made.items() if isinstance(v, Mapping) and k != "inputs"}
    inputs = run.made.get("inputs") or {}
    parts: list[object] = [facts_list(view, facts)]
    parts += [fold(k.replace("_", " "), _settings(view, v)) for k, v in nested.items() if v]
    if isinstance(inputs, Mapping) and inputs:
        parts.append(fold(f"Inputs and their checksums ({len(inputs)})", _inputs(view, inputs)))
    if run.command:
        parts += [tag("h3", "Command"), tag("code", view.codes.command(run.command), class_="command")]
    return view.section("made", "What made it", *(p for p in parts if p is not None))


def _settings(view: View, values: Mapping[str, Any]) -> Markup:
    return table(
        ["Name", "Value"], [[tag("code", view.text(k)), tag("code", view.text(shown(v)))] for k, v in flat(values)]
    )


def _inputs(view: View, inputs: Mapping[str, Any]) -> Markup:
    rows = [[tag("code", view.codes.of(k)), tag("code", shown(v))] for k, v in list(inputs.items())[:INPUTS]]
    caption = None if len(inputs) <= INPUTS else f"The first {INPUTS}; all of them stand in inputs.csv."
    return table(["Input", "sha256"], rows, caption=caption)
