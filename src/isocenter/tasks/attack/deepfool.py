"""The smallest change that alters the answer.

Moosavi-Dezfooli, Fawzi, Frossard, DeepFool: a simple and accurate method to fool deep neural networks, CVPR 2016.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import (
    IGNORE,
    Case,
    Differentiable,
    NotEvaluated,
    Perturbation,
    Probabilities,
    Segmentation,
    knob,
)
from isocenter.ops.array import Array
from isocenter.tasks.attack._budget import NORM, NORMS
from isocenter.tasks.attack._victim import Victim, differentiable, victim

# By how much a change is enlarged until it outlives the rounding of its pixels.
FACTORS = (1.0, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)


@dataclass(frozen=True)
class DeepFool:
    """The nearest answer that is another one, by linear steps to the nearest boundary.

    Of a segmenting network the answer is what its largest region is called on the mean over its pixels. Where pixels
    are whole numbers, a change below half a level would vanish: then it is enlarged until the stored image has another
    answer, and that is the change that is reported.

    Raises
    ------
    RecipeError
        `of` is missing or no single network.
    """

    of: Differentiable | None = knob(None, "the fitted network to attack: a bundle")
    norm: str = knob("l2", NORM, choices=NORMS)
    steps: int = knob(50, "linearisations at most", low=1, high=1000)
    candidates: int = knob(10, "other classes that are looked at, the likeliest first", low=1, high=1000)

    def __post_init__(self) -> None:
        differentiable(self.of, "deepfool")

    def predict(self, case: Case) -> Perturbation | NotEvaluated:
        """The change on the case's own grid.

        NotEvaluated where no region was found, or none of the changes altered the answer; raises as `_victim.victim`.
        """
        from isocenter.nets.deepfool import deepfool

        found = victim(self.of, case, name="deepfool")
        if isinstance(found, NotEvaluated):
            return found
        asked = _asked(found)
        if isinstance(asked, NotEvaluated):
            return asked
        answers, own, altered = asked
        x, reached = deepfool(answers, found.x, own, norm=self.norm, steps=self.steps, candidates=self.candidates)
        if not reached:
            return NotEvaluated("no change altered the answer", limit=f"{self.steps} steps")
        change = ((x - found.x)[0].double() * found.width).numpy()
        return self._smallest(found, change, altered)

    def _smallest(
        self, found: Victim, change: Array, altered: Callable[[Perturbation], bool]
    ) -> Perturbation | NotEvaluated:
        """The least enlarged change that alters the answer to the stored image."""
        for factor in FACTORS:
            grown = factor * change
            kept = found.perturbed(np.rint(grown) if found.whole else grown, method="deepfool", norm=self.norm,
                                   epsilon=None, enlarged=factor)
            if altered(kept):
                return kept
        return NotEvaluated("no change outlived the rounding of the pixels", limit=f"{FACTORS[-1]:g} times its size")


def _asked(found: Victim) -> tuple[Callable[[Any], Any], int, Callable[[Perturbation], bool]] | NotEvaluated:
    """Scores (1, classes) of which another must lead, which leads now, and whether a finding's answer is altered."""
    import torch

    with torch.no_grad():
        scores = found.answers(found.x)
    if isinstance(found.before, Probabilities):
        if found.passage.multilabel:
            sign = torch.where(scores >= 0, 1.0, -1.0)
            # Any label that turns makes another answer: it leads over 0 then.
            return lambda x: torch.cat([torch.zeros(1, 1), -sign * found.answers(x)], dim=1), 0, lambda p: p.altered
        return found.answers, int(scores[0].argmax()), lambda p: p.altered
    labels = scores[0].argmax(dim=0)
    counts = torch.bincount(labels.flatten(), minlength=scores.shape[1])
    own = 1 + int(counts[1:].argmax())
    if not counts[own]:
        return NotEvaluated("the network finds no region here, so there is no answer to alter")
    region = (labels == own).to(scores.dtype)
    return (lambda x: (found.answers(x) * region).flatten(2).sum(2) / region.sum()), own, _turned


def _turned(made: Perturbation) -> bool:
    """Whether less than half of the largest region before is still called so."""
    if not isinstance(made.before, Segmentation) or not isinstance(made.after, Segmentation):
        return made.altered
    labels = made.before.labels
    own = 1 + int(np.bincount(labels.ravel(), minlength=256)[1:IGNORE].argmax())
    inside = labels == own
    return bool((made.after.labels[inside] == own).sum() < 0.5 * inside.sum())
