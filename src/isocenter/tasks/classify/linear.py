"""Logistic regression on a thumbnail, the intensities and the texture of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import (
    Before,
    Case,
    Cases,
    Image,
    Normalisation,
    NotEvaluated,
    Plan,
    Probabilities,
    Progress,
    Watch,
    as_settings,
    knob,
    silent,
)
from isocenter.errors import BundleError, InputError, LabelError, RecipeError
from isocenter.infer.classifying import decided, probabilities
from isocenter.infer.preparing import unusable
from isocenter.ops.array import Array
from isocenter.ops.logistic import log_loss, logistic
from isocenter.tasks.classify._features import Features

# Strong to weak, so that each regression starts from the one before.
PENALTIES = tuple(float(p) for p in 10.0 ** np.arange(1.5, -4.01, -0.5))
# Standardised features are cut here, so that one odd image has no unbounded say.
CUT = 5.0
SIZES = {2: 24, 3: 8}


@dataclass(frozen=True)
class Linear:
    """The recipe of a logistic regression with an L2 penalty: multinomial, or one sigmoid a class for several labels.

    Features: a thumbnail; moments, quantiles and entropy; co-occurrence texture at three scales. They are standardised
    by train; thumbnail and the rest count alike. The penalty (by log loss), the temperature and the threshold are
    chosen on val.

    Sources: Haralick et al., IEEE Trans. SMC 3 (1973) 610; Guo et al., ICML 2017.

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
    before: Before = knob(Before, "intensity and window of the thumbnail; default: each image standardised by itself")

    def __post_init__(self) -> None:
        for field in ("spacing", "coarser", "channel", "denoise"):
            if getattr(self.before, field) is not None:
                raise RecipeError(f"linear makes no use of before.{field}", got=str(getattr(self.before, field)))
        if (self.before.intensity == "window") != (self.before.window is not None):
            raise RecipeError("a window needs before.intensity='window' and before.window together")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedLinear:
        """The fitted regression.

        Raises
        ------
        LabelError
            A class of the set has no training case.
        InputError
            Images differ in their number of axes or channels, or hold values that are not finite.
        """
        plan = _plan(train)
        edge = self.size or SIZES[plan.rank]
        features = Features(
            (edge,) * plan.rank, self.before.intensity or "standardise", self.before.window, self.texture
        )
        n = len(train) + len(valid)
        x, y = _table(train, plan, features, watch=watch, share=(0.0, len(train) / n))
        missing = [c for c, count in zip(train.classes, y.sum(axis=0), strict=True) if not count]
        if missing:
            raise LabelError("a class has no training case", where=train.name, got=", ".join(missing))
        vx, vy = _table(valid, plan, features, watch=watch, share=(len(train) / n, 1.0))
        mean, scale = _moments(x)
        scale[: features.pixels(plan)] *= features.balance(plan, x.shape[1])
        weights, history = self._regressed(
            (_standardised(x, mean, scale), y), (_standardised(vx, mean, scale), vy), several=train.multilabel
        )
        arrays = {"mean": mean, "scale": scale, "coefficients": weights[0], "intercepts": weights[1]}
        logits = _logits(vx, arrays)
        about = {
            "recipe": as_settings(self),
            "plan": _decisions(plan, logits, vy).as_json(),
            "features": features.as_json(),
            "classes": list(train.classes),
            "history": history,
        }
        return FittedLinear(about, arrays)

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


@dataclass(frozen=True, eq=False)
class FittedLinear:
    """A fitted logistic regression.

    Parameters
    ----------
    about
        ``recipe``, ``plan`` (rank, channels, classes, thresholds, temperature), ``features``, ``classes``, ``history``.
    arrays
        ``mean`` and ``scale`` (d,), ``coefficients`` (k, d), ``intercepts`` (k,), float64.

    Raises
    ------
    BundleError
        An array is missing or of another shape.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        k = len(self.about.get("classes", ()))
        d = len(self.arrays.get("mean", ()))
        wanted = {"mean": (d,), "scale": (d,), "coefficients": (k, d), "intercepts": (k,)}
        got = {name: self.arrays[name].shape for name in wanted if name in self.arrays}
        if got != wanted or not d:
            raise BundleError("the arrays of the regression do not fit", got=str(got), wanted=str(wanted))

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """The probability of each class; NotEvaluated where pixels are not finite.

        Raises
        ------
        InputError
            The image has another number of axes or channels than those of train.
        """
        image = case.image()
        lack = unusable(image.channels_first())
        if lack is not None:
            return lack
        plan = Plan.from_json(self.about["plan"])
        row = Features.from_json(self.about["features"]).row(image, plan)
        values = probabilities(_logits(row[None], self.arrays)[0], plan)
        return Probabilities(plan.classes, tuple(float(v) for v in values), plan.multilabel, decided(values, plan))


def _plan(train: Cases) -> Plan:
    images = [train[i].image() for i in range(len(train))]
    ranks = {image.ndim for image in images}
    if len(ranks) != 1:
        raise InputError("2D and 3D images in one set", where=train.name, remedy="Use cut('slice') on the volumes")
    names = {_channels(image) for image in images}
    channels = max(names)
    if channels == 3 and all(_equal(image) for image in images):
        channels = 1
    return Plan(
        "classify", ranks.pop(), channels, train.classes, normalisation=Normalisation("none"),
        multilabel=train.multilabel, positive=train.positive,
    )  # fmt: skip


def _channels(image: Image) -> int:
    return image.length("c") - sum(c in ("a", "alpha") for c in image.channels)


def _equal(image: Image) -> bool:
    if _channels(image) == 1:
        return True
    array = image.channels_first()[:3]
    return bool(np.array_equal(array[0], array[1]) and np.array_equal(array[0], array[2]))


def _table(
    cases: Cases, plan: Plan, features: Features, *, watch: Watch, share: tuple[float, float]
) -> tuple[Array, Array]:
    """Features (n, d) and truth (n, k) of the cases that have one."""
    rows, truths = [], []
    for i, case in enumerate(cases):
        truth = case.truth()
        if isinstance(truth, Probabilities):
            rows.append(features.row(case.image(), plan))
            truths.append([truth.of(c) for c in plan.classes])
        watch.report(Progress("features", share[0] + (share[1] - share[0]) * (i + 1) / len(cases)))
    if not rows:
        raise LabelError("no case has a class", where=cases.name)
    return np.stack(rows), np.asarray(truths, float)


def _moments(x: Array) -> tuple[Array, Array]:
    mean, sd = x.mean(axis=0), x.std(axis=0)
    # A feature that never changes in train says nothing: its coefficient stays 0 at any scale.
    return mean, np.where(sd > 1e-9 * np.maximum(1.0, np.abs(mean)), sd, 1.0)


def _standardised(x: Array, mean: Array, scale: Array) -> Array:
    return np.asarray(np.clip((x - mean) / scale, -CUT, CUT))


def _logits(x: Array, arrays: Mapping[str, Array]) -> Array:
    z = _standardised(x, arrays["mean"], arrays["scale"])
    return np.asarray(z @ arrays["coefficients"].T + arrays["intercepts"])


def _decisions(plan: Plan, logits: Array, truth: Array) -> Plan:
    """The plan with temperature and thresholds chosen on val."""
    from isocenter.metrics import best_threshold, fit_temperature

    labels = truth if plan.multilabel else truth.argmax(axis=1)
    warm = replace(plan, temperature=fit_temperature(logits, labels))
    values = np.stack([probabilities(row, warm) for row in logits])
    if plan.multilabel:
        limits: Sequence[float] = [best_threshold(values[:, k], truth[:, k]) for k in range(len(plan.classes))]
        return replace(warm, thresholds=tuple(limits))
    if len(plan.classes) != 2:
        return warm
    positive = plan.positive or plan.classes[-1]
    at = plan.classes.index(positive)
    return replace(warm, thresholds=(best_threshold(values[:, at], truth[:, at]),), positive=positive)
