"""Learning what it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from isocenter import nets
from isocenter.data import Augment, Case, Cases, Intensity, Probabilities, Spatial
from isocenter.errors import LabelError
from isocenter.fit import calibrate
from isocenter.fit.augment import Pose
from isocenter.fit.questions.question import Looked, Origins, Question, Ready
from isocenter.fit.scheme import Loop, Scheme
from isocenter.fit.validation import answers, log_loss
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
        """Cross-entropy over shares, or one a class where several may hold."""
        chosen = nets.multilabel if scheme.plan.multilabel else nets.soft_cross_entropy
        return lambda out, target: chosen(out, target, smoothing=scheme.loop.smoothing)

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """Minus the log loss."""
        found, truth = answers(module, valid)
        return -log_loss(found, truth, multilabel=valid.scheme.plan.multilabel)

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The scheme with temperature and thresholds chosen on val."""
        plan = scheme.plan
        logits, truth = answers(module, valid)
        warm = calibrate.temperature(logits, truth, multilabel=plan.multilabel)
        said = {"plan.temperature": f"val: least log loss over {len(logits)} cases"}
        if plan.multilabel or len(plan.classes) != 2:
            return replace(scheme, plan=replace(plan, temperature=warm), origins=scheme.origins | said)
        at = plan.classes.index(plan.positive) if plan.positive in plan.classes else 1
        gap = (logits[:, at] - logits[:, 1 - at]) / warm
        cut = calibrate.threshold(1 / (1 + np.exp(-gap)), truth[:, at])
        limits = (cut, 1 - cut) if at == 0 else (1 - cut, cut)
        said["plan.thresholds"] = f"val: best balanced accuracy over {len(logits)} cases"
        plan = replace(plan, temperature=warm, thresholds=limits, positive=plan.classes[at])
        return replace(scheme, plan=plan, origins=scheme.origins | said)

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
        """Classes drawn equally often where they are uneven; labels smoothed."""
        counts = [v for v in facts.counts.values() if v]
        uneven = not facts.multilabel and max(counts) > 1.5 * min(counts)
        origins["loop.balanced"] = f"fingerprint: cases per class {dict(facts.counts)}"
        smoothing = getattr(recipe, "smoothing", None)
        origins["loop.smoothing"] = "default" if smoothing is None else "recipe"
        return Loop(balanced=uneven, smoothing=0.1 if smoothing is None else smoothing, weight_decay=0.05, ema=0.995)


QUESTION = Classify()
