from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import MissingExtraError, RecipeError
from isocenter.fit.tuning import AROUND, BLIND, Dimension, Search, around, explained

pytest.importorskip("optuna", reason="pip install 'isocenter[tune]'")
SPACE = [
    Dimension("x", 1e-4, 1.0, log=True),
    Dimension("n", 2, 32, log=True, whole=True),
    Dimension("k", choices=("a", "b")),
]


def height(values: dict[str, object]) -> float:
    """Best at x = 0.01 and k = b; n matters little."""
    x, n = float(str(values["x"])), int(str(values["n"]))
    return -abs(math.log10(x) + 2) + 0.01 * math.log2(n) + (1.0 if values["k"] == "b" else 0.0)


def searched(file: Path, *, seed: int = 0, trials: int = 12) -> Search:
    search = Search(file, seed=seed)
    if not search.trials():
        start = {"x": 0.5, "n": 8, "k": "a"}
        search.began(start, SPACE, score=height(start), seconds=1.0)
    while len(search.trials()) < trials:
        number, values = search.proposed(SPACE)
        search.ended(number, score=height(values), seconds=2.0)
    return search


def test_it_finds_more_than_it_began_with(tmp_path: Path) -> None:
    trials = searched(tmp_path / "s.sqlite", trials=30).trials()
    assert trials[0].values == {"x": 0.5, "n": 8, "k": "a"} and trials[0].seconds == 1.0
    assert max(t.score or -9 for t in trials) > (trials[0].score or 0) + 1.5
    assert all(d.holds(t.values[d.name]) for t in trials for d in SPACE)
    assert all(isinstance(t.values["n"], int) for t in trials)


def test_what_mattered(tmp_path: Path) -> None:
    shares = searched(tmp_path / "s.sqlite", trials=40).importance()
    assert all(0 <= v <= 1 for v in shares.values())
    assert shares["n"] < min(shares["x"], shares["k"]) and max(shares.values()) > 0.3
    assert searched(tmp_path / "few.sqlite", trials=BLIND).importance() == {}


def test_importance_by_hand() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=400)
    assert explained(rng.normal(size=400).tolist(), noise.tolist()) < 0.03, "chance alone is taken off"
    # Groups a and b differ by 2 SD: the variance between them is 1 in 2.
    kinds = ["a", "b"] * 200
    assert explained(kinds, (noise + 2 * (np.arange(400) % 2)).tolist()) == pytest.approx(0.5, abs=0.05)
    assert explained([1, 1, 1, 1], [0.0, 1.0, 0.0, 1.0]) == 0.0 and explained([True, False] * 3, [1.0] * 6) == 0.0
    # 4 of 40 lies inside the groups, on 2 of 3 degrees of freedom.
    assert explained(["a", "a", "b", "b"], [0.0, 2.0, 6.0, 8.0]) == pytest.approx(1 - (4 / 2) / (40 / 3))


def test_a_search_that_was_killed_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    whole = searched(tmp_path / "a.sqlite").trials()
    searched(tmp_path / "b.sqlite", trials=7)
    # Killed in the middle of a trial.
    number, values = Search(tmp_path / "b.sqlite", seed=0).proposed(SPACE)
    assert (number, values) == (7, dict(whole[7].values))
    assert Search(tmp_path / "b.sqlite", seed=0).proposed(SPACE) == (number, values)
    assert searched(tmp_path / "b.sqlite").trials() == whole
    assert searched(tmp_path / "c.sqlite", seed=1).trials()[1:] != whole[1:]


@pytest.mark.parametrize("written", [0, 1, 2])
def test_one_killed_while_its_values_were_written_down_never_was(tmp_path: Path, written: int) -> None:
    whole = searched(tmp_path / "a.sqlite").trials()
    torn = searched(tmp_path / "b.sqlite", trials=7)
    torn._study.ask({d.name: d.distribution() for d in SPACE[:written]})
    assert searched(tmp_path / "b.sqlite").trials() == whole


def test_a_trial_that_failed_says_why_and_the_search_goes_on(tmp_path: Path) -> None:
    search = searched(tmp_path / "s.sqlite", trials=3)
    number, _ = search.proposed(SPACE)
    search.ended(number, score=None, seconds=0.5, lack="no memory")
    assert search.trials()[-1].lack == "no memory" and search.trials()[-1].score is None
    after, _ = search.proposed(SPACE)
    assert after == number + 1


def test_a_start_outside_the_ranges_is_no_point_of_the_search(tmp_path: Path) -> None:
    search = Search(tmp_path / "s.sqlite", seed=0)
    search.began({"x": 5.0, "n": 8, "k": "a", "more": None}, SPACE, score=0.25, seconds=1.0)
    [first] = search.trials()
    assert first.score == 0.25 and first.values == {"n": 8, "k": "a"}


@pytest.mark.parametrize(
    ("start", "low", "high", "whole", "wanted"),
    [
        (16, 4, 256, True, (4, 64, True)),
        (16, 8, 32, True, (8, 32, True)),
        (0.002, 1e-7, 10, False, (0.0005, 0.008, True)),
        (0.2, 0, 0.9, False, (0, 0.9, False)),
        (None, 0, 0.9, False, (0, 0.9, False)),
        (None, 1, 128, True, (1, 128, True)),
        (None, 1e-7, 10, False, None),
        (None, None, None, False, None),
        (0, 0, 100, False, None),
        (3, 3, 3, True, None),
        (2.0, None, None, False, (2.0 / AROUND, 2.0 * AROUND, True)),
    ],
)
def test_ranges(start: object, low: float | None, high: float | None, whole: bool, wanted: object) -> None:
    found = around(start, low=low, high=high, name="f", whole=whole)
    assert wanted == (found and (found.low, found.high, found.log))
    assert found is None or found.whole == whole


def test_a_yes_or_no_is_tried_both_ways() -> None:
    found = around(True, low=None, high=None, name="f")
    assert found is not None and found.choices == (False, True) and found.text() == "False, True"
    assert found.holds(False) and not found.holds("x")


@pytest.mark.parametrize(
    ("low", "high", "log"), [(None, 1.0, False), (2.0, 1.0, False), (0.0, 1.0, True), (1.0, 1.0, False)]
)
def test_ranges_that_hold_nothing_are_refused(low: float | None, high: float, log: bool) -> None:
    with pytest.raises(RecipeError, match="nothing to search"):
        Dimension("f", low, high, log=log)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match="tune"):
        Search(tmp_path / "s.sqlite", seed=0)
