"""How study settles a recipe that is all there is, and how the answer is cleaned."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from isocenter.data import After, Cases, Geometry, Image, Predictor, Segmentation, Watch
from isocenter.ops.array import Array
from isocenter.ops.components import tidied
from isocenter.ops.morphology import edge
from isocenter.ops.thresholds import otsu
from isocenter.tasks._looked import looked_at
from isocenter.tasks.segment._choose import best
from isocenter.tasks.segment._grey import channels

M = TypeVar("M", bound=Predictor[Segmentation])


def shared(train: Cases, *, of: Callable[[Image], tuple[str, ...]] = channels) -> tuple[str, ...]:
    """The channels that every labelled training case to be looked at has, in the order of the first."""
    cases = [train[i] for i in looked_at(train)]
    labelled = [c for c in cases if isinstance(c.truth(), Segmentation)] or cases
    first, *others = [of(c.image()) for c in labelled]
    return tuple(c for c in first if all(c in o for o in others))


def tried(
    method: M, train: Cases, open_fields: Mapping[str, Sequence[Any]], *, watch: Watch, share: tuple[float, float]
) -> M:
    """The method with the fields that stand open (None) chosen together by Dice on train.

    Parameters
    ----------
    method
        To be settled.
    train
        Cases with truth.
    open_fields
        What is tried for each field: ``bright``, ``before.channel`` ...; a field that already says something stays.
    watch, share
        As in `best`.
    """
    choices = [[v] if (v := _value(method, name)) is not None else list(c) for name, c in open_fields.items()]
    candidates: list[M] = [_with(method, dict(zip(open_fields, c, strict=True))) for c in itertools.product(*choices)]
    return best(candidates, train, watch=watch, share=share)


def _value(method: Any, name: str) -> Any:
    part = method
    for step in name.split("."):
        part = getattr(part, step)
    return part


def _with(method: Any, values: Mapping[str, Any]) -> Any:
    for name, value in values.items():
        outer, _, inner = name.rpartition(".")
        change = {outer: replace(_value(method, outer), **{inner: value})} if outer else {name: value}
        method = replace(method, **change)
    return method


def bright_inside(values: Array) -> bool:
    """Whether the bright side of Otsu's threshold covers less of the image's edge than the dark one."""
    cut = otsu(values)
    return cut is None or bool(np.mean(values[edge(values.shape)] >= cut) < 0.5)


def answered(mask: Array, after: After, name: str, geometry: Geometry) -> Segmentation:
    """A mask as the answer, cleaned as `after` says."""
    labels = tidied(
        mask.astype(np.uint8),
        keep_largest=bool(after.largest),
        smallest=after.smallest or 0.0,
        fill=bool(after.fill),
    )
    return Segmentation(labels, ("background", name), geometry)


def spaced(geometry: Geometry) -> tuple[float, ...]:
    """Spacing in mm per axis; 1 (pixels) where it is unknown."""
    return geometry.spacing or (1.0,) * geometry.ndim


def finest(train: Cases) -> float:
    """The finest spacing of the first training case."""
    return min(spaced(train[0].image().geometry))
