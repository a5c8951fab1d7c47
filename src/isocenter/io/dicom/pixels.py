"""From stored samples to values: read straight into the final array, each frame finished while it is still in cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.errors import UnreadableError
from isocenter.io import limits
from isocenter.io.dicom import decoder, elements, tags
from isocenter.io.dicom.facts import Coding
from isocenter.ops.array import Array


@dataclass(frozen=True)
class Job:
    """Everything that reading the pixels takes; small, and fit to be sent to another process.

    Parameters
    ----------
    files, codings
        Path and coding of each file.
    order
        (file, frame) of each output frame.
    shape
        Of the output: leading axes of frames, then (c,) y, x.
    dtype
        Of the output.
    slopes, intercepts
        Per output frame.
    invert
        Whether small stored values are bright.
    table
        ``"palette"``, ``"lut"`` or "": a table in the file that stored values go through.
    """

    files: tuple[str, ...]
    codings: tuple[Coding, ...]
    order: tuple[tuple[int, int], ...]
    shape: tuple[int, ...]
    dtype: str
    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    invert: bool = False
    table: str = ""


def load(job: Job) -> Array:
    """The pixels of a job; UnreadableError or ResourceError names the file."""
    dtype = np.dtype(job.dtype)
    limits.fits(job.files[0], int(np.prod(job.shape, dtype=object)) * dtype.itemsize)
    with limits.typed(job.files[0], "DICOM"):
        out = np.empty(job.shape, dtype)
        coloured = job.codings[0].samples > 1 or job.table == "palette"
        flat = out.reshape(len(job.order), *job.shape[len(job.shape) - (3 if coloured else 2) :])
        tables: dict[int, Array] = {}
        for i, (file, frame) in _decoded(job, flat):
            _finished(job, file, frame, flat[i], i, tables)
    return out


def _decoded(job: Job, flat: Array) -> Iterator[tuple[int, tuple[int, Array]]]:
    """Output position, file and stored frame, file by file; frames that need no table are read into place."""
    places: dict[int, list[tuple[int, int]]] = {}
    for i, (file, frame) in enumerate(job.order):
        places.setdefault(file, []).append((i, frame))
    for file, wanted in places.items():
        path, coding = job.files[file], job.codings[file]
        if coding.encapsulated:
            with limits.typed(path, "DICOM"):
                stored = decoder.frames(path, coding, [frame for _, frame in wanted])
                for (i, _), array in zip(wanted, stored, strict=True):
                    yield i, (file, array)
        else:
            with limits.typed(path, "DICOM"):
                for i, array in _native(path, coding, wanted, flat):
                    yield i, (file, array)


def _native(path: str, coding: Coding, wanted: list[tuple[int, int]], flat: Array) -> Iterator[tuple[int, Array]]:
    """Uncompressed frames: into the output itself where the sample size is the same, else into a buffer."""
    if coding.start:
        yield from ((i, _shaped(coding, a)) for i, a in _from_deflated(path, coding, wanted))
        return
    size = coding.frame_bits / 8
    dtype = np.dtype(coding.dtype)
    simple = coding.samples == 1 and coding.allocated > 1 and flat.dtype.itemsize == dtype.itemsize and flat.ndim == 3
    with Path(path).open("rb", buffering=0) as file:
        for i, frame in wanted:
            first = int(frame * size)
            length = -(-int((frame + 1) * coding.frame_bits) // 8) - first
            target: Array = flat[i].view(dtype) if simple else np.empty(length, np.uint8)
            file.seek(coding.offset + first)
            view = memoryview(target).cast("B")  # type: ignore[arg-type]
            done = 0
            while done < length:
                got = file.readinto(view[done:])
                if not got:
                    raise UnreadableError("cut short", where=path, got=f"frame {frame + 1}", wanted=f"{length} bytes")
                done += got
            yield i, target if simple else _shaped(coding, _bits(coding, frame, target))


def _from_deflated(path: str, coding: Coding, wanted: list[tuple[int, int]]) -> Iterator[tuple[int, Array]]:
    import zlib

    packed = Path(path).read_bytes()[coding.start :]
    needed = coding.offset + (coding.frame_bits * coding.frames + 7) // 8
    limits.picture(path, needed, len(packed))
    plain = zlib.decompressobj(-15).decompress(packed, needed)
    limits.stored(path, needed, len(plain))
    for i, frame in wanted:
        first, last = frame * coding.frame_bits // 8, -(-(frame + 1) * coding.frame_bits // 8)
        part = np.frombuffer(plain, np.uint8)[coding.offset + first : coding.offset + last].copy()
        yield i, _bits(coding, frame, part)


def _bits(coding: Coding, frame: int, part: Array) -> Array:
    """One-bit pixels unpacked (frames follow each other without gaps, PS3.5, 8.1.1); others as they are."""
    if coding.allocated > 1:
        return part
    skip = frame * coding.frame_bits % 8
    return np.unpackbits(part, bitorder="little")[skip : skip + coding.frame_bits]


def _shaped(coding: Coding, part: Array) -> Array:
    """Bytes of a frame as (y, x[, samples]) of the stored type."""
    if coding.allocated == 8 and coding.vr == b"OW" and coding.dtype[0] == ">":
        part = part[: len(part) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
    values = part if coding.allocated == 1 else np.ascontiguousarray(part).view(coding.dtype)
    if coding.photometric == "YBR_FULL_422":
        return _full(values, coding)
    if coding.samples == 1:
        return values.reshape(coding.rows, coding.columns)
    if coding.planar == 1:
        return np.moveaxis(values.reshape(coding.samples, coding.rows, coding.columns), 0, -1)
    return values.reshape(coding.rows, coding.columns, coding.samples)


def _full(values: Array, coding: Coding) -> Array:
    """Y1 Y2 Cb Cr repeated to Y Cb Cr for each of two pixels (PS3.3, C.7.6.3.1.2)."""
    four = values.reshape(-1, 4)
    pairs = np.stack([four[:, [0, 2, 3]], four[:, [1, 2, 3]]], 1)
    return pairs.reshape(coding.rows, coding.columns, 3)


def _finished(job: Job, file: int, frame: Array, out: Array, i: int, tables: dict[int, Array]) -> None:
    """Writes the values of a stored frame to its place."""
    coding = job.codings[file]
    slope, intercept = job.slopes[i], job.intercepts[i]
    if frame.dtype.kind in "iu":
        frame = _clean(frame, coding)
        if job.invert:
            frame ^= frame.dtype.type(-1 if frame.dtype.kind == "i" else (1 << coding.stored) - 1)
    if job.table:
        if file not in tables:
            tables[file] = _table(job.files[file], job.table, job.dtype == "uint8")
        frame = _looked_up(tables[file], frame, job.files[file], job.table)
    elif coding.samples > 1:
        frame = np.moveaxis(_rgb(frame, coding), -1, 0)
    if slope == 1.0 and intercept == 0.0:
        if frame.base is None or not np.shares_memory(frame, out):
            out[...] = frame
    elif slope == 1.0 and out.dtype.kind == "i" and frame.dtype.itemsize == out.dtype.itemsize:
        # Whole numbers of one size: the sum is right modulo its size once the ends are cut off.
        np.add(_within(frame, out.dtype, intercept).view(out.dtype), out.dtype.type(intercept), out=out)
    else:
        np.multiply(frame, slope, out=out, casting="unsafe")
        out += out.dtype.type(intercept)


def _within(frame: Array, dtype: np.dtype[Any], intercept: float) -> Array:
    """Stored values cut to those that fit the output type after the shift: padding, in practice."""
    limit, own = np.iinfo(dtype), np.iinfo(frame.dtype)
    low, high = max(int(limit.min - intercept), own.min), min(int(limit.max - intercept), own.max)
    if (low > own.min and frame.min() < low) or (high < own.max and frame.max() > high):
        np.clip(frame, low, high, out=frame)
    return frame


def _clean(frame: Array, coding: Coding) -> Array:
    """Native byte order, and without bits that do not belong to the value (PS3.5, 8.1.1)."""
    frame = frame if frame.flags.writeable else frame.copy()
    if not frame.dtype.isnative:
        frame = frame.byteswap(inplace=True).view(frame.dtype.newbyteorder("="))
    unused, above = coding.allocated - coding.stored, coding.allocated - 1 - coding.high
    if unused <= 0 or coding.allocated == 1 or above < 0 or frame.dtype.itemsize * 8 != coding.allocated:
        return frame
    low, high = int(frame.min()), int(frame.max())
    half = 1 << (coding.stored - 1)
    if above == unused and (low >= 0 and high < 2 * half if not coding.signed else -half <= low and high < half):
        return frame
    frame <<= frame.dtype.type(above)
    frame >>= frame.dtype.type(unused)
    return frame


def _rgb(frame: Array, coding: Coding) -> Array:
    """Full-range luma and chroma as red, green, blue (PS3.3, C.7.6.3.1.2); decoders have done so already."""
    if coding.encapsulated or not coding.photometric.startswith("YBR_FULL"):
        return frame
    y, b, r = (frame[..., k].astype(np.float32) - (128 if k else 0) for k in range(3))
    mixed = np.stack([y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b], -1)
    return np.asarray(np.clip(np.round(mixed), 0, 255), frame.dtype)


def _table(path: str, kind: str, eight: bool) -> Array:
    """A palette (3, n) or modality table (1, n) of the file, with its first mapped value as last column.

    Raises
    ------
    UnreadableError
        The table is lacking, segmented, or shorter than it says.
    """
    found = elements.read(Path(path))
    if kind == "lut":
        item = next(found.items(tags.MODALITY_LUT), None)
        pairs = [(item, tags.LUT_DESCRIPTOR, tags.LUT_DATA)] if item is not None else []
    else:
        pairs = [(found, tags.PALETTE + k, tags.PALETTE_DATA + k) for k in range(3)]
    rows = [_row(path, *pair, eight) for pair in pairs]
    if not rows or len({len(r) for r in rows}) > 1:
        raise UnreadableError("a table of colours or values is lacking", where=path)
    return np.stack(rows)


def _row(path: str, found: elements.Elements, descriptor: int, data: int, eight: bool) -> Array:
    numbers = found.numbers(descriptor, b"US")
    raw = found.raw(data)
    if len(numbers) != 3 or not raw:
        raise UnreadableError("a table of colours or values is lacking or segmented", where=path)
    count, first, bits = int(numbers[0]) or 65536, int(numbers[1]), int(numbers[2])
    order = "<" if found.little else ">"
    wide = len(raw) >= 2 * count
    values = np.frombuffer(raw[: 2 * count if wide else count], f"{order}u2" if wide else np.uint8)
    limits.stored(path, count, len(values))
    # 16-bit tables of 8-bit colours keep them in the high byte or in the low one.
    if wide and (bits <= 8 or eight) and values.max(initial=0) > 255:
        values = values >> 8
    return np.append(values.astype(np.int64), first)


def _looked_up(table: Array, frame: Array, path: str, kind: str) -> Array:
    entries, first = table[:, :-1], int(table[0, -1])
    if first >= 32768 and frame.dtype.kind == "i":
        first -= 65536
    index = np.clip(frame.astype(np.int64) - first, 0, entries.shape[1] - 1)
    return entries[:, index] if kind == "palette" else entries[0][index]
