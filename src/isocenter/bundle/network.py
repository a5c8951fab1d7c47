"""What stands in network.onnx, read without onnx: one file that needs no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
# Of a model its graph; of a graph its nodes, outputs and the types of what lies between.
GRAPH, NODE, OUTPUT, VALUE_INFO = 7, 1, 12, 13


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


def values(onnx_bytes: bytes) -> list[tuple[str, str]]:
    """What the nodes of a network compute, in the order of computing: (operator, name of its first output)."""
    graph = [v for f, v in _fields(memoryview(onnx_bytes)) if f == GRAPH and isinstance(v, memoryview)]
    return [_node(v) for f, v in _fields(graph[0]) if f == NODE and isinstance(v, memoryview)] if graph else []


def until(onnx_bytes: bytes, names: Sequence[str]) -> bytes:
    """The network that answers with inner values, without what comes after the last of them.

    Parameters
    ----------
    onnx_bytes
        An ONNX model, whose nodes stand in the order of computing, as the format demands.
    names
        Of `values`.

    Raises
    ------
    BundleError
        There is no such value, or the bytes are no protobuf.
    """
    model, left = memoryview(onnx_bytes), set(names)
    out = b""
    for field, whole, inner in _raw(model):
        if field != GRAPH or inner is None:
            out += bytes(whole)
            continue
        body, wanted = b"", set(left)
        for number, part, value in _raw(inner):
            if number == NODE and value is not None:
                body += bytes(part) if wanted else b""
                wanted.discard(_node(value)[1])
            elif number not in (OUTPUT, VALUE_INFO):
                body += bytes(part)
        left = wanted
        # An output is told by its name alone; its type follows from the node.
        body += b"".join(_block(OUTPUT, _block(1, name.encode())) for name in names)
        out += _block(GRAPH, body)
    if left:
        raise BundleError("the network has no such inner value", got=", ".join(sorted(left)))
    return out


def _node(data: memoryview) -> tuple[str, str]:
    kind, first = "", ""
    for field, value in _fields(data):
        if field == 4 and isinstance(value, memoryview):
            kind = bytes(value).decode("utf-8", "replace")
        elif field == 2 and isinstance(value, memoryview) and not first:
            first = bytes(value).decode("utf-8", "replace")
    return kind, first


def _block(field: int, data: bytes) -> bytes:
    return _digits(field << 3 | 2) + _digits(len(data)) + data


def _digits(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _raw(data: memoryview) -> Iterator[tuple[int, memoryview, memoryview | None]]:
    """Field, its bytes with key and length, and its content where it is a block."""
    at = 0
    while at < len(data):
        start = at
        key, at = _number(data, at)
        kind, inner = key & 7, None
        if kind == 0:
            _, at = _number(data, at)
        else:
            length, at = _number(data, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), at)
            if length < 0 or at + length > len(data):
                raise BundleError("the network is damaged", got="not an ONNX file")
            inner = data[at : at + length] if kind == 2 else None
            at += length
        yield key >> 3, data[start:at], inner


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
