"""Learning how much it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from isocenter.data import Augment, Case, Cases, Intensity, Spatial, Values
from isocenter.errors import LabelError
from isocenter.fit.augment import Pose
from isocenter.fit.questions.question import Looked, Origins, Question, Ready
from isocenter.fit.scheme import Loop, Scheme
from isocenter.fit.validation import answers
from isocenter.infer.regressing import LEVEL, needed, reach
from isocenter.nets.classification_losses import HALF_WAY
from isocenter.ops.array import Array

if TYPE_CHECKING:
    from isocenter.fit.feed import Shelf
    from isocenter.fit.fingerprint import Fingerprint


# Fewest steps of a training.
STEPS = 300


class Regress(Question):
    """One number an image, learnt in standard deviations of train."""

    task = "regress"
    dense = False

    def names(self, cases: Cases) -> tuple[str, ...]:
        """The number's name."""
        return cases.classes

    def looked(self, case: Case, names: tuple[str, ...]) -> Looked:
        """The number."""
        truth = case.truth()
        if not isinstance(truth, Values):
            raise LabelError("a training case has no number", where=case.id)
        return Looked({names[0]: 1}, number=truth.of(names[0]))

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """Number float32 (1,), less the mean of train by its standard deviation."""
        truth, how = case.truth(), scheme.plan.settings
        if not isinstance(truth, Values):
            raise LabelError("the case has no number", where=case.id, wanted=", ".join(scheme.plan.classes))
        number = (truth.of(scheme.plan.classes[0]).number - float(how["mean"])) / float(how["sd"])
        return Ready(image, np.asarray([number], np.float32))

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> Array:
        """As it is."""
        out: Array = ready.target
        return out

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """Huber's: squares within one standard deviation, distances beyond, so that odd truths have no unbounded say.

        Source: Huber, Annals of Mathematical Statistics 35 (1964) 73.
        """
        return huber

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """Minus the mean distance, in standard deviations of train."""
        found, truth = answers(module, valid)
        return -float(np.abs(found - truth).mean())

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The scheme with how far answers are off on val."""
        found, truth = answers(module, valid)
        plan = scheme.plan
        far = reach(np.abs(found - truth)[:, 0] * float(plan.settings["sd"]))
        if far is None:
            said = f"val: {len(found)} cases are too few for an interval, which needs {needed()}"
        else:
            said = f"val: {LEVEL:.0%} of {len(found)} cases are nearer (split conformal)"
            plan = replace(plan, settings={**plan.settings, "reach": far})
        return replace(scheme, plan=plan, origins=scheme.origins | {"plan.settings.reach": said})

    def settings(self, recipe: Any, facts: Fingerprint, grid: Sequence[int], origins: Origins) -> dict[str, Any]:
        """Mean and standard deviation of train, and the unit.

        Raises
        ------
        LabelError
            All numbers of train are one number.
        """
        how = facts.numbers
        if not how["sd"] > 0:
            raise LabelError("all training cases hold one number", got=f"{how['mean']:g}", wanted="numbers that differ")
        origins["plan.settings.mean"] = origins["plan.settings.sd"] = f"fingerprint: {facts.n} training cases"
        return {"mean": how["mean"], "sd": how["sd"], "unit": how["unit"]}

    def study(self, facts: Fingerprint, batch: int) -> dict[str, Any]:
        """Whole passes over the cases, enough of them for few cases: a number is learnt more slowly than a class."""
        size = max(2, min(32, facts.n // 2))
        steps = max(1, math.ceil(facts.n / size))
        epochs = max(20, math.ceil(STEPS / steps))
        return {"epochs": epochs, "steps": steps, "batch_size": size, "learning_rate": 1e-3, "patience": 0}

    def augment(self, facts: Fingerprint, *, photo: bool) -> Augment:
        """Nothing that alters sizes, counts or what lies within the image: the number may be one of these."""
        spatial = Spatial((-10.0, 10.0), (-0.03, 0.03), (1.0, 1.0), (0.0, 0.0), (), 0.0)
        return Augment(spatial, Intensity((0.8, 1.25), 0.2, (0.8, 1.25), 0.1, 1.0, 2.0), 0.3)

    def loop(self, recipe: Any, facts: Fingerprint, origins: Origins) -> Loop:
        """Weights decay as in classifiers."""
        return Loop(weight_decay=0.05)


def huber(out: Any, target: Tensor) -> Tensor:
    """The loss of answers (n, 1) against numbers (n, 1); a list holds the heads half way after the first."""
    heads = out if isinstance(out, (list, tuple)) else [out]
    main, *rest = (functional.huber_loss(head.float(), target) for head in heads)
    total: Tensor = main + HALF_WAY * sum(rest) if rest else main
    return total


QUESTION = Regress()
