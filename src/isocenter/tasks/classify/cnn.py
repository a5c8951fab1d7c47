"""Convolutional network: learns what an image is, in two or three dimensions, for one or several labels.

A small network for few images, ResNet-18 (He et al., CVPR 2016) for more; temperature (Guo et al., ICML 2017) and
decision threshold are chosen on val.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isocenter.data import Before, Cases, Study, Watch, knob, silent
from isocenter.ops.array import Array
from isocenter.tasks._study import studied

if TYPE_CHECKING:
    from isocenter.tasks.classify._fitted import FittedClassifier


@dataclass(frozen=True)
class Cnn:
    """The recipe of a classifying network. None means that the plan decides, from the training cases."""

    network: Any = knob(
        None,
        "the network: small, resnet18, 'module:Class' called as Class(channels, outputs), or an nn.Module",
        choices=("small", "resnet18"),
    )
    width: int | None = knob(
        None, "channels of the first stage; each further stage doubles them", low=4, high=256, tunable=True
    )
    dropout: float | None = knob(None, "share of pooled features dropped in training", low=0, high=0.9, tunable=True)
    smoothing: float | None = knob(
        None, "share of the target spread over all classes", low=0, high=0.9, source="Szegedy et al., CVPR 2016"
    )
    study: Study = knob(Study, "how it learns")
    before: Before = knob(Before, "what happens to every image first")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedClassifier:
        """Trains on `train`; `valid` chooses the best weights, the temperature and the threshold.

        Raises
        ------
        MissingExtraError
            torch is not installed.
        IsocenterError
            As `isocenter.fit.fitted`.
        """
        from isocenter.tasks.classify._fitted import FittedClassifier

        return studied(FittedClassifier, self, train, valid, watch=watch)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedClassifier:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.classify._fitted import FittedClassifier

        return FittedClassifier.from_state(about, state)
