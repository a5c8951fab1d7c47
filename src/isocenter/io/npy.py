"""numpy's .npy, and the stored form of every array in a .npz. Never a pickle."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from isocenter.data import Geometry, Image, Source
from isocenter.errors import UnreadableError, UsageError
from isocenter.io import limits
from isocenter.io.encoded import Block
from isocenter.io.grid import OURS, Note, ordered, silent, stated, unstated, with_spacing
from isocenter.ops.array import Array

MAGIC = b"\x93NUMPY"
# numpy's own limit on a header, which is a Python literal.
LONGEST = 10_000
# An axis this short may be one of channels or frames; without a word it is not taken for space.
SHORT = 4
READINGS = {3: ("zyx", "cyx", "yxc", "tyx"), 4: ("tzyx", "czyx")}


@dataclass(frozen=True)
class Stored:
    """One array in a file: type, shape, order, and where its numbers start.

    Raises nothing; see `header`.
    """

    dtype: str
    shape: tuple[int, ...]
    fortran: bool
    offset: int

    @property
    def size(self) -> int:
        """Bytes of all its numbers."""
        return int(np.prod(self.shape, dtype=object)) * np.dtype(self.dtype).itemsize

    def item(self, index: int, path: object) -> Stored:
        """The array at one position of the first axis; UsageError where there is no such position."""
        if not self.shape or not -self.shape[0] <= index < self.shape[0]:
            raise UsageError("no such item", where=str(path), got=f"[{index}]", wanted=f"an index into {self.shape}")
        index %= self.shape[0]
        step = self.size // self.shape[0]
        return Stored(self.dtype, self.shape[1:], False, self.offset + index * step)


def claims(path: Path, head: bytes) -> bool:
    """Whether the first bytes are those of a .npy."""
    return head.startswith(MAGIC)


def header(file: BinaryIO, path: object) -> Stored:
    """What the header of a .npy declares (numpy enhancement proposal 1), leaving the file at the first number.

    Raises
    ------
    UnreadableError
        No such header, an object array (a pickle), or an impossible shape.
    """
    magic = file.read(8)
    width = 2 if magic[6:7] == b"\x01" else 4
    length = int.from_bytes(file.read(width), "little")
    if not magic.startswith(MAGIC) or magic[6] not in (1, 2, 3) or length > LONGEST:
        raise UnreadableError("no .npy header", where=str(path))
    with limits.typed(str(path), "npy"):
        fields = ast.literal_eval(file.read(length).decode("utf-8" if magic[6] == 3 else "latin-1"))
        dtype, shape = np.dtype(fields["descr"]), tuple(fields["shape"])
        fortran = bool(fields["fortran_order"])
    if dtype.hasobject:
        raise UnreadableError("holds Python objects, which are never loaded", where=str(path), wanted="numbers")
    if not all(isinstance(s, int) and s >= 0 for s in shape):
        raise UnreadableError("impossible shape", where=str(path), got=str(shape))
    return Stored(dtype.str if dtype.names is None else str(dtype), shape, fortran, 8 + width + length)


def body(file: BinaryIO, stored: Stored, path: object) -> Array:
    """The numbers, read from where the file stands; UnreadableError when it is cut short."""
    limits.fits(str(path), stored.size)
    out = np.empty(stored.size, np.uint8)
    done = 0
    while done < stored.size:
        piece = file.read(min(stored.size - done, 1 << 20))
        if not piece:
            raise UnreadableError("cut short", where=str(path), got=f"{done} bytes", wanted=f"{stored.size} bytes")
        out[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
        done += len(piece)
    array = out.view(np.dtype(stored.dtype)) if stored.size else np.empty(0, np.dtype(stored.dtype))
    array = array.reshape(stored.shape[::-1]).T if stored.fortran else array.reshape(stored.shape)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def stored(path: Path) -> Stored:
    """The header of a .npy file, held against its size."""
    with limits.typed(path, "npy"), path.open("rb") as file:
        found = header(file, path)
        limits.stored(path, found.offset + found.size, path.stat().st_size)
    return found


def load(path: Path, index: int | None = None) -> Array:
    """The array of a .npy file, or the one at a position of its first axis."""
    found = stored(path)
    if index is not None:
        if found.fortran:
            return np.ascontiguousarray(load(path)[index])
        found = found.item(index, path)
    with limits.typed(path, "npy"), path.open("rb") as file:
        file.seek(found.offset)
        return body(file, found, path)


def read(
    path: Path, *, axes: str | None = None, spacing: tuple[float, ...] | None = None, note: Note = silent,
    index: int | None = None,
) -> Image:
    """An image whose header is read now and whose numbers are read by `pixels()`.

    Raises
    ------
    UnreadableError
        Damaged, cut short, or no numbers.
    AmbiguousError
        More than two axes that nobody named, of which one could be channels or frames.
    """
    found = stored(path)
    if index is not None:
        found = found.item(index, path)
    return described(found, partial(load, path, index), str(path), "npy", axes, spacing)


def described(
    found: Stored, load: Any, name: str, kind: str, axes: str | None, spacing: tuple[float, ...] | None
) -> Image:
    """The image around an array in a file; `load` reads it in the file's own order of axes."""
    dtype = np.dtype(found.dtype)
    if dtype.kind not in "buif":
        raise UnreadableError("values that are no image", where=name, got=str(dtype), wanted="real numbers")
    named = stated(name, axes, found.shape) if axes else guessable(found.shape)
    if not named:
        raise unstated(name, found.shape, READINGS.get(len(found.shape), ("tczyx",)))
    legal = "".join(a for a in OURS if a in named)
    shape = tuple(found.shape[named.index(a)] for a in legal)
    grid = Geometry(tuple(s for s, a in zip(shape, legal, strict=True) if a in "zyx"))
    result = np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")
    image = Image(partial(_pixels, load, named), shape, legal, result.name, grid, source=Source((name,), kind))
    return with_spacing(image, name, spacing)


def guessable(shape: tuple[int, ...]) -> str:
    """Axes that follow from the number of axes alone: "yx", and "zyx" where none could be channels; else ""."""
    if len(shape) == 3 and min(shape[0], shape[-1]) > SHORT:
        return "zyx"
    return "yx" if len(shape) == 2 else ""


def _pixels(load: Any, axes: str) -> Array:
    array = load()
    return ordered(axes, array.astype(np.uint8) if array.dtype == bool else array)


def write(path: Path, block: Block, like: Image | None = None) -> None:
    """Writes the numbers alone; the grid is lost."""
    array = np.ascontiguousarray(block.array)
    with path.open("wb") as file:
        # Not `np.save`: its way to a file hides why writing failed.
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.data)
