"""How every network of this question is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isocenter.data import Cases, Watch
from isocenter.tasks import _study

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
    from isocenter.tasks.segment._fitted import FittedSegmenter

    return _study.studied(FittedSegmenter, recipe, train, valid, watch=watch)
