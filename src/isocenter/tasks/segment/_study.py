"""How every network of this question is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isocenter.data import Cases, Watch
from isocenter.errors import MissingExtraError

if TYPE_CHECKING:
    from isocenter.tasks.segment._fitted import FittedSegmenter

# For the field `loss` of a recipe.
LOSS = (
    "terms joined by +: dice, generalised_dice, cross_entropy, focal, tversky, cldice, boundary; None: the plan "
    "decides, dice+cross_entropy as a rule"
)


def studied(recipe: Any, train: Cases, valid: Cases, *, watch: Watch) -> FittedSegmenter:
    """The network of a recipe, trained on `train`; `valid` chooses the best weights.

    Raises
    ------
    MissingExtraError
        torch is not installed.
    IsocenterError
        As `isocenter.fit.fitted`.
    """
    try:
        from isocenter.fit import fitted
    except ModuleNotFoundError as error:
        raise MissingExtraError("training a network", "train") from error
    from isocenter.tasks.segment._fitted import FittedSegmenter

    return FittedSegmenter(*fitted(recipe, train, valid, task="segment", watch=watch))
