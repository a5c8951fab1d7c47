"""Convolutional network: learns what an image is, in two or three dimensions, for one or several labels.

A small network for few images, ResNet-18 (He et al., CVPR 2016) for more, others by name: that of the textbooks,
AlexNet (Krizhevsky, arXiv 1404.5997), VGG-16 (Simonyan and Zisserman, ICLR 2015), GoogLeNet (Szegedy et al., CVPR
2015), ResNet-50, DenseNet-121 (Huang et al., CVPR 2017), MobileNetV3-Small (Howard et al., ICCV 2019),
EfficientNet-Lite0 (Tan and Le, ICML 2019). Temperature (Guo et al., ICML 2017) and decision threshold are chosen on
val.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isocenter.data import Before, Cases, Study, Watch, knob, silent
from isocenter.data.study import Imbalance
from isocenter.ops.array import Array
from isocenter.tasks._study import NETWORKS, studied

if TYPE_CHECKING:
    from isocenter.tasks.classify._fitted import FittedClassifier


@dataclass(frozen=True)
class Form:
    """What sets one classifier of a name apart from another."""

    weights: str | None = knob(
        None,
        "safetensors file of the network's published 2D weights, as `isocenter convert` makes it, or for `small` the "
        "bundle of an autoencoder; the last layer "
        "begins anew where the classes are others, the first is fitted to the channels, volumes take each kernel in "
        "equal parts across slices",
    )
    context: int | None = knob(
        None,
        "of volumes: look in the plane of each slice alone, with so many slices above and below as its context "
        "(2.5D; 0: plain 2D), and take the mean over slices; None: three axes throughout",
        low=0,
        high=8,
    )
    calibration: str | None = knob(
        None,
        "how logits become probabilities, chosen on val: temperature (keeps the most probable class), platt (slope and "
        "offsets), isotonic (rising steps; needs many cases, may tie), none; None: temperature",
        choices=("temperature", "platt", "isotonic", "none"),
        source="Guo et al., ICML 2017; Platt 1999; Zadrozny and Elkan, KDD 2002",
    )
    order: tuple[Any, ...] | None = knob(
        None,
        "the classes from the lowest to the highest, where they have an order: mistakes then count by how many steps "
        "they are off",
        source="Niu et al., CVPR 2016; Cao et al., Pattern Recognition Letters 2020",
    )


@dataclass(frozen=True)
class Cnn:
    """The recipe of a classifying network. None means that the plan decides, from the training cases."""

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
    form: Form = knob(Form, "public weights, slices, order of the classes")
    imbalance: Imbalance = knob(Imbalance, "classes of uneven size, and labels that may be wrong")
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
