"""Videos (MP4, QuickTime, MPEG, AVI, Matroska) as films, as machines and papers give away ultrasound and endoscopy.

FFmpeg decodes them, as OpenCV brings it (extra `video`), in a child process with a cap on memory and on time.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Geometry, Image, Problem, Source
from isocenter.errors import MissingExtraError, UnreadableError
from isocenter.io import limits
from isocenter.io.grid import Note, silent, stated, with_spacing
from isocenter.io.raster import RGB
from isocenter.ops.array import Array

# First boxes of an ISO base media or QuickTime file; the starts of an MPEG stream, MPEG video and Matroska.
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
STARTS = (b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"\x1aE\xdf\xa3")
# Still pictures in the same container.
STILL = (b"heic", b"heix", b"mif1", b"avif")
# Bytes that decoding may take beside the frames, seconds to start, and bytes of a file that the slowest decoder takes
# in a second.
MEMORY, PATIENCE, PACE = 1 << 30, 60.0, 5e4
# Largest side and number of frames.
SIDE, FRAMES = 16384, 200_000
# Fewer frames than this share of those declared are a file that was cut short; a few at the ends may be left out.
WHOLE = 0.95


def claims(path: Path, head: bytes) -> bool:
    """Whether the first bytes are those of a video."""
    if head[4:8] in BOXES:
        return head[8:12] not in STILL
    return head.startswith(STARTS) or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")


def read(
    path: Path, *, axes: str | None = None, spacing: tuple[float, ...] | None = None, note: Note = silent
) -> Image:
    """A film "tcyx" of red, green and blue, whose frames are counted now and decoded by `pixels()`.

    Times are those of the container where they increase, else frame number by rate. An MPEG stream does not say how
    long it is: one that was cut short is a shorter film.

    Raises
    ------
    MissingExtraError
        OpenCV is not installed.
    UnreadableError
        Damaged, cut short, or without a frame.
    ResourceError
        More pixels than there is memory for.
    """
    with path.open("rb") as file:
        head = file.read(16)
    found = _looked(path)
    times, rate, declared = found["times"], float(found["rate"]), int(found["declared"])
    shape = (len(times), 3, int(found["height"]), int(found["width"]))
    if not times or not 0 < shape[2] <= SIDE or not 0 < shape[3] <= SIDE or shape[0] > FRAMES:
        raise UnreadableError("no frames that can be decoded", where=str(path), got=f"{shape[0]} of {shape[3]} x "
                              f"{shape[2]}", wanted=f"1 to {FRAMES} frames of at most {SIDE} pixels a side")
    # Other containers guess the number of their frames from their length.
    if head[4:8] in BOXES and shape[0] < declared:
        if shape[0] < WHOLE * declared:
            raise UnreadableError("cut short", where=str(path), got=f"{shape[0]} frames", wanted=f"{declared} frames")
        note(Problem("frames", "warning", f"{shape[0]} of {declared} frames can be decoded", str(path)))
    limits.fits(path, int(np.prod(shape)))
    if axes:
        stated(path, axes, shape)
    image = Image(
        partial(frames, str(path), shape), shape, "tcyx", "uint8", Geometry(shape[2:]), RGB, _times(times, rate),
        source=Source((str(path),), "video"),
    )
    return with_spacing(image, path, spacing)


def frames(path: str, shape: tuple[int, ...]) -> Array:
    """The decoded frames, uint8 (t, c, y, x).

    Raises
    ------
    UnreadableError
        Another number of bytes than the frames have, or too much memory or time.
    """
    count, channels, height, width = shape
    size = count * channels * height * width
    limits.fits(path, size)
    data = _child("read", Path(path), size)
    if len(data) != size:
        raise UnreadableError("cannot be decoded", where=path, got=f"{len(data)} bytes", wanted=f"{size} bytes")
    rows = np.frombuffer(data, np.uint8).reshape(count, height, width, channels)
    return np.ascontiguousarray(np.moveaxis(rows, -1, 1))


def _looked(path: Path) -> dict[str, Any]:
    with limits.typed(path, "video"):
        return dict(json.loads(_child("look", path, 1 << 24)))


def _times(milliseconds: list[float], rate: float) -> tuple[float, ...] | None:
    """Seconds from the first frame on; None where neither times nor rate make sense."""
    times = np.asarray(milliseconds)
    if np.isfinite(times).all() and (np.diff(times) > 0).all():
        return tuple(((times - times[0]) / 1000).tolist())
    if not (math.isfinite(rate) and 0.01 < rate < 1e5):
        return None
    return tuple((np.arange(len(times)) / rate).tolist())


def _child(wanted: str, path: Path, most: int) -> bytes:
    """What the child says, at most one byte more than `most`; it is ended where it takes too long."""
    if importlib.util.find_spec("cv2") is None:
        raise MissingExtraError("reading videos", "video")
    worker = Path(__file__).with_name("video_worker.py")
    seconds = PATIENCE + path.stat().st_size / PACE
    # Nothing but the file itself: a container may name others.
    calm = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENCV_LOG_LEVEL": "SILENT",
            "OPENCV_FFMPEG_LOGLEVEL": "-8", "OPENCV_FFMPEG_CAPTURE_OPTIONS": "protocol_whitelist;file|threads;1"}
    # -P: neither this folder nor the current one may shadow a module of the standard library.
    command = [sys.executable, "-P", str(worker), wanted, str(path.absolute()), str(MEMORY)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | calm
    ) as process:
        late = threading.Timer(seconds, process.kill)
        late.daemon = True
        late.start()
        try:
            assert process.stdout is not None
            data = process.stdout.read(most + 1)
        finally:
            late.cancel()
        if len(data) > most:
            process.kill()
        code = process.wait()
    if code:
        raise UnreadableError("cannot be decoded as a video", where=str(path), got="damaged, cut short, or too slow")
    return data
