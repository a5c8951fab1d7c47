from __future__ import annotations

import io

from isocenter.data import Progress
from isocenter.faces.progress import Meter, line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_says_what_share_loss_score_and_time_left() -> None:
    assert line(Progress("train", 0.5, loss=0.25, score=0.9, seconds_left=125)) == (
        "train   50%  loss 0.2500  score 0.9000  2:05 left"
    )


def test_elsewhere_than_on_a_terminal_there_is_a_line_a_tenth_and_no_bar() -> None:
    stream = io.StringIO()
    meter = Meter(stream)
    for i in range(1001):
        meter(Progress("train", i / 1000))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 11
    assert "\r" not in stream.getvalue() and "#" not in stream.getvalue()


def test_a_new_kind_of_work_is_said_at_once() -> None:
    stream = io.StringIO()
    meter = Meter(stream)
    meter(Progress("train", 0.5))
    meter(Progress("export", 0.5))
    assert stream.getvalue().splitlines() == ["train   50%", "export   50%"]


def test_a_terminal_has_one_bar_that_is_redrawn_and_ends_its_line() -> None:
    stream = Terminal()
    meter = Meter(stream)
    for i in range(1001):
        meter(Progress("train", i / 1000))
    text = stream.getvalue()
    assert text.count("\n") == 1 and text.endswith("\n") and "#" * 24 in text
    # It is drawn ten times a second at most, not a thousand times.
    assert text.count("\r") < 50
