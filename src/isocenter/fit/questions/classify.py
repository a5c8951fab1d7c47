"""Learning what it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from isocenter import nets
from isocenter.data import Augment, Case, Cases, Intensity, Probabilities, Spatial
from isocenter.data.study import Imbalance
from isocenter.errors import LabelError, RecipeError
from isocenter.fit import calibrate, imbalance
from isocenter.fit.augment import Pose
from isocenter.fit.questions.question import Looked, Origins, Question, Ready
from isocenter.fit.scheme import Loop, Scheme
from isocenter.fit.validation import answers, log_loss
from isocenter.infer.classifying import probabilities
from isocenter.metrics import steady_threshold
from isocenter.ops.array import Array

if TYPE_CHECKING:
    from isocenter.fit.feed import Shelf
    from isocenter.fit.fingerprint import Fingerprint


class Classify(Question):
    """One label, or several, an image."""

    task = "classify"
    dense = False

    def names(self, cases: Cases) -> tuple[str, ...]:
        """The classes."""
        return cases.classes

    def looked(self, case: Case, names: tuple[str, ...]) -> Looked:
        """Whether each class holds."""
        truth = case.truth()
        if not isinstance(truth, Probabilities):
            raise LabelError("a training case has no class", where=case.id)
        return Looked({c: int(v > 0.5) for c, v in zip(truth.classes, truth.values, strict=True)})

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """Shares float32 (classes,)."""
        truth = case.truth()
        if not isinstance(truth, Probabilities) or truth.classes != scheme.plan.classes:
            raise LabelError(
                "the case has no truth over the classes of train", where=case.id, wanted=", ".join(scheme.plan.classes)
            )
        return Ready(image, np.asarray(truth.values, np.float32))

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> Array:
        """As they are."""
        out: Array = ready.target
        return out

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """Cross-entropy over shares, one a class where several may hold, or one a cut where they have an order."""
        plan, loop, how = scheme.plan, scheme.loop, scheme.loop.imbalance
        order = tuple(plan.classes.index(name) for name in loop.order)
        found = imbalance.in_loss(how, loop.counts, order=order, multilabel=plan.multilabel)
        weights, offset = (None if part is None else torch.from_numpy(part) for part in found)
        return nets.ClassLoss(
            float(how.smoothing or 0.0), float(how.focal or 0.0), weights, offset, plan.multilabel, order
        )

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """Minus the log loss."""
        found, truth = answers(module, valid)
        return -log_loss(found, truth, multilabel=valid.scheme.plan.multilabel)

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The scheme with calibration and thresholds chosen on val."""
        plan = scheme.plan
        logits, truth = answers(module, valid)
        plan, said = calibrate.chosen(plan, logits, truth, valid.cases.groups)
        if plan.multilabel or len(plan.classes) != 2:
            return replace(scheme, plan=plan, origins=scheme.origins | said)
        at = plan.classes.index(plan.positive) if plan.positive in plan.classes else 1
        cut = steady_threshold(np.array([probabilities(row, plan)[at] for row in logits]), truth[:, at])
        limits = (cut, 1 - cut) if at == 0 else (1 - cut, cut)
        said["plan.thresholds"] = f"val: within one error of the best balanced accuracy over {len(logits)} cases"
        plan = replace(plan, thresholds=limits, positive=plan.classes[at])
        return replace(scheme, plan=plan, origins=scheme.origins | said)

    def settings(self, recipe: Any, facts: Fingerprint, grid: Sequence[int], origins: Origins) -> dict[str, Any]:
        """How logits become probabilities, where the recipe says; its numbers are chosen on val."""
        asked = getattr(getattr(recipe, "form", None), "calibration", None)
        return {} if asked is None else {"calibrate": asked}

    def study(self, facts: Fingerprint, batch: int) -> dict[str, Any]:
        """Whole passes over the cases."""
        size = max(2, min(32, facts.n // 2))
        steps = max(1, math.ceil(facts.n / size))
        return {"epochs": 15, "steps": steps, "batch_size": size, "learning_rate": 1e-3, "patience": 0}

    def augment(self, facts: Fingerprint, *, photo: bool) -> Augment:
        """One label a picture says far less than one a pixel: more is needed against learning by heart."""
        spatial = Spatial((-15.0, 15.0), (-0.1, 0.1), (0.75, 1.35), (-5.0, 5.0), (), 0.0)
        return Augment(spatial, Intensity((0.65, 1.5), 0.3, (0.7, 1.5), 0.15, 1.0, 2.0), 0.5)

    def loop(self, recipe: Any, facts: Fingerprint, origins: Origins) -> Loop:
        """Classes drawn equally often where they are uneven and nobody says otherwise; labels smoothed."""
        asked = getattr(recipe, "imbalance", None) or Imbalance()
        how = imbalance.resolved(asked, facts, origins)
        order = _order(getattr(getattr(recipe, "form", None), "order", None) or (), facts)
        if order:
            origins["loop.order"] = "recipe"
        counts = (*(facts.counts.get(name, 0) for name in facts.classes), facts.n)
        return Loop(imbalance=how, counts=counts, order=order, weight_decay=0.05, ema=0.995)


def _order(names: Sequence[Any], facts: Fingerprint) -> tuple[str, ...]:
    order = tuple(str(name) for name in names)
    if order and (facts.multilabel or sorted(order) != sorted(facts.classes)):
        raise RecipeError(
            "the order does not name each class once",
            got=", ".join(order),
            wanted=", ".join(facts.classes),
            remedy="An order is for classes of which one holds" if facts.multilabel else "",
        )
    return order


QUESTION = Classify()
