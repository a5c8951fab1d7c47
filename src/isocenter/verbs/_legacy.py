"""Files of weights as torch.save wrote them before 1.6: five pickles and the raw storages, one behind the other.

The pickles hold a magic number, the protocol's version, what the writing machine was, the object, and the keys of its
storages in the order in which they follow: each as its count of numbers (int64) and the numbers, little-endian. They
are walked as those of the newer format are: nothing is imported, nothing is called. The format is that of
``torch.serialization`` (``_use_new_zipfile_serialization=False``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import SEEK_END, BytesIO
from typing import IO, Any

import numpy as np

from isocenter.errors import ResourceError, UnreadableError
from isocenter.verbs._opcodes import ENTRIES, KINDS, MOST, PICKLE_BYTES, Storage, Walk

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
COUNT = 8


class Described(Walk):
    """The walk of the object, which keeps what each storage is said to hold."""

    def __init__(self) -> None:
        super().__init__()
        self.storages: dict[str, tuple[str, int]] = {}

    def _binpersid(self, argument: Any) -> None:
        said = self.stack[-1]
        if said[0] == "module":  # A class beside its source code; what is built of it is left out.
            self.stack[-1] = said[1]
            return
        super()._binpersid(argument)
        count, view = said[4:6]
        storage: Storage = self.stack[-1]
        if view is not None:
            raise UnreadableError(
                "a view of another storage, as the first versions of torch wrote",
                got=storage.key[:40],
                remedy="Load it with torch and save its state_dict again",
            )
        if not 0 <= count < MOST:
            raise UnreadableError("a storage of a size that no file has", where=storage.key[:40])
        if self.storages.setdefault(storage.key, (storage.kind, count)) != (storage.kind, count):
            raise UnreadableError("one storage is described in two ways", where=storage.key[:40])


def claims(head: bytes) -> bool:
    """Whether a file that begins so is of this format: its first pickle is the magic number."""
    return head.startswith(b"\x80") and MAGIC.to_bytes(10, "little") in head[:32]


def opened(file: IO[bytes]) -> tuple[Any, set[str], Callable[[Storage], bytes]]:
    """The object with placeholders for its tensors, what was left out of it, and what reads a storage.

    Raises
    ------
    UnreadableError
        Not of this format, damaged, cut short, or big-endian.
    ResourceError
        Its description is longer than that of weights.
    """
    size = file.seek(0, SEEK_END)
    file.seek(0)
    # The pickles are read from memory, where no length that they claim takes more than there is.
    head = BytesIO(file.read(PICKLE_BYTES))
    try:
        walk, keys = _described(head)
    except UnreadableError as error:
        if size > PICKLE_BYTES == head.tell():
            raise ResourceError("the description of the tensors is too long", got=f"over {PICKLE_BYTES} B") from error
        raise
    places, end = _places(file, keys, storages=walk.storages, start=head.tell(), size=size)
    if end < size:
        walk.left.add(f"{size - end} bytes behind the storages")

    def content(storage: Storage) -> bytes:
        at, length = places[storage.key]
        file.seek(at)
        return file.read(length)

    return walk.found, walk.left, content


def _described(head: BytesIO) -> tuple[Described, list[str]]:
    if Walk().run(head) != MAGIC:
        raise UnreadableError("not a file of weights that is read here", wanted="torch's magic number")
    version = Walk().run(head)
    if version != PROTOCOL:
        raise UnreadableError("weights of an unknown protocol", got=str(version)[:40], wanted=str(PROTOCOL))
    machine = Walk().run(head)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise UnreadableError("big-endian weights", wanted="little-endian")
    walk = Described()
    walk.run(head)
    keys = Walk().run(head)
    if not isinstance(keys, list) or not all(isinstance(k, (str, int)) for k in keys):
        raise UnreadableError("the list of storages is damaged")
    if len(keys) > ENTRIES:
        raise ResourceError("more storages than weights have", got=str(len(keys)))
    return walk, [str(k) for k in keys]


def _places(
    file: IO[bytes], keys: list[str], *, storages: Mapping[str, tuple[str, int]], start: int, size: int
) -> tuple[dict[str, tuple[int, int]], int]:
    """First byte and length of each storage, and where the last one ends."""
    if len(set(keys)) < len(keys) or set(keys) != set(storages):
        raise UnreadableError(
            "a storage is missing, or is no tensor's", got=f"{len(keys)} listed", wanted=f"{len(storages)} of tensors"
        )
    places: dict[str, tuple[int, int]] = {}
    for key in keys:
        kind, count = storages[key]
        file.seek(start)
        here = file.read(COUNT)
        length = count * np.dtype(KINDS[kind]).itemsize
        if len(here) < COUNT or start + COUNT + length > size:
            raise UnreadableError("the weights are cut short", where=key[:40], wanted=f"{length} B behind byte {start}")
        if int.from_bytes(here, "little", signed=True) != count:
            raise UnreadableError(
                "a storage is of another size than its tensors say",
                where=key[:40],
                got=str(int.from_bytes(here, "little", signed=True)),
                wanted=str(count),
            )
        places[key] = (start + COUNT, length)
        start += COUNT + length
    return places, start
