"""The circumstances of one training among several."""

from __future__ import annotations

from pathlib import Path

from isocenter.data import Progress, Watch
from isocenter.tasks._members import APART, share_of


def test_time_progress_and_seeds_are_divided(tmp_path: Path) -> None:
    seen: list[Progress] = []
    whole = Watch(report=seen.append, folder=tmp_path, seed=3, threads=1, minutes=30.0)
    second = share_of(whole, 1, 3, 2)
    assert (second.minutes, second.seed, second.folder) == (10.0, 3 + 2 * APART, tmp_path / "member1")
    assert second.folder is not None and second.folder.is_dir()
    second.report(Progress("train", 0.5, score=0.25, seconds_left=9.0))
    assert (seen[0].what, seen[0].share, seen[0].score, seen[0].seconds_left) == ("member 2/3: train", 0.5, 0.25, None)
    assert share_of(Watch(threads=1), 0, 1, 0).folder is None
