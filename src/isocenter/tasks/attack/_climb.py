"""What the attacks within a budget share: from a case to the finding."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from isocenter.data import Case, NotEvaluated, Perturbation
from isocenter.tasks.attack._victim import Victim, victim, wrong

# From the victim, the aim and the ball to what was found.
Search = Callable[[Victim, Any, Any], Any]


def climbed(
    of: Any, case: Case, search: Search, *, name: str, norm: str, epsilon: float, loss: str = "ce"
) -> Perturbation | NotEvaluated:
    """The strongest change of a case that a search finds within a budget.

    Parameters
    ----------
    of, case
        The network, and the case; a class that is wrong already is left as it is.
    search
        Gives `nets.adversarial.Found`.
    name, norm, epsilon, loss
        As in the finding, and in `nets.adversarial.Aim`.
    """
    from isocenter.nets.adversarial import Aim, Ball, margins_at

    found = victim(of, case, name=name)
    if isinstance(found, NotEvaluated):
        return found
    if wrong(found.before, found.aim):
        return found.untouched(method=name, norm=norm, epsilon=epsilon)
    aim, ball = Aim(found.truth(), loss), Ball(norm, epsilon)
    best = search(found, aim, ball)
    change = found.change(best.x, norm=norm, radius=epsilon)
    noise = found.stored(norm=norm, radius=epsilon)(_noise(found.x, ball, seed_of(case)))
    return found.perturbed(
        change, method=name, norm=norm, epsilon=epsilon,
        gradient=float(best.slope.max()) if best.slope is not None else 0.0, first_loss=best.trace[0],
        last_loss=max(best.trace[1:], default=best.trace[0]), unrounded=float(best.margins.min() < 0),
        noise=float(margins_at(found.answers, noise, aim).min() < 0),
    )


def seed_of(case: Case, seed: int = 0) -> int:
    """A seed for one case, whatever was asked before."""
    return int.from_bytes(hashlib.sha256(f"{seed} {case.id}".encode()).digest()[:7], "big")


def _noise(x: Any, ball: Any, seed: int) -> Any:
    """Noise as large as the budget allows: signs, or a point of the sphere."""
    import torch

    drawn = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    return ball.inside(x + ball.radius * ball.direction(drawn), x)
