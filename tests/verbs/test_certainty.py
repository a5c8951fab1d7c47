from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Case, Cases, Probabilities
from isocenter.errors import InputError, NotFoundError, UsageError
from isocenter.verbs._certainty import certainty_lines
from isocenter.verbs.evaluate import evaluate


class Noisy:
    """A calibrated answer: the probability with which the truth was drawn is the mean of the image."""

    def predict(self, case: Case) -> Probabilities:
        p = float(case.image().pixels().mean())
        return Probabilities(("no", "yes"), (1 - p, p))


@pytest.fixture(scope="module")
def drawn() -> Cases:
    """120 cases of val and 120 of test whose truth was drawn with the probability in their pixels."""
    rng = np.random.default_rng(0)
    p = rng.random(240)
    x = np.repeat(p, 16).reshape(240, 4, 4)
    y = np.where(rng.random(240) < p, "yes", "no")
    made = Cases.from_arrays(x, list(y), splits=["val"] * 120 + ["test"] * 120, subjects=[f"p{i}" for i in range(240)])
    return replace(made, positive="yes")


def test_sets_and_abstention_in_lines_and_json(drawn: Cases) -> None:
    made = evaluate(Noisy(), drawn, coverage=0.9, risk=0.25)
    assert made.certainty is not None and made.certainty.sets is not None and made.certainty.sets.n == 120
    assert made.certainty.covered["coverage"]["all"].value == pytest.approx(0.9, abs=0.08)
    text = "\n".join(made.lines())
    assert "sets that hold the truth (asked 0.9)" in text and "wrong among these (asked 0.25)" in text
    found = json.loads(json.dumps(made.as_json(), allow_nan=False))["certainty"]
    assert found["sets"]["coverage"] == 0.9 and found["answered"]["risk"]["n"] > 0


def test_without_being_asked_only_the_area(drawn: Cases) -> None:
    made = evaluate(Noisy(), drawn)
    assert made.certainty is not None and made.certainty.sets is None and made.certainty.area is not None
    assert certainty_lines(None) == []
    impossible = evaluate(Noisy(), drawn, risk=1e-9)
    assert any("no confidence keeps wrong decisions" in line for line in impossible.lines())


def test_refusals(drawn: Cases, squares: Cases) -> None:
    with pytest.raises(UsageError, match="say nothing"):
        evaluate(Noisy(), drawn, split="val", coverage=0.9)
    with pytest.raises(InputError, match="at least 999"):
        evaluate(Noisy(), drawn, coverage=0.999)
    with pytest.raises(UsageError, match="of classifications"):
        evaluate("segment/histogram", squares, coverage=0.9)
    with pytest.raises(NotFoundError):
        evaluate(Noisy(), drawn.split("test"), coverage=0.9)
