"""Caps that stand before every allocation, and the typed refusal of everything that a reader can throw."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isocenter.errors import InputError, IsocenterError, MissingFileError, ResourceError, UnreadableError

# Deflate cannot expand a byte to more than 1032 (zlib's technical notes); more is a lie of the header.
DEFLATE = 1032
SLACK = 1 << 20
# A picture of this many decoded bytes may expand as it likes; above it, see `picture`.
SMALL = 64 << 20
LARGE = 256 << 20


def present(path: Path) -> Path:
    """The path, when it names something; MissingFileError otherwise."""
    if not path.exists():
        raise MissingFileError("no such file or folder", where=str(path))
    return path


@contextmanager
def typed(path: str | Path, what: str) -> Iterator[None]:
    """Turns whatever a reader throws inside the block into our errors that name the file.

    Parameters
    ----------
    path
        The file that is being read.
    what
        What it should be, such as ``"PNG"``.

    Raises
    ------
    UnreadableError
        The reader failed on the bytes.
    MissingFileError
        The file is not there.
    ResourceError
        Memory ran out.
    """
    try:
        yield
    except InputError as error:
        if error.where:
            raise
        again = type(error)(error.what, where=str(path), got=error.got, wanted=error.wanted, remedy=error.remedy)
        raise again from error
    except IsocenterError:
        raise
    except FileNotFoundError as error:
        raise MissingFileError("no such file", where=str(path)) from error
    except RecursionError as error:
        raise UnreadableError(f"nested too deeply for a {what} file", where=str(path)) from error
    except MemoryError as error:
        raise ResourceError("memory does not suffice to read it", where=str(path)) from error
    except OSError as error:
        raise UnreadableError(f"cannot be read as {what}", where=str(path), got=cause(error)) from error
    except Exception as error:
        # Third-party readers have error classes of their own; a refusal must not depend on knowing them all.
        raise UnreadableError(
            f"cannot be read as {what}", where=str(path), got=cause(error), remedy="Copy or export the file again",
        ) from error


def cause(error: BaseException) -> str:
    """An error's first line, short, without a path of ours."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text.strip().split("\n")[0][:160] or type(error).__name__).rstrip(".")


def available() -> int | None:
    """Bytes of memory that this process may still take, or None where the system does not say."""
    found = [v for v in (_free(), _group(), _limit()) if v is not None]
    return min(found) if found else None


def _free() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def _group() -> int | None:
    base = Path("/sys/fs/cgroup")
    try:
        return int((base / "memory.max").read_text()) - int((base / "memory.current").read_text())
    except (OSError, ValueError):
        return None


def _limit() -> int | None:
    try:
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        if soft == resource.RLIM_INFINITY:
            return None
        return soft - int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError):
        return None


def fits(path: str | Path, size: int) -> None:
    """Refuses to decode `size` bytes where memory does not suffice.

    Raises
    ------
    ResourceError
        More is needed than is available; names both.
    """
    # Small pieces are not worth the look at the system's tables.
    if size < SMALL:
        return
    have = available()
    if have is not None and size > have:
        raise ResourceError(
            "memory does not suffice", where=str(path), got=f"{have >> 20} MB available", wanted=f"{size >> 20} MB"
        )


def stored(path: str | Path, needed: int, have: int) -> None:
    """Refuses a file that is shorter than its header declares: UnreadableError names both sizes."""
    if have < needed:
        raise UnreadableError("cut short", where=str(path), got=f"{have} bytes", wanted=f"{needed} bytes")


def inflated(path: str | Path, needed: int, packed: int) -> None:
    """Refuses a deflated file that cannot hold what its header declares: UnreadableError names both sizes."""
    if needed > packed * DEFLATE + SLACK:
        raise UnreadableError(
            "the header declares more than the file can hold", where=str(path), got=f"{packed} bytes deflated",
            wanted=f"{needed} bytes",
        )


def picture(path: str | Path, decoded: int, packed: int, *, held: int | None = None) -> None:
    """Refuses a picture whose few bytes swell to very many: the shape of a decompression bomb.

    Of a film, which is read frame by frame, `held` bytes must fit into memory at once instead of all of it.

    Raises
    ------
    ResourceError
        More than 64 MiB from under 1/1200, more than 256 MiB from under 1/200 of the bytes, or more than there is
        memory for.
    """
    ratio = decoded / max(packed, 1)
    if (decoded > SMALL and ratio > 1200) or (decoded > LARGE and ratio > 200):
        raise ResourceError(
            f"refused as a decompression bomb: {packed} bytes that swell to {decoded >> 20} MB", where=str(path),
            remedy="If you trust it, store it uncompressed",
        )
    fits(path, decoded if held is None else held)
