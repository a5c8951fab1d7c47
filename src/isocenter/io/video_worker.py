"""The child process that decodes videos. It imports nothing of isocenter and reads only what it is told to.

Called with what is wanted, the file and the memory that it may take: ``look`` writes a line of JSON, ``read`` writes
the frames one after the other as rows of red, green, blue bytes, from the number that follows on.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    """Answers one request; 1 where the file cannot be decoded."""
    wanted, path, memory = sys.argv[1], sys.argv[2], int(sys.argv[3])
    # Native decoders print where they like; answers go through a channel that they do not know.
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    import cv2

    cv2.setNumThreads(1)
    cap(memory)
    film = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    if not film.isOpened():
        return 1
    if wanted == "look":
        channel.write(json.dumps(looked(film)).encode())
    else:
        for _ in range(int((sys.argv[4:] or ["0"])[0])):
            film.grab()
        there, frame = film.read()
        # Some decoders say so when memory lacks, others only give no frame.
        if not there:
            return 1
        while there:
            channel.write(frame[:, :, ::-1].tobytes())
            there, frame = film.read()
    channel.flush()
    return 0


def looked(film: Any) -> dict[str, Any]:
    """Size, rate, frames as the container declares them, and the time in ms of each frame that can be decoded."""
    import cv2

    times = []
    while film.grab():
        times.append(float(film.get(cv2.CAP_PROP_POS_MSEC)))
    names = ("FRAME_WIDTH", "FRAME_HEIGHT", "FRAME_COUNT", "FPS")
    width, height, declared, rate = (float(film.get(getattr(cv2, f"CAP_PROP_{name}"))) for name in names)
    return {"width": int(width), "height": int(height), "declared": int(declared), "rate": rate, "times": times}


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
    sys.exit(main())
