"""Learning which pixel belongs to what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from isocenter import nets
from isocenter.data import IGNORE, Case, Segmentation
from isocenter.data.turning import turned_labels
from isocenter.errors import LabelError
from isocenter.fit.augment import Pose, sampled_labels
from isocenter.fit.loss import loss_name
from isocenter.fit.questions.question import Looked, Origins, Question, Ready, centres_of, thickness_of
from isocenter.fit.scheme import Loop, Scheme
from isocenter.fit.validation import dice, labels, mean_dice
from isocenter.ops.array import Array
from isocenter.ops.components import tidied
from isocenter.ops.resample import resize

if TYPE_CHECKING:
    from isocenter.fit.feed import Shelf
    from isocenter.fit.fingerprint import Fingerprint

# Gain in Dice on val from which an answer is cleaned.
CLEARLY = 0.002


class Segment(Question):
    """One label a pixel."""

    task = "segment"

    def looked(self, case: Case, names: tuple[str, ...]) -> Looked:
        """Pixels and width of each region; values inside the regions count."""
        truth = case.truth()
        if not isinstance(truth, Segmentation):
            raise LabelError("a training case has no label map", where=case.id)
        own = case.image().geometry.shape
        if truth.labels.shape != own:
            raise LabelError("labels lie on another grid", where=case.id, got=str(truth.labels.shape), wanted=str(own))
        counts = np.bincount(truth.labels.ravel(), minlength=256)
        inside = (truth.labels > 0) & (truth.labels != IGNORE)
        widths = {n: thickness_of(truth.labels == i) for i, n in enumerate(names) if i and counts[i]}
        return Looked({n: int(counts[i]) for i, n in enumerate(names)}, inside, widths)

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """Labels uint8 (*working grid), 255 for ignore."""
        plan, truth = scheme.plan, case.truth()
        if not isinstance(truth, Segmentation) or truth.names != plan.classes:
            raise LabelError(
                "the case has no truth over the regions of train", where=case.id, wanted=", ".join(plan.classes)
            )
        there = regrid(turned_labels(truth, plan.orientation).labels, image.shape[1:], len(plan.classes))
        return Ready(image, there, centres_of(there, range(1, len(plan.classes))))

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> Array:
        """Labels uint8 (*patch)."""
        return sampled_labels(ready.target, where, len(scheme.plan.classes))

    def stacked(self, targets: Sequence[Any]) -> Tensor:
        """int64 (n, *patch)."""
        out: Tensor = super().stacked(targets)
        return out.long()

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """That of the plan, over every head."""
        return nets.segmentation_loss(scheme.loop.loss)

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """Dice, mean over regions and cases."""
        plan = valid.scheme.plan
        return mean_dice(
            [dice(labels(module, valid[i].image, plan), valid[i].target, plan) for i in range(len(valid))]
        )

    def loop(self, recipe: Any, facts: Fingerprint, origins: Origins) -> Loop:
        """The loss that the recipe names, else the plan's choice."""
        return Loop(foreground=0.33, loss=loss_name(recipe, facts, origins))

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The scheme that keeps the largest part of each region where that is clearly better and nobody said."""
        if "plan.largest" in scheme.origins or scheme.plan.largest:
            return scheme
        rows = []
        for i in range(len(valid)):
            found = labels(module, valid[i].image, scheme.plan)
            kept = tidied(found, keep_largest=True)
            rows.append([dice(a, valid[i].target, scheme.plan) for a in (found, kept)])
        before, after = (mean_dice([row[k] for row in rows]) for k in (0, 1))
        better = after > before + CLEARLY
        said = f"val: Dice {before:.4f} with all parts, {after:.4f} with the largest part of each region"
        plan = replace(scheme.plan, largest=better)
        return replace(scheme, plan=plan, origins=scheme.origins | {"plan.largest": said})


def regrid(there: Array, shape: Sequence[int], classes: int) -> Array:
    """uint8 labels on another grid of the same box: shares of each class (255 too) are averaged, the largest wins."""
    if there.shape == tuple(shape):
        return np.ascontiguousarray(there)
    values = [*range(classes), IGNORE]
    votes = resize(np.stack([there == v for v in values]).astype(np.float32), shape)
    return np.asarray(np.asarray(values, np.uint8)[votes.argmax(0)])


QUESTION = Segment()
