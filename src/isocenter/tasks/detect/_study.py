"""What the recipes of all detecting networks share: their study, and what remains of their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isocenter.data import Cases, Watch, knob
from isocenter.tasks import _study

if TYPE_CHECKING:
    from isocenter.tasks.detect._fitted import FittedDetector


@dataclass(frozen=True)
class Keep:
    """Which boxes of an answer remain."""

    least: float | None = knob(None, "lowest score of the network that is answered at all; 0.01", low=0, high=1)
    overlap: float | None = knob(
        None, "IoU above which only the surer of two boxes of one class remains; 0.5", low=0, high=1
    )
    most: int | None = knob(None, "boxes of an image, or of a tile of a large one; 300", low=1, high=10000)
    windows: bool | None = knob(
        None, "a much larger image shows many fields (true: answered in tiles) or one (false: shrunk); by its extent"
    )


def studied(recipe: Any, train: Cases, valid: Cases, *, watch: Watch) -> FittedDetector:
    """The recipe's network trained on `train`; `valid` chooses the weights and the score limits.

    Raises
    ------
    MissingExtraError
        torch is not installed.
    IsocenterError
        As `isocenter.fit.fitted`.
    """
    from isocenter.tasks.detect._fitted import FittedDetector

    return _study.studied(FittedDetector, recipe, train, valid, watch=watch)
