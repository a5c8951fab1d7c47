"""Logistic regression on a thumbnail, the intensities and the texture of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Before, Cases, Watch, knob, silent
from isocenter.errors import BundleError
from isocenter.ops.array import Array
from isocenter.ops.logistic import log_loss, logistic
from isocenter.tasks._features import KINDS, THUMBNAIL, features_of
from isocenter.tasks.classify._sites import GAIN, SHIFT, harmonised
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

# Strong to weak, so that each regression starts from the one before.
PENALTIES = tuple(float(p) for p in 10.0 ** np.arange(1.5, -4.01, -0.5))


@dataclass(frozen=True)
class Linear:
    """The recipe of a logistic regression with an L2 penalty: multinomial, or one sigmoid a class for several labels.

    Features: a thumbnail; moments, quantiles and entropy; co-occurrence texture at three scales; or radiomics, of the
    image or a region. They are standardised by train; thumbnail and the rest count alike. The penalty (by log loss),
    the calibration and the threshold are chosen on val.

    Sources: Haralick et al., IEEE Trans. SMC 3 (1973) 610; Zwanenburg et al., Radiology 295 (2020) 328 (IBSI); Guo et
    al., ICML 2017.

    Raises
    ------
    RecipeError
        A field of `before` that it cannot honour.
    """

    size: int | None = knob(
        None, "edge of the thumbnail; None: 24 in 2D, 8 in 3D", unit="pixels", low=1, high=128, tunable=True
    )
    texture: bool = knob(True, "first-order and texture features beside the thumbnail", source="Haralick et al. 1973")
    penalty: float | None = knob(
        None,
        "weight of half the squared coefficients against the mean log loss; None: chosen on val",
        low=0.0,
        high=1e4,
    )
    features: str = knob(THUMBNAIL, "what it looks at", choices=KINDS, source="Zwanenburg et al. 2020 (radiomics)")
    region: str = knob("", "radiomics: the role of a mask whose region they are of; '': the whole image")
    before: Before = seen_first()
    calibration: str | None = calibrating()

    def __post_init__(self) -> None:
        honoured(self.before, who="linear")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedLinear:
        """The fitted regression.

        Raises
        ------
        LabelError
            A class of the set has no training case.
        InputError
            Images differ in their number of axes or channels, or hold values that are not finite.
        """
        plan = plan_of(train)
        features = features_of(self, plan)
        table = tabled((train, valid), plan, features, watch=watch)
        table, said, lines = harmonised(table, (train, valid), self.before.site)
        mean, scale = moments(table.x)
        scale[: features.pixels(plan)] *= features.balance(plan, table.x.shape[1])
        arrays = {"mean": mean, "scale": scale}
        seen = standardised(table.vx, arrays)
        weights, history = self._regressed(
            (standardised(table.x, arrays), table.y), (seen, table.vy), several=train.multilabel
        )
        logits = np.asarray(seen @ weights[0].T + weights[1])
        arrays |= {"coefficients": weights[0], "intercepts": weights[1]} | lines
        return FittedLinear(described(self, table, logits, history) | said, arrays)

    def _regressed(
        self, train: tuple[Array, Array], valid: tuple[Array, Array], *, several: bool
    ) -> tuple[tuple[Array, Array], list[dict[str, float]]]:
        """Coefficients and intercepts at the penalty of the least log loss on val, and all penalties tried."""
        best, history = None, []
        weights: tuple[Array, Array] | None = None
        for penalty in PENALTIES if self.penalty is None else (self.penalty,):
            weights = logistic(*train, penalty=penalty, several=several, start=weights)
            loss = log_loss(valid[0] @ weights[0].T + weights[1], valid[1], several=several)
            history.append({"penalty": penalty, "valid_log_loss": loss})
            if best is None or loss < best[0]:
                best = (loss, weights)
        assert best is not None
        return best[1], history

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedLinear:
        """The fitted regression that `FittedLinear.about` and `FittedLinear.state` described."""
        return FittedLinear(dict(about), dict(state))


@dataclass(frozen=True, eq=False, repr=False)
class FittedLinear(Tabled):
    """A fitted logistic regression.

    Parameters
    ----------
    about
        ``recipe``, ``plan`` (rank, channels, classes, thresholds, temperature), ``features``, ``classes``, ``history``.
    arrays
        ``mean`` and ``scale`` (d,), ``coefficients`` (k, d), ``intercepts`` (k,), float64; of several sites also
        ``site/gain`` and ``site/shift`` (sites, d).

    Raises
    ------
    BundleError
        An array is missing or of another shape.
    """

    def __post_init__(self) -> None:
        k = len(self.about.get("classes", ()))
        d = len(self.arrays.get("mean", ()))
        wanted = {"mean": (d,), "scale": (d,), "coefficients": (k, d), "intercepts": (k,)}
        if "site" in self.about:
            wanted |= dict.fromkeys((GAIN, SHIFT), (len(self.about["site"]["names"]), d))
        got = {name: self.arrays[name].shape for name in wanted if name in self.arrays}
        if got != wanted or not d:
            raise BundleError("the arrays of the regression do not fit", got=str(got), wanted=str(wanted))

    def logits(self, x: Array) -> Array:
        """(n, k) of features (n, d)."""
        return np.asarray(standardised(x, self.arrays) @ self.arrays["coefficients"].T + self.arrays["intercepts"])
