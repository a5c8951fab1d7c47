"""The section on labels that are doubted: the cases to look at again, drawn."""

from __future__ import annotations

from isocenter.report.markup import tag
from isocenter.report.run import Run
from isocenter.report.section_cases import BURNED, picture
from isocenter.report.view import Section, View

SUSPECTS = 12


def suspects_section(view: View, run: Run) -> Section | None:
    """Thumbnails of the most contradicted labels, each with its label and what was answered."""
    if not run.suspects:
        return None
    drawn = [picture(view, one, f"suspect-{i}") for i, one in enumerate(run.suspects[:SUSPECTS], 1)]
    words = (
        "The labels that folds contradict most, the most contradicted first: each case was answered by a method that "
        "had not seen its group, and the numbers are its probabilities. A contradicted label may be a mistake, or the "
        "case may be hard: look at it, and never drop it because of this list alone." + BURNED
    )
    figure = view.figure("suspects", tag("div", *drawn, class_="pictures four"), words)
    return view.section("suspects", "Labels to look at again", figure)
