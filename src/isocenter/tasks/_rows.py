"""What methods of all questions share that learn from a row of numbers an image: the plan, the rows, their scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from isocenter.data import Cases, Image, Normalisation, NotEvaluated, Plan, Progress, Watch
from isocenter.errors import InputError, LabelError
from isocenter.ops.array import Array
from isocenter.tasks._features import Features

# Standardised features are cut here, so that one odd image has no unbounded say.
CUT = 5.0


def plan_of(train: Cases, task: str = "classify") -> Plan:
    """Axes, channels and classes of the training images; three equal channels are one.

    Raises
    ------
    InputError
        2D and 3D images in one set.
    """
    images = [train[i].image() for i in range(len(train))]
    ranks = {image.ndim for image in images}
    if len(ranks) != 1:
        raise InputError("2D and 3D images in one set", where=train.name, remedy="Use cut('slice') on the volumes")
    channels = max({_channels(image) for image in images})
    if channels == 3 and all(_equal(image) for image in images):
        channels = 1
    return Plan(
        task, ranks.pop(), channels, train.classes, normalisation=Normalisation("none"),
        multilabel=train.multilabel, positive=train.positive,
    )  # fmt: skip


def _channels(image: Image) -> int:
    return image.length("c") - sum(c in ("a", "alpha") for c in image.channels)


def _equal(image: Image) -> bool:
    if _channels(image) == 1:
        return True
    array = image.channels_first()[:3]
    return bool(np.array_equal(array[0], array[1]) and np.array_equal(array[0], array[2]))


def rows(
    cases: Cases, plan: Plan, features: Features, *, of: Callable[[Any], Any], lacking: str, watch: Watch,
    share: tuple[float, float],
) -> tuple[Array, Array]:  # fmt: skip
    """Features float64 (n, d) and truth float64 (n, k) of the cases that have one.

    Parameters
    ----------
    cases, plan, features
        Whose images, what they are like, and how a row is made.
    of
        A truth to its k numbers; None for what is no truth of this question.
    lacking
        What to say when no case has a truth.
    watch, share
        Where progress goes, and from where to where it comes.

    Raises
    ------
    LabelError
        No case has a truth.
    InputError
        An image differs in its number of axes or channels, holds values that are not finite, or an empty region.
    """
    found, truths = [], []
    for i, case in enumerate(cases):
        truth = of(case.truth())
        if truth is not None:
            row = features.of(case, plan)
            if isinstance(row, NotEvaluated):
                raise InputError(row.reason, where=case.id, got=row.measured, wanted=row.limit)
            found.append(row)
            truths.append(truth)
        watch.report(Progress("features", share[0] + (share[1] - share[0]) * (i + 1) / len(cases)))
    if not found:
        raise LabelError(lacking, where=cases.name)
    return np.stack(found), np.asarray(truths, float)


def moments(x: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (d,) of features (n, d); 1 where a feature never changes."""
    mean, sd = x.mean(axis=0), x.std(axis=0)
    # A feature that never changes in train says nothing: its coefficient stays 0 at any scale.
    return mean, np.where(sd > 1e-9 * np.maximum(1.0, np.abs(mean)), sd, 1.0)


def standardised(x: Array, arrays: Mapping[str, Array]) -> Array:
    """Features (n, d) less ``mean`` by ``scale``, cut at 5."""
    return np.asarray(np.clip((x - arrays["mean"]) / arrays["scale"], -CUT, CUT))
