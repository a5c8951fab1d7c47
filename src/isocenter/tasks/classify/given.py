"""Classes that were found elsewhere: by a reader, a second observer, another program."""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.data import Case, NotEvaluated, Probabilities
from isocenter.tasks._given import Elsewhere


@dataclass(frozen=True)
class Given(Elsewhere):
    """Findings from a column of the table or from a folder, so that people and foreign tools stand in the same table.

    A cell holds a class, or with two classes the probability (0 to 1) of the positive one. A file holds a class, or as
    JSON the probability of every class.

    Raises
    ------
    RecipeError
        Neither or both of `column` and `folder` are named.
    """

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """What was given for this case; NotEvaluated where there is none or it lies on another grid.

        Raises
        ------
        NotFoundError
            There is no such column or folder.
        LabelError
            What was given is another kind of finding.
        """
        return self.found(case, Probabilities)
