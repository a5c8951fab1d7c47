"""What memory there is, and the refusal before it is gone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from isocenter.errors import ResourceError

# What onnxruntime holds at its peak for a U-Net, per pixel of the window and channel of its first layer (measured on
# nine sizes in 2D and 3D: 17 to 39 bytes), and the width assumed where the network does not tell.
BYTES_PER_CHANNEL = 36
WIDTH = 32
GROUPS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))


def available(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that this process may still take, by the system and by its control group; None where nothing says so."""
    found = [b for b in (_system(proc / "meminfo"), *(_group(groups, *names) for names in GROUPS)) if b is not None]
    return min(found) if found else None


def _system(path: Path) -> int | None:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kilobytes[0]) * 1024 if kilobytes else None


def _group(folder: Path, limit: str, usage: str) -> int | None:
    try:
        top, used = (folder / limit).read_text(encoding="ascii").strip(), (folder / usage).read_text(encoding="ascii")
    except OSError:
        return None
    return max(0, int(top) - int(used)) if top.isdigit() else None


def require(needed: int, *, what: str, remedy: str, free: int | None = None) -> None:
    """Refuses work that does not fit.

    Parameters
    ----------
    needed
        Bytes.
    what
        What would take them.
    remedy
        The setting that fits.
    free
        Bytes available; None asks the system.

    Raises
    ------
    ResourceError
        `needed` exceeds what is available.
    """
    free = available() if free is None else free
    if free is not None and needed > free:
        got = f"{_text(free)} available"
        raise ResourceError(f"memory does not suffice for {what}", got=got, wanted=_text(needed), remedy=remedy)


def flight(engine: object, window: Sequence[int], *, remedy: str, extra: int = 0) -> int:
    """How many calls of an engine may run at the same time: as many as it is built for and as fit, at least one.

    Parameters
    ----------
    engine
        Its `parallel` and `pixel_bytes` count; without them one call, of the usual memory.
    window
        Grid of one call.
    remedy
        The setting that would fit.
    extra
        Bytes needed beside the calls.

    Raises
    ------
    ResourceError
        Not even one call fits.
    """
    one = math.prod(window) * pixel_bytes(engine)
    free = available()
    require(one + extra, what=f"one window of {tuple(window)}", remedy=remedy, free=free)
    wanted = int(getattr(engine, "parallel", 1))
    return wanted if free is None else max(1, min(wanted, (free - extra) // one))


def pixel_bytes(engine: object) -> int:
    """Bytes per pixel of one call of an engine; the usual ones where it does not tell."""
    return int(getattr(engine, "pixel_bytes", WIDTH * BYTES_PER_CHANNEL))


def _text(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"
