"""What stands in network.onnx, read without onnx: one file that needs no other."""

from __future__ import annotations

from collections.abc import Iterator

from isocenter.errors import BundleError

# Fields of the ONNX protobuf (onnx.proto3) on the way to every tensor: message -> field -> message.
TREE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
EXTERNAL_DATA, DATA_LOCATION = 13, 14
DEPTH = 32


def refuse_external(onnx_bytes: bytes) -> None:
    """Refuses a network that names data in other files.

    Parameters
    ----------
    onnx_bytes
        An ONNX model.

    Raises
    ------
    BundleError
        A tensor's data lie elsewhere (a path can lead anywhere on the disk), or the bytes are no protobuf.
    """
    _walk(memoryview(onnx_bytes), "model", 0)


def first_width(onnx_bytes: bytes) -> int | None:
    """Output channels of the network's first convolution, by which its memory goes; None where there is none."""
    graph = [v for f, v in _fields(memoryview(onnx_bytes)) if f == 7 and isinstance(v, memoryview)]
    shapes: dict[bytes, list[int]] = {}
    weights: list[bytes] = []
    for field, value in _fields(graph[0]) if graph else ():
        if isinstance(value, memoryview) and field == 5:
            name, dims = _tensor(value)
            shapes[name] = dims
        elif isinstance(value, memoryview) and field == 1 and not weights:
            parts = [(f, bytes(v)) for f, v in _fields(value) if isinstance(v, memoryview) and f in (1, 4)]
            if (4, b"Conv") in parts:
                weights = [v for f, v in parts if f == 1][1:2]
    dims = shapes.get(weights[0], []) if weights else []
    return dims[0] if dims else None


def _tensor(data: memoryview) -> tuple[bytes, list[int]]:
    name, dims = b"", []
    for field, value in _fields(data):
        if field == 8 and isinstance(value, memoryview):
            name = bytes(value)
        elif field == 1 and isinstance(value, int):
            dims.append(value)
        elif field == 1 and isinstance(value, memoryview):
            at = 0
            while at < len(value):
                size, at = _number(value, at)
                dims.append(size)
    return name, dims


def _walk(data: memoryview, message: str, depth: int) -> None:
    if depth > DEPTH:
        raise BundleError("the network is nested too deeply", wanted=f"at most {DEPTH} levels")
    for field, value in _fields(data):
        if message == "tensor":
            if field == EXTERNAL_DATA or (field == DATA_LOCATION and value == 1):
                raise BundleError("the network keeps data in other files", wanted="one file that holds everything")
        elif field in TREE[message] and isinstance(value, memoryview):
            _walk(value, TREE[message][field], depth + 1)


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(data):
        key, at = _number(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _number(data, at)
            yield key >> 3, value
            continue
        length, at = _number(data, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), at)
        if length < 0 or at + length > len(data):
            raise BundleError("the network is damaged", got="not an ONNX file")
        yield key >> 3, data[at : at + length]
        at += length


def _number(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise BundleError("the network is damaged", got="not an ONNX file")
