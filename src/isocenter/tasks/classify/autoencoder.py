"""Autoencoder: learns what normal images are like from them alone, and tells others by how badly it restores them.

Convolutional, variational (Kingma and Welling, ICLR 2014) or denoising (Vincent et al., ICML 2008; with coarse noise
Kascenas, Pugeault, O'Neil, MIDL 2022); compared by Baur et al., Medical Image Analysis 69 (2021) 101952. Its encoder is
that of the network `small`, so that it can also begin a `cnn`: form.weights=BUNDLE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from isocenter.data import Before, Cases, Study, Watch, knob, silent
from isocenter.errors import LabelError, RecipeError, nearest
from isocenter.ops.array import Array
from isocenter.tasks._study import studied

if TYPE_CHECKING:
    from isocenter.tasks.classify._fitted import FittedClassifier

KINDS = ("convolutional", "variational", "denoising")
SCORES = ("error", "elbo", "mahalanobis")


@dataclass(frozen=True)
class Anomaly:
    """What is normal, and how far an image is from it."""

    normal: str | None = knob(
        None, "the class it learns from; None: of two the one that is not the positive one, such as normal or benign"
    )
    score: str | None = knob(
        None,
        "what tells images apart: error (mean squared, of what is restored), elbo (variational: minus the evidence "
        "lower bound), mahalanobis (distance of the code from that of normal images); None: elbo if variational, else "
        "error",
        choices=SCORES,
        source="Baur et al., Medical Image Analysis 2021; Lee et al., NeurIPS 2018 (distance)",
    )
    every: bool = knob(
        False, "learn from all images of train, of whatever class and with or without truth: for pre-training"
    )


@dataclass(frozen=True)
class Autoencoder:
    """The recipe of an autoencoder of two classes, normal and not. None means that the plan decides.

    Probability (Platt) and threshold are chosen on val, which alone shows it the other class.

    Raises
    ------
    RecipeError
        A grid or a patch of its own: it sees images whole at one size. An ELBO of a kind that has none.
    """

    network: ClassVar[str] = "autoencoder"
    # Train may lack the class that is not normal: nothing is learnt from it.
    one_class: ClassVar[bool] = True
    kind: str = knob("convolutional", "which autoencoder", choices=KINDS, tunable=True)
    width: int | None = knob(
        None, "channels of the first stage; each further stage doubles them; 16", low=4, high=128, tunable=True
    )
    code: int = knob(32, "how many numbers stand for an image", low=1, high=4096, tunable=True)
    noise: float = knob(
        0.8, "denoising: SD of the coarse noise in training, values having SD 1", unit="SD", low=0.01, high=10,
        source="Kascenas et al., MIDL 2022",
    )  # fmt: skip
    anomaly: Anomaly = knob(Anomaly, "what is normal, and how far an image is from it")
    study: Study = knob(Study, "how it learns")
    before: Before = knob(Before, "what happens to every image first")

    def __post_init__(self) -> None:
        own = {"before.spacing": self.before.spacing, "before.coarser": self.before.coarser,
               "study.patch": self.study.patch}  # fmt: skip
        for name, value in own.items():
            if value is not None:
                raise RecipeError("an autoencoder sees images whole at one size", got=f"{name}={value}",
                                  remedy=f"Leave {name} out")
        if self.study.augment.adversarial.epsilon:
            raise RecipeError("an autoencoder learns no classes that could be attacked",
                              remedy="Leave study.augment.adversarial.epsilon at 0")
        if self.anomaly.score == "elbo" and self.kind != "variational":
            raise RecipeError("only a variational autoencoder has an ELBO", got=f"kind={self.kind}",
                              wanted="kind=variational", remedy="Or set anomaly.score to error or mahalanobis")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedClassifier:
        """Trains on the normal images of `train`; those of `valid` choose the weights, all of it the threshold.

        Raises
        ------
        LabelError
            There are other than two classes, which is normal is not known, or train has no case of it.
        MissingExtraError
            torch is not installed.
        IsocenterError
            As `isocenter.fit.fitted`.
        """
        from isocenter.tasks.classify._fitted import FittedClassifier

        normal = normal_of(train, self.anomaly.normal)
        abnormal = next(c for c in train.classes if c != normal)
        train, valid = (replace(side, positive=abnormal) for side in (train, valid))
        if not self.anomaly.every:
            chosen = [i for i, entry in enumerate(train.entries) if entry.labels == (normal,)]
            if not chosen:
                raise LabelError("there is no normal case to learn from", where=train.name, wanted=normal)
            train = train.subset(chosen)
        return studied(FittedClassifier, self, train, valid, watch=watch, head="autoencode")

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedClassifier:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.classify._fitted import FittedClassifier

        return FittedClassifier.from_state(about, state)


def normal_of(cases: Cases, asked: str | None) -> str:
    """The class that counts as normal; LabelError as `Autoencoder.fit`."""
    if len(cases.classes) != 2 or cases.multilabel:
        raise LabelError(
            "an autoencoder tells normal from the rest", where=cases.name, got=", ".join(cases.classes),
            wanted="two classes that exclude each other",
            remedy="Give a column with two classes: --target COLUMN",
        )  # fmt: skip
    if asked is not None:
        if asked not in cases.classes:
            raise LabelError(f"no class {asked!r}", where=cases.name, remedy=nearest(asked, cases.classes))
        return asked
    if cases.positive not in cases.classes:
        raise LabelError(
            "nobody says which class is normal", where=cases.name, got=", ".join(cases.classes),
            remedy="Name it: --set anomaly.normal=CLASS, or the other one: --positive CLASS",
        )  # fmt: skip
    return next(c for c in cases.classes if c != cases.positive)
