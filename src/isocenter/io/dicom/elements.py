"""The data elements of a DICOM file up to its pixels (PS3.5, sections 7 and 10), without recursion and within caps.

Only what a reader of images needs is kept: where each standard element of the top level lies. Sequences are opened when
asked for. Nothing is decoded twice, and no byte behind the start of the pixel data is touched.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from isocenter.errors import UnreadableError

LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
SHORT = frozenset((
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
    b"ST", b"TM", b"UI", b"UL", b"US",
))
BINARY = {b"AT": "H", b"US": "H", b"SS": "h", b"UL": "I", b"SL": "i", b"FL": "f", b"FD": "d", b"SV": "q", b"UV": "Q"}
PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
SYNTAX = 0x00020010
IMPLICIT, DEFLATED, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
EXPLICIT = "1.2.840.10008.1.2.1"
# Structured reports nest about ten deep; files nested thousands deep exist only to exhaust a stack.
DEPTH = 64
# The first look; then eight times more until the pixels are reached.
WINDOW = 16384
LARGEST = 1 << 29


@dataclass(frozen=True)
class Elements:
    """Data elements of one level.

    Parameters
    ----------
    data
        The bytes that offsets refer to: the file from its start, or the inflated part of a deflated one.
    table
        Tag to (start of value, length, VR; VR empty where implicit).
    little, explicit
        The encoding.
    path
        For messages.
    pixels
        (tag, offset of the value, length, VR) of the pixel data, or None where there are none.
    """

    data: bytes
    table: dict[int, tuple[int, int, bytes]]
    little: bool
    explicit: bool
    path: str
    pixels: tuple[int, int, int, bytes] | None = None
    meta: dict[int, str] = field(default_factory=dict)

    def __contains__(self, tag: int) -> bool:
        return tag in self.table and self.table[tag][1] > 0

    def raw(self, tag: int) -> bytes:
        """The value's bytes; empty where there is no such element."""
        start, length, _ = self.table.get(tag, (0, 0, b""))
        return b"" if length == UNDEFINED else self.data[start : start + length]

    def text(self, tag: int) -> str:
        """The value as text of the default repertoire, without its padding."""
        return self.raw(tag).decode("latin-1").strip(" \0\t\r\n")

    def texts(self, tag: int) -> tuple[str, ...]:
        """The parts of a text of several values; none for an empty one."""
        text = self.text(tag)
        return tuple(part.strip(" \0") for part in text.split("\\")) if text else ()

    def numbers(self, tag: int, vr: bytes) -> tuple[float, ...]:
        """The value as numbers.

        Parameters
        ----------
        vr
            The standard's VR, for files that do not say it.

        Raises
        ------
        UnreadableError
            The value is no number; names the tag.
        """
        value = self.raw(tag)
        found = self.table.get(tag, (0, 0, b""))[2]
        vr = found if found in SHORT or found in BINARY else vr
        try:
            if vr in BINARY:
                code = BINARY[vr]
                count = len(value) // struct.calcsize(code)
                return struct.unpack_from(f"{'<' if self.little else '>'}{count}{code}", value)
            text = value.decode("latin-1").strip(" \0")
            return tuple(float(part) for part in text.split("\\") if part.strip(" \0")) if text else ()
        except (ValueError, OverflowError) as error:
            raise UnreadableError(
                f"element {named(tag)} is not a number", where=self.path, got=repr(value[:24].decode("latin-1"))
            ) from error

    def number(self, tag: int, vr: bytes, default: float | None = None) -> float | None:
        """The first of `numbers`, or the default."""
        return next(iter(self.numbers(tag, vr)), default)

    def items(self, tag: int) -> Iterator[Elements]:
        """The items of a sequence, one level opened; none where there is no such sequence.

        Raises
        ------
        UnreadableError
            The sequence is damaged.
        """
        if tag not in self.table:
            return
        start, length, vr = self.table[tag]
        # A sequence stored as UN holds implicit little endian (PS3.5, 6.2.2, note 4).
        inner = Walk(self.data, self.little or vr == b"UN", self.explicit and vr != b"UN", self.path)
        end = len(self.data) if length == UNDEFINED else start + length
        for first, last in inner.ranges(start, end):
            table: dict[int, tuple[int, int, bytes]] = {}
            inner.scan(first, last, table)
            yield Elements(self.data, table, inner.little, inner.explicit, self.path)


def named(tag: int) -> str:
    """A tag as the standard writes it.

    >>> named(0x00280010)
    '(0028,0010)'
    """
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@dataclass
class Walk:
    """Steps over elements in bytes of which perhaps only the beginning is there."""

    data: bytes
    little: bool
    explicit: bool
    path: str

    def element(self, at: int, limit: int) -> tuple[int, bytes, int, int] | None:
        """Tag, VR, start of value and length of the element at an offset; None when its head lies behind `limit`."""
        if at + 8 > limit:
            return None
        data, little = self.data, self.little
        group, number = struct.unpack_from("<HH" if little else ">HH", data, at)
        tag = group << 16 | number
        vr = data[at + 4 : at + 6]
        if not self.explicit or group == 0xFFFE or not (vr in SHORT or vr in LONG):
            # Some explicit files hold implicit elements; a VR of no known letters is a length.
            return tag, b"", at + 8, struct.unpack_from("<I" if little else ">I", data, at + 4)[0]
        if vr in SHORT:
            return tag, vr, at + 8, struct.unpack_from("<H" if little else ">H", data, at + 6)[0]
        if at + 12 > limit:
            return None
        return tag, vr, at + 12, struct.unpack_from("<I" if little else ">I", data, at + 8)[0]

    def scan(self, at: int, limit: int, table: dict[int, tuple[int, int, bytes]]) -> int:
        """Fills `table` from `at` on; the offset of the first element that is not whole, or of the pixel data."""
        while (found := self.element(at, limit)) is not None:
            tag, vr, start, length = found
            if tag in PIXELS:
                return at
            end: int | None = start + length
            if length == UNDEFINED:
                if vr == b"UN":
                    end = Walk(self.data, True, False, self.path).beyond(start, limit)
                else:
                    end = self.beyond(start, limit)
            if end is None or end > limit:
                return at
            if not tag >> 16 & 1:
                table[tag] = (start, length if length == UNDEFINED else end - start, vr)
            at = end
        return at

    def beyond(self, at: int, limit: int) -> int | None:
        """The offset behind a sequence of undefined length that starts at `at`; None when it ends behind `limit`.

        Raises
        ------
        UnreadableError
            Nested more than 64 deep.
        """
        depth = 1
        while depth:
            found = self.element(at, limit)
            if found is None:
                return None
            tag, vr, start, length = found
            at = start
            if tag in (SEQUENCE_END, ITEM_END):
                depth -= 1
            elif length == UNDEFINED:
                depth += 1
                if vr == b"UN":
                    # Implicit from here to its end.
                    end = Walk(self.data, True, False, self.path).beyond(start, limit)
                    if end is None:
                        return None
                    at, depth = end, depth - 1
            else:
                at = start + length
            if depth > DEPTH:
                raise UnreadableError("sequences nested too deeply", where=self.path, got=f"more than {DEPTH}")
        return at

    def ranges(self, at: int, end: int) -> Iterator[tuple[int, int]]:
        """Start and end of each item of a sequence; UnreadableError where it is damaged."""
        while at < end:
            found = self.element(at, end)
            if found is None or found[0] == SEQUENCE_END:
                return
            tag, _, start, length = found
            if tag != ITEM:
                raise UnreadableError("a damaged sequence", where=self.path, got=named(tag), wanted=named(ITEM))
            last = start + length if length != UNDEFINED else self.beyond(start, end)
            if last is None or last > end:
                raise UnreadableError("a sequence that is cut short", where=self.path)
            yield start, last - 8 if length == UNDEFINED else last
            at = last


def read(path: Path) -> Elements:
    """The elements of a file up to its pixels.

    Raises
    ------
    UnreadableError
        No DICOM, cut short before its pixels, nested too deeply, or a header of more than 512 MB.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        data = file.read(WINDOW)
        meta, at = _meta(data, str(path))
        syntax = meta.get(SYNTAX, "")
        if syntax == DEFLATED:
            return _inflated(file.read(), data, at, meta, str(path))
        little, explicit = _encoding(data, at, syntax)
        table: dict[int, tuple[int, int, bytes]] = {}
        while True:
            walk = Walk(data, little, explicit, str(path))
            at = walk.scan(at, len(data), table)
            pixels = _pixels(walk, at)
            if pixels is not None or len(data) >= size:
                break
            if len(data) >= LARGEST:
                raise UnreadableError("a header of more than 512 MB", where=str(path))
            data += file.read(len(data) * 7)
    if pixels is None and at < size:
        raise UnreadableError("cut short", where=str(path), got=f"{size} bytes", wanted="the whole of its last element")
    return Elements(data, table, little, explicit, str(path), pixels, meta)


def _pixels(walk: Walk, at: int) -> tuple[int, int, int, bytes] | None:
    found = walk.element(at, len(walk.data))
    if found is None or found[0] not in PIXELS:
        return None
    tag, vr, start, length = found
    return tag, start, length, vr


def _meta(data: bytes, path: str) -> tuple[dict[int, str], int]:
    """The file meta information (PS3.10, 7.1) and the offset behind it; both may be lacking."""
    at = 132 if data[128:132] == b"DICM" else 0
    walk, found = Walk(data, True, True, path), {}
    while (head := walk.element(at, len(data))) is not None:
        tag, _, start, length = head
        if tag >> 16 != 2 or start + length > len(data):
            break
        found[tag] = data[start : start + length].decode("latin-1").strip(" \0")
        at = start + length
    return found, at


def _encoding(data: bytes, at: int, syntax: str) -> tuple[bool, bool]:
    """(little endian, explicit VR) of the data set, by what its first element looks like where the meta is silent."""
    vr = data[at + 4 : at + 6]
    looks_explicit = vr in SHORT or vr in LONG
    # Groups are small numbers: read with the wrong endianness they are large.
    little = len(data) < at + 2 or int.from_bytes(data[at : at + 2], "little") <= 0x00FF
    if syntax == "":
        return little, looks_explicit
    if len(data) <= at + 6:
        return syntax != BIG, syntax != IMPLICIT
    return little if syntax in (BIG, IMPLICIT, EXPLICIT) else True, looks_explicit


def _inflated(rest: bytes, data: bytes, at: int, meta: dict[int, str], path: str) -> Elements:
    """Elements of a deflated data set, inflated only as far as its pixels (PS3.5, annex A.5)."""
    packed, size = data[at:] + rest, WINDOW
    while True:
        inflater = zlib.decompressobj(-15)
        plain = inflater.decompress(packed, size)
        walk, table = Walk(plain, True, True, path), dict[int, tuple[int, int, bytes]]()
        end = walk.scan(0, len(plain), table)
        pixels = _pixels(walk, end)
        if pixels is not None or len(plain) < size:
            break
        if size > LARGEST >> 5:
            raise UnreadableError("a deflated header that swells too far", where=path, got=f"more than {size >> 20} MB")
        size *= 8
    if pixels is None and end < len(plain):
        raise UnreadableError("cut short", where=path, got="a deflated data set without its end")
    return Elements(plain, table, True, True, path, pixels, meta | {0: str(at)})
