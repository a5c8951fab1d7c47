"""Interleaved timing of several ways to do one job."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Timing:
    """One way to do a job.

    Parameters
    ----------
    name
        Of the tool.
    seconds
        Wall clock of each round, in order.
    cpu
        Processor seconds of each round.
    """

    name: str
    seconds: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def best(self) -> float:
        """Smallest processor time: the fairest figure on a machine that does other things too."""
        return min(self.cpu)


def interleaved(ways: Mapping[str, Callable[[], Any]], *, rounds: int = 5) -> list[Timing]:
    """Each way once per round, so that a busy moment hits all alike; the first round warms up and is not counted."""
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(rounds + 1):
        for name, way in ways.items():
            start, used = time.perf_counter(), time.process_time()
            way()
            if round_:
                wall[name].append(time.perf_counter() - start)
                cpu[name].append(time.process_time() - used)
    return [Timing(name, tuple(wall[name]), tuple(cpu[name])) for name in ways]


def table(job: str, timings: list[Timing]) -> list[str]:
    """Lines of text: milliseconds and each peer's ratio to ours (the first)."""
    ours = timings[0].best
    lines = [f"{job}"]
    for t in timings:
        spread = f"{1000 * min(t.seconds):8.1f} to {1000 * max(t.seconds):8.1f} ms wall"
        lines.append(
            f"  {t.name:32s} {1000 * t.best:8.1f} ms cpu  {spread}  {t.best / ours:6.2f}x ours  (n = {len(t.cpu)})"
        )
    return lines
