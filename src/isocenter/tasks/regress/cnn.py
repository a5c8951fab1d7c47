"""Convolutional network: learns how much something is, in two or three dimensions.

The networks of `classify/cnn` with one output: a small one for few images, ResNet-18 for more, others by name. The
number is learnt in standard deviations of train; its interval comes from how far answers are off on val (split
conformal prediction, Lei et al., JASA 2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isocenter.data import Before, Cases, Study, Watch, knob, silent
from isocenter.ops.array import Array
from isocenter.tasks._study import NETWORKS, studied

if TYPE_CHECKING:
    from isocenter.tasks.regress._fitted import FittedRegressor


@dataclass(frozen=True)
class Form:
    """What sets one network of a name apart from another."""

    weights: str | None = knob(
        None,
        "safetensors file of the network's published 2D weights, as `isocenter convert` makes it; the last layer "
        "begins anew, the first is fitted to the channels, volumes take each kernel in equal parts across slices",
    )
    context: int | None = knob(
        None,
        "of volumes: look in the plane of each slice alone, with so many slices above and below as its context "
        "(2.5D; 0: plain 2D), and take the mean over slices; None: three axes throughout",
        low=0,
        high=8,
    )


@dataclass(frozen=True)
class Cnn:
    """The recipe of a network that measures. None means that the plan decides, from the training cases."""

    network: Any = knob(
        None,
        f"the network: {', '.join(NETWORKS)}, 'module:Class' called as Class(channels, outputs), or an nn.Module",
        choices=NETWORKS,
    )
    width: int | None = knob(
        None, "channels of the first stage, to which all others are in proportion; 64 in most papers", low=4, high=256,
        tunable=True,
    )  # fmt: skip
    dropout: float | None = knob(
        None, "share of the features dropped in training before the last layers", low=0, high=0.9, tunable=True
    )
    form: Form = knob(Form, "public weights, slices")
    study: Study = knob(
        Study, "how it learns; what is drawn larger or smaller (study.augment.spatial.scaling) has another area"
    )
    before: Before = knob(
        Before, "what happens to every image first; images of uneven spacing need before.spacing where sizes count"
    )

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedRegressor:
        """Trains on `train`; `valid` chooses the best weights and says how far answers are off.

        Raises
        ------
        MissingExtraError
            torch is not installed.
        IsocenterError
            As `isocenter.fit.fitted`.
        """
        from isocenter.tasks.regress._fitted import FittedRegressor

        return studied(FittedRegressor, self, train, valid, watch=watch)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedRegressor:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.regress._fitted import FittedRegressor

        return FittedRegressor.from_state(about, state)
