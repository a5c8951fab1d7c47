"""Classes that were found elsewhere: by a reader, a second observer, another program."""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.data import Case, NotEvaluated, Probabilities, knob
from isocenter.errors import LabelError, RecipeError


@dataclass(frozen=True)
class Given:
    """Findings from a column of the table or from a folder, so that people and foreign tools stand in the same table.

    Raises
    ------
    RecipeError
        Neither or both of `column` and `folder` are named.
    """

    column: str | None = knob(None, "column of the table whose cells hold or name the findings")
    folder: str | None = knob(None, "folder of files named after the images or the cases")

    def __post_init__(self) -> None:
        if (self.column is None) == (self.folder is None):
            raise RecipeError(
                "given needs one place to take findings from",
                got=f"column={self.column}, folder={self.folder}",
                remedy="Set column=NAME or folder=PATH",
            )

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """What was given for this case; NotEvaluated where there is none.

        Raises
        ------
        NotFoundError
            There is no such column or folder.
        LabelError
            What was given is no class.
        """
        found = case.given(self.column or self.folder or "")
        if not isinstance(found, (Probabilities, NotEvaluated)):
            got = type(found).__name__
            raise LabelError("another kind of finding was given", where=case.id, got=got, wanted="Probabilities")
        return found
