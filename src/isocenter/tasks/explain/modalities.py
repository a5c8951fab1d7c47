"""What each modality added to an answer: the answer with and without each image and the facts; takes any predictor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import Case, NotEvaluated, knob
from isocenter.data.findings.contributions import Contributions
from isocenter.errors import NotFoundError, RecipeError
from isocenter.metrics.asked import asked

FACTS = "facts"
# Probabilities are kept this far from 0 and 1, so that their log-odds are numbers.
EDGE = 1e-6


@dataclass(frozen=True)
class Modalities:
    """The change of the log-odds when one image, or all facts together, are taken away and the rest stays.

    Modalities that tell the same cover for one another: each may change little, and together much. What the method
    cannot do without is left out, as is what it does not look at where that is all that remains.

    Source: leave-one-covariate-out, Lei et al., J. Am. Stat. Assoc. 113 (2018) 1094.

    Raises
    ------
    RecipeError
        `of` is missing or does not answer.
    """

    of: Any = knob(None, "the method to explain: a bundle, or any other that answers without some of its inputs")
    target: str | None = knob(None, "class to explain, or `not CLASS`; None: the answer's own")

    def __post_init__(self) -> None:
        if not hasattr(self.of, "predict"):
            raise RecipeError("modalities explains another method", wanted="of=", remedy="Name a bundle")

    def predict(self, case: Case) -> Contributions | NotEvaluated:
        """The changes, positive where the modality speaks for the class; `base` is 0, `answer` the log-odds with all.

        NotEvaluated where the case has a single modality, or there is no answer.

        Raises
        ------
        NotFoundError
            The answer knows no such class.
        """
        names = (*case.images, *((FACTS,) if any(v is not None for v in case.facts.values()) else ()))
        if len(names) < 2:
            return NotEvaluated("one modality cannot be taken away from itself", ", ".join(names), "two or more")
        question = asked(self.of, case, self.target)
        if isinstance(question, NotEvaluated):
            return question
        whole = _log_odds(question.answer(case))
        changes = {name: without for name in names if (without := self._without(case, name, question)) is not None}
        if not changes:
            return NotEvaluated("the method can do without none of them", ", ".join(names))
        moved = {name: whole - value for name, value in changes.items()}
        return Contributions(moved, question.target, 0.0, whole, "drop-one")

    def _without(self, case: Case, name: str, question: Any) -> float | None:
        """Log-odds when one modality is gone; None where there is no answer then."""
        less = replace(case, facts=dict.fromkeys(case.facts)) if name == FACTS else _less(case, name)
        try:
            if isinstance(self.of.predict(less), NotEvaluated):
                return None
        except NotFoundError:
            return None
        return _log_odds(question.answer(less))


def _less(case: Case, role: str) -> Case:
    return replace(case, images={r: image for r, image in case.images.items() if r != role})


def _log_odds(probability: float) -> float:
    p = float(np.clip(probability, EDGE, 1 - EDGE))
    return float(np.log(p / (1 - p)))
