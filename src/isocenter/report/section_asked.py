"""The section on one patient: which bundles answered, what, how sure, and which refused and why."""

from __future__ import annotations

from isocenter.report.asked import ANSWERED, NOT_ASKED, Asked
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.run import Run
from isocenter.report.section_cases import BURNED, picture
from isocenter.report.view import Section, View, paragraph, slug, table
from isocenter.report.wording import counted, digits

PICTURES = 24


def asked_section(view: View, run: Run) -> Section | None:
    """Answers with probability and interval, the answers drawn, and what was refused."""
    if not run.asked:
        return None
    answered = [a for a in run.asked if a.status == ANSWERED]
    others = [a for a in run.asked if a.status != ANSWERED]
    return view.section("asked", "What was asked", _answers(view, answered), _drawn(view, answered),
                        _refusals(view, others))


def interval_text(one: Asked) -> str:
    """The interval of an answer, and what it is of.

    >>> from isocenter.report.asked import Known
    >>> interval_text(Asked("b", "classify/cnn", "?", "c", "answered", known=Known("no interval known")))
    'no interval known'
    """
    known = one.known
    if known is None:
        return ""
    if known.low is None or known.high is None:
        return known.text
    level = f"{known.level:.0%} interval, " if known.level is not None else ""
    return f"{digits(known.low, 3)} to {digits(known.high, 3)} ({level}{known.text})"


def _answers(view: View, answered: list[Asked]) -> Markup:
    if not answered:
        return paragraph("No bundle answered.")
    rows = [
        [a.bundle, a.question, tag("code", view.codes.of(a.image)), view.text(a.answer),
         "–" if a.probability is None else digits(a.probability, 3), interval_text(a)] for a in answered
    ]
    words = (
        "Every bundle was asked by itself; none knows what the others said. A probability is the bundle's own and "
        "holds for patients like those that it learnt from. An interval says where it comes from."
    )
    return joined([table(["Bundle", "Asked", "Image", "Answer", "Probability", "Interval"], rows), paragraph(words)])


def _drawn(view: View, answered: list[Asked]) -> Markup | None:
    drawn = [a for a in answered if a.picture is not None][:PICTURES]
    shown = []
    for i, one in enumerate(drawn):
        assert one.picture is not None
        made = picture(view, one.picture, f"asked-{slug(one.bundle)}-{i + 1}")
        shown.append(tag("div", tag("p", one.bundle, class_="panel-title"), made))
    if not shown:
        return None
    class_ = "pictures" if len(shown) > 1 else "pictures one"
    return view.figure("asked", tag("div", *shown, class_=class_), "Marked is what each bundle answered." + BURNED)


def _refusals(view: View, others: list[Asked]) -> Markup | None:
    if not others:
        return None
    refused = sum(a.status != NOT_ASKED for a in others)
    rows = [[a.bundle, a.question, tag("code", view.codes.of(a.image)), a.status, view.message(a.why)] for a in others]
    words = (
        f"{counted(refused, 'question')} refused, {len(others) - refused} not asked. No answer is not \"nothing "
        "there\": nobody looked."
    )
    head = ["Bundle", "Asked", "Image", "", "Why"]
    return joined([tag("h3", "Refused"), paragraph(words), table(head, rows)])
