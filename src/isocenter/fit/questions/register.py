"""Learning which point of one image is which point of another, from pairs alone or with regions in both."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from isocenter.data import IGNORE, Augment, Case, Correspondence, Intensity, Spatial
from isocenter.data.turning import turned_labels
from isocenter.errors import LabelError
from isocenter.fit.augment import Pose, sampled_labels
from isocenter.fit.network import WIDEST, strides_of
from isocenter.fit.questions.question import Looked, Origins, Question, Ready
from isocenter.fit.questions.segment import regrid
from isocenter.fit.scheme import Loop, Scheme
from isocenter.fit.validation import asked
from isocenter.infer.registering import aim_of, brought, shown, velocity
from isocenter.nets.deformation import Goal
from isocenter.ops.array import Array
from isocenter.ops.pulling import pulled
from isocenter.ops.refining import integrated, likeness
from isocenter.ops.windows import multiple, padded

if TYPE_CHECKING:
    from isocenter.fit.feed import Shelf
    from isocenter.fit.fingerprint import Fingerprint

# Most pixels of the grid that a pair is seen on, whole.
MOST = {2: 256 * 256, 3: 48 * 56 * 48}
# Channels at half the grid, and steps down from there.
WIDTH, DEPTH = 32, 3
# Pairs of val that a limit of likeness rests on, and how many SD below their mean it lies.
FEWEST, BELOW = 5, 4.0
# Least SD that is reckoned with: of few pairs it may be as good as none. The limit is never lower: white noise in the
# plane gives a quarter of that.
FLOOR, LEAST = 0.02, 0.05
TOLD = ("similarity", "window", "smoothness", "labels")


class Register(Question):
    """A stationary velocity: the two images of a pair are the channels of one."""

    task = "register"
    needs_truth = False
    every_class = False

    def looked(self, case: Case, names: tuple[str, ...]) -> Looked:
        """Nothing: pairs without truth are learnt from, too."""
        return Looked({})

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """Labels uint8 (2, *working grid) of the fixed and the moving image; 255 where nobody says."""
        plan, truth = scheme.plan, case.truth()
        labels = np.full(image.shape, IGNORE, np.uint8)
        if isinstance(truth, Correspondence) and truth.regions is not None:
            for i, side in enumerate(truth.regions):
                if side.names != plan.classes:
                    raise LabelError("the case has regions other than those of train", where=case.id,
                                     got=", ".join(side.names), wanted=", ".join(plan.classes))
                found = turned_labels(side, plan.orientation).labels
                labels[i] = regrid(found, image.shape[1:], len(plan.classes))
        return Ready(shown(image), labels)

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> Array:
        """Labels uint8 (2, *patch)."""
        if (ready.target == IGNORE).all():
            return np.full((2, *where.shape[:-1]), IGNORE, np.uint8)
        return np.stack([sampled_labels(side, where, len(scheme.plan.classes)) for side in ready.target])

    def shown(self, image: Array, target: Any, rng: np.random.Generator, scheme: Scheme) -> tuple[Array, Any]:
        """The pair, either image first with equal probability; the loss needs it beside its labels."""
        if rng.random() < 0.5:
            image, target = image[::-1].copy(), target[::-1].copy()
        return image, (image, target)

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """As `nets.deformation.Goal`."""
        how = scheme.plan.settings
        return Goal(**{name: how[name] for name in TOLD}, classes=len(scheme.plan.classes) - 1)

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """Dice of the warped regions, mean over regions and pairs; of pairs without regions their likeness."""
        module.eval()
        found = [_measured(module, valid, i) for i in range(len(valid))]
        overlaps = [overlap for _, overlap in found if overlap is not None]
        return float(np.mean(overlaps or [alike for alike, _ in found]))

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The scheme with how alike registered images must be to count as pictures of one content."""
        alike = np.array([_measured(module, valid, i)[0] for i in range(len(valid))])
        plan = scheme.plan
        least, said = LEAST, f"default: several times what noise gives; val: {len(alike)} pairs, fewer than {FEWEST}"
        if len(alike) >= FEWEST:
            least = max(LEAST, float(alike.mean() - BELOW * max(alike.std(ddof=1), FLOOR)))
            said = f"val: {BELOW:g} SD below the mean of {len(alike)} pairs, {alike.mean():.3f}, and at least {LEAST}"
        plan = replace(plan, settings={**plan.settings, "least": round(least, 4)})
        return replace(scheme, plan=plan, origins=scheme.origins | {"plan.settings.least": said})

    def network(
        self, recipe: Any, facts: Fingerprint, patch: Sequence[int], base: dict[str, Any], origins: Origins
    ) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Stages as deep as the patch allows; the first step down is not taken back."""
        depth, width = getattr(recipe, "depth", None), getattr(recipe, "width", None)
        strides = strides_of(patch, facts.spacing, most=1 + (DEPTH if depth is None else depth))
        origins["network.strides"] = f"fingerprint: patch {tuple(patch)}"
        origins["network.widths"] = "default" if width is None else "recipe"
        widths = [min(WIDEST, (width or WIDTH) * 2**i) for i in range(len(strides))]
        divisor = tuple(math.prod(s[a] for s in strides) for a in range(len(patch)))
        return base | {"name": "velocity", "widths": widths, "strides": strides}, divisor

    def grid(
        self, recipe: Any, facts: Fingerprint, origins: Origins
    ) -> tuple[tuple[float, ...] | None, tuple[int, ...] | None] | None:
        """The fixed images' median spacing, coarser where a pair would not be seen whole."""
        before = getattr(recipe, "before", None)
        if before is not None and (before.spacing is not None or before.coarser is not None):
            return None
        most = MOST[facts.rank]
        factor = max(1.0, (math.prod(facts.median) / most) ** (1 / facts.rank))
        if facts.spacing is not None:
            origins["plan.spacing"] = f"fingerprint: {factor:.2f} times the median spacing, at most {most} pixels"
            return tuple(round(s * factor, 4) for s in facts.spacing), None
        origins["plan.size"] = f"fingerprint: spacing unknown, at most {most} pixels"
        return None, tuple(max(8, round(n / factor)) for n in facts.median) if factor > 1 else None

    def outputs(self, facts: Fingerprint) -> int:
        """One velocity an axis."""
        return facts.rank

    def settings(self, recipe: Any, facts: Fingerprint, grid: Sequence[int], origins: Origins) -> dict[str, Any]:
        """What a registration is to reach, and the steps of optimisation on a new pair."""
        goal = recipe.goal
        origins.update({f"plan.settings.{name}": "recipe" for name in TOLD})
        return {name: getattr(goal, name) for name in TOLD} | {"refine": recipe.refine, "outputs": facts.rank}

    def study(self, facts: Fingerprint, batch: int) -> dict[str, Any]:
        """Some thousand steps."""
        return {"epochs": 30, "steps": 50, "batch_size": min(4, batch), "learning_rate": 1e-3, "patience": 0}

    def augment(self, facts: Fingerprint, *, photo: bool) -> Augment:
        """Both images of a pair are turned alike; each has its own values."""
        spatial = Spatial((-15.0, 15.0), (-0.05, 0.05), (0.8, 1.25), (-5.0, 5.0), (), 0.0)
        return Augment(spatial, Intensity((0.8, 1.25), 0.2, (0.8, 1.25), 0.05, 0.5, 1.0), 0.3)

    def loop(self, recipe: Any, facts: Fingerprint, origins: Origins) -> Loop:
        """No region is looked for."""
        return Loop(foreground=0.0)


def _measured(module: nn.Module, valid: Shelf, i: int) -> tuple[float, float | None]:
    """Likeness of a registered pair, and mean Dice of its regions where it holds some; the network alone."""
    ready, plan = valid[i], valid.scheme.plan
    inside = padded(ready.image, multiple(ready.image.shape[1:], plan.divisor))
    speed = velocity(lambda x: asked(module, x), inside, plan)
    alike = likeness(brought(inside, speed), inside[0], aim_of(plan).window)
    labels = padded(ready.target, inside.shape[1:])
    return alike, overlap(integrated(speed, inside.shape[1:]), labels, len(plan.classes))


def overlap(move: Array, labels: Array, classes: int) -> float | None:
    """Mean Dice of the regions 1 to `classes` - 1 that either side holds; None where neither holds any.

    Parameters
    ----------
    move
        float32 (axes, *grid).
    labels
        uint8 (2, *grid), fixed and moving; 255 in the fixed one takes no part.
    classes
        With background.
    """
    values = [v for v in range(1, classes) if (labels == v).any()]
    if not values:
        return None
    fixed, known = labels[0], labels[0] != IGNORE
    there = pulled(np.stack([labels[1] == v for v in values]).astype(np.float32), move) > 0.5
    found = []
    for v, mask in zip(values, there & known, strict=True):
        own = fixed == v
        total = int(own.sum()) + int(mask.sum())
        found.append(2.0 * int((own & mask).sum()) / total if total else 1.0)
    return float(np.mean(found))


QUESTION = Register()
