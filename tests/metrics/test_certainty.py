from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.errors import InputError, UsageError
from isocenter.metrics.certainty import Certainty, certainty


@pytest.fixture
def sides(binary, scored):
    def made(seed: int, n: int = 200):
        rng = np.random.default_rng(seed)
        p = rng.random(n)
        return scored(binary((rng.random(n) < p).astype(int), p), resamples=5)

    return made(0), made(1)


def test_sets_and_abstention_are_chosen_on_val_and_measured_elsewhere(sides) -> None:
    found = certainty(*sides, coverage=0.9, risk=0.2)
    assert found.sets is not None and found.sets.n == 200 and found.limit is not None
    assert found.covered["coverage"]["all"].value == pytest.approx(0.9, abs=0.06)
    assert found.answered["risk"].value <= 0.2 and found.area is not None
    texts = [text for text, _ in found.rows()]
    assert texts[0] == "sets that hold the truth (asked 0.9)" and "wrong among these (asked 0.2)" in texts
    assert all(s.low is not None for _, s in found.rows())
    json.dumps(found.as_json(), allow_nan=False)


def test_each_is_asked_for_by_itself(sides) -> None:
    nothing = certainty(None, sides[1])
    assert nothing.sets is None and [t for t, _ in nothing.rows()] == ["area under the risk-coverage curve"]
    alone = certainty(*sides, risk=0.2)
    assert alone.sets is None and alone.answered and not alone.covered
    sets = certainty(*sides, coverage=0.8, sets="aps")
    assert sets.sets is not None and sets.sets.kind == "aps" and not sets.answered
    assert certainty(*sides, risk=1e-6).limit is None
    assert Certainty().rows() == [] and Certainty().as_json()["area"] is None


def test_refusals(sides) -> None:
    with pytest.raises(InputError, match="calibration cases of"):
        certainty(*sides, coverage=0.9, sets="lac-by-class")
    with pytest.raises(UsageError):
        certainty(*sides, coverage=0.9, sets="best")
