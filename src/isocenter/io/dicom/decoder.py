"""Compressed frames, decoded in a child process with a cap on memory and on time.

Decoders are the part of a reader that can be fooled: a damaged stream must cost a refusal, never the program. The child
starts with the first compressed frame, serves all later ones, and is replaced when it fails or takes too long.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from isocenter.errors import UnreadableError
from isocenter.io import limits
from isocenter.io.dicom import lossless
from isocenter.io.dicom.elements import ITEM, UNDEFINED, Walk
from isocenter.io.dicom.facts import Coding
from isocenter.ops.array import Array

DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
# Seconds to start, and pixels a second that the slowest decoder reaches.
PATIENCE, PACE = 20.0, 2.5e5
MEMORY = 768 << 20
# What pydicom says where every decoder of a syntax is missing.
LACKING = ("missing dependencies", "no pixel data decoders", "plugins are missing")


class Child:
    """One decoding process; at most one request at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None

    def streams(self) -> tuple[IO[bytes], IO[bytes]]:
        """Input and output of a living process, started where there is none."""
        if self.process is not None and self.process.poll() is not None:
            self.stop()
        if self.process is None:
            here = Path(__file__).with_name("worker.py")
            calm = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            # -P: neither this folder nor the current one may shadow a module of the standard library.
            self.process = subprocess.Popen(
                [sys.executable, "-P", str(here)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, env=os.environ | calm,
            )
        assert self.process.stdin is not None and self.process.stdout is not None
        return self.process.stdin, self.process.stdout

    def stop(self) -> None:
        """Ends the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._close()

    def forget(self) -> None:
        """After a fork: the process and the lock are the parent's."""
        if self.process is not None:
            # Not ours to wait for.
            self.process.returncode = 0
            self._close()
        self.lock = threading.Lock()

    def _close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout) if self.process is not None else ():
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self.process = None


CHILD = Child()
atexit.register(CHILD.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CHILD.forget)


def frames(path: str, coding: Coding, indices: Sequence[int]) -> Iterator[Array]:
    """Decoded frames, (rows, columns[, 3]), colours as RGB.

    Parameters
    ----------
    indices
        Which frames of the file, in the order wanted.

    Raises
    ------
    UnreadableError
        No decoder for the syntax, a damaged stream, too much memory or time.
    """
    if coding.syntax == DEFLATED_FRAMES:
        yield from _deflated(path, coding, indices)
    elif coding.syntax in lossless.SYNTAXES:
        yield from _lossless(path, coding, indices)
    else:
        yield from _by_child(path, coding, indices)


def _by_child(path: str, coding: Coding, indices: Sequence[int]) -> Iterator[Array]:
    seconds = PATIENCE + len(indices) * coding.rows * coding.columns * coding.samples / PACE
    refusal = None
    with CHILD.lock:
        try:
            ask, hear = CHILD.streams()
            late = threading.Timer(seconds, CHILD.process.kill if CHILD.process else _nothing)
            late.daemon = True
            late.start()
            try:
                ask.write(json.dumps(_request(path, coding, indices)).encode() + b"\n")
                ask.flush()
                for _ in indices:
                    answer = _answer(path, hear, seconds)
                    if "error" in answer:
                        # Nothing more comes after an error: the child is ready for the next file.
                        refusal = _refused(path, coding, str(answer["error"]))
                        break
                    yield _frame(path, coding, answer, hear)
            finally:
                late.cancel()
        except BaseException:
            # What is left in the pipe belongs to nobody.
            CHILD.stop()
            raise
    if refusal is not None:
        raise refusal


def _nothing() -> None:
    return


def _request(path: str, coding: Coding, indices: Sequence[int]) -> dict[str, Any]:
    options = {
        "rows": coding.rows, "columns": coding.columns, "number_of_frames": coding.frames,
        "samples_per_pixel": coding.samples, "bits_allocated": coding.allocated, "bits_stored": coding.stored,
        "photometric_interpretation": coding.photometric, "pixel_representation": int(coding.signed),
        "pixel_keyword": "PixelData", "pixel_vr": "OB",
    } | ({"planar_configuration": coding.planar} if coding.samples > 1 else {})
    size = coding.frame_bits // 8
    return {
        "path": str(Path(path).resolve()), "offset": coding.offset, "syntax": coding.syntax, "options": options,
        "frames": [int(i) for i in indices], "memory": MEMORY + 12 * size,
    }


def _answer(path: str, hear: IO[bytes], seconds: float) -> dict[str, Any]:
    """The line before a frame."""
    line = hear.readline(1 << 16)
    if not line:
        raise UnreadableError(
            "its compressed pixels brought the decoder down", where=path,
            got=f"no answer within {seconds:.0f} s and {MEMORY >> 20} MB",
        )
    answer: dict[str, Any] = json.loads(line)
    return answer


def _frame(path: str, coding: Coding, answer: dict[str, Any], hear: IO[bytes]) -> Array:
    """The numbers behind it."""
    shape, dtype = tuple(answer["shape"]), np.dtype(answer["dtype"])
    wanted = (coding.rows, coding.columns, 3)[: 2 + (coding.samples > 1)]
    if shape != wanted or dtype.itemsize * 8 not in (coding.allocated, max(coding.allocated, 8)):
        got = f"{shape} {dtype}"
        raise UnreadableError("the decoded picture has another shape", where=path, got=got, wanted=f"{wanted}")
    out = np.empty(shape, dtype)
    view = memoryview(out).cast("B")  # type: ignore[arg-type]
    done = 0
    while done < out.nbytes:
        got = hear.readinto(view[done:])  # type: ignore[attr-defined]
        if not got:
            raise UnreadableError("its compressed pixels brought the decoder down", where=path)
        done += got
    return out


def _refused(path: str, coding: Coding, message: str) -> UnreadableError:
    if any(part in message.lower() for part in LACKING):
        return UnreadableError(
            "no decoder for its compression is installed", where=path, got=f"transfer syntax {coding.syntax}",
            remedy="Install python-gdcm, or have it stored uncompressed",
        )
    cause = limits.cause(ValueError(message.replace(str(Path(path).resolve()), "")))
    return UnreadableError("its compressed pixels cannot be decoded", where=path, got=cause)


def fragments(path: str, offset: int) -> Iterator[bytes]:
    """The fragments of encapsulated pixel data behind the offset table (PS3.5, A.4); UnreadableError when damaged."""
    size = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        at = offset
        first = True
        while at + 8 <= size:
            file.seek(at)
            found = Walk(file.read(8), True, False, path).element(0, 8)
            if found is None or found[0] != ITEM or found[3] == UNDEFINED:
                return
            limits.stored(path, at + 8 + found[3], size)
            if not first:
                yield file.read(found[3])
            at, first = at + 8 + found[3], False


def _deflated(path: str, coding: Coding, indices: Sequence[int]) -> Iterator[Array]:
    """Frames of the deflated image frame syntax: one raw deflate stream a frame (supplement 244)."""
    with limits.typed(path, "DICOM"):
        packed = list(fragments(path, coding.offset))
        size = (coding.frame_bits + 7) // 8
        for index in indices:
            if index >= len(packed):
                got, wanted = str(len(packed)), str(coding.frames)
                raise UnreadableError("fewer frames than declared", where=path, got=got, wanted=wanted)
            plain = zlib.decompressobj(-15).decompress(packed[index], size)
            limits.stored(path, size, len(plain))
            flat = np.frombuffer(plain, np.uint8)
            if coding.allocated == 1:
                flat = np.unpackbits(flat, bitorder="little", count=coding.rows * coding.columns)
            shape = (coding.rows, coding.columns) + ((coding.samples,) if coding.samples > 1 else ())
            yield flat.view(np.uint8 if coding.allocated == 1 else coding.dtype).reshape(shape)


def _lossless(path: str, coding: Coding, indices: Sequence[int]) -> Iterator[Array]:
    """Frames of lossless JPEG, decoded here: it is ours, and cannot write where it should not."""
    with limits.typed(path, "DICOM"):
        streams: list[bytes] = []
        for piece in fragments(path, coding.offset):
            if piece.startswith(b"\xff\xd8") or not streams:
                streams.append(piece)
            else:
                streams[-1] += piece
        for index in indices:
            if index >= len(streams):
                got, wanted = str(len(streams)), str(coding.frames)
                raise UnreadableError("fewer frames than declared", where=path, got=got, wanted=wanted)
            size = (coding.rows, coding.columns)
            found = lossless.decoded(path, streams[index], shape=size, samples=coding.samples)
            wide = found.astype(np.dtype(coding.dtype).newbyteorder("=").str.replace("i", "u").replace("f", "u"))
            yield wide.view(np.dtype(coding.dtype).newbyteorder("="))
