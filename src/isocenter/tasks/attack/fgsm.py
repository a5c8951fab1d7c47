"""One step along the sign of the gradient: the fast gradient sign method.

Goodfellow, Shlens, Szegedy, Explaining and harnessing adversarial examples, ICLR 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.data import Case, Differentiable, NotEvaluated, Perturbation, knob
from isocenter.tasks.attack._budget import EPSILON, NORM, NORMS, TEXT, within
from isocenter.tasks.attack._climb import climbed
from isocenter.tasks.attack._victim import differentiable


@dataclass(frozen=True)
class Fgsm:
    """The change of a fixed size that raises the loss most to first order. Quick, and the weakest of the attacks.

    Raises
    ------
    RecipeError
        `of` is missing or no single network, or epsilon leaves the image's range.
    """

    of: Differentiable | None = knob(None, "the fitted network to attack: a bundle")
    epsilon: float = knob(EPSILON, TEXT, low=0.0)
    norm: str = knob("linf", NORM, choices=NORMS)

    def __post_init__(self) -> None:
        differentiable(self.of, "fgsm")
        within(self.epsilon, self.norm)

    def predict(self, case: Case) -> Perturbation | NotEvaluated:
        """The change on the case's own grid; raises as `_victim.victim`."""
        from isocenter.nets.adversarial import fgsm

        return climbed(self.of, case, lambda v, aim, ball: fgsm(v.answers, v.x, aim, ball=ball), name="fgsm",
                       norm=self.norm, epsilon=self.epsilon)
