"""Tracks that were made elsewhere: by a reader, a second observer, another program."""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.data import Case, NotEvaluated, Tracks
from isocenter.tasks._given import Elsewhere


@dataclass(frozen=True)
class Given(Elsewhere):
    """Findings from a column of the table or from a folder, so that people and foreign tools stand in the same table.

    Raises
    ------
    RecipeError
        Neither or both of `column` and `folder` are named.
    """

    def predict(self, case: Case) -> Tracks | NotEvaluated:
        """What was given for this case; NotEvaluated where there is none or it lies on another grid.

        Raises
        ------
        NotFoundError
            There is no such column or folder.
        LabelError
            What was given is another kind of finding.
        """
        found = self.found(case, Tracks)
        if isinstance(found, Tracks) and not found.geometry.same_grid(case.image().geometry):
            return NotEvaluated("what was given lies on another grid", str(found.geometry.shape),
                                str(case.image().geometry.shape))
        return found
