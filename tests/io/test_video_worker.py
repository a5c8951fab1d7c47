"""The child process by itself, as a process and in this one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isocenter.io import video_worker

cv2 = pytest.importorskip("cv2", reason="the extra video is not installed")

MEMORY = str(1 << 30)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Five frames of 32 x 48, each brighter than the one before."""
    path = tmp_path / "a.avi"
    out = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (48, 32))
    for i in range(5):
        out.write(np.full((32, 48, 3), (30 * i, 40 * i, 50 * i), np.uint8))
    out.release()
    return path


def asked(wanted: str, path: Path, memory: str = MEMORY, first: int = 0) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", video_worker.__file__, wanted, str(path), memory, str(first)]
    return subprocess.run(command, capture_output=True, check=False)


def test_it_looks_and_reads(clip: Path) -> None:
    told = json.loads(asked("look", clip).stdout)
    assert (told["width"], told["height"], told["declared"], told["rate"]) == (48, 32, 5, 10.0)
    assert np.allclose(np.diff(told["times"]), 100)
    done = asked("read", clip)
    frames = np.frombuffer(done.stdout, np.uint8).reshape(5, 32, 48, 3)
    # Red first, and in order.
    assert np.abs(frames.mean((1, 2)) - np.arange(5)[:, None] * (50, 40, 30)).max() < 4
    assert asked("read", clip, first=3).stdout == done.stdout[3 * 32 * 48 * 3:]


def test_what_cannot_be_decoded_ends_it_without_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"\0\0\0\x18ftypisom" + bytes(200))
    for wanted in ("look", "read"):
        done = asked(wanted, path)
        assert done.returncode == 1 and done.stdout == b""
    assert asked("look", tmp_path / "none.mp4").returncode == 1


def test_without_memory_it_fails_and_nothing_else_does(tmp_path: Path) -> None:
    # A frame larger than what the process may have at hand.
    path = tmp_path / "large.avi"
    out = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (4000, 3000))
    out.write(np.zeros((3000, 4000, 3), np.uint8))
    out.release()
    assert asked("read", path).returncode == 0
    assert asked("read", path, "0").returncode != 0


def test_looked_counts_what_can_be_decoded(clip: Path) -> None:
    film = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    assert len(video_worker.looked(film)["times"]) == 5
    film.release()
