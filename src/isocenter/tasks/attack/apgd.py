"""Steps that set their own length, on cross-entropy or on a ratio of logits: Auto-PGD.

Croce and Hein, Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks, ICML
2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isocenter.data import Case, Differentiable, NotEvaluated, Perturbation, knob
from isocenter.tasks.attack._budget import EPSILON, NORM, NORMS, TEXT, within
from isocenter.tasks.attack._climb import climbed, seed_of
from isocenter.tasks.attack._victim import Victim, differentiable


@dataclass(frozen=True)
class Apgd:
    """As pgd, without a step to choose: it is halved where the loss no longer rises, from the best point on.

    Raises
    ------
    RecipeError
        `of` is missing or no single network, or epsilon leaves the image's range.
    """

    of: Differentiable | None = knob(None, "the fitted network to attack: a bundle")
    epsilon: float = knob(EPSILON, TEXT, low=0.0)
    norm: str = knob("linf", NORM, choices=NORMS)
    loss: str = knob(
        "ce", "what is raised: ce cross-entropy; dlr a ratio of logits that no scale of them can hide (with two "
        "classes their difference)", choices=("ce", "dlr"),
    )  # fmt: skip
    steps: int = knob(30, "gradients of one start", low=1, high=10000)
    restarts: int = knob(1, "starts, each drawn from the budget", low=1, high=100)
    seed: int = knob(0, "of the starts", low=0, high=2**31)

    def __post_init__(self) -> None:
        differentiable(self.of, "apgd")
        within(self.epsilon, self.norm)

    def predict(self, case: Case) -> Perturbation | NotEvaluated:
        """The change on the case's own grid; raises as `_victim.victim`."""
        from isocenter.nets.adversarial import Walk
        from isocenter.nets.apgd import apgd

        walk = Walk(self.steps, restarts=self.restarts, seed=seed_of(case, self.seed))

        def search(v: Victim, aim: Any, ball: Any) -> Any:
            kept = v.stored(norm=self.norm, radius=self.epsilon)
            return apgd(v.answers, v.x, aim, ball=ball, walk=walk, stored=kept)

        return climbed(self.of, case, search, name="apgd", norm=self.norm, epsilon=self.epsilon, loss=self.loss)
