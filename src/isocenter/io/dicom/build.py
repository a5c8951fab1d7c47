"""From headers to an Image: what the values are, how they are typed, where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import Image, Problem, Source
from isocenter.errors import GeometryError, InputError, UnreadableError
from isocenter.io.dicom import pixels
from isocenter.io.dicom.facts import Header
from isocenter.io.dicom.stack import stacked
from isocenter.io.grid import Note, respaced, silent
from isocenter.ops.array import Array

RGB = ("red", "green", "blue")
# Bytes of frames that are decoded at a time.
AT_ONCE = 16 << 20


def image(
    where: str, headers: Sequence[Header], *, axes: str | None = None, spacing: tuple[float, ...] | None = None,
    note: Note = silent,
) -> Image:
    """One image from the files of one series.

    Parameters
    ----------
    where
        File or folder, for messages.

    Raises
    ------
    GeometryError
        The slices form no grid; see `stack.stacked`.
    UnreadableError
        The files disagree on size or kind of pixel.
    InputError
        They belong to different patients.
    """
    _alike(where, headers)
    first = headers[0]
    stack = stacked(where, headers, axes=axes, note=note)
    table = _table(first)
    coloured = first.coding.samples > 1 or table == "palette"
    inverted = first.coding.photometric == "MONOCHROME1" and first.unit == ""
    _tell(where, first, table, inverted, note)
    slices = [headers[f].slices[i] for f, i in stack.order]
    # A table replaces the linear rescale, and colours are no measurement.
    plain = bool(table) or coloured
    slopes = tuple(1.0 if plain else s.slope for s in slices)
    intercepts = tuple(0.0 if plain else s.intercept for s in slices)
    if not np.isfinite([*slopes, *intercepts]).all():
        raise UnreadableError("the rescale slope or intercept is not finite", where=where)
    lead = "".join(a for a, _ in stack.lead)
    if coloured and "c" in lead:
        raise UnreadableError("colour pictures that differ by echo or weighting", where=where)
    size = (first.coding.rows, first.coding.columns)
    shape = (*(n for _, n in stack.lead), *((3,) if coloured else ()), *size)
    stored = lead + "c" * coloured + "yx"
    legal = "".join(a for a in "tczyx" if a in stored)
    job = pixels.Job(
        tuple(h.path for h in headers), tuple(h.coding for h in headers), stack.order, shape,
        output(headers, slopes, intercepts, table), slopes, intercepts, inverted, table,
    )
    # A file that is deflated as a whole cannot be read in pieces.
    load = Pixels(job, stored).__call__ if first.coding.start else Pixels(job, stored)
    files = tuple(dict.fromkeys(headers[f].path for f, _ in stack.order))
    unit = "" if coloured else first.unit
    return Image(
        load, tuple(shape[stored.index(a)] for a in legal), legal, job.dtype,
        respaced(where, stack.geometry, spacing), RGB if coloured else stack.channels, stack.times,
        first.modality or None, unit, Source(files, "dicom", dict(first.uids), first.coding.syntax),
    )


@dataclass(frozen=True)
class Pixels:
    """The values of a series in our order of axes, all or those of one frame alone.

    Parameters
    ----------
    job
        What reading them takes.
    stored
        Axes in the order in which they are stored.
    """

    job: pixels.Job
    stored: str

    def __call__(self) -> Array:
        """All of them; UnreadableError or ResourceError names the file."""
        return _ordered(pixels.load(self.job), self.stored)

    def each(self, axis: str) -> Iterator[Array] | None:
        """The frames of a film one after the other, a few read at a time; None along another axis."""
        return self._frames() if axis == "t" and self.stored.startswith("t") else None

    def piece(self, axis: str, index: int) -> Array | None:
        """One frame of a film by itself; None along another axis."""
        return self._some(range(index, index + 1))[0] if axis == "t" and self.stored.startswith("t") else None

    def _frames(self) -> Iterator[Array]:
        count = self.job.shape[0]
        size = int(np.prod(self.job.shape[1:])) * np.dtype(self.job.dtype).itemsize
        # To start a decoder for each frame would take longer than to decode it.
        many = max(1, AT_ONCE // size)
        for first in range(0, count, many):
            yield from self._some(range(first, min(first + many, count)))

    def _some(self, wanted: range) -> Array:
        """Some frames, which lie first among the stored axes."""
        per = len(self.job.order) // self.job.shape[0]
        part = slice(wanted.start * per, wanted.stop * per)
        alone = replace(
            self.job, order=self.job.order[part], shape=(len(wanted), *self.job.shape[1:]),
            slopes=self.job.slopes[part], intercepts=self.job.intercepts[part],
        )
        return _ordered(pixels.load(alone), self.stored)


def _ordered(array: Array, stored: str) -> Array:
    order = [stored.index(a) for a in "tczyx" if a in stored]
    return array if order == sorted(order) else np.ascontiguousarray(array.transpose(order))


def _alike(where: str, headers: Sequence[Header]) -> None:
    patients = {h.patient for h in headers}
    if len(patients) > 1:
        raise InputError(f"{len(patients)} patients in one series", where=where, wanted="one patient")
    kinds = {(h.coding.rows, h.coding.columns, h.coding.samples) for h in headers}
    if len(kinds) > 1:
        said = " and ".join(f"{r} x {c} x {s}" for r, c, s in sorted(kinds)[:4])
        raise GeometryError("slices of different sizes in one series", where=where, got=said, wanted="one size")
    coding = {(h.coding.dtype[1:], h.coding.stored, h.coding.photometric) for h in headers}
    if len(coding) > 1:
        raise UnreadableError("slices of different pixel types in one series", where=where, got=str(sorted(coding)[:3]))


def _table(header: Header) -> str:
    if header.coding.photometric == "PALETTE COLOR":
        return "palette"
    return "lut" if "lut" in header.notes else ""


def output(headers: Sequence[Header], slopes: Sequence[float], intercepts: Sequence[float], table: str) -> str:
    """numpy name of the smallest type that holds every value exactly, or float32 where values are scaled."""
    coding = headers[0].coding
    if table:
        return "uint8" if "table8" in headers[0].notes and table == "palette" else "uint16"
    stored = np.dtype(coding.dtype).newbyteorder("=")
    if stored.kind == "f":
        return stored.name
    if any(s != 1.0 for s in slopes) or any(b != round(b) for b in intercepts):
        return "float32"
    if coding.allocated == 1:
        return "uint8"
    if not any(intercepts):
        return stored.name
    low = -(1 << (coding.stored - 1)) if coding.signed else 0
    high = (1 << (coding.stored - 1)) - 1 if coding.signed else (1 << coding.stored) - 1
    if headers[0].unit == "HU" and stored.itemsize <= 2:
        # Some scanners declare 16 bits and shift by 1024; no HU lies beyond int16, and padding saturates (`pixels`).
        return "int16"
    return np.result_type(np.int16, np.min_scalar_type(int(low + min(intercepts))),
                          np.min_scalar_type(-int(high + max(intercepts)) - 1)).name


def _tell(where: str, header: Header, table: str, inverted: bool, note: Note) -> None:
    if inverted:
        note(Problem(
            "inverted", "note", "stored with white as the lowest value (MONOCHROME1); turned, so that bright is high",
            where,
        ))
    elif header.coding.photometric == "MONOCHROME1":
        note(Problem("white-is-low", "note", "shown with white as the lowest value; measured values are kept", where))
    if table == "lut":
        note(Problem("modality-lut", "note", "values go through the file's modality table", where))
    if "syntax" in header.notes:
        note(Problem("syntax-unstated", "warning", "no transfer syntax; taken from the first bytes", where))
    if header.unit == "HU" and not header.coding.signed and header.slices[0].intercept == 0:
        note(Problem("unsigned-hu", "warning", "these numbers cannot be HU: unsigned, and not shifted", where))
    if "detector" in header.notes:
        note(Problem("detector-spacing", "warning", "the spacing holds at the detector, not in the patient", where))
