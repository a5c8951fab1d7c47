"""NIfTI-1 and NIfTI-2 single files (.nii, .nii.gz). The world is RAS in the file and LPS in here."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Geometry, Image, Source
from isocenter.errors import OutputError, UnreadableError
from isocenter.io import limits, ras
from isocenter.io.encoded import Block
from isocenter.io.grid import Note, ordered, silent, stated, unstated, with_spacing
from isocenter.ops.array import Array

GZIP = b"\x1f\x8b"
BLOCK = 1 << 20
FORMS = ("sform_code", "qform_code", "srow_x", "srow_y", "srow_z", "quatern_b", "quatern_c", "quatern_d",
         "qoffset_x", "qoffset_y", "qoffset_z")
SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


@dataclass(frozen=True)
class Layout:
    """Where the numbers lie in the file: type, shape in C order, offset, scaling, and the names of its axes."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    slope: float
    intercept: float
    axes: str = ""


def claims(path: Path, head: bytes) -> bool:
    """Whether the first bytes are a NIfTI header, plain or gzipped."""
    if head.startswith(GZIP):
        try:
            head = zlib.decompressobj(31).decompress(head, 540)
        except zlib.error:
            return False
    if len(head) < 4 or not {348, 540} & {*struct.unpack("<i", head[:4]), *struct.unpack(">i", head[:4])}:
        return False
    magic = head[344:348] if 348 in (*struct.unpack("<i", head[:4]), *struct.unpack(">i", head[:4])) else head[4:8]
    # A header that is cut short still claims, so that the refusal can say so.
    return magic in (b"n+1\0", b"n+2\0", b"ni1\0", b"ni2\0") or len(head) < 348


def read(
    path: Path, *, axes: str | None = None, spacing: tuple[float, ...] | None = None, note: Note = silent
) -> Image:
    """An image whose header is read now and whose pixels are read by `pixels()`.

    Parameters
    ----------
    axes
        Names of the axes in C order (the file's order reversed): "tzyx" or "czyx" for four; asked for when the file's
        time units and steps do not say that the fourth is time.
    spacing
        mm per spatial axis, over what the file says.
    note
        Hears of contradictions that do not stop reading.

    Raises
    ------
    UnreadableError
        Damaged, cut short, or of a type that is no image.
    GeometryError
        The affine holds NaN or infinity, or is singular.
    AmbiguousError
        Four axes and no word on the fourth.
    """
    with limits.typed(path, "NIfTI"):
        header = header_of(path)
        layout, times = _named(path, header, _layout(path, header), axes)
        geometry = ras.geometry(path, header, layout.axes, shape=layout.shape, note=note)
    shape, legal = _in_our_order(layout)
    return with_spacing(
        Image(
            partial(pixels, str(path), layout), shape, legal, _result(layout).name, geometry,
            channels=("red", "green", "blue", "alpha")[: shape[legal.index("c")]] if _coloured(layout) else (),
            times=times, source=Source((str(path),), "nifti"),
        ),
        path, spacing,
    )


def header_of(path: str | Path) -> Any:
    """nibabel's header of the file, unchecked; UnreadableError when it is cut short or not a single file."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    block = _bytes(path, 540)
    kind = 540 in (*struct.unpack("<i", block[:4]), *struct.unpack(">i", block[:4])) if len(block) >= 4 else False
    size = 540 if kind else 348
    limits.stored(path, size, len(block))
    header = (Nifti2Header if kind else Nifti1Header)(block[:size], check=False)
    if bytes(header["magic"])[:2] == b"ni":
        raise UnreadableError("a header without its pixels (.hdr/.img)", where=str(path), wanted="a single .nii file")
    return header


def _bytes(path: str | Path, size: int) -> bytes:
    """The first bytes of the file, inflated where it is compressed."""
    with Path(path).open("rb") as file:
        if file.read(2) != GZIP:
            file.seek(0)
            return file.read(size)
        file.seek(0)
        found = b""
        for piece in _pieces(file, path, block=4096):
            found += piece
            if len(found) >= size:
                break
    return found[:size]


def _layout(path: Path, header: Any) -> Layout:
    """Type, shape and offset that the header declares, held against the size of the file."""
    dims = [int(v) for v in header["dim"]]
    if not 1 < dims[0] <= 7 or min(dims[1 : dims[0] + 1]) < 1:
        raise UnreadableError("impossible dimensions", where=str(path), got=str(dims), wanted="2 to 5 positive lengths")
    lengths = dims[1 : dims[0] + 1]
    while len(lengths) > 3 and lengths[-1] == 1:
        lengths.pop()
    dtype = header.get_data_dtype()
    if dtype.kind == "c" or dtype.kind not in "uifV":
        raise UnreadableError("values that are no image", where=str(path), got=str(dtype), wanted="real numbers or RGB")
    offset = float(header["vox_offset"])
    if not np.isfinite(offset) or offset < 0:
        raise UnreadableError("impossible offset of the pixels", where=str(path), got=str(offset))
    start = max(int(offset), int(header["sizeof_hdr"]))
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if not np.isfinite(slope) or slope == 0 or dtype.kind == "V":
        slope, intercept = 1.0, 0.0
    if not np.isfinite(intercept):
        raise UnreadableError("impossible scaling", where=str(path), got=f"intercept {intercept}")
    needed, have = start + int(np.prod([int(v) for v in lengths], dtype=object)) * dtype.itemsize, path.stat().st_size
    if _gzipped(path):
        limits.inflated(path, needed, have)
    else:
        limits.stored(path, needed, have)
    kind = dtype.str if dtype.kind != "V" else str(dtype.itemsize)
    return Layout(kind, tuple(lengths[::-1]), start, slope, intercept)


def _gzipped(path: str | Path) -> bool:
    with Path(path).open("rb") as file:
        return file.read(2) == GZIP


def _coloured(layout: Layout) -> bool:
    return layout.dtype in ("3", "4")


def _named(
    path: Path, header: Any, layout: Layout, axes: str | None
) -> tuple[Layout, tuple[float, ...] | None]:
    """The layout with its axes named, and the times of the frames where they are known."""
    n = len(layout.shape)
    unit = SECONDS.get(header.get_xyzt_units()[1])
    step = float(header["pixdim"][4])
    film = unit is not None and np.isfinite(step) and step > 0
    shape = layout.shape
    if n == 5 and shape[1] == 1:
        # dim 5 is the vector; dim 4 is kept by the format although there is one time.
        shape, n = (shape[0], *shape[2:]), 4
        names = "czyx"
    elif n <= 3:
        names = "zyx"[3 - n :]
    else:
        names = {4: "tzyx", 5: "ctzyx"}.get(n, "") if film else ""
    names = stated(path, axes, shape) if axes else names
    if not names:
        raise unstated(path, shape, ("tzyx", "czyx") if n == 4 else ("ctzyx",))
    times = None
    if "t" in names and film and unit is not None:
        start = float(header["toffset"]) if np.isfinite(header["toffset"]) else 0.0
        times = tuple((start + i * step) * unit for i in range(shape[names.index("t")]))
    return Layout(layout.dtype, shape, layout.offset, layout.slope, layout.intercept, names), times


def _in_our_order(layout: Layout) -> tuple[tuple[int, ...], str]:
    axes, shape = layout.axes, layout.shape
    if _coloured(layout):
        axes, shape = axes + "c", (*shape, int(layout.dtype))
    legal = "".join(a for a in "tczyx" if a in axes)
    return tuple(shape[axes.index(a)] for a in legal), legal


def _result(layout: Layout) -> np.dtype[Any]:
    """Type of the pixels that come out: the file's own, or floating point where there is a scaling."""
    if _coloured(layout):
        return np.dtype(np.uint8)
    own = np.dtype(layout.dtype).newbyteorder("=")
    if own.itemsize > 8:
        own = np.dtype(np.float64)
    return own if (layout.slope, layout.intercept) == (1.0, 0.0) else np.result_type(own, np.float32)


def pixels(path: str, layout: Layout) -> Array:
    """The numbers of the file, scaled, in our order of axes; typed errors as in `read`."""
    with limits.typed(path, "NIfTI"):
        stored = np.dtype((np.uint8, int(layout.dtype))) if _coloured(layout) else np.dtype(layout.dtype)
        raw = _stored(path, stored.itemsize * int(np.prod(layout.shape, dtype=object)), layout.offset)
        array = raw.reshape(*layout.shape, -1) if _coloured(layout) else raw.view(stored).reshape(layout.shape)
        wanted = _result(layout)
        if (layout.slope, layout.intercept) != (1.0, 0.0):
            limits.fits(path, array.size * wanted.itemsize)
            array = _scaled(array, wanted, layout)
        return ordered(layout.axes + "c" * _coloured(layout), array.astype(wanted, copy=False))


def _scaled(array: Array, wanted: np.dtype[Any], layout: Layout) -> Array:
    """Stored numbers times slope plus intercept, reckoned in double precision plane by plane."""
    out = np.empty(array.shape, wanted)
    for place in np.ndindex(array.shape[:-2]):
        out[place] = array[place] * layout.slope + layout.intercept
    return out


def _stored(path: str, size: int, offset: int) -> Array:
    """`size` bytes from `offset`, inflated where needed, into one array that may be written to."""
    limits.fits(path, size)
    if not _gzipped(path):
        limits.stored(path, offset + size, Path(path).stat().st_size)
        return np.fromfile(path, np.uint8, size, offset=offset)
    out = np.empty(size, np.uint8)
    done = -offset
    with Path(path).open("rb") as file:
        for piece in _pieces(file, path):
            end = done + len(piece)
            if end > 0:
                part = np.frombuffer(piece, np.uint8)[max(-done, 0) : max(size - done, 0)]
                out[max(done, 0) : max(done, 0) + len(part)] = part
            done = end
            if done > size + BLOCK:
                break
    limits.stored(path, size, min(done, size) if done < size else size)
    return out


def _pieces(file: Any, path: str | Path, *, block: int = BLOCK) -> Iterator[bytes]:
    """The inflated stream in blocks, over all gzip members; zlib.error where a checksum is wrong."""
    inflater, data = zlib.decompressobj(31), file.read(block)
    while data:
        yield inflater.decompress(data, block)
        data = inflater.unconsumed_tail
        if inflater.eof:
            rest = inflater.unused_data or file.read(block)
            # Zeros may pad the end.
            if not rest.startswith(GZIP[:1]):
                return
            inflater, data = zlib.decompressobj(31), rest
        elif not data:
            data = file.read(block)
    raise UnreadableError("cut short", where=str(path), wanted="the end of its compressed stream")


def write(path: Path, block: Block, like: Image | None = None) -> None:
    """Writes an array with its grid; forms, codes and units exactly those of `like` where it is a NIfTI on that grid.

    Channels go to the fifth dimension, as the standard has it; a grid of unknown spacing says so by its units.

    Raises
    ------
    OutputError
        Axes that the format cannot hold without inventing one.
    """
    array, header = prepared(path, block, like)
    packer = zlib.compressobj(3, zlib.DEFLATED, 31) if path.name.lower().endswith(".gz") else None
    with path.open("wb") as file:
        for piece in (header.binaryblock + b"\0\0\0\0", *_planes(array)):
            file.write(packer.compress(piece) if packer else piece)
        if packer:
            file.write(packer.flush())


def prepared(path: str | Path, block: Block, like: Image | None = None) -> tuple[Array, Any]:
    """The array in the file's order of axes (C order), and its header; errors as `write`."""
    axes, array = block.axes, np.ascontiguousarray(block.array)
    if axes not in ("yx", "zyx", "tzyx", "czyx", "tczyx"):
        raise OutputError("NIfTI would need a made-up axis", where=str(path), got=axes, wanted="yx, zyx, tzyx or czyx",
                          remedy="Write .tif")
    if "c" in axes:
        array = np.ascontiguousarray(array[None] if "t" not in axes else array).swapaxes(0, 1)
    if array.dtype == np.float16 or array.dtype == bool:
        array = array.astype(np.float32 if array.dtype == np.float16 else np.uint8)
    return array, _header_for(block, array, like)


def _planes(array: Array) -> Iterator[bytes]:
    for plane in array if array.ndim > 2 else array[None]:
        yield np.ascontiguousarray(plane).tobytes()


def _header_for(block: Block, array: Array, like: Image | None) -> Any:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    large = max(array.shape) > 32767
    header = (Nifti2Header if large else Nifti1Header)()
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape[::-1])
    header["vox_offset"] = 544 if large else 352
    header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    model = _model(block.geometry, like)
    if model is not None:
        for name in FORMS:
            header[name] = model[name]
        header["pixdim"][:4] = model["pixdim"][:4]
        space = model.get_xyzt_units()[0]
    else:
        space = ras.place(header, block.geometry)
    if "c" in block.axes:
        header.set_intent("vector")
    step = np.diff(block.times) if block.times is not None and len(block.times) > 1 else np.zeros(0)
    if block.times is not None:
        header["pixdim"][4] = float(step.mean()) if len(step) else 1.0
        header["toffset"] = block.times[0]
    header.set_xyzt_units(space, "sec" if block.times is not None else None)
    return header


def _model(geometry: Geometry, like: Image | None) -> Any:
    """The header of `like`, when it is a NIfTI file on this very grid."""
    if like is None or like.source.format != "nifti" or not Path(like.name).is_file():
        return None
    with limits.typed(like.name, "NIfTI"):
        header = header_of(like.name)
        theirs = read(Path(like.name), axes=None if like.ndim == len(like.axes) else _file_axes(like)).geometry
    return header if theirs.same_grid(geometry) else None


def _file_axes(like: Image) -> str:
    return "".join(a for a in "ctzyx" if a in like.axes and (a != "c" or like.channels[:1] != ("red",)))
