"""Progress on stderr: what, share, loss, score, time left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from isocenter.data import Progress

BAR = 24


class Meter:
    """Shows progress: one bar that is redrawn on a terminal, a line at every tenth of the work elsewhere.

    Parameters
    ----------
    stream
        Where to, usually stderr.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.terminal = stream.isatty()
        self.last: tuple[str, int] = ("", -1)
        self.drawn = 0.0

    def __call__(self, progress: Progress) -> None:
        """Takes one message."""
        if self.terminal:
            self._draw(progress)
        else:
            self._print(progress)

    def _draw(self, progress: Progress) -> None:
        now = time.monotonic()
        done = progress.share >= 1
        # Ten pictures a second are plenty; the end is always drawn.
        if now - self.drawn < 0.1 and not done and progress.what == self.last[0]:
            return
        self.drawn, self.last = now, (progress.what, 0)
        filled = round(BAR * min(progress.share, 1))
        self.stream.write(f"\r\x1b[K{line(progress, '#' * filled + '.' * (BAR - filled))}" + ("\n" if done else ""))
        self.stream.flush()

    def _print(self, progress: Progress) -> None:
        step = (progress.what, int(progress.share * 10))
        if step != self.last:
            self.last = step
            self.stream.write(line(progress) + "\n")
            self.stream.flush()


def line(progress: Progress, bar: str = "") -> str:
    """One message as text."""
    parts = [f"{progress.what} {bar}".strip(), f"{min(progress.share, 1):4.0%}"]
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.4f}")
    if progress.score is not None:
        parts.append(f"score {progress.score:.4f}")
    if progress.seconds_left is not None:
        left = round(progress.seconds_left)
        parts.append(f"{left // 60}:{left % 60:02d} left")
    return "  ".join(parts)
