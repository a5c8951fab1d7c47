"""Reads the header of one DICOM file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.errors import UnreadableError
from isocenter.io import limits
from isocenter.io.dicom import elements, meaning, tags
from isocenter.io.dicom.elements import Elements
from isocenter.io.dicom.facts import Coding, Header, Slice

# Classes that hold pixels which are no picture of one plane or volume.
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
DIRECTORY = "1.2.840.10008.1.3.10"
# Python's names of DICOM's character sets (PS3.3, C.12.1.1.2); the code extensions are read as their base.
SETS = {
    "ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk", "ISO_IR 13": "shift_jis", "ISO_IR 166": "tis_620",
    "ISO_IR 100": "latin-1", "ISO_IR 101": "iso8859-2", "ISO_IR 109": "iso8859-3", "ISO_IR 110": "iso8859-4",
    "ISO_IR 144": "iso8859-5", "ISO_IR 127": "iso8859-6", "ISO_IR 126": "iso8859-7", "ISO_IR 138": "iso8859-8",
    "ISO_IR 148": "iso8859-9",
}


def read(path: Path) -> Header:
    """The header of one file.

    Raises
    ------
    UnreadableError
        No image, damaged, or pixels that are cut short; names the file and the cause.
    """
    with limits.typed(path, "DICOM"):
        found = elements.read(path)
        if (refusal := other(path, found)) is not None:
            raise refusal
        return described(path, found)


def other(path: Path, found: Elements) -> UnreadableError | None:
    """Why the file, sound as it may be, is no image; None where it is one."""
    kind = found.text(tags.SOP_CLASS) or found.meta.get(0x00020002, "")
    if kind == DIRECTORY:
        return UnreadableError("a DICOMDIR, not an image", where=str(path), remedy="Name its folder instead")
    if found.pixels is None or tags.ROWS not in found:
        modality = found.text(tags.MODALITY) or "unknown"
        return UnreadableError("holds no pixels", where=str(path), got=f"modality {modality}", wanted="a DICOM image")
    if kind in SEGMENTATIONS:
        return UnreadableError("a DICOM segmentation; these are not read yet", where=str(path), wanted="an image")
    across, down = found.number(tags.TOTAL_COLUMNS, b"UL", 0), found.number(tags.TOTAL_ROWS, b"UL", 0)
    if (found.number(tags.FRAMES, b"IS", 1) or 1) > 1 and (across or down):
        got = f"{down:.0f} x {across:.0f}"
        return UnreadableError("a tiled slide; these are not read yet", where=str(path), got=got)
    if any(part.upper() == "MOSAIC" for part in found.texts(tags.IMAGE_TYPE)):
        return UnreadableError(
            "a mosaic: a volume laid out as tiles of one picture", where=str(path), remedy="Convert it with dcm2niix"
        )
    return None


def coded(path: Path, found: Elements) -> Coding:
    """How the pixels are stored, checked against itself and the size of the file.

    Raises
    ------
    UnreadableError
        Sizes and depths contradict each other, or the file is cut short.
    """
    def whole(tag: int, vr: bytes, default: int) -> int:
        value = found.number(tag, vr, default)
        return int(value or 0) if value is None or abs(value) < 1e15 else -1

    tag, offset, length, vr = found.pixels or (0, 0, 0, b"")
    allocated = whole(tags.ALLOCATED, b"US", {0x7FE00008: 32, 0x7FE00009: 64}.get(tag, 16))
    stored = whole(tags.STORED, b"US", allocated)
    signed = whole(tags.SIGNED, b"US", 0) == 1
    kind = "f" if tag != 0x7FE00010 else "i" if signed else "u"
    coding = Coding(
        found.meta.get(elements.SYNTAX) or _guessed(found), tag, offset, length, vr, whole(tags.ROWS, b"US", 0),
        whole(tags.COLUMNS, b"US", 0), max(whole(tags.FRAMES, b"IS", 1), 1), whole(tags.SAMPLES, b"US", 1), allocated,
        stored, whole(tags.HIGH, b"US", stored - 1), signed,
        f"{'<' if found.little else '>'}{kind}{max(allocated // 8, 1)}",
        found.text(tags.PHOTOMETRIC).upper() or "MONOCHROME2", whole(tags.PLANAR, b"US", 0), int(found.meta.get(0, 0)),
    )
    _possible(path, coding)
    return coding


def _guessed(found: Elements) -> str:
    if (found.pixels or (0, 0, 0))[2] == elements.UNDEFINED:
        return ""
    return elements.BIG if not found.little else elements.EXPLICIT if found.explicit else elements.IMPLICIT


def _possible(path: Path, coding: Coding) -> None:
    if min(coding.rows, coding.columns) < 1 or coding.samples not in (1, 3, 4) or coding.frames > 1 << 24:
        got = f"{coding.rows} x {coding.columns}, {coding.samples} samples, {coding.frames} frames"
        raise UnreadableError("impossible sizes", where=str(path), got=got)
    if coding.allocated not in (1, 8, 16, 32, 64) or not 0 < coding.stored <= coding.allocated:
        got = f"{coding.stored} of {coding.allocated}"
        raise UnreadableError("impossible depth", where=str(path), got=got, wanted="1, 8, 16, 32 or 64 bits allocated")
    have = path.stat().st_size
    if coding.encapsulated:
        if not coding.syntax:
            raise UnreadableError("compressed pixels and no word on how", where=str(path), wanted="a transfer syntax")
        limits.stored(path, coding.offset + 8, have)
        limits.picture(path, coding.frame_bits * coding.frames // 8, have)
        return
    needed = (coding.frame_bits * coding.frames + 7) // 8
    if coding.start:
        limits.inflated(path, needed, have)
        return
    limits.stored(path, coding.offset + needed, have)
    if coding.length < needed:
        raise UnreadableError(
            "fewer pixels than declared", where=str(path), got=f"{coding.length} bytes", wanted=f"{needed} bytes"
        )


def described(path: Path, found: Elements) -> Header:
    """The header of an image whose elements are read; UnreadableError as `read`."""
    coding = coded(path, found)
    uids = {
        "StudyInstanceUID": found.text(tags.STUDY), "SeriesInstanceUID": found.text(tags.SERIES),
        "SOPInstanceUID": found.text(tags.SOP_INSTANCE), "SOPClassUID": found.text(tags.SOP_CLASS),
        "FrameOfReferenceUID": found.text(tags.FRAME_OF_REFERENCE),
    }
    slices = _slices(found, coding)
    patient = found.raw(tags.PATIENT_ID).strip(b" \0")
    return Header(
        str(path), {k: v for k, v in uids.items() if v},
        hashlib.sha256(patient).hexdigest()[:8] if patient else "", found.text(tags.MODALITY),
        _described(found), found.texts(tags.IMAGE_TYPE), int(found.number(tags.SERIES_NUMBER, b"IS", 0) or 0),
        meaning.unit(found), coding, slices, meaning.frame_step(found, coding.frames),
        tuple(int(v) for v in found.numbers(tags.INCREMENT, b"US")), tuple(_notes(found)),
        meaning.frame_stamps(found, coding.frames),
    )


def _notes(found: Elements) -> Iterator[str]:
    """What else reading must know, as words that `Header.notes` holds."""
    if next(found.items(tags.MODALITY_LUT), None) is not None:
        yield "lut"
    if tags.PALETTE in found and _eight_bits(found):
        yield "table8"
    if elements.SYNTAX not in found.meta:
        yield "syntax"
    if tags.IMAGER_SPACING in found and tags.SPACING not in found:
        yield "detector"


def _eight_bits(found: Elements) -> bool:
    """Whether the palette's colours are of 8 bits, though perhaps stored in the high byte of 16."""
    if found.numbers(tags.PALETTE, b"US")[-1] <= 8:
        return True
    table = np.frombuffer(found.raw(tags.PALETTE_DATA)[: 1 << 17].ljust(2, b"\0"), np.uint8)
    pairs = table[: len(table) // 2 * 2].reshape(-1, 2)
    low, high = (pairs[:, 0], pairs[:, 1]) if found.little else (pairs[:, 1], pairs[:, 0])
    return bool((low == 0).all() or (low == high).all())


def _described(found: Elements) -> str:
    name = (found.texts(tags.CHARACTER_SET) or ("",))[0].replace("ISO 2022 IR", "ISO_IR")
    text = found.raw(tags.SERIES_DESCRIPTION).decode(SETS.get(name, "latin-1"), "replace")
    return "".join(c for c in text.strip(" \0") if c.isprintable())


def _slices(found: Elements, coding: Coding) -> tuple[Slice, ...]:
    top = meaning.plane(found)
    if tags.PER_FRAME in found or tags.SHARED in found:
        return _functional(found, coding, top)
    offsets = found.numbers(tags.GRID_OFFSETS, b"DS")
    if offsets and len(offsets) == coding.frames and len(top.position) == 3 and len(top.orientation) == 6:
        return tuple(replace(top, position=meaning.along(top, o - offsets[0])) for o in offsets)
    return (top,) * coding.frames


def _functional(found: Elements, coding: Coding, top: Slice) -> tuple[Slice, ...]:
    """Frames of an enhanced object: shared functional groups under those of each frame (PS3.3, C.7.6.16)."""
    shared = next(found.items(tags.SHARED), None)
    base = meaning.grouped(shared, top) if shared is not None else top
    each = [meaning.grouped(item, base) for item in found.items(tags.PER_FRAME)]
    if each and len(each) != coding.frames:
        raise UnreadableError(
            "groups and frames differ in number", where=found.path, got=str(len(each)), wanted=str(coding.frames)
        )
    return tuple(each) or (base,) * coding.frames
