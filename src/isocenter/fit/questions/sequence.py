"""Learning what a sequence is: the slices of a volume, or the frames of a film, in their order."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Several
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from isocenter.data import Augment, Case, Cases
from isocenter.errors import RecipeError
from isocenter.fit.classifiers import depth_of
from isocenter.fit.questions.classify import QUESTION as CLASSES
from isocenter.fit.questions.question import Looked, Origins, Question, Ready
from isocenter.fit.scheme import Loop, Scheme
from isocenter.ops.array import Array

if TYPE_CHECKING:
    from isocenter.fit.augment import Pose
    from isocenter.fit.feed import Shelf
    from isocenter.fit.fingerprint import Fingerprint

# Most slices, and pixels of the longer side of one, where nobody says; channels of the first stage.
MOST, SIDE, WIDTH = 32, 96, 16


class Sequence(Question):
    """One label, or several, a sequence: as `classify` but for the grid, the network and what is varied."""

    task = "classify"
    dense = False

    def names(self, cases: Cases) -> tuple[str, ...]:
        """The classes."""
        return CLASSES.names(cases)

    def looked(self, case: Case, names: tuple[str, ...]) -> Looked:
        """Whether each class holds."""
        return CLASSES.looked(case, names)

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """Shares float32 (classes,)."""
        return CLASSES.ready(case, scheme, image)

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> Array:
        """As they are."""
        return CLASSES.sampled(ready, where, pose, scheme)

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """As of `classify`."""
        return CLASSES.loss(scheme)

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """Minus the log loss."""
        return CLASSES.score(module, valid)

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The scheme with calibration and thresholds chosen on val."""
        return CLASSES.finished(scheme, module, valid)

    def study(self, facts: Fingerprint, batch: int) -> dict[str, Any]:
        """Whole passes over the cases."""
        return CLASSES.study(facts, batch)

    def loop(self, recipe: Any, facts: Fingerprint, origins: Origins) -> Loop:
        """As of `classify`."""
        return CLASSES.loop(recipe, facts, origins)

    def grid(
        self, recipe: Any, facts: Fingerprint, origins: Origins
    ) -> tuple[tuple[float, ...] | None, tuple[int, ...] | None] | None:
        """So many slices evenly over the whole, at most 32 unless the recipe says; their plane at most 96 pixels.

        Raises
        ------
        RecipeError
            Images of two axes: there is no sequence.
        """
        if facts.rank != 3:
            raise RecipeError("a sequence needs the slices of volumes, or the frames of films", got=f"{facts.rank}D")
        before = recipe.before
        if before.spacing is not None or before.coarser is not None:
            return None
        n = recipe.slices or max(2, min(MOST, facts.median[0]))
        factor = max(1.0, max(facts.median[1:]) / SIDE)
        said = f"{n} slices, longer side of the plane at most {SIDE}"
        origins["plan.size"] = f"fingerprint: median grid {facts.median}: {said}"
        return None, (n, *(max(8, round(s / factor)) for s in facts.median[1:]))

    def network(
        self, recipe: Any, facts: Fingerprint, patch: Several[int], base: dict[str, Any], origins: Origins
    ) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Stages as of `small` in the plane, and the recurrent layer of the recipe."""
        depth = depth_of(patch[1:])
        origins["network.sizes"] = f"fingerprint: {depth} stages on a plane of {tuple(patch[1:])}"
        made = {"cell": recipe.cell, "hidden": recipe.hidden, "pooling": recipe.pooling}
        return base | {"name": "recurrent", "sizes": [WIDTH, depth]} | made, ()

    def augment(self, facts: Fingerprint, *, photo: bool) -> Augment:
        """Nothing that mixes slices with their plane: turns of a volume would."""
        usual = CLASSES.augment(facts, photo=photo)
        spatial = replace(usual.spatial, rotation=(0.0, 0.0), shear=(0.0, 0.0), scaling=(0.9, 1.1))
        return replace(usual, spatial=spatial)


QUESTION = Sequence()
