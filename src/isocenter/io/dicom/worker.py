"""The child process that decodes compressed frames. It imports nothing of isocenter and reads only what it is told to.

Requests are lines of JSON on standard input; answers are a line of JSON and the raw numbers of one frame after another.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, BinaryIO


def main() -> None:
    """Answers requests until standard input ends."""
    # Native decoders print where they like; answers go through a channel that they do not know.
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warnings.simplefilter("ignore")
    import logging

    logging.disable(logging.CRITICAL)
    for line in sys.stdin.buffer:
        try:
            answer(json.loads(line), channel)
        # Whatever a decoder throws is told to the parent, which refuses the file.
        except Exception as error:
            say(channel, {"error": " ".join(f"{type(error).__name__}: {error}".split())[:400]})
        except RecursionError:
            say(channel, {"error": "nested too deeply"})
        channel.flush()


def answer(job: dict[str, Any], channel: BinaryIO) -> None:
    """Decodes the frames that one request names.

    Parameters
    ----------
    job
        ``path``, ``offset`` of the first item, ``syntax``, ``options`` of `pydicom.pixels`, ``frames`` by index, and
        ``memory``: bytes that it may take on top.
    """
    cap(job["memory"])
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    decoder = get_decoder(UID(job["syntax"]))
    with Path(job["path"]).open("rb") as file:
        file.seek(job["offset"])
        for array, _ in decoder.iter_array(file, indices=job["frames"], **job["options"]):
            say(channel, {"shape": array.shape, "dtype": array.dtype.str})
            channel.write(array.tobytes())


def say(channel: BinaryIO, message: dict[str, Any]) -> None:
    """One line of JSON."""
    channel.write(json.dumps(message).encode() + b"\n")


def cap(memory: int) -> None:
    """Limits the address space to what is taken now and `memory` bytes more, where the system can."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + memory, hard))
    except (ImportError, OSError, ValueError):
        return


if __name__ == "__main__":
    main()
