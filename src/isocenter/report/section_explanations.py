"""The section on what answers rest on: picture beside heat map, and the checks that say whether to believe it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from isocenter.ops.array import Array
from isocenter.report.figures import Canvas, data_uri, explained, framed, heat, layers, regions, windowed
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.run import Explanation, Picture, Run
from isocenter.report.svg import Drawing, Frame, series_class
from isocenter.report.view import Section, View, table
from isocenter.report.wording import digits

EXPLANATIONS = 8
# From this rank correlation on a map is said to stay as it is when the weights are drawn anew.
SAME = 0.5
# A curve of one image that beats a random order by less says nothing.
MARGIN = 0.01
# Largest error of completeness that counts as none.
COMPLETE = 0.01
TITLES = {
    "deletion": ("Deletion: what the map ranks highest is taken away first", "Share of pixels taken away"),
    "insertion": ("Insertion: what the map ranks highest comes back first", "Share of pixels given back"),
}


@dataclass(frozen=True, eq=False)
class CheckedExplanation(Explanation):
    """An explanation with its checks.

    Parameters
    ----------
    curves
        ``"deletion"`` and ``"insertion"`` to shares, answers in the map's order, and in random order, (k,) each.
    truth
        bool (y, x): where the truth is, or None.
    answer
        What the curves' y axis shows, such as ``"probability of pneumonia"``.
    """

    curves: Mapping[str, tuple[Array, Array, Array]] = field(default_factory=dict)
    truth: Array | None = None
    answer: str = "answer"


def explanations_section(view: View, run: Run) -> Section | None:
    """What answers rest on, picture beside heat map, with the numbers that test it."""
    chosen = run.explanations[:EXPLANATIONS]
    drawn = [_explanation(view, e, i) for i, e in enumerate(chosen)]
    if not drawn:
        return None
    truths = any(isinstance(e, CheckedExplanation) and e.truth is not None for e in chosen)
    legend = tag(
        "div",
        tag("label", tag("input", type="checkbox", checked=True, class_="see-heat"), "heat map"),
        tag("label", tag("span", class_="swatch for"), "speaks for"),
        tag("label", tag("span", class_="swatch against"), "speaks against"),
        tag("label", tag("input", type="checkbox", checked=True, class_="see-truth"), "outline of the truth (white)")
        if truths
        else None,
        class_="switches",
    )
    words = (
        "Left the picture, right the same under a map of what the answer rests on; strong colour is strong influence. "
        "Such a map shows where the method looked, not whether it was right to look there."
    )
    layout = "pictures pairs" if len(drawn) > 1 else "pictures one-pair"
    body = tag(
        "div", legend, view.figure("explanations", tag("div", *drawn, class_=layout), words), class_="has-overlay"
    )
    checks = [part for i, e in enumerate(chosen) if (part := _checks(view, e, i, alone=len(drawn) == 1)) is not None]
    return view.section("explanations", "Explanations", body, *checks)


def check_rows(numbers: Mapping[str, float]) -> list[list[str]]:
    """One row a check: what it is, this map, random order, and what that means in words.

    Parameters
    ----------
    numbers
        As `isocenter.metrics.faithfulness.checked` names them, and ``completeness``, ``pointing_game``,
        ``iou_same_size`` where there are any.
    """
    rows: list[list[str]] = []
    for key, text, sign in (
        ("deletion", "Deletion, area under the curve (lower is better)", -1),
        ("insertion", "Insertion, area under the curve (higher is better)", 1),
    ):
        if key in numbers:
            own, random = numbers[key], numbers[f"{key}_random"]
            better = "better than chance" if sign * (own - random) > MARGIN else "no better than chance"
            rows.append([text, digits(own, 3), digits(random, 3), better])
    if "randomised" in numbers:
        value = numbers["randomised"]
        words = "stays the same: the map shows the image, not what was learnt" if abs(value) >= SAME else (
            "changes: the map depends on what was learnt"
        )
        rows.append(["Weights drawn anew, rank correlation (near 0 is right)", digits(value, 3), "–", words])
    if "completeness" in numbers:
        value = numbers["completeness"]
        words = "adds up to the change of the answer" if value <= COMPLETE else "does not add up"
        rows.append(["Completeness, error (at most 0.01)", f"{value:.4f}", "–", words])
    if "pointing_game" in numbers:
        hit = numbers["pointing_game"] > 0
        words = "the highest pixel lies in the truth" if hit else "the highest pixel lies outside the truth"
        rows.append(["Pointing game", "hit" if hit else "miss", "–", words])
    if "iou_same_size" in numbers:
        rows.append(["Overlap with the truth at its own size (IoU)", digits(numbers["iou_same_size"], 3), "–",
                     "1 is the same place, 0 another"])
    return rows


def curve_chart(name: str, curve: tuple[Array, Array, Array], *, answer: str, size: tuple[int, int]) -> Drawing:
    """The answer over the share of pixels, in the map's order and in random order.

    Parameters
    ----------
    name
        ``"deletion"`` or ``"insertion"``.
    curve
        Shares, answers, answers in random order.
    answer
        What is on the y axis.
    size
        Width and height.
    """
    width, height = size
    title, along = TITLES[name]
    drawing = Drawing(width, height, title)
    shares, own, random = ([float(v) for v in np.asarray(values)] for values in curve)
    frame = Frame(drawing, (44, 46, width - 14, height - 44), (0.0, 1.0), (0.0, 1.0))
    drawing.text((44, 14), answer, "title")
    frame.x_axis(along, wanted=4 if width < 500 else 6, grid=False)
    frame.y_axis(wanted=4)
    for i, (label, values) in enumerate((("this map", own), ("random order", random))):
        series = 1 if i == 0 else 7
        frame.line(shares, values, series_class(series))
        for x, y in zip(shares, values, strict=True):
            drawing.marker(frame.at(x, y), series, size=2.5)
        drawing.marker((50 + 100 * i, 32), series, size=4)
        drawing.text((60 + 100 * i, 36), label, "key")
    return drawing


def _explanation(view: View, e: Explanation, index: int) -> Markup:
    plain = layers(Picture(e.image, spacing=e.spacing), side=240, detail=view.detail)
    mapped = _mapped(view, e)
    view.keep_picture(f"explanation-{index + 1}", mapped)
    shown = "" if isinstance(e, CheckedExplanation) else "; ".join(_said(e.numbers))
    lines = [
        tag("b", e.target),
        f" by {e.method} ",
        tag("code", view.codes.of(e.case)) if e.case else None,
        *(part for line in (shown, view.text(e.text)) if line for part in (tag("br"), line)),
    ]
    return tag("div", tag("div", plain, mapped, class_="frame pair"), tag("p", *lines), class_="picture")


def _said(numbers: Mapping[str, float]) -> list[str]:
    return [f"{k.replace('_', ' ')} {digits(v, 3)}" for k, v in numbers.items()]


def _mapped(view: View, e: Explanation, *, side: int = 240) -> Markup:
    """The picture under its heat map, and the outline of the truth on top."""
    label = f"What {e.target} rests on, by {e.method}"
    if not isinstance(e, CheckedExplanation) or e.truth is None:
        return explained(e, side=side, detail=view.detail, label=label)
    canvas, raster = Canvas.of(e.image.shape, e.spacing, side), int(view.detail * side)
    parts = [
        canvas.image(data_uri(windowed(e.image), side=raster)),
        canvas.image(data_uri(heat(e.values), side=raster), "heat"),
        *regions([("truth pale", e.truth.astype(np.uint8))], ("background", "truth"), canvas),
    ]
    return framed(canvas, parts, label)


def _checks(view: View, e: Explanation, index: int, *, alone: bool) -> Markup | None:
    if not isinstance(e, CheckedExplanation):
        return None
    head = None if alone else tag("h3", f"{e.target} by {e.method}")
    rows: Sequence[Sequence[object]] = check_rows(e.numbers)
    parts: list[object] = [head]
    if rows:
        parts.append(table(["Check", "This map", "Random order", "In words"], rows))
    drawn = [
        view.keep(f"{name}-{index + 1}", curve_chart(name, curve, answer=e.answer, size=(385, 260)))
        for name, curve in e.curves.items()
    ]
    if drawn:
        words = (
            "Left: pixels are replaced by the image's mean in the order of the map; if the map is right, the answer "
            "falls sooner than when random patches go. Right: pixels come back to the blurred image; if the map is "
            "right, the answer rises sooner. Both ask the method about pictures that no scanner makes, so only the "
            "distance between the two lines counts."
        )
        parts.append(view.figure(f"checks-{index + 1}", tag("div", *drawn, class_="panels"), words))
    return joined(p for p in parts if p is not None) if len(parts) > 1 else None
