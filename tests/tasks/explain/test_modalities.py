from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated, Probabilities
from isocenter.data.findings.contributions import Contributions
from isocenter.errors import NotFoundError, RecipeError
from isocenter.tasks.explain.modalities import Modalities

WORTH = {"PET": 2.0, "CT": -0.5, "age": 1.0, "crp": 0.25}


@dataclass(frozen=True)
class Sum:
    """Log-odds that add up over what is there; what is required must be."""

    required: str = ""

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        there = [*case.images, *(k for k, v in case.facts.items() if v is not None)]
        if not there:
            raise NotFoundError("nothing")
        if self.required and self.required not in there:
            return NotEvaluated(f"lacks {self.required}")
        p = 1 / (1 + np.exp(-sum(WORTH[n] for n in there)))
        return Probabilities(("ill", "well"), (float(p), float(1 - p)))


def case(*roles: str, **facts: float | None) -> Case:
    return Case("x", {r: Image.from_array(np.zeros((2, 2))) for r in roles}, "PET", facts=facts)


def test_each_is_the_change_of_the_log_odds_without_it() -> None:
    found = Modalities(of=Sum()).predict(case("PET", "CT", age=61.0, crp=3.0))
    assert isinstance(found, Contributions)
    assert found.items == pytest.approx({"PET": 2.0, "CT": -0.5, "facts": 1.25})
    assert (found.target, found.method, found.answer) == ("ill", "drop-one", pytest.approx(2.75))


def test_for_the_other_class_signs_turn() -> None:
    found = Modalities(of=Sum(), target="well").predict(case("PET", "CT"))
    assert isinstance(found, Contributions) and found.items == pytest.approx({"PET": -2.0, "CT": 0.5})
    with pytest.raises(NotFoundError):
        Modalities(of=Sum(), target="dead").predict(case("PET", "CT"))


def test_what_the_method_cannot_do_without_is_left_out() -> None:
    found = Modalities(of=Sum("PET")).predict(case("PET", "CT"))
    assert isinstance(found, Contributions) and set(found.items) == {"CT"}


def test_there_must_be_several_and_an_answer() -> None:
    alone = Modalities(of=Sum()).predict(case("PET", age=None))
    assert isinstance(alone, NotEvaluated) and "one modality" in alone.reason
    assert isinstance(Modalities(of=Sum("PET")).predict(case("CT", age=3.0)), NotEvaluated)
    with pytest.raises(RecipeError, match="another method"):
        Modalities()
