"""What each fact added to an answer, as bars."""

from __future__ import annotations

from isocenter.data.findings.contributions import Contributions
from isocenter.report.markup import shortened
from isocenter.report.svg import Drawing, Frame
from isocenter.report.wording import digits

# How shares were made: a modality taken away alone; the parts of a linear model of attributes. Both are log-odds.
DROPPED, NAMED = "drop-one", "attributes"
ROW = 26
# Facts that are drawn; the others are summed.
MOST = 20


def noun(found: Contributions) -> str:
    """What has a share: a fact, a modality, an attribute."""
    return {DROPPED: "modality", NAMED: "attribute"}.get(found.method, "fact")


def unit(found: Contributions) -> str:
    """What the shares are shares of."""
    return "log-odds" if found.method in (DROPPED, NAMED) else "answer"


def headline(found: Contributions) -> str:
    """The answer with what has shares, and without it."""
    base, answer = digits(found.base, 3), digits(found.answer, 3)
    if found.method == DROPPED:
        return f"{found.target}: log-odds {answer} with all of them"
    if found.method == NAMED:
        return f"{found.target}: log-odds {base} at the mean of train, {answer} with these attributes"
    return f"{found.target}: {base} without these facts, {answer} with them"


def contribution_chart(found: Contributions, *, width: int = 640) -> Drawing:
    """One bar a fact, the strongest first: to the right it speaks for the target, to the left against it.

    Parameters
    ----------
    found
        The shares.
    width
        Of the drawing.
    """
    rows = sorted(found.items.items(), key=lambda item: -abs(item[1]))
    drawn, rest = rows[:MOST], rows[MOST:]
    if rest:
        drawn = [*drawn, (f"{len(rest)} others together", sum(v for _, v in rest))]
    height = 62 + ROW * len(drawn) + 40
    title = headline(found) + ("; each bar is one taken away alone" if found.method == DROPPED else "")
    drawing = Drawing(width, height, title)
    drawing.text((12, 20), title, "title")
    reach = max((abs(v) + found.errors.get(k, 0.0) for k, v in drawn), default=0.0) or 1.0
    frame = Frame(drawing, (190, 40, width - 70, height - 40), (-1.1 * reach, 1.1 * reach), (0.0, 1.0))
    what = f"{noun(found)} adds to" + (" the log-odds of" if unit(found) == "log-odds" else "")
    frame.x_axis(f"what the {what} {found.target}", wanted=4)
    drawing.line(frame.at(0, 0), frame.at(0, 1), "axis")
    for i, (name, value) in enumerate(drawn):
        middle = 50 + ROW * i + ROW / 2
        left, right = sorted((frame.px(0.0), frame.px(value)))
        drawing.rect(left, middle - 7, right - left, 14, f"fill {'s1' if value >= 0 else 's0'}")
        error = found.errors.get(name)
        if error:
            drawing.line((frame.px(value - error), middle), (frame.px(value + error), middle), "whisker slim ink")
        drawing.text((182, middle + 4), shortened(name, 12, 170), "tick end")
        drawing.text((width - 8, middle + 4), digits(value, 3), "tick end")
    return drawing
