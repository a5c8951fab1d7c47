"""The sections of a page that follows lesions: the sum, the diameters, a row a lesion, pictures over time."""

from __future__ import annotations

from isocenter.report.followed import FollowRun, Strip, diameter_chart, sum_chart, tile, times
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.run import Run
from isocenter.report.section_cases import BURNED
from isocenter.report.view import Section, View, paragraph, slug, table

# Lesions whose diameters are drawn as lines; more could not be told apart.
LINES = 8
ERROR = (
    "Limits of error are 95 % limits of the measurement: where the grid lies, and where the border is seen. A change "
    "within them may be no change."
)
RECIST = (
    "Targets are chosen at the first examination as RECIST 1.1 does: 10 mm and more (nodes 15 mm across), the five "
    "largest, two an organ. This is the sum of target lesions alone. It is no response: non-target and new lesions and "
    "the patient take part in that, and a person decides it."
)


def follow_section(view: View, run: Run) -> Section | None:
    """Charts, table and pictures; None on other pages."""
    if not isinstance(run, FollowRun) or run.followed is None:
        return None
    found = run.followed
    body: list[Markup] = []
    if found.totals:
        body.append(view.chart("sum", lambda width: sum_chart(found, width=width),
                               f"The band holds the limits of error. {RECIST}"))
    if found.lesions:
        names = [s.name for s in run.strips][:LINES] or [one.name for one in found.lesions][:LINES]
        few = f" Of {len(found.lesions)} lesions {len(names)} are drawn." if len(found.lesions) > len(names) else ""
        body.append(view.chart("diameters", lambda width: diameter_chart(found, names, width=width),
                               f"Bars are limits of error; a lesion that is gone has diameter 0.{few}"))
    if len(run.rows) > 1:
        head, *rows = run.rows
        body += [tag("h3", "Every lesion, first against last"), table(head, rows, class_="wide", caption=ERROR)]
    if run.strips:
        body += [tag("h3", "Pictures over time"), _pictures(view, run)]
    return view.section("lesions", "Lesions over time", *body)


def _pictures(view: View, run: FollowRun) -> Markup:
    assert run.followed is not None
    at, title = times(run.followed)
    unit = "day" if title.startswith("Days") else "examination"
    rows = [_strip(view, strip, [f"{unit} {t:g}" for t in at]) for strip in run.strips]
    left = len(run.followed.lesions) - len(run.strips)
    more = f" {left} further lesions stand in lesions.csv." if left > 0 else ""
    words = (
        "Each tile is cut out around the lesion in the slice of its longest diameter, on the grid of its own "
        f"examination. Solid blue: the outline; lines: the longest diameter and the short one (dashed).{more}"
    )
    return view.figure("strips", joined(rows), words + BURNED)


def _strip(view: View, strip: Strip, when: list[str]) -> Markup:
    tiles = []
    for k, (shown, time) in enumerate(zip(strip.tiles, when, strict=True)):
        if shown is None:
            tiles.append(tag("div", tag("p", tag("b", time), tag("br"), "not there yet"), class_="picture"))
            continue
        drawn = tile(shown, detail=view.detail, label=f"{strip.name}, {time}: {shown.text}")
        view.keep_picture(f"lesion-{slug(strip.name)}-{k + 1}", drawn)
        caption = tag("p", tag("b", time), tag("br"), shown.text)
        tiles.append(tag("div", tag("div", drawn, class_="frame"), caption, class_="picture"))
    return joined([paragraph(tag("b", strip.name), " ", strip.text, class_="panel-title"),
                   tag("div", *tiles, class_="pictures four")])
