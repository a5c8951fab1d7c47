"""Squares of changed pixels, drawn at random and kept where they help: an attack that needs answers alone.

Andriushchenko, Croce, Flammarion, Hein, Square attack: a query-efficient black-box adversarial attack via random
search, ECCV 2020; its l-inf and its l2 form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Case, NotEvaluated, Perturbation, Predictor, Probabilities, Segmentation, knob
from isocenter.errors import RecipeError
from isocenter.infer.preparing import unusable
from isocenter.metrics.segment import dice, regions
from isocenter.ops.array import Array
from isocenter.ops.span import span
from isocenter.tasks._through import changer
from isocenter.tasks.attack._budget import EPSILON, NORM, NORMS, TEXT, rounded, unit_of, within
from isocenter.tasks.attack._climb import seed_of
from isocenter.tasks.attack._victim import Answered, aimed, wrong
from isocenter.tasks.attack._windows import moved, tiled

# Of 10 000 queries: from which on the squares' share of the image is halved again (the paper's schedule).
HALVINGS = (10, 50, 200, 1000, 2000, 4000, 6000, 8000)
# A region is lost below this Dice.
LOST = 0.01


@dataclass(frozen=True)
class Square:
    """Random search by the answers of any predictor; no gradient is needed.

    In l-inf squares of changes as large as the budget allows; in l2 bumps, into which the budget of another place goes.

    Raises
    ------
    RecipeError
        `of` is missing or does not answer, or epsilon leaves the image's range.
    """

    of: Predictor[Any] | None = knob(None, "what to attack: any method that answers classes or regions")
    epsilon: float = knob(EPSILON, TEXT, low=0.0)
    queries: int = knob(300, "answers that are asked for", low=1, high=1000000)
    share: float = knob(0.3, "share of the image that the first squares cover", low=1e-4, high=1.0)
    seed: int = knob(0, "of the squares", low=0, high=2**31)
    norm: str = knob("linf", NORM, choices=NORMS)

    def __post_init__(self) -> None:
        if self.of is None or not isinstance(self.of, Predictor):
            raise RecipeError("square attacks another method", got=type(self.of).__name__, wanted="of= what predicts",
                              remedy="Name a bundle, or a method that needs no training")
        within(self.epsilon, self.norm)

    def predict(self, case: Case) -> Perturbation | NotEvaluated:
        """The change on the case's own grid; NotEvaluated where nothing is answered.

        Raises
        ------
        LabelError
            The answer is neither classes nor regions.
        """
        assert self.of is not None
        image = case.image()
        array = image.channels_first()
        lack = unusable(array)
        before = lack or self.of.predict(case)
        if isinstance(before, NotEvaluated):
            return before
        aim = aimed(case, before, name="square")
        search = _Search(self, case, array, aim)
        best = np.zeros(search.pixels.shape) if wrong(before, aim) else search.run()
        values = (np.clip(search.pixels + best, *search.span) - search.pixels).astype(np.float32)
        after = self.of.predict(search.changed(search.pixels + values))
        checks = {"wrong_before": 1.0} if wrong(before, aim) else {"queries": float(search.asked)}
        return Perturbation(values, image.geometry, before, after, aim, "square", self.norm, self.epsilon,
                            search.span, unit_of(image), checks)


class _Search:
    """One random search over one case."""

    def __init__(self, recipe: Square, case: Case, array: Array, aim: Answered) -> None:
        image = case.image()
        # Equal channels are one grey picture, and stay one.
        grey = len(array) == 3 and all(np.array_equal(array[0], array[k]) for k in (1, 2))
        places = [[0, 1, 2]] if grey else [[k] for k in range(len(array))]
        self.recipe, self.aim, self.asked = recipe, aim, 0
        self.pixels = np.stack([array[at[0]] for at in places]).astype(np.float64)
        self.span, self.changed = span(array, image.dtype), changer(case, places)
        self.radius = recipe.epsilon * (self.span[1] - self.span[0])
        self.whole = np.dtype(image.dtype).kind in "biu"
        self.rng = np.random.default_rng(seed_of(case, recipe.seed))

    def run(self) -> Array:
        """The change that leaves the aim the least lead."""
        best = self._kept(self._start())
        lead = self._lead(best)
        while self.asked < self.recipe.queries and lead > 0:
            tried = self._kept(self._proposed(best))
            found = self._lead(tried)
            if found < lead:
                best, lead = tried, found
        return best

    def _start(self) -> Array:
        shape = self.pixels.shape
        if self.recipe.norm == "l2":
            return tiled(shape, self.radius, self.rng)
        # Stripes along the last axis: a start that networks dislike.
        stripes = self.rng.choice([-1.0, 1.0], (shape[0], *([1] * (len(shape) - 2)), shape[-1]))
        return np.broadcast_to(stripes * self.radius, shape)

    def _proposed(self, best: Array) -> Array:
        shape = self.pixels.shape
        if self.recipe.norm == "l2":
            return moved(best, self.radius, self._sides(shape[1:]), self.rng)
        tried, where = best.copy(), self._where(shape[1:])
        signs = self.rng.choice([-1.0, 1.0], (shape[0], *([1] * (len(shape) - 1))))
        tried[(slice(None), *where)] = signs * self.radius
        return tried

    def _sides(self, grid: tuple[int, ...]) -> list[int]:
        """Of a square (a cube in volumes) of the size that this query is due."""
        passed = self.asked / self.recipe.queries * 10000
        share = self.recipe.share / 2 ** sum(passed >= h for h in HALVINGS)
        side = max(1, round((share * np.prod(grid)) ** (1 / len(grid))))
        return [min(side, n) for n in grid]

    def _where(self, grid: tuple[int, ...]) -> tuple[slice, ...]:
        """A square of that size, somewhere."""
        sides = self._sides(grid)
        low = [int(self.rng.integers(0, n - s + 1)) for n, s in zip(grid, sides, strict=True)]
        return tuple(slice(a, a + s) for a, s in zip(low, sides, strict=True))

    def _kept(self, change: Array) -> Array:
        inside = np.clip(self.pixels + change, *self.span) - self.pixels
        return rounded(inside, norm=self.recipe.norm, radius=self.radius, whole=self.whole)

    def _lead(self, change: Array) -> float:
        """How far the answer is from lost; at most 0 where it is."""
        assert self.recipe.of is not None
        self.asked += 1
        return lead(self.recipe.of.predict(self.changed(self.pixels + change)), self.aim)


def lead(answer: Any, aim: Answered) -> float:
    """How much of the aim an answer keeps; at most 0 where none.

    Of classes the logarithm of the ratio between the aim and its strongest rival (0 where the answer decides for
    others); of regions the mean Dice.
    """
    if isinstance(answer, Probabilities) and isinstance(aim, Probabilities):
        if wrong(answer, aim):
            return 0.0
        logs = np.log(np.clip(answer.array, 1e-12, 1 - 1e-12))
        if answer.multilabel:
            rest = np.log1p(-np.clip(answer.array, 1e-12, 1 - 1e-12))
            own = np.where([c in aim.decision for c in answer.classes], logs - rest, rest - logs)
            return max(float(own.min()), 1e-9)
        at = answer.classes.index(aim.decision[0])
        # A threshold may decide for the class that is not the most probable: what it keeps is still above 0.
        return float(np.logaddexp(0, logs[at] - np.delete(logs, at).max()))
    if isinstance(answer, Segmentation) and isinstance(aim, Segmentation):
        both = regions(answer, aim)
        held = list(both.classes.values()) or [r for r in (both.union,) if r is not None]
        found = [d for d in map(dice, held) if d is not None]
        return float(np.mean(found)) - LOST if found else 0.0
    return 0.0
