"""Cases whose files are read once: what one verb or one study comes back to stays in memory while there is room."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import Case, Cases, Image
from isocenter.infer.memory import available
from isocenter.ops.array import Array

# Most bytes that the cases of one holder take, and the share of what is free that they may take.
BUDGET, FREE = 512 << 20, 0.125
# What a case takes beside its pixels and truth: names, paths, geometry.
HEADER = 4096


def held(cases: Cases, *, room: int | None = None) -> Cases:
    """The same cases; header, pixels and truth of each are read at most once, as far as there is room for them.

    What no longer fits is read anew each time, so that memory is bounded and no answer depends on it. Pixels are handed
    out as copies: whoever changes them changes nobody else's. The memory is given back with the cases. Arrays that lie
    in memory anyway, and what another holder holds, pass through.

    Parameters
    ----------
    cases
        Of any question.
    room
        Bytes; default 512 MiB, or an eighth of the free memory where that is less.
    """
    room = budget() if room is None else room
    space = _Room(room, room)
    return replace(cases, entries=tuple(replace(e, open=_Opened(e.open, space)) for e in cases.entries))


def kept(cases: Cases) -> int:
    """Bytes that the holders of these cases have taken so far, for these and for others that they hold."""
    rooms = {id(e.open.room): e.open.room for e in cases.entries if isinstance(e.open, _Opened)}
    return sum(room.total - room.left for room in rooms.values())


def budget() -> int:
    """Bytes that one holder may take here: decides what is read again, never a result."""
    free = available()
    return BUDGET if free is None else min(BUDGET, int(FREE * free))


@dataclass(eq=False)
class _Room:
    total: int
    left: int

    def take(self, count: int) -> bool:
        """Whether so many bytes were free; they are taken then."""
        if count > self.left:
            return False
        self.left -= count
        return True


@dataclass(eq=False)
class _Opened:
    """Opens a case once."""

    open: Callable[[], Case]
    room: _Room
    case: Case | None = None

    def __call__(self) -> Case:
        if self.case is not None:
            return self.case
        case = self.open()
        images = {role: self._image(image) for role, image in case.images.items()}
        if all(images[role] is image for role, image in case.images.items()) or not self.room.take(HEADER):
            return case
        truth = _Truth(case.load_truth, self.room) if case.load_truth else None
        self.case = replace(case, images=images, load_truth=truth)
        return self.case

    def _image(self, image: Image) -> Image:
        if not image.source.files or isinstance(image.load, _Pixels):
            return image
        size = math.prod(image.shape) * np.dtype(image.dtype).itemsize
        return image.replaced(_Pixels(image.load, self.room, size))


@dataclass(eq=False)
class _Pixels:
    """Reads pixels once."""

    load: Callable[[], Array]
    room: _Room
    size: int
    array: Array | None = None

    def __call__(self) -> Array:
        if self.array is not None:
            return self.array.copy(order="K")
        array = self.load()
        # A copy lies in memory as its original does, unless that has gaps: sums are taken in that order.
        dense = array.flags.forc or array.copy(order="K").strides == array.strides
        if array.nbytes <= self.size and dense and self.room.take(self.size):
            self.array = np.array(array, order="K", subok=False)
        return array


@dataclass(eq=False)
class _Truth:
    """Reads a truth once."""

    load: Callable[[], Any]
    room: _Room
    truth: Any = None

    def __call__(self) -> Any:
        if self.truth is not None:
            return self.truth
        truth = self.load()
        if self.room.take(sum(_owned(truth).values())):
            self.truth = truth
        return truth


def _owned(value: Any) -> dict[int, int]:
    """Bytes of the memory that the arrays of a finding keep alive, by the array that owns it."""
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        return {id(value): value.nbytes}
    if isinstance(value, tuple):
        return {owner: size for part in value for owner, size in _owned(part).items()}
    if is_dataclass(value):
        return {owner: size for f in fields(value) for owner, size in _owned(getattr(value, f.name)).items()}
    return {}
