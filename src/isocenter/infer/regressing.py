"""How much it is, and how sure."""

from __future__ import annotations

import math

import numpy as np

from isocenter.data import Image, NotEvaluated, Plan, Value, Values
from isocenter.infer.classifying import whole
from isocenter.infer.engines import Engine
from isocenter.ops.array import Array

# How often an interval is to hold the true number.
LEVEL = 0.9


def regress(engine: Engine, image: Image, plan: Plan) -> Values | NotEvaluated:
    """The number of one image with its interval.

    Parameters
    ----------
    engine
        As `infer.engine` makes it.
    image
        Of plan.rank spatial axes; seen whole, at plan.size or plan.spacing.
    plan
        As `measured`.

    Raises
    ------
    InputError, ResourceError
        As `prepare`.
    BundleError
        The network does not answer as the plan says.
    """
    found = whole(engine, image, plan, task="regress", outputs=1)
    return found if isinstance(found, NotEvaluated) else measured(float(found[0]), plan)


def measured(standard: float, plan: Plan) -> Values:
    """A standardised answer as the number that it means.

    Parameters
    ----------
    standard
        In standard deviations of train, from its mean.
    plan
        Its class is the number's name; settings: ``mean`` and ``sd`` of train, ``unit``, and ``reach``, by which the
        true number lies off at most in 9 of 10 cases; absent where val was too small for an interval.
    """
    how = plan.settings
    number, reach = float(how["mean"]) + float(how["sd"]) * standard, how.get("reach")
    low, high = (None, None) if reach is None else (number - float(reach), number + float(reach))
    return Values({plan.classes[0]: Value(number, str(how.get("unit", "")), low, high)})


def reach(distances: Array, *, level: float = LEVEL) -> float | None:
    """By how much an answer may be off, from how far it was off on cases that were not learnt from.

    An interval of that half width holds the true number of a new case of the same source with at least that
    probability, whatever the method is worth. Cases of one patient are not independent, and cases on which a method
    was stopped or chosen flatter it a little. Source: split conformal prediction, Lei et al., JASA 2018.

    Parameters
    ----------
    distances
        (n,) of those cases, at least 0.
    level
        Asked for, between 0 and 1.

    Returns
    -------
    None with fewer cases than `needed`.

    >>> reach(np.arange(1.0, 20.0)), reach(np.ones(8))
    (18.0, None)
    """
    rank = math.ceil((len(distances) + 1) * level - 1e-9)
    return float(np.sort(distances)[rank - 1]) if rank <= len(distances) else None


def needed(level: float = LEVEL) -> int:
    """Fewest cases from which an interval can be made.

    >>> needed(), needed(0.95)
    (9, 19)
    """
    return math.ceil(level / (1 - level) - 1e-9)
