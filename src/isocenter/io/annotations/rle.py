"""COCO's run lengths: pixels counted down the columns, runs of 0 and 1 in turn, plain or packed into text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from isocenter.errors import LabelError
from isocenter.io.annotations.marks import Crop, cropped
from isocenter.ops.array import Array

# Packed numbers: 5 bits a letter, the sixth says that more follow, the letters start at "0".
BITS, MORE, SIGN, FIRST = 5, 0x20, 0x10, 48


def encode(crop: Crop, shape: tuple[int, int]) -> list[int]:
    """Lengths of the runs of an object on a grid (height, width), the first of background.

    >>> encode((np.array([1, 0]), np.ones((1, 2), bool)), (3, 2))
    [1, 1, 2, 1, 1]
    """
    start, mask = crop
    columns, rows = np.nonzero(mask.T)
    at = (columns + int(start[1])) * shape[0] + rows + int(start[0])
    first = np.flatnonzero(np.diff(at, prepend=-2) > 1)
    begins = at[first]
    ends = at[np.append(first[1:] - 1, len(at) - 1)] + 1
    turns = np.empty(2 * len(begins) + 2, np.int64)
    turns[0], turns[-1] = 0, shape[0] * shape[1]
    turns[1:-1:2], turns[2:-1:2] = begins, ends
    runs: list[int] = np.diff(turns).tolist()
    return runs if runs[-1] else runs[:-1]


def decode(runs: Sequence[int], shape: tuple[int, int]) -> Array:
    """The mask (height, width) of run lengths.

    Raises
    ------
    LabelError
        The runs are negative or do not fill the grid.
    """
    lengths = np.asarray(runs, np.int64).ravel()
    if (lengths < 0).any() or int(lengths.sum()) != shape[0] * shape[1]:
        raise LabelError(
            "run lengths that do not fill the image", got=f"{int(lengths.sum())} pixels",
            wanted=f"{shape[1]} x {shape[0]}",
        )
    flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return flat.reshape(shape[1], shape[0]).T


def packed(runs: Sequence[int]) -> str:
    """Run lengths as COCO's text: from the fourth on, the difference to the one before the last.

    >>> packed([1, 1, 2, 1, 1]), unpacked(packed([6, 40, 100, 7, 3]))
    ('1120O', [6, 40, 100, 7, 3])
    """
    out = []
    for i, run in enumerate(runs):
        value = int(run) - (int(runs[i - 2]) if i > 2 else 0)
        while True:
            letter = value & (MORE - 1)
            value >>= BITS
            more = value != (-1 if letter & SIGN else 0)
            out.append(chr((letter | (MORE if more else 0)) + FIRST))
            if not more:
                break
    return "".join(out)


def unpacked(text: str) -> list[int]:
    """Run lengths from COCO's text; LabelError where it breaks off."""
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        part = ord(letter) - FIRST
        if not 0 <= part < 2 * MORE:
            raise LabelError("not packed run lengths", got=repr(letter))
        value |= (part & (MORE - 1)) << shift
        shift += BITS
        if part & MORE:
            continue
        if part & SIGN:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise LabelError("packed run lengths that break off", got=text[-8:])
    return runs


def crop_of(said: Any, shape: tuple[int, int]) -> Crop | None:
    """The object of ``{"size": [height, width], "counts": TEXT or LIST}``; None where it is empty.

    Raises
    ------
    LabelError
        Not of this form, or of another size than the image.
    """
    if not isinstance(said, dict) or "counts" not in said:
        raise LabelError("not run lengths", got=type(said).__name__, wanted="size and counts")
    size = said.get("size", list(shape))
    if list(size) != list(shape):
        raise LabelError("a mask of another size than its image", got=str(size), wanted=str(list(shape)))
    counts = said["counts"]
    if isinstance(counts, bytes):
        counts = counts.decode("ascii")
    return cropped(decode(unpacked(counts) if isinstance(counts, str) else counts, shape))
