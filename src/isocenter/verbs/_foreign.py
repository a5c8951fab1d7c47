"""Foreign weights read without running anything.

A .pth file is a zip of raw storages and one pickle that says how tensors lie in them; before torch 1.6 it was a stream
of the same (`_legacy`). The pickle's opcodes are walked here (`_opcodes`): nothing is imported or called, and only what
tensors need is known. Whatever else the pickle names becomes a placeholder that is left out. It runs in a process of
its own, capped in memory and time: ``python -m isocenter.verbs._foreign IN OUT``.
"""

from __future__ import annotations

import json
import math
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Array
from isocenter.errors import InputError, IsocenterError, MissingFileError, ResourceError, UnreadableError
from isocenter.verbs import _legacy
from isocenter.verbs._opcodes import ENTRIES, KINDS, MOST, PICKLE_BYTES, Storage, Tensor, Walk

AXES = 32
# Names under which training programs keep the weights beside other things.
USUAL = ("state_dict", "model_state_dict", "network_weights", "model", "net", "weights")


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
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return _weights(*_zipped(archive, str(path)), where=str(path))
    with path.open("rb") as file:
        head = file.read(512)
        if _legacy.claims(head):
            return _weights(*_legacy.opened(file), where=str(path))
    tar = head[257:262] == b"ustar"
    raise UnreadableError(
        "not a file of weights that is read here",
        where=str(path),
        got="a tar archive, as the first versions of torch wrote" if tar else "",
        wanted="the zip that torch.save writes since 1.6, or the stream that it wrote before",
        remedy="Load it with torch and save its state_dict again" if tar else "",
    )


def _weights(
    found: Any, left: set[str], content: Callable[[Storage], bytes], *, where: str
) -> tuple[dict[str, Array], tuple[str, ...]]:
    try:
        named, beside = chosen(found)
    except RecursionError as error:
        raise UnreadableError("lists within lists that do not end", where=where) from error
    if not named:
        raise UnreadableError(
            "the file holds no tensor by name", where=where, remedy="Save model.state_dict(), not the model"
        )
    return {n: _array(n, t, content(t.storage)) for n, t in named.items()}, tuple(sorted(left | beside))


def _zipped(archive: zipfile.ZipFile, where: str) -> tuple[Any, set[str], Callable[[Storage], bytes]]:
    """The object with placeholders for its tensors, what was left out of it, and what reads a storage."""
    entries = {i.filename: i for i in archive.infolist()}
    root = next((n.removesuffix("data.pkl") for n in entries if n.endswith("/data.pkl") or n == "data.pkl"), None)
    if root is None:
        raise UnreadableError("the archive holds no weights", where=where, wanted="data.pkl")
    if len(entries) > ENTRIES or entries[f"{root}data.pkl"].file_size > PICKLE_BYTES:
        raise ResourceError("the archive is larger than weights are", where=where, got=f"{len(entries)} entries")
    if any(i.compress_type != zipfile.ZIP_STORED for i in entries.values()):
        raise UnreadableError("the archive is packed, which torch.save never does", where=where)
    if f"{root}byteorder" in entries and archive.read(f"{root}byteorder").strip() != b"little":
        raise UnreadableError("big-endian weights", where=where, wanted="little-endian")

    def content(storage: Storage) -> bytes:
        entry = f"{root}data/{storage.key}"
        if entry not in entries:
            raise UnreadableError("a storage is missing", where=where, got=entry)
        return archive.read(entry)

    walk = Walk()
    return walk.run(archive.read(f"{root}data.pkl")), walk.left, content


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


def _array(name: str, tensor: Tensor, content: bytes) -> Array:
    kind = np.dtype(KINDS[tensor.storage.kind])
    flat = np.frombuffer(content, kind, len(content) // kind.itemsize)
    sizes = (*tensor.shape, *tensor.strides, tensor.offset, math.prod(n for n in tensor.shape if n))
    if min(sizes) < 0 or max(sizes) >= MOST or not len(tensor.strides) == len(tensor.shape) <= AXES:
        raise UnreadableError("a tensor of a size that none has", where=name)
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
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
