"""What each attribute added to an answer that rests on attributes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isocenter.data import Case, NotEvaluated, knob
from isocenter.data.findings.contributions import Contributions
from isocenter.errors import RecipeError


@dataclass(frozen=True)
class Attributes:
    """The part of each attribute in the log-odds of a class, with the probability with which it was found.

    Exact: of a linear model these are the Shapley values against the mean of train.

    Sources: Koh et al., ICML 2020; Lundberg and Lee, NeurIPS 2017.

    Raises
    ------
    RecipeError
        `of` is missing, or rests on no attributes.
    """

    of: Any = knob(None, "the fitted classifier: a bundle of classify/attributes")
    target: str | None = knob(None, "class to explain; None: the answer's own")

    def __post_init__(self) -> None:
        if not hasattr(self.of, "contributed"):
            raise RecipeError(
                "only a classifier that goes through attributes has their parts",
                got="nothing" if self.of is None else type(self.of).__name__, wanted="a bundle of classify/attributes",
                remedy="explain/occlusion takes any predictor",
            )  # fmt: skip

    def predict(self, case: Case) -> Contributions | NotEvaluated:
        """The parts, which add up to the answer's log-odds less those of the mean of train.

        Raises
        ------
        NotFoundError
            The method knows no such class.
        """
        found: Contributions | NotEvaluated = self.of.contributed(case, target=self.target)
        return found
