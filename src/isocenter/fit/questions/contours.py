"""Learning which pixels are which object: what each pixel is, and where the centre of its object lies."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from isocenter import nets
from isocenter.data import Augment, Case, Instances, Intensity, Plan, Spatial
from isocenter.errors import LabelError
from isocenter.fit.augment import Pose
from isocenter.fit.questions.question import Looked, Origins, Question, Ready, centres_of
from isocenter.fit.scheme import Loop, Scheme
from isocenter.fit.validation import asked
from isocenter.infer.contouring import decoded, maps_of
from isocenter.ops.array import Array

if TYPE_CHECKING:
    from isocenter.fit.feed import Shelf
    from isocenter.fit.fingerprint import Fingerprint

IGNORED = 255
# What is tried on val after training.
PROBABILITIES, PROMINENCES = (0.35, 0.5, 0.65), (0.1, 0.25, 0.4, 0.6)
SCORES, SMALLEST = (0.0, 0.35, 0.5, 0.55, 0.6, 0.65, 0.7), (0.0, 0.02, 0.05)


class Contours(Question):
    """Classes, depth and offsets a pixel; objects by voting."""

    task = "instances"
    keeps_grid = True

    def looked(self, case: Case, names: tuple[str, ...]) -> Looked:
        """Number and size of the objects of each class."""
        truth = _truth(case)
        counts = {n: int(np.count_nonzero(truth.labels == i)) for i, n in enumerate(truth.classes)}
        return Looked({"background": 0} | counts, None, {}, truth.boxes().sizes)

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """Numbers int32 (*working grid), and the class of each object, uint8 (n + 1,), background first."""
        truth = _truth(case)
        if truth.classes != scheme.plan.classes[1:]:
            raise LabelError(
                "the case has no truth over the classes of train", where=case.id, wanted=", ".join(scheme.plan.classes)
            )
        numbers = nearest(truth.label_map(), image.shape[1:])
        kinds = np.concatenate([[0], truth.labels + 1]).astype(np.uint8)
        return Ready(image, (numbers, kinds), centres_of(kinds[numbers], range(1, len(scheme.plan.classes))))

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> tuple[Array, ...]:
        """Classes uint8, depth and weight float32 (*patch each), offsets float32 (axes, *patch)."""
        numbers, kinds = ready.target
        at = np.rint(where.numpy()).astype(np.int64)
        inside = np.all((at >= 0) & (at < np.asarray(numbers.shape)), axis=-1)
        at = np.clip(at, 0, np.asarray(numbers.shape) - 1)
        found = np.where(inside, numbers[tuple(np.moveaxis(at, -1, 0))], 0)
        classes = np.where(inside, kinds[found], np.uint8(IGNORED))
        depth, offsets = depth_and_offsets(found, float(scheme.plan.settings["scale"]))
        return classes, depth, weight_of(found, float(scheme.plan.settings["diameter"])), offsets

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """Dice and cross-entropy of the classes; L1 of depth and offsets inside the objects; over every head."""
        n = len(scheme.plan.classes)

        def one(head: Tensor, classes: Tensor, depth: Tensor, weight: Tensor, offsets: Tensor) -> Tensor:
            total = nets.dice_cross_entropy(head[:, :n], classes.long())
            inner = ((classes > 0) & (classes != IGNORED)).float() * weight
            count = inner.sum().clamp(min=1.0)
            distance = functional.binary_cross_entropy_with_logits(head[:, n].float(), depth, reduction="none")
            aim = functional.smooth_l1_loss(head[:, n + 1 :].float(), offsets, reduction="none", beta=0.1).sum(1)
            return total + (distance * inner).sum() / count + (aim * inner).sum() / count

        def all_heads(out: Any, target: Any) -> Tensor:
            heads = out if isinstance(out, (list, tuple)) else [out]
            total, weights = torch.zeros((), device=heads[0].device), 0.0
            for level, head in enumerate(heads):
                total = total + one(head, *_thinned(target, head)) * 0.5**level
                weights += 0.5**level
            return total / weights

        return all_heads

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """TP / (TP + FP + FN) at an IoU of 0.5, mean over images."""
        plan = valid.scheme.plan
        return float(np.mean([_agreement(_maps(module, valid[i], plan), valid[i], plan) for i in range(len(valid))]))

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The limits of probability, prominence, score and size, and whether what touches the rim counts, by val."""
        maps = [_maps(module, valid[i], scheme.plan) for i in range(len(valid))]

        def scored(plan: Plan) -> float:
            return float(np.mean([_agreement(m, valid[i], plan) for i, m in enumerate(maps)]))

        area = float(np.pi / 4) * float(scheme.plan.settings["diameter"]) ** 2
        best, top = scheme.plan, scored(scheme.plan)
        first = top
        said = "plan.smallest" in scheme.origins
        pairs = ({"probability": p, "prominence": a} for p, a in itertools.product(PROBABILITIES, PROMINENCES))
        rest: list[dict[str, Any]] = [{"rim": False}, *({"score": s} for s in SCORES)]
        rest += [{"smallest": f * area} for f in SMALLEST if not said]
        for change in (*pairs, *rest):
            trial = _changed(best, change)
            value = scored(trial)
            if value > top + 1e-9:
                best, top = trial, value
        text = f"val: ap50 {first:.4f} with the usual limits, {top:.4f} with {dict(best.settings)}"
        return replace(scheme, plan=best, origins=scheme.origins | {"plan.settings": text})

    def outputs(self, facts: Fingerprint) -> int:
        """Classes, depth, offsets."""
        return len(facts.classes) + 1 + facts.rank

    def settings(self, recipe: Any, facts: Fingerprint, grid: Sequence[int], origins: Origins) -> dict[str, Any]:
        """The usual diameter, and the unit of offsets: half of it."""
        diameter = float(np.median([np.prod(s) ** (1 / len(s)) for s in facts.sizes])) if facts.sizes else 16.0
        origins["plan.settings"] = f"fingerprint: median object {diameter:.3g} px across"
        scale = round(diameter / 2, 2)
        made = {"outputs": self.outputs(facts), "diameter": round(diameter, 2), "scale": scale}
        return made | ({"counterstain": True} if getattr(recipe, "counterstain", False) else {})

    def augment(self, facts: Fingerprint, *, photo: bool) -> Augment:
        """Objects in a field of view lie any way round."""
        flips = ("y", "x") if facts.rank == 2 else ("z", "y", "x")
        turn = (-180.0, 180.0) if facts.rank == 2 else (-15.0, 15.0)
        spatial = Spatial(turn, (-0.05, 0.05), (0.7, 1.4), (-5.0, 5.0), flips, 0.0)
        return Augment(spatial, Intensity((0.6, 1.6), 0.4, (0.6, 1.7), 0.2, 1.2, 2.0), 0.3)

    def loop(self, recipe: Any, facts: Fingerprint, origins: Origins) -> Loop:
        """Half of the samples are centred on an object."""
        return Loop(foreground=0.5)


def _truth(case: Case) -> Instances:
    truth = case.truth()
    if not isinstance(truth, Instances):
        raise LabelError("a training case has no objects", where=case.id)
    if truth.geometry.shape != case.image().geometry.shape:
        raise LabelError("objects lie on another grid", where=case.id, got=str(truth.geometry.shape),
                         wanted=str(case.image().geometry.shape))  # fmt: skip
    return truth


def nearest(numbers: Array, shape: Sequence[int]) -> Array:
    """A map of numbers on another grid of the same box, by the nearest pixel; int32."""
    if numbers.shape == tuple(shape):
        return np.ascontiguousarray(numbers, np.int32)
    pairs = zip(shape, numbers.shape, strict=True)
    at = [np.minimum(((np.arange(n) + 0.5) * k / n).astype(int), k - 1) for n, k in pairs]
    return np.ascontiguousarray(numbers[np.ix_(*at)], np.int32)


def depth_and_offsets(numbers: Array, scale: float) -> tuple[Array, Array]:
    """How far inside its object each pixel lies, and where its object's centre is.

    Parameters
    ----------
    numbers
        int (*grid), one number an object, 0 outside.
    scale
        Unit of the offsets, in pixels.

    Returns
    -------
    depth
        float32 (*grid): distance to the object's edge as a share of the greatest in that object; 0 outside.
    offsets
        float32 (axes, *grid): from each pixel to the mean of its object's pixels; 0 outside.
    """
    there, flat = np.unique(numbers, return_inverse=True)
    own = flat.reshape(numbers.shape) + int(there[0] != 0)
    depth = np.zeros(numbers.shape, np.float32)
    offsets = np.zeros((numbers.ndim, *numbers.shape), np.float32)
    n = int(own.max(initial=0)) + 1
    if n == 1:
        return depth, offsets
    # An edge is where the neighbour along any axis is another object or nothing; the picture's own rim is none.
    edge = own == 0
    for axis in range(own.ndim):
        differs = np.diff(own, axis=axis) != 0
        first = [slice(None)] * own.ndim
        second = list(first)
        first[axis], second[axis] = slice(0, -1), slice(1, None)
        edge[tuple(first)] |= differs
        edge[tuple(second)] |= differs
    far = (ndimage.distance_transform_edt(~edge) + 0.5) if edge.any() else np.ones(own.shape)
    inside = own > 0
    greatest = np.asarray(ndimage.maximum(far, own, np.arange(n)))
    depth[inside] = (far / greatest[own])[inside]
    count = np.maximum(np.bincount(own.ravel(), minlength=n), 1)
    for axis in range(own.ndim):
        line = np.arange(own.shape[axis]).reshape([-1 if a == axis else 1 for a in range(own.ndim)])
        at = np.broadcast_to(line, own.shape)
        centre = np.bincount(own.ravel(), weights=at.ravel(), minlength=n) / count
        offsets[axis][inside] = ((centre[own] - at) / scale)[inside]
    return depth, offsets


def weight_of(numbers: Array, diameter: float) -> Array:
    """float32 (*grid), 1/2 to 4: pixels of small objects count more, as the square root of usual to own diameter."""
    there, flat = np.unique(numbers, return_inverse=True)
    area = np.bincount(flat.ravel(), minlength=len(there))
    own = area ** (1 / numbers.ndim)
    weights = np.clip((diameter / own) ** 0.5, 0.5, 4.0).astype(np.float32)
    return np.asarray(weights[flat].reshape(numbers.shape))


def _thinned(target: Any, head: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    classes, depth, weight, offsets = target
    cut = tuple(slice((a // b) // 2, None, a // b) for a, b in zip(classes.shape[1:], head.shape[2:], strict=True))
    planes = (classes[(slice(None), *cut)], depth[(slice(None), *cut)], weight[(slice(None), *cut)])
    return *planes, offsets[(slice(None), slice(None), *cut)]


def _maps(module: nn.Module, ready: Ready, plan: Plan) -> Array:
    return maps_of(lambda x: asked(module, x), ready.image, plan)


def _agreement(maps: Array, ready: Ready, plan: Plan) -> float:
    return ap50(decoded(maps, plan)[0], ready.target[0])


def ap50(found: Array, truth: Array) -> float:
    """TP / (TP + FP + FN) of two maps with one number an object, matched above an IoU of 0.5; 1 where both are empty.

    Above one half a pair is unique, so nothing needs to be assigned (Caicedo et al., Nature Methods 2019).
    """
    columns = int(truth.max(initial=0)) + 1
    rows = int(found.max(initial=0)) + 1
    joint = np.bincount(found.ravel().astype(np.int64) * columns + truth.ravel(), minlength=rows * columns)
    joint = joint.reshape(rows, columns)
    mine, theirs = joint.sum(1), joint.sum(0)
    both = joint[1:, 1:]
    union = mine[1:, None] + theirs[None, 1:] - both
    hits = int(np.count_nonzero(both > 0.5 * union))
    total = int(np.count_nonzero(mine[1:])) + int(np.count_nonzero(theirs[1:])) - hits
    return hits / total if total else 1.0


def _changed(plan: Plan, change: dict[str, Any]) -> Plan:
    smallest = change.pop("smallest", None)
    if smallest is not None:
        return replace(plan, smallest=round(smallest, 1))
    return replace(plan, settings=plan.settings | change)


QUESTION = Contours()
