"""numpy's .npz: named arrays in a zip. One array, or one item of it, is read without the others."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np

from isocenter.data import Image
from isocenter.errors import AmbiguousError, NotFoundError, UnreadableError, UsageError, nearest
from isocenter.io import deflate, limits, npy
from isocenter.io.encoded import Block
from isocenter.io.grid import Note, located, respaced, silent
from isocenter.ops.array import Array

# Names of the array itself in a file that `write` made.
KINDS = ("pixels", "labels", "values")
SPEC = re.compile(r"^(?P<file>.+\.np[yz])#(?P<name>[^\[\]]*)(?:\[(?P<index>-?\d+)\])?$", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """One array in a file: the file, the name of the array ("" in a .npy), and an index into its first axis."""

    path: Path
    name: str = ""
    index: int | None = None

    def __str__(self) -> str:
        at = "" if self.index is None else f"[{self.index}]"
        return f"{self.path}#{self.name}{at}" if self.name or at else str(self.path)


def place(spec: str | Path) -> Place | None:
    """The place that ``"file.npz#name[i]"`` names, or None when the text is no such name.

    >>> place("scans.npz#train_images[7]").index
    7
    """
    match = SPEC.match(str(spec))
    if match is None:
        return None
    index = match["index"]
    return Place(Path(match["file"]), match["name"], None if index is None else int(index))


def array_at(spec: str | Path) -> Array:
    """The array that ``"file.npz#name"``, ``"file.npz#name[i]"``, ``"file.npy"`` or ``"file.npy#[i]"`` names.

    Raises
    ------
    UsageError
        Not such a name, or an index outside the array.
    NotFoundError
        No array of that name; names the nearest.
    UnreadableError
        Damaged, or it would need a pickle.
    MissingFileError
        No such file.
    """
    where = place(spec) or Place(Path(spec))
    limits.present(where.path)
    if where.path.suffix.lower() not in (".npy", ".npz"):
        raise UsageError("not an array file", where=str(spec), wanted="file.npz#name[i] or file.npy")
    return load(where)


def load(where: Place) -> Array:
    """The array at a place; errors as `array_at`."""
    if where.path.suffix.lower() == ".npy":
        return npy.load(where.path, where.index)
    member = _member(where)
    with limits.typed(where.path, "npz"), zipfile.ZipFile(where.path) as archive:
        packed = archive.getinfo(member).compress_size
        with archive.open(member) as file:
            found = npy.header(file, where)  # type: ignore[arg-type]
            limits.inflated(where.path, found.size, packed)
            if where.index is None:
                return npy.body(file, found, where)  # type: ignore[arg-type]
            if found.fortran:
                return np.ascontiguousarray(npy.body(file, found, where)[where.index])  # type: ignore[arg-type]
            item = found.item(where.index, where)
            info = archive.getinfo(member)
            if info.compress_type == zipfile.ZIP_DEFLATED:
                part = deflate.stretch(where.path, info, item.offset, length=item.size)
                return npy.body(BytesIO(part), item, where)
            file.seek(item.offset)
            return npy.body(file, item, where)  # type: ignore[arg-type]


def stored(where: Place) -> npy.Stored:
    """What the header of one array declares, without its numbers."""
    member = _member(where)
    with limits.typed(where.path, "npz"), zipfile.ZipFile(where.path) as archive:
        info = archive.getinfo(member)
        with archive.open(member) as file:
            found = npy.header(file, where)  # type: ignore[arg-type]
        if info.compress_type == zipfile.ZIP_STORED:
            limits.stored(where.path, found.offset + found.size, info.compress_size)
        limits.inflated(where.path, found.size, info.compress_size)
    return found if where.index is None else found.item(where.index, where)


def names(path: Path) -> tuple[str, ...]:
    """Names of the arrays in a .npz, in its order."""
    with limits.typed(path, "npz"), zipfile.ZipFile(path) as archive:
        return tuple(n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy"))


def _member(where: Place) -> str:
    known = names(where.path)
    if not known:
        raise UnreadableError("holds no arrays", where=str(where.path))
    if not where.name and len(known) > 1:
        raise AmbiguousError(
            "several arrays in one file", where=str(where.path), got=", ".join(known),
            remedy=f"Name one: {where.path.name}#{known[0]}",
        )
    name = where.name or known[0]
    if name not in known:
        raise NotFoundError(f"no array {name!r}", where=str(where.path), remedy=nearest(name, known))
    return name + ".npy"


def claims(path: Path, head: bytes) -> bool:
    """Whether the first bytes are a zip whose first entry is a .npy."""
    length = int.from_bytes(head[26:28], "little")
    return head.startswith(b"PK\x03\x04") and head[30 : 30 + length].endswith(b".npy")


def read(
    path: Path | Place, *, axes: str | None = None, spacing: tuple[float, ...] | None = None, note: Note = silent
) -> Image:
    """An image in a .npz (or at a place in one); its numbers are read by `pixels()`.

    Raises
    ------
    AmbiguousError
        Several arrays and no name, or axes that nobody named.
    UnreadableError
        Damaged, or no numbers.
    """
    where = path if isinstance(path, Place) else Place(path)
    ours = next((k for k in KINDS if {k, "axes"} <= set(names(where.path))), None) if not where.name else None
    if ours is None:
        return npy.described(stored(where), partial(load, where), str(where), "npz", axes, spacing)
    return _ours(Place(where.path, ours), spacing)


def _ours(where: Place, spacing: tuple[float, ...] | None) -> Image:
    """An image as `write` left it, with its axes and grid."""
    def side(name: str) -> Array | None:
        return load(Place(where.path, name)) if name in known else None

    known = names(where.path)
    axes = str(side("axes"))
    image = npy.described(stored(where), partial(load, where), str(where.path), "npz", axes, None)
    matrix, times = side("affine"), side("times")
    geometry = image.geometry if matrix is None else located(where.path, image.geometry.shape, matrix)
    channels = side("names") if where.name == "pixels" else None
    return image.replaced(
        image.load, geometry=respaced(where.path, geometry, spacing),
        times=None if times is None else tuple(times.tolist()),
        channels=() if channels is None else tuple(channels.tolist()),
    )


def write(path: Path, block: Block, like: Image | None = None) -> None:
    """Writes the numbers under ``labels``, ``pixels`` or ``values``, with ``axes``, ``names``, LPS ``affine``."""
    arrays: dict[str, Array] = {block.kind: block.array, "axes": np.asarray(block.axes)}
    if block.names:
        arrays["names"] = np.asarray(block.names)
    if block.geometry.matrix is not None:
        arrays["affine"] = block.geometry.matrix
    if block.times is not None:
        arrays["times"] = np.asarray(block.times)
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
