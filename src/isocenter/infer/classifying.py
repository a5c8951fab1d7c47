"""What it is, and how likely."""

from __future__ import annotations

import numpy as np

from isocenter.data import Image, NotEvaluated, Plan, Probabilities
from isocenter.errors import BundleError
from isocenter.infer.engines import Engine
from isocenter.infer.memory import flight
from isocenter.infer.mirror import answered
from isocenter.infer.preparing import prepared, unusable
from isocenter.ops.array import Array
from isocenter.ops.calibration import calibrated
from isocenter.ops.windows import multiple, padded


def classify(engine: Engine, image: Image, plan: Plan) -> Probabilities | NotEvaluated:
    """The probability of each class for one image.

    Parameters
    ----------
    engine
        As `infer.engine` makes it.
    image
        Of plan.rank spatial axes; seen whole, at plan.size or plan.spacing.
    plan
        Its temperature divides the logits; its thresholds, chosen on val, decide (`decided`).

    Raises
    ------
    InputError, ResourceError
        As `prepare`.
    BundleError
        The network does not answer as the plan says.
    """
    logits = whole(engine, image, plan, task="classify", outputs=len(plan.classes))
    if isinstance(logits, NotEvaluated):
        return logits
    values = probabilities(logits, plan)
    return Probabilities(plan.classes, tuple(float(v) for v in values), plan.multilabel, decided(values, plan))


def whole(engine: Engine, image: Image, plan: Plan, *, task: str, outputs: int) -> Array | NotEvaluated:
    """What a network that sees an image whole answers, (outputs,); raises as `classify`."""
    if plan.task != task:
        raise BundleError("the plan is for another question", got=plan.task, wanted=task)
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        return lack
    seen = prepared(array, image, plan).array
    shape = multiple(seen.shape[1:], plan.divisor)
    count = flight(engine, shape, remedy="Use a plan with a smaller size")
    inputs = [padded(seen, shape)]
    [found] = answered(engine, inputs, mirror=plan.mirror, classes=outputs, flight=count)
    return np.asarray(found)


def probabilities(logits: Array, plan: Plan) -> Array:
    """float64 (classes,) probabilities of logits (classes,): softmax, or a sigmoid each with plan.multilabel.

    The temperature divides the logits, which leaves their order as it is. With ``settings["calibration"]`` its map
    follows: Platt's may move the limit between classes, the isotonic one may make them tie.
    """
    scaled = np.asarray(logits, np.float64) / plan.temperature
    how = plan.settings.get("calibration")
    if how is not None:
        return np.asarray(calibrated(scaled[None], how, multilabel=plan.multilabel)[0])
    if plan.multilabel:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scaled)))
    raised = np.exp(scaled - scaled.max())
    return np.asarray(raised / raised.sum())


def decided(values: Array, plan: Plan) -> tuple[str, ...] | None:
    """The classes decided for; None where the plan names no thresholds and the usual rule holds.

    With plan.multilabel every class that reaches its threshold. With two classes and plan.positive, the positive one
    where it reaches its threshold, else the other. Otherwise the class whose probability is the largest multiple of its
    threshold.
    """
    if not plan.thresholds:
        return None
    limits = plan.thresholds * len(plan.classes) if len(plan.thresholds) == 1 else plan.thresholds
    if plan.multilabel:
        return tuple(c for c, v, t in zip(plan.classes, values, limits, strict=True) if v >= t)
    if len(plan.classes) == 2 and plan.positive in plan.classes:
        at = plan.classes.index(plan.positive)
        return (plan.classes[at if values[at] >= limits[at] else 1 - at],)
    factors = [v / max(t, 1e-12) for v, t in zip(values, limits, strict=True)]
    return (plan.classes[int(np.argmax(factors))],)
