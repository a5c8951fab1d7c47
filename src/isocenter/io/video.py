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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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
    """A film "tcyx" of red, green and blue, whose frames are counted now and decoded when asked for, one or all.

    Times are those of the container where they increase, else frame number by rate. An MPEG stream does not say how
    long it is: one that was cut short is a shorter film.

    Raises
    ------
    MissingExtraError
        OpenCV is not installed.
    UnreadableError
        Damaged, cut short, or without a frame.
    ResourceError
        A frame has more pixels than there is memory for; for a whole film `pixels()` says so.
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
    limits.fits(path, int(np.prod(shape[1:])))
    if axes:
        stated(path, axes, shape)
    image = Image(
        Frames(str(path), shape), shape, "tcyx", "uint8", Geometry(shape[2:]), RGB, _times(times, rate),
        source=Source((str(path),), "video"),
    )
    return with_spacing(image, path, spacing)


@dataclass(frozen=True)
class Frames:
    """The pixels of a video: all of them, each frame in turn, or one.

    Parameters
    ----------
    path
        Of the file.
    shape
        Frames, channels, height, width.
    """

    path: str
    shape: tuple[int, int, int, int]

    def __call__(self) -> Array:
        """uint8 (t, c, y, x); UnreadableError where bytes or time do not suffice, ResourceError where memory does."""
        limits.fits(self.path, int(np.prod(self.shape)))
        out = np.empty(self.shape, np.uint8)
        for t, frame in enumerate(self._decoded(0)):
            out[t] = frame
        return out

    def each(self, axis: str) -> Iterator[Array] | None:
        """The frames, uint8 (c, y, x), decoded once from the first to the last; None along another axis."""
        return self._decoded(0) if axis == "t" else None

    def piece(self, axis: str, index: int) -> Array | None:
        """One frame; those before it are run through."""
        return next(self._decoded(index)) if axis == "t" else None

    def _decoded(self, first: int) -> Iterator[Array]:
        count, channels, height, width = self.shape
        with _child("read", Path(self.path), first) as answer:
            for t in range(first, count):
                row = answer.take(height * width * channels)
                if len(row) < height * width * channels:
                    raise UnreadableError("cannot be decoded", where=self.path, got=f"{t} frames",
                                          wanted=f"{count} frames")
                rows = np.frombuffer(row, np.uint8).reshape(height, width, channels)
                yield np.ascontiguousarray(np.moveaxis(rows, -1, 0))
            if first == 0 and answer.take(1):
                raise UnreadableError("cannot be decoded", where=self.path, got="more frames than were counted",
                                      wanted=f"{count} frames")


def _looked(path: Path) -> dict[str, Any]:
    with limits.typed(path, "video"), _child("look", path) as answer:
        return dict(json.loads(answer.take(1 << 24)))


def _times(milliseconds: list[float], rate: float) -> tuple[float, ...] | None:
    """Seconds from the first frame on; None where neither times nor rate make sense."""
    times = np.asarray(milliseconds)
    if np.isfinite(times).all() and (np.diff(times) > 0).all():
        return tuple(((times - times[0]) / 1000).tolist())
    if not (math.isfinite(rate) and 0.01 < rate < 1e5):
        return None
    return tuple((np.arange(len(times)) / rate).tolist())


@dataclass
class _Answer:
    """What a child says; whoever waits for it ends it where that takes too long."""

    process: subprocess.Popen[bytes]
    out: IO[bytes]
    path: str
    seconds: float

    def take(self, most: int) -> bytes:
        """The next bytes, fewer than `most` only at the end; UnreadableError where the child failed."""
        late = threading.Timer(self.seconds, self.process.kill)
        late.daemon = True
        late.start()
        try:
            data = self.out.read(most)
        finally:
            late.cancel()
        if len(data) < most and self.process.wait():
            raise UnreadableError("cannot be decoded as a video", where=self.path,
                                  got="damaged, cut short, or too slow")
        return data


@contextmanager
def _child(wanted: str, path: Path, first: int = 0) -> Iterator[_Answer]:
    """A child at work; it is ended with the block."""
    if importlib.util.find_spec("cv2") is None:
        raise MissingExtraError("reading videos", "video")
    worker = Path(__file__).with_name("video_worker.py")
    seconds = PATIENCE + path.stat().st_size / PACE
    # Nothing but the file itself: a container may name others.
    calm = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENCV_LOG_LEVEL": "SILENT",
            "OPENCV_FFMPEG_LOGLEVEL": "-8", "OPENCV_FFMPEG_CAPTURE_OPTIONS": "protocol_whitelist;file|threads;1"}
    # -P: neither this folder nor the current one may shadow a module of the standard library.
    command = [sys.executable, "-P", str(worker), wanted, str(path.absolute()), str(MEMORY), str(first)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | calm
    ) as process:
        try:
            assert process.stdout is not None
            yield _Answer(process, process.stdout, str(path), seconds)
        finally:
            process.kill()
