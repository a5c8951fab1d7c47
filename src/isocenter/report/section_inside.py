"""The section on what is no map over the image: shares of facts as bars that add up, the maps of a layer as a grid."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array
from isocenter.report.contributions import DROPPED, NAMED, contribution_chart, noun, unit
from isocenter.report.figures import layers
from isocenter.report.inside import LayerMaps, Shares
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.run import Picture, Run
from isocenter.report.section_cases import BURNED
from isocenter.report.view import Section, View, paragraph, table
from isocenter.report.wording import counted, digits

# Longer side of one map, in user units.
SIDE = 160


def inside_section(view: View, run: Run) -> Section | None:
    """Bars and their sum for every shared-out answer; a grid of maps for every layer."""
    parts = [
        _shares(view, one, i) if isinstance(one, Shares) else _maps(view, one, i) for i, one in enumerate(run.inside)
    ]
    mapped = any(isinstance(one, LayerMaps) for one in run.inside)
    return view.section("inside", "Inside the network" if mapped else "What added to the answer", *parts)


def _shares(view: View, one: Shares, index: int) -> Markup:
    found = one.found
    what = noun(found)
    words = (
        f"One bar a {what}, the strongest first: to the right it speaks for {found.target}, to the left against it; "
        f"its length is by how much it moved the {unit(found)}."
    )
    words += " Thin lines reach one standard error." if any(found.errors.values()) else ""
    drawn = view.chart(f"shares-{index + 1}", lambda width: contribution_chart(found, width=width), words)
    rows: list[list[object]] = [
        [view.text(name), view.text(one.values.get(name, "")), _signed(value), _error(found.errors.get(name))]
        for name, value in sorted(found.items.items(), key=lambda item: -abs(item[1]))
    ]
    head = [what.capitalize(), "Here", f"Adds to the {unit(found)}", "Standard error"]
    if found.method == DROPPED:
        rest = f"Each {what} was taken away alone: those that tell the same cover for one another; they do not add up."
        return joined([drawn, table(head, rows), paragraph(rest)])
    total = found.base + sum(found.items.values())
    rows = [["the mean of train" if found.method == NAMED else "nothing known", "", digits(found.base, 3), "–"], *rows,
            [tag("b", f"together: the {unit(found)}"), "", tag("b", digits(total, 3)), "–"]]
    return joined([drawn, table(head, rows), *map(paragraph, _read(one, total))])


def _read(one: Shares, total: float) -> list[str]:
    found = one.found
    added = total - found.base
    sums = f"{digits(found.base, 3)} {'+' if added >= 0 else '−'} {digits(abs(added), 3)} = {digits(total, 3)}"
    if found.method == NAMED:
        return [
            f"Read it so: with every attribute at the mean of train the log-odds of {found.target} would be "
            f"{digits(found.base, 3)}. Each attribute moved them by its weight times its distance from that mean. "
            f"Together: {sums}. Above 0 it speaks for {found.target}; the probability that is answered is calibrated "
            "on val besides. In brackets: how probable it is that the image has the attribute.",
            "A share says what the method made of an attribute, not what the attribute does to the patient.",
        ]
    said = [
        f"Read it so: had the method known none of these facts, it would have said {digits(found.base, 3)} for "
        f"{found.target}. Each fact moved that by its share, on average over all orders in which facts could become "
        f"known. Together: {sums}; the method's own answer is {digits(found.answer, 3)}."
    ]
    said.append(
        "Facts that go together (age and stiffness of arteries, say) share what they tell. A share says what the "
        "method made of a fact, not what the fact does to the patient."
    )
    return said


def _maps(view: View, one: LayerMaps, index: int) -> Markup:
    tiles = [_tile(view, one.image, "the image", f"maps-{index + 1}-image", case=one.case)]
    tiles += [
        _tile(view, _grey(values), f"channel {channel}", f"maps-{index + 1}-{channel}")
        for channel, values in zip(one.channels, one.values, strict=True)
    ]
    size = " x ".join(map(str, one.values.shape[1:]))
    words = (
        f"{len(one.channels)} of {counted(one.total, 'channel')} of the layer {one.layer}: those whose output differs "
        f"most over this image, the first one most. Bright is a strong output of that channel, each scaled to its own "
        f"range; every map has {size} places, so that one pixel of it stands for a patch of the image."
    )
    words += f" Shown is {one.text}." if one.text else ""
    rest = (
        "Read it so: early layers show edges and brightness, deep ones whole patterns. A channel has no meaning by "
        "itself: that one is bright on a lesion does not make it a detector of lesions."
    )
    grid = view.figure(f"maps-{index + 1}", tag("div", *tiles, class_="pictures four"), words + BURNED)
    return joined([grid, paragraph(rest)])


def _tile(view: View, pixels: Array, text: str, name: str, *, case: str = "") -> Markup:
    drawn = layers(Picture(pixels), side=SIDE, detail=view.detail, label=text)
    view.keep_picture(name, drawn)
    said = [text, *([" ", tag("code", view.codes.of(case))] if case else [])]
    return tag("div", tag("div", drawn, class_="frame"), tag("p", *said), class_="picture")


def _grey(values: Array) -> Array:
    """uint8 (y, x) from the least value to the greatest."""
    low, high = float(values.min()), float(values.max())
    return np.round(255 * (np.asarray(values, np.float64) - low) / ((high - low) or 1.0)).astype(np.uint8)


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else '−'}{digits(abs(value), 3)}"


def _error(value: float | None) -> str:
    return "exact" if not value else digits(value, 3)
