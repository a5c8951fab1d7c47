"""Arrays as one safetensors file (described in the README of huggingface/safetensors). Nothing here runs code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.bundle.documents import parsed
from isocenter.errors import BundleError

HEADER_BYTES = 1 << 24
TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The arrays as the bytes of a safetensors file; the same arrays give the same bytes."""
    from safetensors.numpy import save

    data: bytes = save({name: np.require(arrays[name], requirements="C") for name in sorted(arrays)})
    return data


def unpacked(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file, read-only views of `data`.

    Raises
    ------
    BundleError
        The header is larger than 16 MiB, no JSON, or names a key twice; a type is unknown; or the arrays do not cover
        the rest of the file exactly once.
    """
    length = int.from_bytes(data[:8], "little") if len(data) >= 8 else -1
    if not 2 <= length <= min(HEADER_BYTES, len(data) - 8):
        got = f"header of {length} bytes"
        raise BundleError("the arrays are cut short or no safetensors file", got=got, wanted=f"2 to {HEADER_BYTES}")
    header = parsed(data[8 : 8 + length], what="the header of the arrays")
    header.pop("__metadata__", None)
    body = memoryview(data)[8 + length :]
    out: dict[str, NDArray[Any]] = {}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: _offsets(item[1])):
        start, stop = _offsets(entry)
        if start != end:
            raise BundleError("arrays overlap or leave a gap", where=name, got=f"start {start}", wanted=str(end))
        out[name] = _array(name, entry, body, start, stop)
        end = stop
    if end != len(body):
        raise BundleError("bytes that belong to no array", got=str(len(body)), wanted=str(end))
    return out


def _offsets(entry: Any) -> tuple[int, int]:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not (isinstance(offsets, list) and len(offsets) == 2 and all(type(v) is int and v >= 0 for v in offsets)):
        raise BundleError("an array without its place", got=str(offsets)[:80], wanted="data_offsets [start, stop]")
    return offsets[0], offsets[1]


def _array(name: str, entry: Mapping[str, Any], body: memoryview, start: int, stop: int) -> NDArray[Any]:
    shape = entry.get("shape")
    if not (isinstance(shape, list) and len(shape) <= 32 and all(type(v) is int and v >= 0 for v in shape)):
        raise BundleError("an array without its shape", where=name, got=str(shape)[:80])
    kind = TYPES.get(str(entry.get("dtype")))
    if kind is None:
        got = str(entry.get("dtype"))[:20]
        raise BundleError("an array of unknown type", where=name, got=got, wanted=", ".join(TYPES))
    dtype = np.dtype(kind)
    if stop > len(body) or stop - start != math.prod(shape) * dtype.itemsize:
        got = f"{stop - start} bytes"
        raise BundleError("an array and its place differ in size", where=name, got=got, wanted=f"{shape} {kind}")
    return np.frombuffer(body[start:stop], dtype).reshape(shape)
