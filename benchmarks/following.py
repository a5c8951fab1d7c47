"""A target followed through 120 frames of 256 x 256 simulated ultrasound: milliseconds and frames a second.

Peers: OpenCV's CSRT and KCF where opencv-contrib is installed, and its bare `matchTemplate` in the same window, without
fractions of a pixel, drift control, forward-backward check or an answer "lost".
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.timing import interleaved, table
from isocenter.data import Image
from isocenter.ops.warping import grid_points, sampled
from isocenter.simulate.ultrasound import ultrasound
from isocenter.tasks.track.template import Template

SHAPE, FRAMES, AT, SIZE, REACH = (256, 256), 120, (128.0, 128.0), 31, 16


def run() -> list[str]:
    """Ours with all its checks; the share of frames that are followed, and the error."""
    frames, moved = film()
    images = [Image.from_array(f) for f in frames]
    edges = np.array([AT]) + moved

    def ours() -> Any:
        stream = Template(at=AT, size=SIZE, reach=float(REACH)).stream(images[0])
        for image in images[1:]:
            stream.step(image)
        return stream

    ways: dict[str, Callable[[], Any]] = {"isocenter track/template": ours} | _peers(frames)
    timings = interleaved(ways, rounds=3)
    found = ours().tracks()
    error = np.linalg.norm(found.positions - edges[found.frames], axis=1)
    said = [f"  {t.name:32s} {FRAMES / t.best:8.0f} frames a second (cpu)" for t in timings]
    return [*table(f"following, {FRAMES} frames of 256 x 256, target of {SIZE} pixels", timings), *said,
            f"  isocenter: {len(found)} of {FRAMES} frames followed, error median {np.median(error):.3f}, "
            f"largest {error.max():.3f} px"]


def film() -> tuple[list[np.ndarray], np.ndarray]:
    """Frames uint8, and how far the tissue has moved in each."""
    rng = np.random.default_rng(0)
    tissue = ultrasound((320, 320), rng)[0].astype(float)
    t = np.arange(FRAMES)
    moved = np.stack([12 * np.sin(t / 6), 16 * (1 - np.cos(t / 9))], axis=1)
    grid = grid_points(SHAPE) + 32
    frames = [sampled(tissue, grid - m, order=3) + 4 * rng.normal(size=SHAPE) for m in moved]
    return [np.clip(f, 0, 255).astype(np.uint8) for f in frames], moved


def _peers(frames: list[np.ndarray]) -> dict[str, Callable[[], Any]]:
    if not importlib.util.find_spec("cv2"):
        return {}
    import cv2

    cv2.setNumThreads(1)
    low = [int(c - SIZE // 2) for c in AT]

    def match() -> None:
        y, x = low
        template = frames[0][y : y + SIZE, x : x + SIZE]
        for frame in frames[1:]:
            top, left = max(0, y - REACH), max(0, x - REACH)
            window = frame[top : y + SIZE + REACH, left : x + SIZE + REACH]
            surface = cv2.matchTemplate(window, template, cv2.TM_CCOEFF_NORMED)
            dy, dx = np.unravel_index(int(surface.argmax()), surface.shape)
            y, x = int(top + dy), int(left + dx)

    ways: dict[str, Callable[[], Any]] = {"opencv matchTemplate alone": match}
    for name in ("TrackerCSRT", "TrackerKCF"):
        if hasattr(cv2, f"{name}_create"):
            ways[f"opencv {name}"] = lambda make=getattr(cv2, f"{name}_create"): _tracked(make(), frames, low)
    return ways


def _tracked(tracker: Any, frames: list[np.ndarray], low: list[int]) -> None:
    grey = [np.repeat(f[..., None], 3, axis=2) for f in frames]
    tracker.init(grey[0], (low[1], low[0], SIZE, SIZE))
    for frame in grey[1:]:
        tracker.update(frame)
