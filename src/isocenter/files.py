"""Files on disk, written whole or not at all. Knows nothing of images."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isocenter.errors import OutputError, ResourceError


@contextmanager
def written(target: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A path beside `target` to write to; renamed to `target` when the block ends well, removed when it does not.

    Raises
    ------
    OutputError
        The target exists and `overwrite` is false, or its folder cannot be written.
    ResourceError
        The disk is full; nothing half written stays.
    """
    target = Path(target)
    if target.exists() and not overwrite:
        raise OutputError("the file exists", where=str(target), remedy="Pass --overwrite or name another")
    # The suffix stays last, because writers choose their format by it.
    part = target.with_name(f".part-{os.getpid()}-{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal(error, target) from error
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise refusal(error, target) from error
    finally:
        part.unlink(missing_ok=True)


def refusal(error: OSError, target: Path) -> OutputError | ResourceError:
    """The typed refusal for a failed write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ResourceError("the disk is full", where=str(target), remedy="Free some space; the last good file stays")
    return OutputError("cannot be written", where=str(target), got=error.strerror or str(error))


def write_bytes(target: str | Path, data: bytes, *, overwrite: bool = False) -> None:
    """Writes `data` whole or not at all; raises as `written`."""
    with written(target, overwrite=overwrite) as part:
        part.write_bytes(data)


def write_text(target: str | Path, text: str, *, overwrite: bool = False) -> None:
    """Writes UTF-8 `text` whole or not at all; raises as `written`."""
    write_bytes(target, text.encode("utf-8"), overwrite=overwrite)


def sha256(path: str | Path) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
