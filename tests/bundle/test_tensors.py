from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.bundle import packed, unpacked
from isocenter.errors import BundleError

KINDS = [
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint64",
    "uint32",
    "uint16",
    "uint8",
    "bool",
]


def made(header, body=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_there_and_back(kind, shape, rng):
    array = (rng.normal(size=shape) * 10).astype(kind)
    out = unpacked(packed({"a/b.c": array, "other": np.zeros(2, np.float32)}))
    assert out["a/b.c"].dtype == array.dtype and out["a/b.c"].shape == array.shape
    assert np.array_equal(out["a/b.c"], array)


def test_agrees_with_the_library(rng):
    from safetensors.numpy import load, save

    arrays = {"z": rng.normal(size=(3, 4)), "a": rng.integers(0, 9, 5), "m": rng.normal(size=(2, 2)).astype(np.float32)}
    theirs = save(arrays, metadata={"made": "elsewhere"})
    for name, array in unpacked(theirs).items():
        assert np.array_equal(array, arrays[name])
    assert load(packed(arrays)).keys() == arrays.keys()


def test_order_and_layout_do_not_change_the_bytes(rng):
    a, b = rng.normal(size=(4, 5)), rng.normal(size=3)
    assert packed({"a": a, "b": b}) == packed({"b": b, "a": np.asfortranarray(a)})


def test_arrays_are_read_only_views(rng):
    out = unpacked(packed({"a": rng.normal(size=4)}))["a"]
    with pytest.raises(ValueError, match="read-only"):
        out[0] = 1


def test_nothing_is_a_legal_file():
    assert unpacked(packed({})) == {}


def test_every_truncation_is_refused(rng):
    data = packed({"a": rng.normal(size=4), "b": rng.normal(size=(2, 2))})
    for length in range(len(data)):
        with pytest.raises(BundleError):
            unpacked(data[:length])
    with pytest.raises(BundleError):
        unpacked(data + b"\0")


@pytest.mark.parametrize(
    "data",
    [
        made({}, length=2**63),
        made({}, length=2**64 - 1),
        made({}, length=0),
        b"PK\x03\x04" * 10,
        b"\x80\x04cos\nsystem\n",
        made(b" " * 2**24 + b"{}"),
        made(b"[]"),
        made(b"{"),
        made(b"\xff\xff"),
        made(b'{"a":' * 200_000),
        made(
            b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},'
            b' "a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}',
            bytes(8),
        ),
        made({"a": entry(), "b": entry()}, bytes(4)),
        made({"a": entry(), "b": entry(offsets=(2, 6))}, bytes(6)),
        made({"a": entry(offsets=(4, 8))}, bytes(8)),
        made({"a": entry(), "b": entry(offsets=(8, 12))}, bytes(12)),
        made({"a": entry()}, bytes(3)),
        made({"a": entry()}, bytes(5)),
        made({"a": entry(offsets=(4, 0))}, bytes(4)),
        made({"a": entry(shape=(2,))}, bytes(4)),
        made({"a": entry(dtype="F64")}, bytes(4)),
        made({"a": entry(dtype="O")}, bytes(4)),
        made({"a": entry(dtype="BF16", offsets=(0, 2))}, bytes(2)),
        made({"a": entry(shape=(-1, -1))}, bytes(4)),
        made({"a": entry(shape=(2**62, 2**62, 0), offsets=(0, 4))}, bytes(4)),
        made({"a": entry(shape=(1,) * 40)}, bytes(4)),
        made({"a": entry(shape=(1.0,))}, bytes(4)),
        made({"a": entry(offsets=(0, 4, 8))}, bytes(4)),
        made({"a": 3}),
        made({"a": {}}),
        made({"a": entry(shape=(True,))}, bytes(4)),
        made({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, bytes(4)),
    ],
    ids=lambda data: repr(data[:40]),
)
def test_hostile_files_are_refused(data):
    with pytest.raises(BundleError):
        unpacked(data)
