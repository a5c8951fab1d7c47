"""Many small steps along the gradient, back into the budget after each: projected gradient ascent.

Madry et al., Towards deep learning models resistant to adversarial attacks, ICLR 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isocenter.data import Case, Differentiable, NotEvaluated, Perturbation, knob
from isocenter.tasks.attack._budget import EPSILON, NORM, NORMS, TEXT, within
from isocenter.tasks.attack._climb import climbed, seed_of
from isocenter.tasks.attack._victim import Victim, differentiable


@dataclass(frozen=True)
class Pgd:
    """The change within a budget that raises the loss most, from a start drawn within it.

    Raises
    ------
    RecipeError
        `of` is missing or no single network, or epsilon leaves the image's range.
    """

    of: Differentiable | None = knob(None, "the fitted network to attack: a bundle")
    epsilon: float = knob(EPSILON, TEXT, low=0.0)
    norm: str = knob("linf", NORM, choices=NORMS)
    steps: int = knob(20, "gradients of one start", low=1, high=10000)
    step: float = knob(0.25, "length of one step, a share of epsilon", low=1e-4, high=2.0)
    restarts: int = knob(1, "starts, each drawn from the budget", low=1, high=100)
    seed: int = knob(0, "of the starts", low=0, high=2**31)

    def __post_init__(self) -> None:
        differentiable(self.of, "pgd")
        within(self.epsilon, self.norm)

    def predict(self, case: Case) -> Perturbation | NotEvaluated:
        """The change on the case's own grid; raises as `_victim.victim`."""
        from isocenter.nets.adversarial import Walk, pgd

        walk = Walk(self.steps, self.step, self.restarts, seed=seed_of(case, self.seed))

        def search(v: Victim, aim: Any, ball: Any) -> Any:
            kept = v.stored(norm=self.norm, radius=self.epsilon)
            return pgd(v.answers, v.x, aim, ball=ball, walk=walk, stored=kept)

        return climbed(self.of, case, search, name="pgd", norm=self.norm, epsilon=self.epsilon)
