"""The opcodes of a pickle walked without running anything: nothing is imported, nothing is called."""

from __future__ import annotations

from dataclasses import dataclass
from pickletools import genops
from typing import IO, Any

from isocenter.errors import UnreadableError

# torch's storage classes and dtypes to numpy's; bfloat16 is widened to float32, which holds it exactly.
KINDS = {
    "Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": "<u2", "Long": "<i8", "Int": "<i4", "Short": "<i2",
    "Char": "<i1", "Byte": "<u1", "Bool": "|b1",
}
PICKLE_BYTES = 64 << 20
ENTRIES = 200_000
OPCODES = 20_000_000
# What a stack that does not fit its opcodes ends in.
DAMAGE = (IndexError, KeyError, TypeError, ValueError, AttributeError, StopIteration, OverflowError)
# No file has so many numbers.
MOST = 1 << 48


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
        self.found: Any = None

    def run(self, data: bytes | IO[bytes]) -> Any:
        """The object that the pickle describes, with placeholders; a file is left behind the pickle's last byte."""
        try:
            for count, (code, argument, _) in enumerate(genops(data)):
                if code.name == "STOP":
                    self.found = self.stack.pop()
                    return self.found
                if count > OPCODES:
                    raise UnreadableError("the description of the tensors is too long", got=f"over {OPCODES} steps")
                self._step(code.name, argument)
        except DAMAGE as error:
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
