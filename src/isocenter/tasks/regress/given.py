"""Numbers that were found elsewhere: by a reader, a second observer, another program."""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.data import Case, NotEvaluated, Values
from isocenter.tasks._given import Elsewhere


@dataclass(frozen=True)
class Given(Elsewhere):
    """Numbers from a column of the table or from a folder, so that people and foreign tools stand in the same table.

    Raises
    ------
    RecipeError
        Neither or both of `column` and `folder` are named.
    """

    def predict(self, case: Case) -> Values | NotEvaluated:
        """What was given for this case; NotEvaluated where there is none.

        Raises
        ------
        NotFoundError
            There is no such column or folder.
        LabelError
            What was given is no number.
        """
        return self.found(case, Values)
