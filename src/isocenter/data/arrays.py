"""Entries of a manifest made from arrays in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from isocenter.data.case import Case
from isocenter.data.cases import Entry
from isocenter.data.findings import IGNORE, Finding, Probabilities, Segmentation
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
    elif y is not None:
        raise InputError("arrays can carry a truth for classify and segment only", got=task)
    entries = tuple(
        _entry(
            i,
            _image(x[i], spacing),
            truths[i],
            present[i],
            str(subjects[i]) if subjects is not None else "",
            str(splits[i]) if splits is not None else "",
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
