"""Values as parts that any face can show: PNG bytes, tables as lists of rows, lines of text."""

from __future__ import annotations

from typing import Any

import numpy as np

from isocenter.data import (
    Array,
    Attribution,
    Case,
    Cases,
    Image,
    NotEvaluated,
    Probabilities,
    Scores,
    Segmentation,
    Values,
)
from isocenter.errors import IsocenterError
from isocenter.io.overlay import PALETTE, backdrop, heat, outlines
from isocenter.report import png
from isocenter.verbs._text import number

Parts = list[Any]
SIDE = 384


def image(value: Image) -> Parts:
    """The middle slice (the first frame of a film), and what it is in one line."""
    spacing = value.geometry.spacing
    size = " x ".join(map(str, value.shape))
    grid = " x ".join(f"{s:.3g}" for s in spacing) + " mm" if spacing else "spacing unknown"
    text = f"{value.modality or 'image'} {size} ({value.axes}), {value.dtype}, {grid}"
    try:
        return [_picture(value), text]
    except IsocenterError as error:
        return [text, error.line()]


def case(value: Case) -> Parts:
    """Its leading image, roles and facts."""
    facts = ", ".join(f"{k} {v}" for k, v in value.facts.items())
    parts = [*image(value.image()), f"case {value.id}, roles {', '.join(value.images)}"]
    return [*parts, facts] if facts else parts


def cases(value: Cases) -> Parts:
    """Counts a split and class, and the first rows."""
    head = ["split", "cases", "subjects"]
    rows = [[name or "not split", n, value.split(name).n_subjects] for name, n in value.splits.items()]
    return [f"{value.name}: {len(value)} cases, {', '.join(value.classes) or 'no truth bound'}", [head, *rows]]


def segmentation(value: Segmentation) -> Parts:
    """The slice with most labelled pixels in colours, and the size of each region."""
    labels = np.where(value.labels == 255, 0, value.labels)
    if labels.ndim == 3:
        labels = labels[int(np.argmax((labels > 0).sum((1, 2))))]
    colours = np.asarray([(0, 0, 0), *PALETTE], np.uint8)
    shade = (labels.astype(int) - 1) % len(PALETTE) + 1
    drawn = np.where((labels > 0)[..., None], colours[shade], np.uint8(0)).astype(np.uint8)
    edge = outlines(labels) > 0
    drawn[edge] = np.minimum(drawn[edge].astype(int) + 60, 255).astype(np.uint8)
    rows = [[name, int(value.mask(name).sum()), _size(value, name)] for name in value.regions]
    return [_png(drawn), [["region", "pixels", "size"], *rows]]


def probabilities(value: Probabilities) -> Parts:
    """One row a class, the decision first."""
    rows = [[c, number(v), "decided" if c in value.decision else ""]
            for c, v in sorted(zip(value.classes, value.values, strict=True), key=lambda pair: -pair[1])]
    return [[["class", "probability", ""], *rows]]


def attribution(value: Attribution) -> Parts:
    """The map: orange speaks for the target, blue against it."""
    return [_png(heat(value, None)), f"{value.method} for {value.target}: orange speaks for it, blue against it"]


def values(value: Values) -> Parts:
    """One row a number."""
    rows = [
        [name, f"{number(v.number)} {v.unit}".strip(), "" if v.low is None else f"{number(v.low)} to {number(v.high)}"]
        for name, v in value.items.items()
    ]
    return [[["what", "value", "interval"], *rows]]


def not_evaluated(value: NotEvaluated) -> Parts:
    """Why there is no answer."""
    return [value.line()]


def scores(value: Scores) -> Parts:
    """One row a metric and target, with interval, n and flags."""
    rows = [
        [key, target, number(s.value) + (f" {s.unit}" if s.unit else ""), f"{number(s.low)} to {number(s.high)}", s.n,
         ", ".join(s.flags)]
        for key, targets in value.metrics.items() for target, s in targets.items()
    ]
    return [f"{value.task} by {value.method}, split {value.split}",
            [["metric", "target", "value", "interval", "n", "flags"], *rows]]


def lines(value: Any) -> Parts:
    """What it says on the command line, in one block."""
    return ["\n".join(value.lines())]


def explained(value: Any) -> Parts:
    """The map of an explanation, or why there is none."""
    return not_evaluated(value.found) if isinstance(value.found, NotEvaluated) else attribution(value.found)


def _picture(value: Image) -> bytes:
    if "t" in value.axes:
        frame = value.pixels()[0]
        still = Image.from_array(frame, axes=value.axes.replace("t", ""), geometry=value.geometry)
        return _picture(still)
    middle = value.geometry.shape[0] // 2 if value.ndim == 3 else None
    return _png(backdrop(value, middle))


def _png(pixels: Array) -> bytes:
    return png(pixels, side=SIDE)


def _size(value: Segmentation, name: str) -> str:
    ml, mm2 = value.volume_ml(name), value.area_mm2(name)
    return f"{number(ml)} ml" if ml is not None else f"{number(mm2)} mm2" if mm2 is not None else ""
