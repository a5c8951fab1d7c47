from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from isocenter.data import Cases, Score, Scores
from isocenter.verbs._method import resolve
from isocenter.verbs._study import Taken
from isocenter.verbs._trained import Trained


def scored(value: float) -> Scores:
    return Scores("segment", "m", "val", {"dice": {"all": Score(value, 0.0, 1.0, 4)}}, (), 2)


def test_the_spread_over_seeds(squares: Cases) -> None:
    made = Trained(resolve("segment/histogram"), squares, scored(0.7), seeds={0: scored(0.5), 1: scored(0.7)})
    line = next(line for line in made.lines() if line.startswith("spread"))
    assert "mean 0.600, SD 0.141, 0.500 to 0.700 (0: 0.500, 1: 0.700)" in line


def test_the_next_command_follows_the_splits(squares: Cases) -> None:
    made = Trained(resolve("segment/histogram"), squares, data="eyes")
    assert made.lines()[-1] == "next: isocenter evaluate BUNDLE eyes --split test"
    untested = Trained(resolve("segment/histogram"), squares.split("train"))
    assert untested.lines()[-1] == "next: isocenter predict BUNDLE INPUT -o OUT"


def test_it_is_the_predictor_that_it_holds(squares: Cases) -> None:
    made = Trained(resolve("segment/histogram"), squares)
    assert made.predict(squares[0]).names[1] == "foreground"
    assert made.about["recipe"]["bins"] == 256 and made.state() == {} and made.name == "histogram"


def test_the_memory_is_told_beside_its_estimate(squares: Cases) -> None:
    class Network:
        about: ClassVar[dict[str, object]] = {"scheme": {"estimate": {"memory_mb": 900.0}}}

    method = replace(resolve("segment/histogram"), object=Network())
    made = Trained(method, squares, taken=Taken(5.0, 1000.0))
    assert any(line.endswith("peak memory 1000 MB (estimated 900 MB)") for line in made.lines())
    assert made.as_json()["peak_mb"] == 1000.0 and made.as_json()["estimated_mb"] == 900.0
    plain = Trained(resolve("segment/histogram"), squares, taken=Taken(5.0, 1000.0))
    assert plain.as_json()["estimated_mb"] is None and not any("estimated" in line for line in plain.lines())


def test_what_hardening_left_on_val_is_said(squares: Cases) -> None:
    class Hard:
        about: ClassVar[dict[str, object]] = {"adversarial": {"robust": 0.7, "text": "hardened: 0.8, 0.7"}}

    made = Trained(replace(resolve("segment/histogram"), object=Hard()), squares)
    assert "hardened: 0.8, 0.7" in made.lines() and made.as_json()["adversarial"]["robust"] == 0.7
    assert "adversarial" not in Trained(resolve("segment/histogram"), squares).as_json()
