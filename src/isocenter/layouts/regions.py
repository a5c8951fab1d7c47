"""Numbers in label files and the regions they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isocenter import io
from isocenter.data import IGNORE
from isocenter.errors import InputError, LabelError
from isocenter.layouts.ask import Notes
from isocenter.layouts.cells import canonical, number, split_array
from isocenter.ops.array import Array

# Reading all label files to learn their numbers is worth a word from here on.
MANY, LARGE = 500, 200 << 20
LOOKUP = 1 << 16


@dataclass(frozen=True)
class Regions:
    """What the numbers of a set's label files mean.

    Parameters
    ----------
    names
        By index; ``"background"`` first.
    index
        Number in the file to index; 255 for ignore.
    codes
        Region name to number, background and ignore included, for writing back.
    """

    names: tuple[str, ...]
    index: Mapping[int, int]
    codes: Mapping[str, int]

    @property
    def classes(self) -> tuple[str, ...]:
        """Region names without background."""
        return self.names[1:]

    @classmethod
    def declared(cls, labels: Mapping[str, Sequence[str]], where: str) -> Regions:
        """From name to numbers, as cases.json or another convention states them.

        Raises
        ------
        LabelError
            A number that is none, or that two names claim; or more names than a label map holds.
        """
        numbers = {name: [_whole(v, name, where) for v in values] for name, values in labels.items()}
        claimed = [v for values in numbers.values() for v in values]
        if doubled := sorted({v for v in claimed if claimed.count(v) > 1}):
            raise LabelError("two names claim one number", where=where, got=", ".join(map(str, doubled)))
        if "background" not in numbers and 0 not in claimed:
            numbers = {"background": [0], **numbers}
        names = ("background", *(n for n in numbers if n not in ("background", "ignore")))
        if len(names) > IGNORE:
            raise LabelError("too many regions", where=where, got=str(len(names) - 1), wanted="at most 254")
        index = {v: IGNORE if n == "ignore" else names.index(n) for n, values in numbers.items() for v in values}
        return cls(names, index, {n: values[0] for n, values in numbers.items()})

    @classmethod
    def found(cls, values: Iterable[int], where: str) -> Regions:
        """From the numbers of undeclared files: {0, v} is one region `foreground`, others are named by their number."""
        others = sorted(set(values) - {0})
        if len(others) <= 1:
            return cls.declared({"background": ["0"], "foreground": [str(v) for v in others] or ["1"]}, where)
        if len(others) >= IGNORE:
            raise LabelError(
                "too many different numbers for regions", where=where, got=f"{len(others)}", wanted="at most 254",
                remedy="If every object has its own number, the task is instances; else declare labels in cases.json",
            )
        return cls.declared({"background": ["0"], **{str(v): [str(v)] for v in others}}, where)

    def encoded(self, array: Array, where: str) -> Array:
        """The file's numbers as indices into `names`, uint8.

        Raises
        ------
        LabelError
            Numbers outside the declared set, listed with how many pixels hold each.
        """
        array = whole(array, where)
        low, high = int(array.min(initial=0)), int(array.max(initial=0))
        if low >= 0 and high < LOOKUP:
            table = np.full(high + 1, -1, np.int16)
            for value, i in self.index.items():
                if 0 <= value <= high:
                    table[value] = i
            out = table[array]
        else:
            out = np.full(array.shape, -1, np.int16)
            for value, i in self.index.items():
                out[array == value] = i
        if out.min(initial=0) < 0:
            raise self._outside(array[out < 0], where)
        return out.astype(np.uint8)

    def _outside(self, strangers: Array, where: str) -> LabelError:
        values, counts = np.unique(strangers, return_counts=True)
        pairs = zip(values.tolist(), counts.tolist(), strict=True)
        listed = [f"{v} ({n} pixel{'s' if n > 1 else ''})" for v, n in pairs]
        more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
        return LabelError(
            "values outside the declared set", where=where, got=", ".join(listed[:8]) + more,
            wanted=", ".join(f"{v} {n}" for n, v in self.codes.items()),
            remedy="Declare them under labels in cases.json (the name 'ignore' leaves pixels out), or correct the file",
        )


def whole(array: Array, where: str) -> Array:
    """The array as whole numbers; LabelError when it holds fractions or NaN."""
    if array.dtype == bool:
        return array.astype(np.uint8)
    if not np.issubdtype(array.dtype, np.floating):
        return array
    if not np.isfinite(array).all() or (array != np.round(array)).any():
        raise LabelError("a mask holds values that are not whole numbers", where=where, wanted="whole numbers")
    return array.astype(np.int64)


def _whole(text: str, name: str, where: str) -> int:
    value = number(canonical(text))
    if value is None or value != int(value):
        raise LabelError(f"the label of {name!r} is no whole number", where=where, got=text)
    return int(value)


def scanned(paths: Iterable[str], where: str, notes: Notes) -> Regions:
    """The regions of undeclared label files: all of them are read once.

    Raises
    ------
    InputError
        A file cannot be read (listed instead when the caller is tolerant); or too many different numbers.
    """
    values: set[int] = set()
    paths = list(dict.fromkeys(paths))
    failed: list[InputError] = []
    for path in paths:
        try:
            values |= {int(v) for v in np.unique(whole(io.read_labels(path)[0], path)).tolist()}
        except InputError as error:
            failed.append(error)
    if failed and len(failed) == len(paths):
        raise failed[0]
    for refused in failed:
        notes.refuse(refused)
    files = {split_array(p)[0] for p in paths}
    if len(paths) > MANY or sum(Path(f).stat().st_size for f in files if Path(f).is_file()) > LARGE:
        notes.note(
            "labels-scanned", f"all {len(paths)} label files were read to learn their numbers", where=where,
            remedy="Declare labels in cases.json to start faster",
        )
    return Regions.found(values, where)
