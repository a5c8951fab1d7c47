"""One writer at a time. The system drops a dead owner's lock."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from isocenter.errors import ResourceError
from isocenter.files import refusal

# Who of this process holds which lock: path -> (thread, depth). A thread may lock again what it holds.
_held: dict[Path, tuple[int, int]] = {}


def absolute(path: str | Path) -> Path:
    """The path from the root, with links left as they are and no ``..``."""
    return Path(os.path.normpath(Path(path).absolute()))


@contextmanager
def locked(target: str | Path) -> Iterator[None]:
    """Holds the lock of a file or folder (``TARGET.lock`` beside it) for the block; a thread may nest it.

    Raises
    ------
    ResourceError
        Another thread or process holds it.
    OutputError
        The lock cannot be written where it belongs.
    """
    path = absolute(f"{target}.lock")
    me = threading.get_ident()
    owner, depth = _held.get(path, (me, 0))
    if depth and owner == me:
        _held[path] = (me, depth + 1)
        try:
            yield
        finally:
            _held[path] = (me, depth)
        return
    handle = _taken(path)
    _held[path] = (me, 1)
    try:
        yield
    finally:
        del _held[path]
        _release(path, handle)


def _taken(path: Path) -> int:
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise refusal(error, path) from error
        if not _try(handle):
            os.close(handle)
            remedy = "Wait for it to end or name another folder"
            raise ResourceError("another run is writing here", where=str(path.with_suffix("")), remedy=remedy)
        # The owner before may have removed the file between our open and our lock.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                os.write(handle, f"{os.getpid()}\n".encode())
                return handle
        os.close(handle)


def _try(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _release(path: Path, handle: int) -> None:
    # POSIX removes the name while the lock is held, so that nobody locks a file that is about to vanish.
    if sys.platform == "win32":
        os.close(handle)
    with suppress(OSError):
        path.unlink()
    if sys.platform != "win32":
        os.close(handle)
