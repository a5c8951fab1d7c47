"""Multilayer perceptron on a thumbnail, the intensities and the texture of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isocenter.data import Before, Cases, Progress, Watch, knob, silent
from isocenter.errors import BundleError
from isocenter.ops.array import Array
from isocenter.ops.perceptron import Layers, Schooling, forward, schooled
from isocenter.tasks._features import KINDS, THUMBNAIL, features_of
from isocenter.tasks.classify._sites import harmonised
from isocenter.tasks.classify._table import (
    Tabled,
    calibrating,
    described,
    honoured,
    moments,
    plan_of,
    seen_first,
    standardised,
    tabled,
)

# Share of the time that making features takes.
LOOKING = 0.8
# Cases of a step.
BATCH = 32


@dataclass(frozen=True)
class Hidden:
    """The hidden layers."""

    width: int = knob(64, "units of each", low=1, high=4096, tunable=True)
    layers: int = knob(1, "how many", low=0, high=8, tunable=True)
    dropout: float = knob(0.5, "share of units left out of each step", low=0, high=0.9, tunable=True)


@dataclass(frozen=True)
class Mlp:
    """The recipe of a perceptron with rectified hidden layers, dropout and weight decay, trained by Adam.

    Features as of `linear`, standardised by train; thumbnail and the rest count alike. The best epoch (by log loss),
    the calibration and the threshold are chosen on val.

    Sources: Rumelhart et al., Nature 323 (1986) 533; Kingma, Ba, ICLR 2015; Srivastava et al., JMLR 15 (2014) 1929.

    Raises
    ------
    RecipeError
        A field of `before` that it cannot honour.
    """

    size: int | None = knob(
        None, "edge of the thumbnail; None: 24 in 2D, 8 in 3D", unit="pixels", low=1, high=128, tunable=True
    )
    features: str = knob(THUMBNAIL, "what it looks at", choices=KINDS, source="Zwanenburg et al. 2020 (radiomics)")
    region: str = knob("", "radiomics: the role of a mask whose region they are of; '': the whole image")
    hidden: Hidden = knob(Hidden, "the hidden layers")
    decay: float = knob(0.1, "weight decay", low=0, high=100, tunable=True, source="Loshchilov, Hutter, ICLR 2019")
    before: Before = seen_first()
    calibration: str | None = calibrating()

    def __post_init__(self) -> None:
        honoured(self.before, who="mlp")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedMlp:
        """The fitted perceptron; the watch's seed gives weights, order and dropout.

        Raises
        ------
        LabelError
            A class of the set has no training case.
        InputError
            Images differ in their number of axes or channels, or hold values that are not finite.
        """
        plan = plan_of(train)
        features = features_of(self, plan)
        table = tabled((train, valid), plan, features, watch=watch, share=LOOKING)
        table, said, lines = harmonised(table, (train, valid), self.before.site)
        mean, scale = moments(table.x)
        scale[: features.pixels(plan)] *= features.balance(plan, table.x.shape[1])
        arrays = {"mean": mean, "scale": scale}
        x, vx = standardised(table.x, arrays), standardised(table.vx, arrays)

        def report(share: float, loss: float) -> None:
            watch.report(Progress("epochs", LOOKING + (1 - LOOKING) * share, score=-loss))

        # A few cases would make an epoch of a single step, and an end before anything is learnt.
        batch = min(BATCH, max(1, len(x) // 8))
        how = Schooling(
            (self.hidden.width,) * self.hidden.layers, decay=self.decay, dropout=self.hidden.dropout, batch=batch
        )
        layers, history = schooled(
            (x, table.y), (vx, table.vy), how, several=train.multilabel, seed=watch.seed, report=report
        )
        watch.report(Progress("epochs", 1.0))
        for i, (weights, biases) in enumerate(layers):
            arrays |= {f"weights{i}": weights, f"biases{i}": biases}
        return FittedMlp(described(self, table, forward(layers, vx), history) | said, arrays | lines)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedMlp:
        """The fitted perceptron that `FittedMlp.about` and `FittedMlp.state` described."""
        return FittedMlp(dict(about), dict(state))


@dataclass(frozen=True, eq=False, repr=False)
class FittedMlp(Tabled):
    """A fitted perceptron; it answers with numpy alone.

    Parameters
    ----------
    about
        ``recipe``, ``plan`` (rank, channels, classes, thresholds, temperature), ``features``, ``classes``, ``history``.
    arrays
        ``mean`` and ``scale`` (d,); ``weights0`` (d, width), ``biases0`` (width,) and so on, float64.

    Raises
    ------
    BundleError
        An array is missing or of another shape.
    """

    def __post_init__(self) -> None:
        inputs = [len(self.arrays.get("mean", ()))]
        for weights, biases in self._layers():
            inputs.append(weights.shape[1] if weights.shape == (inputs[-1], len(biases)) else -1)
        scale = self.arrays.get("scale")
        fits = scale is not None and scale.shape == (inputs[0],) and min(inputs) >= 1 and len(inputs) > 1
        if not fits or inputs[-1] != len(self.about.get("classes", ())):
            got = {name: array.shape for name, array in self.arrays.items()}
            raise BundleError("the arrays of the perceptron do not fit", got=str(got), wanted="layers that follow")

    def _layers(self) -> Layers:
        count = sum(name.startswith("weights") for name in self.arrays)
        named = [(f"weights{i}", f"biases{i}") for i in range(count)]
        return [(self.arrays[w], self.arrays[b]) for w, b in named if w in self.arrays and b in self.arrays]

    def logits(self, x: Array) -> Array:
        """(n, k) of features (n, d)."""
        return forward(self._layers(), standardised(x, self.arrays))
