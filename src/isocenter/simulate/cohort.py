"""Cohorts of phantoms as cases: seeded, drawn when opened, and always called simulated."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.data import (
    Boxes,
    Case,
    Cases,
    Entry,
    Finding,
    Geometry,
    Image,
    Instances,
    Probabilities,
    Segmentation,
    Source,
    Values,
)
from isocenter.errors import InputError, NotFoundError, nearest
from isocenter.ops.array import Array
from isocenter.ops.components import parts
from isocenter.simulate.abdomen import abdomen
from isocenter.simulate.cells import REGIONS, cells, numbered
from isocenter.simulate.ultrasound import ultrasound

Draw = Callable[..., tuple[Array, Array]]


@dataclass(frozen=True)
class Kind:
    """One kind of phantom.

    Parameters
    ----------
    text
        For headings.
    draw
        (shape, rng, lesions=) -> (pixels, labels).
    shape
        Default grid.
    extent
        mm of the whole field of view per axis, array order.
    regions
        Names of the labels from 1 upwards; the last one is the lesion.
    modality, unit
        As in `Image`.
    numbered
        (shape, rng, lesions=) -> (one number an object, class of each number), where objects touch; None: every
        connected part of a region is an object.
    """

    text: str
    draw: Draw
    shape: tuple[int, ...]
    extent: tuple[float, ...]
    regions: tuple[str, ...]
    modality: str
    unit: str = ""
    numbered: Draw | None = None

    @property
    def size(self) -> str:
        """Name of the number that regress asks for."""
        return f"{self.regions[0]} {'volume' if len(self.extent) == 3 else 'area'}"


KINDS = {
    "ct-slice": Kind("abdominal CT slices", abdomen, (96, 96), (360, 360), ("organ", "lesion"), "CT", "HU"),
    "ct-volume": Kind("abdominal CT", abdomen, (24, 64, 64), (144, 360, 360), ("organ", "lesion"), "CT", "HU"),
    "ultrasound": Kind("breast ultrasound", ultrasound, (96, 96), (40, 40), ("lesion",), "US"),
    "cells": Kind("cells", cells, (96, 96), (0.096, 0.096), REGIONS, "SM", "", numbered),
    "cell-stack": Kind("stacks of cells", cells, (16, 48, 48), (0.016, 0.048, 0.048), REGIONS, "SM", "", numbered),
}
CLASSES = ("normal", "lesion")
TASKS = ("segment", "classify", "regress", "detect", "instances")
# One subject in this many has no lesion, so that empty cases are met.
WITHOUT = 8


def cohort(
    n: int, *, seed: int, kind: str = "ct-slice", task: str = "segment", shape: Sequence[int] | None = None
) -> Cases:
    """A cohort of simulated subjects, one image each, split 5 : 1 : 2 into train, val and test.

    Parameters
    ----------
    n
        Number of subjects, named sim001 and so on; at least 3.
    seed
        Same seed, same cohort; subject i does not depend on n.
    kind
        ``"ct-slice"``, ``"ct-volume"``, ``"ultrasound"``, ``"cells"`` or ``"cell-stack"``.
    task
        ``"segment"``: organ and lesion (ultrasound: lesion); one subject in eight has no lesion.
        ``"classify"``: normal or lesion, half of each. ``"regress"``: how large the first region is, in mm2 or ml;
        `classes` is its name. ``"detect"`` and ``"instances"``: the objects of the regions.
    shape
        Pixels per axis; the field of view stays, so that the spacing changes.

    Raises
    ------
    NotFoundError
        No such kind.
    InputError
        Fewer than 3 subjects, another number of axes, or a task without phantoms.

    >>> cases = cohort(8, seed=0, shape=(32, 32))
    >>> cases.name, cases.splits, cases.classes
    ('simulated abdominal CT slices', {'train': 5, 'val': 1, 'test': 2}, ('organ', 'lesion'))
    """
    if kind not in KINDS:
        raise NotFoundError(f"no phantom of kind {kind!r}", remedy=nearest(kind, KINDS))
    if task not in TASKS:
        raise InputError("phantoms do not answer this", got=task, wanted=", ".join(TASKS))
    chosen = KINDS[kind]
    grid = tuple(int(s) for s in shape or chosen.shape)
    if n < 3 or len(grid) != len(chosen.shape):
        wanted = f"3 subjects or more, {len(chosen.shape)} axes"
        raise InputError("no such cohort can be drawn", got=f"{n} subjects, shape {grid}", wanted=wanted)
    entries = tuple(_entry(i, n, Phantom(chosen, grid, seed, i, task)) for i in range(n))
    classes = CLASSES if task == "classify" else (chosen.size,) if task == "regress" else chosen.regions
    codes = {r: i for i, r in enumerate(("background", *classes))} if task == "segment" else {}
    positive = CLASSES[1] if task == "classify" else None
    name = f"simulated {chosen.text}"
    return Cases(entries, name, task, classes, codes=codes, positive=positive, tasks=(task,))


@dataclass(frozen=True)
class Phantom:
    """One subject that can be drawn.

    Parameters
    ----------
    kind
        What.
    shape
        Grid.
    seed, index
        Cohort and subject.
    task
        Decides how many subjects have a lesion.
    """

    kind: Kind
    shape: tuple[int, ...]
    seed: int
    index: int
    task: str

    @property
    def lesion(self) -> bool:
        """Whether it has one."""
        return self.index % 2 == 1 if self.task == "classify" else self.index % WITHOUT != WITHOUT - 3

    def draw(self) -> tuple[Array, Array]:
        """Pixels and labels, drawn anew and always the same."""
        rng = np.random.default_rng([self.seed, self.index])
        return self.kind.draw(self.shape, rng, lesions=int(self.lesion))

    def image(self) -> Image:
        """The image; its pixels are drawn when asked for."""
        spacing = tuple(e / s for e, s in zip(self.kind.extent, self.shape, strict=True))
        geometry = Geometry.from_spacing(self.shape, spacing)
        return Image(
            lambda: self.draw()[0],
            self.shape,
            "zyx"[-len(self.shape) :],
            "int16" if self.kind.modality == "CT" else "uint8",
            geometry,
            modality=self.kind.modality,
            unit=self.kind.unit,
            source=Source(format="simulated"),
        )

    def truth(self) -> Finding:
        """Its label map, its class, or its size."""
        if self.task == "classify":
            return Probabilities.truth(CLASSES, [CLASSES[self.lesion]])
        if self.task == "regress":
            pixels = int(np.count_nonzero(self.draw()[1] == 1))
            size = pixels * (self.image().geometry.pixel_volume or 1.0)
            volume = len(self.shape) == 3
            return Values.truth(self.kind.size, size / 1000 if volume else size, "ml" if volume else "mm2")
        if self.task in ("detect", "instances"):
            found = self.objects()
            return found.boxes() if self.task == "detect" else found
        return Segmentation(self.draw()[1], ("background", *self.kind.regions), self.image().geometry)

    def objects(self) -> Instances:
        """Its objects, each by itself."""
        if self.kind.numbered is not None:
            rng = np.random.default_rng([self.seed, self.index])
            numbers, kinds = self.kind.numbered(self.shape, rng, lesions=int(self.lesion))
        else:
            labels, numbers, kinds = self.draw()[1], np.zeros(self.shape, np.int32), np.zeros(1, np.uint8)
            for value in range(1, len(self.kind.regions) + 1):
                own, sizes = parts(labels == value)
                numbers = np.where(own > 0, own + len(kinds) - 1, numbers)
                kinds = np.concatenate([kinds, np.full(len(sizes) - 1, value, np.uint8)])
        there = np.unique(numbers[numbers > 0])
        labels = kinds[there].astype(np.int64) - 1
        return Instances.from_label_map(
            numbers, self.image().geometry, classes=self.kind.regions, labels=labels.tolist()
        )


def _entry(index: int, n: int, phantom: Phantom) -> Entry:
    name = f"sim{index + 1:03d}"
    val = max(1, round(n / 8))
    test = max(1, round(n / 4))
    split = "train" if index < n - val - test else "val" if index < n - test else "test"

    def opened() -> Case:
        images = {"image": phantom.image()}
        return Case(name, images, subject=name, group=name, split=split, load_truth=phantom.truth)

    labels = (CLASSES[phantom.lesion],) if phantom.task == "classify" else ()
    return Entry(name, opened, name, name, split, labels=labels)


def checksum(cases: Cases) -> str:
    """sha256 over the pixels and truths of all cases in order; says whether two cohorts are the same."""
    digest = hashlib.sha256()
    for case in cases:
        digest.update(np.ascontiguousarray(case.image().pixels()).tobytes())
        truth = case.truth()
        if isinstance(truth, Segmentation):
            digest.update(np.ascontiguousarray(truth.labels).tobytes())
        elif isinstance(truth, Probabilities):
            digest.update(truth.label.encode())
        elif isinstance(truth, Values):
            digest.update(repr(truth).encode())
        elif isinstance(truth, Boxes):
            digest.update(truth.edges.tobytes() + truth.labels.tobytes())
        elif isinstance(truth, Instances):
            digest.update(np.ascontiguousarray(truth.label_map()).tobytes() + truth.labels.tobytes())
    return digest.hexdigest()
