"""Entries of a manifest made from arrays in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from isocenter.data.case import Case
from isocenter.data.cases import Entry
from isocenter.data.findings import (
    IGNORE,
    OBJECT,
    Boxes,
    Finding,
    Instances,
    Probabilities,
    Segmentation,
    Values,
)
from isocenter.data.geometry import Geometry
from isocenter.data.image import Image
from isocenter.data.positive import positive_of
from isocenter.errors import InputError, LabelError
from isocenter.ops.array import Array

Made = tuple[tuple[Entry, ...], tuple[str, ...], dict[str, int], str | None, bool]
Truth = Callable[[Geometry], Finding]


def entries_of(
    x: Any,
    y: Any,
    *,
    task: str,
    spacing: tuple[float, ...] | None,
    subjects: Sequence[str] | None,
    splits: Sequence[str] | None,
    classes: Sequence[str] | None,
) -> Made:
    """Entries, class names, codes, positive class and whether several labels hold at once; see `Cases.from_arrays`."""
    # By position: a pandas Series would be asked by its own index.
    who, where = ([str(v) for v in values] if values is not None else [""] * len(x) for values in (subjects, splits))
    truths: list[Truth | None] = [None] * len(x)
    present: list[tuple[str, ...]] = [()] * len(x)
    names: tuple[str, ...] = tuple(classes or ())
    codes: dict[str, int] = {}
    multi = False
    if y is not None and task == "classify":
        names, present, multi = _classes(y, names)
        truths = [_label_truth(names, p, multi) for p in present]
    elif y is not None and task == "segment":
        names, codes = _regions(y, names)
        truths = [_mask_truth(np.asarray(m), codes) for m in y]
    elif y is not None and task in ("detect", "instances"):
        found = [_found(task, one) for one in y]
        names = names or _names_of(found)
        truths = [_objects_truth(task, one, names, i) for i, one in enumerate(found)]
    elif y is not None and task == "regress":
        names = names or ("value",)
        truths = [_number_truth(names[0], one, i) for i, one in enumerate(y)]
    elif y is not None:
        raise InputError("arrays can carry a truth for classify, regress, segment, detect and instances only", got=task)
    entries = tuple(
        _entry(
            i,
            _image(x[i], spacing),
            truths[i],
            present[i],
            who[i],
            where[i],
        )
        for i in range(len(x))
    )
    return entries, names, codes, positive_of(names) if task == "classify" and not multi else None, multi


def _image(value: Any, spacing: tuple[float, ...] | None) -> Image:
    return value if isinstance(value, Image) else Image.from_array(np.asarray(value), spacing=spacing)


def _entry(i: int, image: Image, truth: Truth | None, present: tuple[str, ...], subject: str, split: str) -> Entry:
    name = f"case{i:04d}"

    def opened() -> Case:
        load = None if truth is None else (lambda: truth(image.geometry))
        return Case(name, {"image": image}, subject=subject, group=subject, split=split, load_truth=load)

    return Entry(name, opened, subject, subject, split, labels=present)


def _classes(y: Any, names: tuple[str, ...]) -> tuple[tuple[str, ...], list[tuple[str, ...]], bool]:
    array = np.asarray(y)
    if array.ndim == 2:
        names = names or tuple(str(i) for i in range(array.shape[1]))
        return names, [tuple(n for n, v in zip(names, row, strict=True) if v) for row in array], True
    text = [str(v.item() if isinstance(v, np.generic) else v) for v in array]
    if names and all(t.isdigit() and int(t) < len(names) for t in text) and not set(text) <= set(names):
        text = [names[int(t)] for t in text]
    found = sorted(set(text), key=lambda t: (not t.lstrip("-").isdigit(), int(t) if t.lstrip("-").isdigit() else 0, t))
    return names or tuple(found), [(t,) for t in text], False


def _label_truth(names: tuple[str, ...], present: tuple[str, ...], multi: bool) -> Truth:
    return lambda geometry: Probabilities.truth(names, present, multilabel=multi)


def _number_truth(name: str, value: Any, i: int) -> Truth:
    try:
        found = Values.truth(name, float(value))
    except (TypeError, ValueError) as error:
        raise InputError(f"truth {i} is no number", got=repr(value)[:80], wanted="one number a case") from error
    return lambda geometry: found


def _regions(y: Any, names: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, int]]:
    values = sorted(set().union(*(set(np.unique(np.asarray(m)).tolist()) for m in y)) - {0})
    if not names:
        names = ("foreground",) if len(values) <= 1 else tuple(str(int(v)) for v in values)
    # Numbers that already are indices stay so, which leaves 255 free to mean "ignore".
    indices = set(values) - {IGNORE} and set(values) - {IGNORE} <= set(range(1, len(names) + 1))
    numbers = list(range(1, len(names) + 1)) if indices or len(values) != len(names) else [int(v) for v in values]
    return names, {"background": 0, **dict(zip(names, numbers, strict=True))}


def _mask_truth(mask: Array, codes: dict[str, int]) -> Truth:
    def truth(geometry: Geometry) -> Segmentation:
        labels = np.full(mask.shape, IGNORE, np.uint8)
        for index, number in enumerate(codes.values()):
            labels[mask == number] = index
        left = np.unique(mask[(labels == IGNORE) & (mask != IGNORE)])
        if len(left):
            raise LabelError("a mask holds numbers that name no region", got=str(left[:5].tolist()), wanted=str(codes))
        return Segmentation(labels, tuple(codes), geometry)

    return truth


# A finding as it is, or the edges (n, 2, axes) or the label map, with the class of each object where they are said.
Objects = Boxes | Instances | tuple[Array, Array | None]


def _found(task: str, value: Any) -> Objects:
    if isinstance(value, Boxes | Instances):
        if isinstance(value, Boxes) and task == "instances":
            raise InputError("boxes are no truth of instances", wanted="label maps, or Instances")
        return value.boxes() if isinstance(value, Instances) and task == "detect" else value
    array, labels = value if isinstance(value, tuple) else (value, None)
    array = np.asarray(array)
    if task == "instances":
        if array.dtype.kind not in "uib":
            raise InputError("a label map of whole numbers is needed", got=str(array.dtype))
        return array, None if labels is None else np.asarray(labels, np.int64)
    edges = array.reshape(-1, 2, 2) if array.size == 0 and array.ndim < 3 else array
    if edges.ndim == 2 and edges.shape[1] in (4, 6):
        # Corners, x first, from the image's corner: turned into edges of array order, from the first pixel's centre.
        edges = edges.reshape(len(edges), 2, -1)[:, :, ::-1] - 0.5
    if edges.ndim != 3 or edges.shape[1] != 2:
        raise InputError("not boxes", got=str(array.shape), wanted="(n, 2, axes), (n, 4), (n, 6), or Boxes")
    return edges.astype(np.float64), None if labels is None else np.asarray(labels, np.int64)


def _names_of(found: Sequence[Objects]) -> tuple[str, ...]:
    """The classes that findings name, in their order; numbers where labels are bare; else objects."""
    named = [c for f in found if isinstance(f, Boxes | Instances) for c in f.classes]
    if named:
        return tuple(dict.fromkeys(named))
    bare = [int(f[1].max()) for f in found if isinstance(f, tuple) and f[1] is not None and len(f[1])]
    return tuple(map(str, range(max(bare) + 1))) if bare else (OBJECT,)


def _objects_truth(task: str, found: Objects, names: tuple[str, ...], i: int) -> Truth:
    def truth(geometry: Geometry) -> Finding:
        if isinstance(found, Boxes | Instances):
            if found.geometry.shape != geometry.shape:
                got = str(found.geometry.shape)
                raise LabelError(f"truth {i} lies on another grid", got=got, wanted=str(geometry.shape))
            at = np.asarray([names.index(found.classes[int(k)]) for k in found.labels], np.int64)
            return replace(found, labels=at, classes=names, geometry=geometry)
        array, labels = found
        if task == "instances":
            if array.shape != geometry.shape:
                got = str(array.shape)
                raise LabelError(f"label map {i} lies on another grid", got=got, wanted=str(geometry.shape))
            kinds = None if labels is None else [int(k) for k in labels]
            return Instances.from_label_map(array, geometry, classes=names, labels=kinds)
        edges = array if len(array) else np.zeros((0, 2, geometry.ndim))
        return Boxes(edges, np.zeros(len(edges), np.int64) if labels is None else labels, names, geometry)

    return truth
