"""Ridge regression on a thumbnail, the intensities and the texture of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Before, Case, Cases, NotEvaluated, Values, Watch, knob, silent
from isocenter.errors import BundleError, RecipeError
from isocenter.infer.regressing import measured
from isocenter.ops.array import Array
from isocenter.ops.ridge import ridge
from isocenter.tasks._features import KINDS, THUMBNAIL, Features, features_of
from isocenter.tasks._rows import moments, standardised
from isocenter.tasks.regress._numbers import Numbers, described, numbered, plan_from, plan_with

# Strong to weak: of equal errors on val the stronger penalty is taken.
PENALTIES = tuple(float(p) for p in 10.0 ** np.arange(3.0, -4.01, -0.5))


@dataclass(frozen=True)
class Linear:
    """The recipe of a least-squares regression with an L2 penalty, and an interval from how far it is off on val.

    Features: a thumbnail; moments, quantiles and entropy; co-occurrence texture at three scales; or radiomics, of the
    image or a region. They are standardised by train; thumbnail and the rest count alike. The penalty (by squared
    error) is chosen on val.

    Sources: Hoerl and Kennard, Technometrics 12 (1970) 55; Haralick et al., IEEE Trans. SMC 3 (1973) 610; Zwanenburg et
    al., Radiology 295 (2020) 328 (IBSI); Lei et al., JASA 2018 (intervals).

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
        None, "weight of the squared coefficients against the mean squared error; None: chosen on val",
        low=1e-9, high=1e9,
    )  # fmt: skip
    features: str = knob(THUMBNAIL, "what it looks at", choices=KINDS, source="Zwanenburg et al. 2020 (radiomics)")
    region: str = knob("", "radiomics: the role of a mask whose region they are of; '': the whole image")
    before: Before = knob(Before, "intensity and window of the thumbnail; default: each image standardised by itself")

    def __post_init__(self) -> None:
        for field in ("spacing", "coarser", "channel", "denoise", "site"):
            if getattr(self.before, field) is not None:
                raise RecipeError(f"linear makes no use of before.{field}", got=str(getattr(self.before, field)))
        if self.before.intensity in ("landmarks", "clahe"):
            raise RecipeError(f"linear makes no use of before.intensity={self.before.intensity}",
                              remedy="Set it to standardise, foreground, percentile, window, rescale or none")
        if (self.before.intensity == "window") != (self.before.window is not None):
            raise RecipeError("a window needs before.intensity='window' and before.window together")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedLinear:
        """The fitted regression.

        Raises
        ------
        LabelError
            No case has a number, or all of train have the same.
        InputError
            Images differ in their number of axes or channels, or hold values that are not finite.
        """
        plan = plan_with(train)
        features = features_of(self, plan)
        table = numbered((train, valid), plan, features, watch=watch)
        mean, scale = moments(table.x)
        scale[: features.pixels(plan)] *= features.balance(plan, table.x.shape[1])
        arrays = {"mean": mean, "scale": scale}
        weights, distances, history = self._regressed(table, arrays)
        more = {"features": features.as_json(), "history": history}
        return FittedLinear(described(self, plan, distances, **more), arrays | weights)

    def _regressed(
        self, table: Numbers, arrays: Mapping[str, Array]
    ) -> tuple[dict[str, Array], Array, list[dict[str, float]]]:
        """Coefficients and intercept at the penalty of the least squared error on val, how far off, and all tried."""
        penalties = PENALTIES if self.penalty is None else (self.penalty,)
        w, b = ridge(standardised(table.x, arrays), table.y, penalties=penalties)
        off = np.abs(standardised(table.vx, arrays) @ w.T + b - table.vy[:, None])
        errors = (off**2).mean(axis=0)
        best = int(np.argmin(errors))
        history = [{"penalty": p, "valid_rmse": float(np.sqrt(e)) * table.plan.settings["sd"]}
                   for p, e in zip(penalties, errors, strict=True)]
        return {"coefficients": w[best], "intercept": b[best : best + 1]}, off[:, best], history

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedLinear:
        """The fitted regression that `FittedLinear.about` and `FittedLinear.state` described."""
        return FittedLinear(dict(about), dict(state))


@dataclass(frozen=True, eq=False, repr=False)
class FittedLinear:
    """A fitted ridge regression.

    Parameters
    ----------
    about
        ``recipe``, ``plan`` (its settings hold mean, sd, unit and reach), ``features``, ``classes``, ``history``,
        ``said``.
    arrays
        ``mean``, ``scale`` and ``coefficients`` (d,), ``intercept`` (1,), float64.

    Raises
    ------
    BundleError
        The plan cannot be read, or an array is missing or of another shape.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        plan_from(self.about)
        d = len(self.arrays.get("mean", ()))
        wanted = {"mean": (d,), "scale": (d,), "coefficients": (d,), "intercept": (1,)}
        got = {name: self.arrays[name].shape for name in wanted if name in self.arrays}
        if got != wanted or not d:
            raise BundleError("the arrays of the regression do not fit", got=str(got), wanted=str(wanted))

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def predict(self, case: Case) -> Values | NotEvaluated:
        """The number with its interval; NotEvaluated where pixels are not finite, or there is no region.

        Raises
        ------
        InputError
            The image has another number of axes or channels than those of train.
        """
        plan = plan_from(self.about)
        row = Features.from_json(self.about["features"]).of(case, plan)
        if isinstance(row, NotEvaluated):
            return row
        standard = standardised(row, self.arrays) @ self.arrays["coefficients"] + self.arrays["intercept"][0]
        return measured(float(standard), plan)
