"""Any stretch of a deflated zip member without inflating all of it: restart points, found while reading.

A member is inflated from its start once at most; on the way the state of the inflater is kept every few MB (about 45 kB
each), and later reads start at the nearest one. What is kept is a way to the numbers, never the numbers.
"""

from __future__ import annotations

import threading
import zlib
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZipInfo

from isocenter.errors import UnreadableError
from isocenter.io import limits

# Bytes between restart points, bytes read at a time, members remembered.
STRIDE, BLOCK, MEMBERS = 2 << 20, 1 << 15, 8


@dataclass
class Index:
    """Restart points of one member: offsets in the inflated and in the packed stream, and the inflater's state."""

    plain: list[int] = field(default_factory=lambda: [0])
    packed: list[int] = field(default_factory=lambda: [0])
    states: list[Any] = field(default_factory=lambda: [zlib.decompressobj(-15)])
    lock: threading.Lock = field(default_factory=threading.Lock)


_known: OrderedDict[tuple[str, int, int, str], Index] = OrderedDict()
_guard = threading.Lock()


def stretch(path: Path, info: ZipInfo, start: int, *, length: int) -> bytes:
    """Inflated bytes ``start`` to ``start + length`` of a zip member.

    The member's checksum covers all of it and is therefore not checked here.

    Parameters
    ----------
    info
        Of a member that is deflated.
    start, length
        In the inflated stream.

    Raises
    ------
    UnreadableError
        Damaged or cut short.
    """
    index = _index(path, info)
    with limits.typed(path, "npz"), index.lock, path.open("rb") as file:
        base = _data_offset(path, file, info)
        at = bisect_right(index.plain, start) - 1
        here, packed, state = index.plain[at], index.packed[at], index.states[at].copy()
        file.seek(base + packed)
        out = bytearray()
        while len(out) < length:
            block = file.read(min(BLOCK, info.compress_size - packed))
            if not block or state.eof:
                raise UnreadableError("cut short", where=str(path), got=f"{here + len(out)} bytes of {info.filename}")
            piece = state.decompress(block)
            packed += len(block)
            end = here + len(piece)
            if end > start:
                out += piece[max(start - here, 0) : start + length - here]
            here = end
            if here - index.plain[-1] >= STRIDE and not state.eof:
                index.plain.append(here)
                index.packed.append(packed)
                index.states.append(state.copy())
    return bytes(out)


def _index(path: Path, info: ZipInfo) -> Index:
    stat = path.stat()
    key = (str(path.resolve()), stat.st_mtime_ns, stat.st_size, info.filename)
    with _guard:
        index = _known.setdefault(key, Index())
        _known.move_to_end(key)
        while len(_known) > MEMBERS:
            _known.popitem(last=False)
    return index


def _data_offset(path: Path, file: Any, info: ZipInfo) -> int:
    """Where the packed bytes start: behind the local header, whose lengths are its own (APPNOTE 4.3.7)."""
    file.seek(info.header_offset)
    head = file.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04" or info.flag_bits & 1:
        raise UnreadableError("a damaged or encrypted zip member", where=str(path), got=info.filename)
    return info.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
