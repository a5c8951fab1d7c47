from __future__ import annotations

import os

import pytest

from isocenter.errors import UsageError
from isocenter.verbs._options import Studying, checked, minutes_of, reporter, threads_of, watch_of


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"Did you mean threads\?"):
        checked({"thread": 1})
    checked({"seeds": 2, "seed": 1}, Studying)
    with pytest.raises(UsageError, match="unknown option 'seeds'"):
        checked({"seeds": 2})


@pytest.mark.parametrize("text", ["", "0", "0m", "-5", "ten", "5 apples", "1m1h", "1e400m"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="90s"):
        minutes_of(text)


@pytest.mark.parametrize(
    ("text", "minutes"), [("90s", 1.5), ("20m", 20), ("1h", 60), ("1h30m", 90), ("2.5", 2.5), (3, 3)]
)
def test_times(text: str | float, minutes: float) -> None:
    assert minutes_of(text) == minutes
    assert minutes_of(None) is None


def test_threads_follow_the_cores_and_no_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert threads_of({}) == len(os.sched_getaffinity(0))
    assert threads_of({"threads": 3}) == 3
    with pytest.raises(UsageError, match="1 or more"):
        threads_of({"threads": 0})


def test_a_watch_holds_the_circumstances() -> None:
    said: list[object] = []
    watch = watch_of({"seed": 4, "threads": 2, "device": "cpu", "report": said.append}, minutes=2.0)
    assert (watch.seed, watch.threads, watch.device, watch.minutes, watch.resume) == (4, 2, "cpu", 2.0, False)
    watch.report(None)  # type: ignore[arg-type]
    assert said == [None]


def test_without_a_reporter_progress_goes_nowhere() -> None:
    reporter({})(None)  # type: ignore[arg-type]
