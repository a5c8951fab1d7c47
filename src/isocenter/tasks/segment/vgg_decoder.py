"""VGG-16 with a decoder as in U-Net, from nothing or from public weights, stopped when val gets no better.

Simonyan and Zisserman, ICLR 2015; Ronneberger et al., MICCAI 2015; the two joined as in Iglovikov and Shvets, arXiv
1801.05746.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from isocenter.data import After, Before, Cases, Study, Watch, knob, silent
from isocenter.errors import RecipeError
from isocenter.ops.array import Array
from isocenter.tasks.segment._study import LOSS, studied

if TYPE_CHECKING:
    from isocenter.tasks.segment._fitted import FittedSegmenter

# Validations without a better score before it stops, where nobody says.
PATIENCE = 10


@dataclass(frozen=True)
class VGGDecoder:
    """The recipe of a VGG-16 with decoder. None means that the plan decides.

    Raises
    ------
    RecipeError
        A frozen encoder that knows nothing.
    """

    network: ClassVar[str] = "vgg_decoder"

    weights: str | None = knob(
        None,
        "safetensors file with features.N.weight and features.N.bias of a VGG-16, as `isocenter convert` makes it; "
        "images of one channel take the sum over the file's three",
    )
    frozen: bool = knob(False, "the encoder keeps its weights")
    width: int | None = knob(
        None, "channels of the first stage; None: 16, and 64 where there are weights", low=4, high=256, tunable=True
    )
    loss: str | None = knob(None, LOSS)
    study: Study = knob(Study, f"how it learns; patience is {PATIENCE} where nobody says")
    before: Before = knob(Before, "what happens to every image first")
    after: After = knob(After, "what happens to every answer")

    def __post_init__(self) -> None:
        if self.frozen and self.weights is None:
            raise RecipeError("an encoder that knows nothing is not frozen", remedy="Set weights=FILE.safetensors")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedSegmenter:
        """Trains on `train`; `valid` chooses the best weights and the end; raises as `isocenter.fit.fitted`."""
        stopping = self.study if self.study.patience is not None else replace(self.study, patience=PATIENCE)
        return studied(replace(self, study=stopping), train, valid, watch=watch)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedSegmenter:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.segment._fitted import FittedSegmenter

        return FittedSegmenter.from_state(about, state)
