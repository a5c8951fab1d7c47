"""The mean of train for every image: what any method must beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Case, Cases, NotEvaluated, Values, Watch, knob, silent
from isocenter.infer.preparing import prepared, unusable
from isocenter.infer.regressing import measured
from isocenter.ops.array import Array
from isocenter.tasks.regress._numbers import described, plan_from, plan_with


@dataclass(frozen=True)
class Mean:
    """The recipe of an answer that looks at no image: the mean, or the median, of the training cases."""

    middle: str = knob("mean", "which middle of the numbers of train", choices=("mean", "median"))

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedMean:
        """The middle of `train`; `valid` says how far it is off.

        Raises
        ------
        LabelError
            No case has a number, or all have the same.
        """
        plan = plan_with(train)
        name, how = plan.classes[0], plan.settings
        told = [[t.of(name).number for t in (c.truth() for c in side) if isinstance(t, Values)]
                for side in (train, valid)]
        ours, theirs = ((np.asarray(numbers) - how["mean"]) / how["sd"] for numbers in told)
        answer = float(np.median(ours)) if self.middle == "median" else 0.0
        return FittedMean(described(self, plan, np.abs(theirs - answer)), {"answer": np.asarray([answer])})

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedMean:
        """The fitted method that `FittedMean.about` and `FittedMean.state` described."""
        return FittedMean(dict(about), dict(state))


@dataclass(frozen=True, eq=False, repr=False)
class FittedMean:
    """One number for every image.

    Parameters
    ----------
    about
        ``recipe``, ``plan`` (its settings hold mean, sd, unit and reach), ``classes``, ``said``.
    arrays
        ``answer`` (1,): in standard deviations of train, from its mean.

    Raises
    ------
    BundleError
        The plan cannot be read.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        plan_from(self.about)

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def predict(self, case: Case) -> Values | NotEvaluated:
        """The number; NotEvaluated where pixels are not finite, so that all methods answer the same cases.

        Raises
        ------
        InputError
            A film, or an image of another number of axes or channels than those of train.
        """
        plan, image = plan_from(self.about), case.image()
        array = image.channels_first()
        lack = unusable(array)
        if lack is not None:
            return lack
        prepared(array, image, plan)
        return measured(float(self.arrays["answer"][0]), plan)
