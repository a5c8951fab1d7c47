"""What `given` is in every task: findings from a column or a folder, checked for their kind and grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from isocenter.data import Boxes, Case, Instances, NotEvaluated, Segmentation, knob
from isocenter.errors import LabelError, RecipeError

F = TypeVar("F")


@dataclass(frozen=True)
class Elsewhere:
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

    def found(self, case: Case, kind: type[F]) -> F | NotEvaluated:
        """What was given for this case; NotEvaluated where there is none or it lies on another grid.

        Parameters
        ----------
        case
            Whose finding it is.
        kind
            The finding of the task.

        Raises
        ------
        NotFoundError
            There is no such column or folder.
        LabelError
            What was given is another kind of finding.
        """
        given = case.given(self.column or self.folder or "")
        if isinstance(given, (Segmentation, Boxes, Instances)):
            own, theirs = case.image().geometry, given.geometry
            if not theirs.same_grid(own):
                return NotEvaluated("what was given lies on another grid", str(theirs.shape), str(own.shape))
        if not isinstance(given, (kind, NotEvaluated)):
            got = type(given).__name__
            raise LabelError("another kind of finding was given", where=case.id, got=got, wanted=kind.__name__)
        return given
