"""Pictures of boxes and objects: truth solid, answers dashed, each kind of error in its own colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.report.figures import Canvas, data_uri, framed, layers, windowed
from isocenter.report.markup import Markup, tag
from isocenter.report.run import Mark, Picture
from isocenter.report.svg import path_of

# Kind to its side and to the words of a legend, in the order in which they are drawn.
KINDS = {
    "ignored": ("truth", "to be ignored"),
    "aside": ("answer", "answered where truth is to be ignored"),
    "found": ("truth", "true, found"),
    "split": ("truth", "true, answered in pieces"),
    "missed": ("truth", "true, missed (crossed)"),
    "answered": ("answer", "answered"),
    "hit": ("answer", "answered, right"),
    "merge": ("answer", "several true ones answered as one"),
    "swapped": ("answer", "answered as another class"),
    "false": ("answer", "answered, wrong"),
}
# So many objects have their own words and labels; more would hide the picture and swell the page.
NAMED, LABELLED = 150, 40


def drawn(picture: Picture, *, side: int = 320, detail: float = 2.0, label: str = "") -> Markup:
    """A case as one SVG element, by its marks where it has any, else as `layers` draws it; arguments as there."""
    if not picture.marks:
        return layers(picture, side=side, detail=detail, label=label)
    canvas = Canvas.of(picture.image.shape, picture.spacing, side)
    ground = canvas.image(data_uri(windowed(picture.image), side=int(detail * side)))
    groups = [_group(kind, [m for m in picture.marks if m.kind == kind], canvas) for kind in KINDS]
    return framed(canvas, [ground, *(g for g in groups if g)], label)


def kinds_of(pictures: Sequence[Picture]) -> list[str]:
    """The kinds of marks that some pictures hold, in the order of the legend."""
    there = {m.kind for p in pictures for m in p.marks}
    return [k for k in KINDS if k in there]


def _group(kind: str, marks: Sequence[Mark], canvas: Canvas) -> Markup:
    """The marks of one kind; dark lines below all of them make them show anywhere."""
    if not marks:
        return Markup()
    paths = [_path(m, canvas) + (_cross(m, canvas) if kind == "missed" else "") for m in marks]
    if len(marks) > NAMED:
        rims = [tag("path", d="".join(paths), class_="rim")]
    else:
        rims = [tag("path", tag("title", m.text), d=d, class_="rim") for m, d in zip(marks, paths, strict=True)]
    labels = [_label(m, canvas) for m in marks if m.label] if len(marks) <= LABELLED else []
    casing = tag("path", d="".join(paths), class_="casing")
    fine = " fine" if len(marks) > NAMED else ""
    return tag("g", casing, *rims, *labels, class_=f"obj {KINDS[kind][0]} {kind}{fine}")


def _path(mark: Mark, canvas: Canvas) -> str:
    if mark.start is None:
        (y0, x0), (y1, x1) = mark.shape
        return path_of(canvas.points(np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)])), closed=True)
    from skimage.measure import approximate_polygon, find_contours

    unit = canvas.shape[0] / canvas.height
    paths = []
    # A rim of zeros closes the lines of objects that touch the edge of their crop.
    for line in find_contours(np.pad(mark.shape, 1).astype(np.float32), 0.5):
        shorter = approximate_polygon(line, 0.3 * unit)
        points = (shorter if len(shorter) > 3 else line) - 1 + mark.start
        paths.append(path_of(canvas.points(points), closed=True))
    return "".join(paths)


def _cross(mark: Mark, canvas: Canvas) -> str:
    """Two strokes through the middle, so that colour alone need not tell what was missed."""
    (y0, x0), (y1, x1) = _extent(mark)
    y, x, reach = (y0 + y1) / 2, (x0 + x1) / 2, min(y1 - y0, x1 - x0) / 4
    strokes = (((y - reach, x - reach), (y + reach, x + reach)), ((y - reach, x + reach), (y + reach, x - reach)))
    return "".join(path_of(canvas.points(np.array(s))) for s in strokes)


def _label(mark: Mark, canvas: Canvas) -> Markup:
    (y0, x0), _ = _extent(mark)
    x, y = canvas.points(np.array([(y0, x0)]))[0]
    return tag("text", mark.label, x=float(max(x, 0.0)), y=float(max(y - 2.0, 8.0)))


def _extent(mark: Mark) -> tuple[tuple[float, float], tuple[float, float]]:
    """Low and high edge as (y, x)."""
    if mark.start is None:
        (y0, x0), (y1, x1) = mark.shape
        return (float(y0), float(x0)), (float(y1), float(x1))
    (y, x), (high, wide) = mark.start, mark.shape.shape
    return (y - 0.5, x - 0.5), (y + high - 0.5, x + wide - 0.5)
