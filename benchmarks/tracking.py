"""1000 objects over 50 frames, 3 % missed, 2 % dividing: linking alone, and the share of right links.

Peers (`pip install trackpy laptrack`) are timed where they are installed; all get the same reach and gap.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.timing import interleaved, table
from isocenter.ops.linking import Linker, Rules
from isocenter.simulate.film import Course, film

SHAPE, COURSE, REACH, GAP = (2000, 2000), Course(1000, 50, 3.0, dropped=0.03, dividing=0.02), 15.0, 2


def run() -> list[str]:
    """Ours (nothing said but the defaults) against trackpy and laptrack, one thread each."""
    tracks = film(SHAPE, np.random.default_rng(0), COURSE)
    order = np.lexsort((np.random.default_rng(1).random(len(tracks)), tracks.frames))
    frames, places = tracks.frames[order], tracks.positions[order]
    areas = tracks.boxes().sizes.prod(axis=1)[order]
    here = [np.flatnonzero(frames == t) for t in range(COURSE.frames)]

    def ours() -> np.ndarray:
        linker, numbers = Linker(Rules()), np.zeros(len(frames), np.int64)
        for t, at in enumerate(here):
            numbers[at] = linker.step(places[at], float(t), areas[at])
        return numbers

    ways = {"isocenter": ours} | _peers(frames, places)
    right = [f"  {name:32s} {_right(way(), tracks.numbers[order], frames):.4f} of links within tracks right"
             for name, way in ways.items()]
    return table("linking, 1000 objects x 50 frames", interleaved(ways, rounds=2)) + right


def _right(numbers: np.ndarray, truth: np.ndarray, frames: np.ndarray) -> float:
    """Share of successive true points with one number (divisions are left out: peers name them differently)."""
    order = np.lexsort((frames, truth))
    same = np.diff(truth[order]) == 0
    return float((np.diff(numbers[order]) == 0)[same].mean())


def _peers(frames: np.ndarray, places: np.ndarray) -> dict[str, Callable[[], Any]]:
    import pandas as pd

    table_ = pd.DataFrame({"y": places[:, 0], "x": places[:, 1], "frame": frames})
    ways: dict[str, Callable[[], Any]] = {}
    if importlib.util.find_spec("trackpy"):
        import trackpy

        trackpy.quiet()
        ways["trackpy"] = lambda: trackpy.link(table_, REACH, memory=GAP).sort_index()["particle"].to_numpy()
    if importlib.util.find_spec("laptrack"):
        from laptrack import LapTrack

        square = REACH**2
        peer = LapTrack(cutoff=square, splitting_cutoff=square, gap_closing_cutoff=square,
                        gap_closing_max_frame_count=GAP)

        def by_laptrack() -> np.ndarray:
            found = peer.predict_dataframe(table_.reset_index(), coordinate_cols=["x", "y"], frame_col="frame",
                                           only_coordinate_cols=False)[0]
            return found.sort_values("index")["track_id"].to_numpy()

        ways["laptrack"] = by_laptrack
    return ways
