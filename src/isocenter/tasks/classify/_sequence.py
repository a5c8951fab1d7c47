"""Films as volumes: their frames become slices, for networks that read a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np

from isocenter.data import Case, Cases, Entry, Geometry, Image, NotEvaluated, Opened, Probabilities
from isocenter.data.turning import turned
from isocenter.errors import InputError
from isocenter.infer import classify
from isocenter.ops.array import Array
from isocenter.tasks._network import FittedNetwork, opened_of


class FittedSequence(FittedNetwork):
    """Probabilities by one exported network about the slices of a volume or the frames of a film; needs no torch."""

    TASK: ClassVar[str] = "classify"

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """The probability of each class for the leading image.

        Raises
        ------
        InputError
            As `as_sequence`.
        """
        plan = self.plan
        return classify(self.engine(plan), turned(as_sequence(case).image(), plan.orientation), plan)

    def opened(self) -> Opened:
        """The torch module behind it, for gradients of volumes; MissingExtraError without torch."""
        return opened_of(self.about, self.arrays, self.plan)


def as_sequence(case: Case) -> Case:
    """The case with its leading image as a volume: a volume as it is, a film with its frames for slices.

    Raises
    ------
    InputError
        One image of two axes, or a film of volumes.
    """
    image = case.image()
    if "t" not in image.axes:
        if image.ndim != 3:
            raise InputError("there is no sequence", where=image.name, got="one image",
                             wanted="the slices of a volume, or the frames of a film")
        return case
    if image.ndim != 2:
        raise InputError("a film of volumes is no single sequence", where=image.name, got=image.axes, wanted="tyx")
    role = next(r for r, i in case.images.items() if i is image)
    images: Mapping[str, Image] = {**case.images, role: _stacked(image)}
    return replace(case, images=images)


def _stacked(film: Image) -> Image:
    at, colour = film.axes.index("t"), "c" in film.axes
    lengths = (film.length("t"), *film.geometry.shape)
    shape = (film.length("c"), *lengths) if colour else lengths

    def load() -> Array:
        return np.ascontiguousarray(np.moveaxis(film.pixels(), at, 1 if colour else 0))

    # Frames lie in time, not in millimetres: no spacing is known along them.
    return film.replaced(load, shape=shape, axes="czyx" if colour else "zyx", geometry=Geometry(lengths), times=None)


def as_sequences(cases: Cases) -> Cases:
    """The cases, each opened as `as_sequence` does."""

    def opened(entry: Entry) -> Case:
        return as_sequence(entry.open())

    return replace(cases, entries=tuple(replace(e, open=partial(opened, e)) for e in cases.entries))
