"""Lossless JPEG (ITU-T T.81, process 14, annex H): what most archives store, and no permissive decoder reads.

Huffman codes follow each other without marks, so a decoder must walk. Here each bit of the stream is looked up at once
as if a code started there, which leaves a chain of small steps to follow; all arithmetic is done on whole arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from isocenter.errors import UnreadableError
from isocenter.io import limits
from isocenter.ops.array import Array

SYNTAXES = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
START, END, FRAME, TABLE, SCAN, RESTART = 0xD8, 0xD9, 0xC3, 0xC4, 0xDA, 0xDD
RESTARTS = re.compile(rb"\xff[\xd0-\xd7]")
STOP = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass
class Stream:
    """What the markers of one picture say.

    Parameters
    ----------
    precision, rows, columns, components
        Of the frame header.
    tables
        Number to (length of the code, size of the difference) by the next 16 bits.
    chosen
        Table of each component.
    predictor, shift
        Of the scan: selection value and point transform.
    interval
        Pixels between restarts; 0: none.
    """

    precision: int = 0
    rows: int = 0
    columns: int = 0
    components: tuple[int, ...] = ()
    tables: dict[int, tuple[Array, Array]] = field(default_factory=dict)
    chosen: tuple[int, ...] = ()
    predictor: int = 0
    shift: int = 0
    interval: int = 0
    body: bytes = b""


def decoded(path: str, data: bytes, *, shape: tuple[int, int], samples: int) -> Array:
    """One picture as (rows, columns[, samples]), uint8 up to 8 bits and uint16 above.

    Parameters
    ----------
    path
        For messages.
    shape, samples
        What the data set declares.

    Raises
    ------
    UnreadableError
        Damaged, another process of JPEG, or another size than declared.
    """
    with limits.typed(path, "lossless JPEG"):
        stream = _parsed(path, data)
        got = (stream.rows, stream.columns, len(stream.components))
        if got != (*shape, samples) or len(stream.chosen) != samples:
            raise UnreadableError("the decoded picture has another shape", where=path, got=str(got), wanted=str(shape))
        limits.fits(path, 120 * len(stream.body))
        differences = np.concatenate(list(_differences(path, stream)))
        whole = differences.reshape(stream.rows, stream.columns, samples)
        planes = [_predicted(whole[..., k], stream) for k in range(samples)]
    out = np.stack(planes, -1) if samples > 1 else planes[0]
    out = (out << stream.shift) & 0xFFFF
    return out.astype(np.uint8 if stream.precision <= 8 else np.uint16)


def _parsed(path: str, data: bytes) -> Stream:
    stream, at = Stream(), 2
    if data[:2] != b"\xff\xd8":
        raise UnreadableError("no JPEG stream", where=path)
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise UnreadableError("a damaged JPEG stream", where=path, got=f"no marker at {at}")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        limits.stored(path, length - 2, len(segment))
        at += 2 + length
        if marker == FRAME:
            stream.precision, stream.rows, stream.columns = (
                segment[0], int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big"),
            )
            stream.components = tuple(segment[6 + 3 * k] for k in range(segment[5]))
            if any(segment[7 + 3 * k] != 0x11 for k in range(segment[5])) or not 2 <= stream.precision <= 16:
                raise UnreadableError("a lossless JPEG of unequal components", where=path)
        elif marker == TABLE:
            stream.tables |= _tables(path, segment)
        elif marker == RESTART:
            stream.interval = int.from_bytes(segment[:2], "big")
        elif marker == SCAN:
            return _scan(path, stream, segment, data[at:])
        elif 0xC0 <= marker <= 0xCF and marker != 0xC8:
            raise UnreadableError("another process of JPEG", where=path, got=f"marker FF{marker:02X}")
    raise UnreadableError("cut short", where=path, wanted="the scan of a JPEG stream")


def _scan(path: str, stream: Stream, segment: bytes, rest: bytes) -> Stream:
    count = segment[0]
    chosen = {segment[1 + 2 * k]: segment[2 + 2 * k] >> 4 for k in range(count)}
    stream.chosen = tuple(chosen[c] for c in stream.components)
    stream.predictor, stream.shift = segment[1 + 2 * count], segment[3 + 2 * count] & 15
    if not 1 <= stream.predictor <= 7 or not set(stream.chosen) <= set(stream.tables):
        raise UnreadableError("a damaged JPEG scan", where=path, got=f"predictor {stream.predictor}")
    end = STOP.search(rest)
    stream.body = rest[: end.start()] if end else rest
    return stream


def _tables(path: str, segment: bytes) -> dict[int, tuple[Array, Array]]:
    """Huffman tables (T.81, annex C), spread over all 16-bit beginnings."""
    found: dict[int, tuple[Array, Array]] = {}
    at = 0
    while at + 17 <= len(segment):
        counts = segment[at + 1 : at + 17]
        sizes = segment[at + 17 : at + 17 + sum(counts)]
        lengths = np.repeat(np.arange(1, 17), list(counts))
        spans = 1 << (16 - lengths)
        if len(sizes) < len(lengths) or spans.sum() > 65536 or max(sizes, default=0) > 16:
            raise UnreadableError("a damaged table of codes", where=path)
        # Codes of one table are numbered in order, so their beginnings lie side by side.
        length, size = np.zeros(65536, np.int64), np.zeros(65536, np.int64)
        total = int(spans.sum())
        length[:total], size[:total] = np.repeat(lengths, spans), np.repeat(np.frombuffer(sizes, np.uint8), spans)
        found[segment[at] & 15] = (length, size)
        at += 17 + len(lengths)
    return found


def _differences(path: str, stream: Stream) -> Iterator[Array]:
    """Differences in the order of the scan, restart by restart."""
    left = stream.rows * stream.columns
    for piece in RESTARTS.split(stream.body):
        count = min(stream.interval or left, left)
        if not count:
            return
        yield _walked(path, stream, piece.replace(b"\xff\x00", b"\xff"), count * len(stream.components))
        left -= count
    if left:
        raise UnreadableError("cut short", where=path, got="a JPEG scan that ends early")


def _walked(path: str, stream: Stream, piece: bytes, count: int) -> Array:
    """The differences of one stretch between restarts."""
    octets = np.frombuffer(piece + bytes(8), np.uint8).astype(np.uint64)
    n = len(piece)
    window = np.zeros(n + 3, np.uint64)
    for k in range(5):
        window = window << np.uint64(8) | octets[k : k + n + 3]
    ahead = ((window[:, None] >> np.arange(8, 0, -1, dtype=np.uint64)) & np.uint64(0xFFFFFFFF)).ravel()
    steps: list[list[int]] = []
    tables = [stream.tables[t] for t in stream.chosen]
    first = (ahead >> np.uint64(16)).astype(np.int64)
    for length, size in dict(zip(stream.chosen, tables, strict=True)).values():
        step = np.where(length > 0, length + np.where(size < 16, size, 0), 1 << 40)[first]
        steps.append((np.arange(len(first)) + step).tolist())
    index = {t: k for k, t in enumerate(dict.fromkeys(stream.chosen))}
    places = _chain([steps[index[t]] for t in stream.chosen], count, 8 * n)
    if places is None:
        raise UnreadableError("a damaged or short JPEG scan", where=path)
    out = np.empty(count, np.int64)
    for k, (length, size) in enumerate(tables):
        at = places[k :: len(tables)]
        bits, wide = size[first[at]], length[first[at]]
        value = (ahead[at].astype(np.int64) << wide & 0xFFFFFFFF) >> (32 - bits)
        # The lower half of the values of a size are the negative ones (T.81, table H.2).
        value -= np.where(value < (1 << np.maximum(bits - 1, 0)), (1 << bits) - 1, 0)
        out[k :: len(tables)] = np.where(bits == 16, 32768, np.where(bits == 0, 0, value))
    return out


def _chain(steps: Sequence[list[int]], count: int, bits: int) -> Array | None:
    """Where each code starts, or None where the chain leaves the stream."""
    places, at = [], 0
    try:
        if len(steps) == 1:
            (step,) = steps
            for _ in range(count):
                places.append(at)
                at = step[at]
        else:
            for k in range(count):
                places.append(at)
                at = steps[k % len(steps)][at]
    except IndexError:
        return None
    return np.asarray(places, np.int64) if at <= bits else None


def _predicted(differences: Array, stream: Stream) -> Array:
    """Samples from differences (T.81, H.1.2.1), modulo 65536."""
    rows, columns = differences.shape
    lines = stream.interval // columns if stream.interval else rows
    out = np.empty((rows, columns), np.int64)
    for y in range(rows):
        d = differences[y]
        if y % max(lines, 1) == 0:
            out[y] = np.cumsum(d) + (1 << (stream.precision - stream.shift - 1))
        else:
            out[y] = _line(d, out[y - 1], stream.predictor)
        out[y] &= 0xFFFF
    return out


def _line(d: Array, above: Array, predictor: int) -> Array:
    """One line under another."""
    if predictor == 1:
        return np.asarray(np.cumsum(d) + above[0])
    if predictor == 2:
        return np.asarray(d + above)
    if predictor == 3:
        return np.asarray(d + np.concatenate([above[:1], above[:-1]]))
    if predictor == 4:
        return np.asarray(np.cumsum(d) + above)
    line = [int(d[0] + above[0]) & 0xFFFF]
    up, corner = above.tolist(), above.tolist()
    for x, value in enumerate(d.tolist()[1:], 1):
        if predictor == 5:
            guess = line[-1] + ((up[x] - corner[x - 1]) >> 1)
        elif predictor == 6:
            guess = up[x] + ((line[-1] - corner[x - 1]) >> 1)
        else:
            guess = (line[-1] + up[x]) >> 1
        line.append((value + guess) & 0xFFFF)
    return np.asarray(line)
