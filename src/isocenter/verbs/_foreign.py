"""Foreign weights read without running anything.

A .pth file is a zip of raw storages and one pickle that says how tensors lie in them. This reader walks the pickle's
opcodes itself: it imports nothing, calls nothing, and knows only what tensors need. Whatever else the pickle names
becomes a placeholder that is left out. It runs in a process of its own, capped in memory and time: ``python -m
isocenter.verbs._foreign IN OUT``.
"""

from __future__ import annotations

import json
import math
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickletools import genops
from typing import Any

import numpy as np

from isocenter.data import Array
from isocenter.errors import InputError, IsocenterError, MissingFileError, ResourceError, UnreadableError

# torch's storage classes and dtypes to numpy's; bfloat16 is widened to float32, which holds it exactly.
KINDS = {
    "Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": "<u2", "Long": "<i8", "Int": "<i4", "Short": "<i2",
    "Char": "<i1", "Byte": "<u1", "Bool": "|b1",
}
PICKLE_BYTES = 64 << 20
ENTRIES = 200_000
OPCODES = 20_000_000
# Names under which training programs keep the weights beside other things.
USUAL = ("state_dict", "model_state_dict", "network_weights", "model", "net", "weights")


@dataclass(frozen=True)
class Named:
    """A class or function that the pickle names; never looked up."""

    name: str


@dataclass(frozen=True)
class Left:
    """Something that is no tensor and was left out."""

    name: str


@dataclass(frozen=True)
class Storage:
    """One raw storage: its key in the archive and the kind of its numbers."""

    key: str
    kind: str


@dataclass(frozen=True)
class Tensor:
    """How a tensor lies in its storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


MARK = object()


class Walk:
    """The stack machine of a pickle, for the few opcodes that tensors need.

    Raises
    ------
    UnreadableError
        An opcode that is not among them, or a stack that does not fit.
    """

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.left: set[str] = set()

    def run(self, data: bytes) -> Any:
        """The object that the pickle describes, with placeholders."""
        try:
            for count, (code, argument, _) in enumerate(genops(data)):
                if code.name == "STOP":
                    return self.stack.pop()
                if count > OPCODES:
                    raise UnreadableError("the description of the tensors is too long", got=f"over {OPCODES} steps")
                self._step(code.name, argument)
        except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableError("the description of the tensors is damaged", got=str(error)[:100]) from error
        raise UnreadableError("the description of the tensors is cut short")

    def _step(self, name: str, argument: Any) -> None:
        if name in ("PROTO", "FRAME"):
            return
        if name in PUSH:
            self.stack.append(argument if PUSH[name] is None else PUSH[name]())
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[int(argument)] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self.stack.append(self.memo[int(argument)])
        elif hasattr(self, f"_{name.lower()}"):
            getattr(self, f"_{name.lower()}")(argument)
        else:
            raise UnreadableError("the file holds more than weights", got=f"step {name}", wanted="tensors by name")

    def _marked(self) -> list[Any]:
        at = len(self.stack) - 1 - next(i for i, v in enumerate(reversed(self.stack)) if v is MARK)
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def _mark(self, argument: Any) -> None:
        self.stack.append(MARK)

    def _global(self, argument: Any) -> None:
        self.stack.append(Named(str(argument).replace(" ", ".")))

    def _stack_global(self, argument: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(Named(f"{module}.{name}"))

    def _tuple(self, argument: Any) -> None:
        self.stack.append(tuple(self._marked()))

    def _tuple1(self, argument: Any) -> None:
        self.stack[-1:] = [tuple(self.stack[-1:])]

    def _tuple2(self, argument: Any) -> None:
        self.stack[-2:] = [tuple(self.stack[-2:])]

    def _tuple3(self, argument: Any) -> None:
        self.stack[-3:] = [tuple(self.stack[-3:])]

    def _setitem(self, argument: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._filled([key, value])

    def _setitems(self, argument: Any) -> None:
        self._filled(self._marked())

    def _filled(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], dict):
            for key, value in zip(items[::2], items[1::2], strict=True):
                if isinstance(key, (str, int)):
                    self.stack[-1][str(key)] = value

    def _append(self, argument: Any) -> None:
        value = self.stack.pop()
        if isinstance(self.stack[-1], list):
            self.stack[-1].append(value)

    def _appends(self, argument: Any) -> None:
        values = self._marked()
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(values)

    def _additems(self, argument: Any) -> None:
        self._marked()

    def _pop(self, argument: Any) -> None:
        self.stack.pop()

    def _build(self, argument: Any) -> None:
        self.stack.pop()

    def _newobj(self, argument: Any) -> None:
        self._reduce(argument)

    def _reduce(self, argument: Any) -> None:
        values, what = self.stack.pop(), self.stack.pop()
        self.stack.append(self._called(what, values))

    def _called(self, what: Any, values: Any) -> Any:
        name = what.name if isinstance(what, Named) else ""
        if name == "collections.OrderedDict":
            return dict(values[0]) if values and isinstance(values[0], (list, dict)) else {}
        if name.startswith("torch._utils._rebuild_tensor") and isinstance(values[0], Storage):
            return Tensor(values[0], int(values[1]), tuple(map(int, values[2])), tuple(map(int, values[3])))
        if name in ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"):
            return values[0]
        if name == "torch.Size":
            return tuple(values[0])
        self.left.add(name or "an object")
        return Left(name)

    def _binpersid(self, argument: Any) -> None:
        kind, storage, key = self.stack.pop()[:3]
        name = storage.name.rpartition(".")[2].removesuffix("Storage")
        if kind != "storage" or name not in KINDS:
            raise UnreadableError("numbers of an unknown kind", got=name, wanted=", ".join(KINDS))
        self.stack.append(Storage(str(key), name))


# What an opcode puts on the stack: its argument (None), or something new.
PUSH: dict[str, Any] = {
    "EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": list, "NONE": lambda: None,
    "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    **dict.fromkeys((
        "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "INT", "FLOAT", "BINFLOAT", "BINUNICODE",
        "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES",
        "SHORT_BINBYTES",
    )),
}


def tensors(path: Path) -> tuple[dict[str, Array], tuple[str, ...]]:
    """The tensors of a .pth file by name, and the names of what was left out.

    Raises
    ------
    MissingFileError, UnreadableError
        No such file; not such a file; damaged; or without tensors.
    ResourceError
        It claims more than it can hold.
    """
    if not path.is_file():
        raise MissingFileError("no such file", where=str(path))
    if not zipfile.is_zipfile(path):
        raise UnreadableError(
            "not a file of weights that is read here",
            where=str(path),
            wanted="the zip that torch.save writes since 1.6",
        )
    with zipfile.ZipFile(path) as archive:
        entries = {i.filename: i for i in archive.infolist()}
        root = next((n.removesuffix("data.pkl") for n in entries if n.endswith("/data.pkl") or n == "data.pkl"), None)
        if root is None:
            raise UnreadableError("the archive holds no weights", where=str(path), wanted="data.pkl")
        if len(entries) > ENTRIES or entries[f"{root}data.pkl"].file_size > PICKLE_BYTES:
            raise ResourceError(
                "the archive is larger than weights are", where=str(path), got=f"{len(entries)} entries"
            )
        if any(i.compress_type != zipfile.ZIP_STORED for i in entries.values()):
            raise UnreadableError("the archive is packed, which torch.save never does", where=str(path))
        if f"{root}byteorder" in entries and archive.read(f"{root}byteorder").strip() != b"little":
            raise UnreadableError("big-endian weights", where=str(path), wanted="little-endian")
        walk = Walk()
        found, beside = chosen(walk.run(archive.read(f"{root}data.pkl")))
        if not found:
            raise UnreadableError(
                "the file holds no tensor by name", where=str(path), remedy="Save model.state_dict(), not the model"
            )
        arrays = {name: _array(name, t, archive=archive, folder=f"{root}data/") for name, t in found.items()}
    return arrays, tuple(sorted(walk.left | beside))


def chosen(found: Any) -> tuple[dict[str, Tensor], set[str]]:
    """The tensors that are the weights, by dotted name, and the names of what lies beside them.

    >>> t = Tensor(Storage("0", "Float"), 0, (1,), (1,))
    >>> chosen({"state_dict": {"a.weight": t}, "optimizer": {"b": t}})[1]
    {'optimizer'}
    """
    if not isinstance(found, dict):
        return _flat(found, "tensor"), set()
    inner = next((k for k in USUAL if isinstance(found.get(k), dict) and _flat(found[k], "")), None)
    if inner is None:
        return _flat(found, ""), set()
    return _flat(found[inner], ""), {k for k in found if k != inner}


def _flat(found: Any, prefix: str) -> dict[str, Tensor]:
    if isinstance(found, Tensor):
        return {prefix: found}
    pairs: Any = (
        found.items() if isinstance(found, Mapping) else enumerate(found) if isinstance(found, (list, tuple)) else ()
    )
    out: dict[str, Tensor] = {}
    for key, value in pairs:
        out |= _flat(value, f"{prefix}.{key}" if prefix else str(key))
    return out


def _array(name: str, tensor: Tensor, *, archive: zipfile.ZipFile, folder: str) -> Array:
    entry = folder + tensor.storage.key
    if entry not in archive.namelist():
        raise UnreadableError("a storage is missing", where=name, got=entry)
    flat = np.frombuffer(archive.read(entry), KINDS[tensor.storage.kind])
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    if min((*tensor.shape, *tensor.strides, tensor.offset), default=0) < 0:
        raise UnreadableError("a tensor of negative size", where=name)
    if math.prod(tensor.shape) and last >= len(flat):
        raise UnreadableError(
            "a tensor reaches beyond its storage", where=name, got=str(last), wanted=f"below {len(flat)}"
        )
    # A stride of 0 can blow a byte up to a terabyte; weights are never larger than their file by much.
    if math.prod(tensor.shape) > 16 * max(len(flat), 1):
        raise ResourceError("a tensor is far larger than its storage", where=name, got=str(tensor.shape))
    strides = tuple(s * flat.itemsize for s in tensor.strides)
    out = np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, strides, writeable=False).copy()
    return (out.astype(np.uint32) << 16).view(np.float32) if tensor.storage.kind == "BFloat16" else out


def capped(size: int) -> None:
    """Caps this process: memory by the file's size, two minutes of computing, no core file."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the caller's clock still holds.
        return
    room = (2 << 30) + 8 * size
    for what, most in ((resource.RLIMIT_AS, room), (resource.RLIMIT_CPU, 120), (resource.RLIMIT_CORE, 0)):
        soft, hard = resource.getrlimit(what)
        top = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (top if soft == resource.RLIM_INFINITY else min(top, soft), hard))


def main(source: str, target: str) -> None:
    """Reads `source`, writes `target` as safetensors, and says on stdout, as JSON, what it did or why it did not."""
    from isocenter.bundle import packed
    from isocenter.files import write_bytes

    path = Path(source)
    try:
        capped(path.stat().st_size if path.is_file() else 0)
        arrays, left = tensors(path)
        write_bytes(target, packed(arrays))
        said: dict[str, Any] = {"tensors": {n: [str(a.dtype), list(a.shape)] for n, a in arrays.items()}, "left": left}
    except IsocenterError as error:
        said = {
            "error": {
                "code": error.code,
                "what": error.what,
                "where": error.where,
                "got": error.got,
                "wanted": error.wanted,
                "remedy": error.remedy,
            }
        }
    except MemoryError:
        said = {
            "error": {
                "code": InputError.code,
                "what": "the file asks for more memory than weights need",
                "where": source,
            }
        }
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:3])
