"""Boxes and objects drawn for a report: what was found, missed, wrong, merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from isocenter.data import OBJECT, Array, Boxes, Case, Image, Instances, NotEvaluated
from isocenter.metrics.matched import acted, matched
from isocenter.report import Mark, Picture, pick_slice

Objects = Boxes | Instances


def objects_picture(case: Case, answer: Any) -> Picture | None:
    """One case with true and answered boxes or objects, as the slice that holds most; None for films.

    Boxes are drawn from a score of 0.5, as F1 counts them.

    Raises
    ------
    GeometryError, LabelError
        Answer and truth do not belong together.
    """
    from isocenter.verbs._pictures import plane_spacing, shown

    image, truth = case.image(), case.truth()
    if "t" in image.axes:
        return None
    told: Objects | None = truth if isinstance(truth, Boxes | Instances) else None
    said: Objects | NotEvaluated = acted(answer) if isinstance(answer, Boxes) else answer
    z = _slice(image, told, said)
    text = said.line() if isinstance(said, NotEvaluated) else ""
    if told is None:
        given: list[str] = ["answered"] * (0 if isinstance(said, NotEvaluated) else len(said))
        text = text or f"{len(given)} object{'s' * (len(given) != 1)}"
        marks = [] if isinstance(said, NotEvaluated) else _marks(said, given, z)
    else:
        found = matched(said, told)
        text = ", ".join(t for t in (text, found.text()) if t)
        marks = _marks(told, found.true, z)
        marks += [] if isinstance(said, NotEvaluated) else _marks(said, found.answered, z)
    array = image.channels_first()
    return Picture(
        shown(array if z is None else array[:, z], image), spacing=plane_spacing(image), case=case.id, text=text,
        marks=tuple(marks),
    )


def box_marks(edges: Array, labels: Array, names: Sequence[str]) -> tuple[Mark, ...]:
    """True boxes of a training sample, edges (n, 2, 2) in pixels of the picture."""
    return tuple(Mark("found", e, text=names[int(k)]) for e, k in zip(edges, labels, strict=True))


def _slice(image: Image, told: Objects | None, said: Objects | NotEvaluated) -> int | None:
    """The slice of a volume that most true objects cross, else most answered ones; None for a flat image."""
    if image.ndim == 2:
        return None
    depth = image.geometry.shape[0]
    for found in (told, said):
        if isinstance(found, Boxes | Instances) and len(found):
            ends = found.edges[:, :, 0] if isinstance(found, Boxes) else found.boxes().edges[:, :, 0]
            z = np.arange(depth)[:, None]
            return int(np.argmax(((ends[None, :, 0] < z) & (z < ends[None, :, 1])).sum(1)))
    return pick_slice(image.channels_first()[0])


def _marks(found: Objects, kinds: Sequence[str], z: int | None) -> list[Mark]:
    named = tuple(found.classes) != (OBJECT,)
    out = []
    for i, kind in enumerate(kinds):
        class_ = found.classes[int(found.labels[i])] if named else ""
        score = "" if found.scores is None else f"{found.scores[i]:.2f}"
        text = " ".join(t for t in (kind, class_, score) if t)
        # Outlines lie too close for words; the pointer shows theirs.
        label = " ".join(t for t in (class_ if len(found.classes) > 1 else "", score) if t) if score else ""
        place = _box(found.edges[i], z) if isinstance(found, Boxes) else _mask(found, i, z)
        if place is not None:
            shape, start = place
            out.append(Mark(kind, shape, start, text, label if isinstance(found, Boxes) else ""))
    return out


def _box(edges: Array, z: int | None) -> tuple[Array, None] | None:
    if z is None:
        return edges, None
    return (edges[:, 1:], None) if edges[0, 0] < z < edges[1, 0] else None


def _mask(found: Instances, i: int, z: int | None) -> tuple[Array, tuple[int, int]] | None:
    mask, start = found.masks[i], found.starts[i]
    if z is not None:
        if not start[0] <= z < start[0] + len(mask):
            return None
        mask, start = mask[z - int(start[0])], start[1:]
    return (mask, (int(start[0]), int(start[1]))) if mask.any() else None
