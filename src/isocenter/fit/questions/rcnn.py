"""Learning which pixels are which object, by proposals that are looked at again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

from isocenter.data import OBJECT, Case, Cases, Geometry, Instances
from isocenter.errors import BundleError, LabelError, RecipeError
from isocenter.fit.augment import Pose
from isocenter.fit.export import onnx_bytes
from isocenter.fit.questions.question import Looked, Origins, Question, Ready, centres_of
from isocenter.fit.scheme import Loop, Scheme
from isocenter.fit.validation import asked
from isocenter.infer import Engine, engine, verify
from isocenter.infer.rcnn import MASK, NETWORK, Regions, head, outlined, regions
from isocenter.metrics.instances import found, score_at
from isocenter.nets.rcnn import BOX, SPREADS, learning
from isocenter.nets.rcnn import MASK as MASK_BINS
from isocenter.ops.anchors import fitted
from isocenter.ops.array import Array
from isocenter.ops.resample import nearest

if TYPE_CHECKING:
    from isocenter.fit.feed import Shelf
    from isocenter.fit.fingerprint import Fingerprint

# Anchors a level; share of the objects for which a level is worth having; side in cells that a level is there for.
ANCHORS, WORTH, CELLS = 4, 0.005, 12.0
LEVELS, FINEST, COARSEST = 4, 4, 32
# Pixels below which what a patch cuts off of an object is none.
LEAST = 6
# At prediction: proposals of a level and of all, IoU of objects above which one goes, most objects.
PROPOSALS, LIMIT, MOST = (2000, 1000), 0.3, 500
# Scores from which an object is one, tried on val; the least of them while nothing is chosen. IoUs of objects above
# which the less sure one goes, tried on val after training.
SCORES = tuple(round(0.1 + 0.05 * i, 2) for i in range(18))
LIMITS = (0.2, 0.3, 0.4, 0.5)


class Rcnn(Question):
    """Objects with class and mask, by Mask R-CNN or Cascade R-CNN."""

    task = "instances"
    sees_targets = True
    keeps_grid = True

    def names(self, cases: Cases) -> tuple[str, ...]:
        """The classes, without background."""
        return cases.classes or (OBJECT,)

    def looked(self, case: Case, names: tuple[str, ...]) -> Looked:
        """Objects of each class and their sizes."""
        truth = _truth(case, names)
        if truth.geometry.shape != case.image().geometry.shape:
            raise LabelError("objects lie on another grid", where=case.id, got=str(truth.geometry.shape))
        counts = np.bincount(truth.labels, minlength=len(names))
        return Looked({n: int(c) for n, c in zip(names, counts, strict=True)}, sizes=truth.boxes().sizes)

    def outputs(self, facts: Fingerprint) -> int:
        """One a class, background not counted."""
        return len(facts.classes)

    def network(
        self, recipe: Any, facts: Fingerprint, patch: Sequence[int], base: dict[str, Any], origins: Origins
    ) -> tuple[dict[str, Any], tuple[int, ...]]:
        """The region network, with anchors that fit the objects of train.

        Raises
        ------
        RecipeError
            Three axes.
        """
        if facts.rank != 2:
            raise RecipeError("region networks see two axes", got=f"{facts.rank}D", remedy="Use cut('slice')")
        made: dict[str, Any] = {"name": "rcnn", "anchors": anchors_of(facts), "limits": list(recipe.limits)}
        for name, usual in (("width", 32), ("features", 64)):
            mine = getattr(recipe, name, None)
            made[name] = usual if mine is None else mine
            origins[f"network.{name}"] = "default" if mine is None else "recipe"
        origins["network.anchors"] = f"fingerprint: sizes of {len(facts.sizes)} objects"
        return base | made, (COARSEST,) * 2

    def settings(self, recipe: Any, facts: Fingerprint, grid: Sequence[int], origins: Origins) -> dict[str, Any]:
        """What `infer.rcnn` needs."""
        anchors = anchors_of(facts)
        return {
            "strides": [FINEST * 2**i for i in range(len(anchors))],
            "anchors": anchors,
            "features": 64 if getattr(recipe, "features", None) is None else recipe.features,
            "spreads": [list(s) for s in SPREADS[: len(recipe.limits)]],
            "bins": [BOX, MASK_BINS],
            "proposals": list(PROPOSALS),
            "least": SCORES[0],
            "limit": LIMIT,
            "most": MOST,
        }

    def study(self, facts: Fingerprint, batch: int) -> dict[str, Any]:
        """Long enough to learn boxes before masks."""
        return {"epochs": 30, "steps": 100, "batch_size": batch, "learning_rate": 1e-3, "patience": 0}

    def loop(self, recipe: Any, facts: Fingerprint, origins: Origins) -> Loop:
        """As usual, with a longer running mean."""
        return Loop(foreground=0.33, ema=0.998)

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """Numbers int32 (*working grid), object i being i + 1, and the class of each, int64 (n,)."""
        truth = _truth(case, scheme.plan.classes)
        numbers = truth.label_map()
        rows, columns = (nearest(a, b) for a, b in zip(numbers.shape, image.shape[1:], strict=True))
        there = np.ascontiguousarray(numbers[rows[:, None], columns[None, :]])
        return Ready(image, (there, truth.labels.astype(np.int64)), centres_of(there > 0, [1]))

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> tuple[Array, Array]:
        """Boxes float32 (m, 5): edges and class index; numbers int32 (*patch)."""
        numbers, kinds = ready.target
        there = looked_up(numbers, where.numpy())
        boxes, kept = [], np.zeros_like(there)
        for of, part in _parts(there):
            mask = part[1]
            if np.count_nonzero(mask) < LEAST:
                continue
            low = np.asarray([s.start for s in part[0]]) - 0.5
            boxes.append([*low, *(low + mask.shape), kinds[of - 1]])
            kept[part[0]][mask] = len(boxes)
        return np.asarray(boxes, np.float32).reshape(-1, 5), kept

    def stacked(self, targets: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """Boxes float32 (n, m, 5), class -1 where an image has fewer than m; numbers int32 (n, *patch)."""
        most = max(len(boxes) for boxes, _ in targets)
        filled = np.full((len(targets), most, 5), -1, np.float32)
        for row, (boxes, _) in zip(filled, targets, strict=True):
            row[: len(boxes)] = boxes
        return torch.from_numpy(filled), torch.from_numpy(np.stack([numbers for _, numbers in targets]))

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """Of everything that the network was asked about."""
        return lambda out, _: learning(out)

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """Best over score limits of TP / (TP + FP + FN) at IoU 0.5, mean over classes and cases."""
        return swept(module, valid)[0]

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The scheme with the score from which an object is one, and the overlap that two may have, chosen on val."""
        tried = [(*swept(module, valid, limit=limit), limit) for limit in LIMITS]
        value, least, limit = max(tried, key=lambda one: one[0])
        said = f"val: best TP / (TP + FP + FN) at IoU 0.5, {value:.4f} over {len(valid)} cases"
        plan = replace(scheme.plan, settings=scheme.plan.settings | {"least": least, "limit": limit})
        origins = {"plan.settings.least": said, "plan.settings.limit": said}
        return replace(scheme, plan=plan, origins=scheme.origins | origins)

    def exported(self, module: nn.Module, scheme: Scheme, vector: Array) -> dict[str, Array]:
        """Every part as a network of its own: ``NAME.onnx``, with ``vector/input`` and ``vector/output`` of the first
        and ``vector/NAME/input`` and ``vector/NAME/output`` of the others.

        Raises
        ------
        BundleError
            An exported part does not answer as torch does.
        """
        out: dict[str, Array] = {}
        settings = scheme.plan.settings
        for name, part in parts_of(module).items():
            if name == NETWORK:
                seen, place = vector, "vector/"
            else:
                bins = settings["bins"][1 if name == MASK else 0]
                draw = np.random.default_rng(0).normal(size=(3, settings["features"], bins, bins))
                seen, place = draw.astype(np.float32), f"vector/{name.removesuffix('.onnx')}/"
            data, answer = _exported(part, name, scheme, seen)
            out |= {name: np.frombuffer(data, np.uint8).copy(), f"{place}input": seen, f"{place}output": answer}
        return out


def _exported(part: nn.Module, name: str, scheme: Scheme, seen: Array) -> tuple[bytes, Array]:
    answer = asked(part, seen)
    data = onnx_bytes(part.eval(), seen, dense=name == MASK)
    try:
        verify(engine(data, kind=scheme.plan.engine, threads=1), seen, answer, scheme.plan)
    except BundleError as error:
        raise BundleError(
            "the exported network does not answer as the trained one", where=name, got=error.got or error.what
        ) from error
    return data, answer


def parts_of(module: nn.Module) -> dict[str, nn.Module]:
    """The parts of a region network by the names of their files."""
    boxes = {head(i): part for i, part in enumerate(module.heads)}
    return {NETWORK: module, **boxes, MASK: module.mask}


def anchors_of(facts: Fingerprint) -> list[list[list[float]]]:
    """Sizes of anchors for each level from the finest on, by k-means over the objects that it is there for.

    A level with fewer objects than anchors takes those of all, scaled to its side; coarse levels that are worth nothing
    are left out.
    """
    sizes = np.maximum(np.asarray(facts.sizes, np.float64).reshape(-1, 2), 2.0)
    if not len(sizes):
        sizes = np.full((1, 2), CELLS * FINEST / 2)
    side = np.sqrt(sizes.prod(1))
    at = np.clip(np.floor(np.log2(side / (CELLS * FINEST))) + 1, 0, LEVELS - 1).astype(int)
    share = np.asarray([np.mean(at >= i) for i in range(LEVELS)])
    count = max(1, int(np.count_nonzero(share > WORTH)))
    out = []
    for i in range(count):
        mine = sizes[np.minimum(at, count - 1) == i]
        if len(mine) < ANCHORS:
            mine = sizes / side[:, None] * (CELLS * FINEST * 2.0**i * 0.7)
        fit = fitted(np.concatenate([mine, mine[:, ::-1]]), ANCHORS)
        out.append([[round(float(v), 1) for v in row] for row in fit])
    return out


def swept(module: nn.Module, valid: Shelf, *, limit: float = LIMIT) -> tuple[float, float]:
    """The best mean of TP / (TP + FP + FN) at IoU 0.5 over the cases of val, and the score limit that gives it.

    The mean is over classes that a case holds or was answered, then over cases, as in `metrics.instances`. Of objects
    that overlap by more than `limit` (IoU of boxes) the surest counts.
    """
    plan = valid.scheme.plan
    plan = replace(plan, settings=plan.settings | {"limit": limit, "least": SCORES[0]})
    engines: Mapping[str, Engine] = {name: partial(asked, part) for name, part in parts_of(module).items()}
    rows = []
    for i in range(len(valid)):
        image, (numbers, kinds) = valid[i].image, valid[i].target
        rows.append(_row(regions(engines, image, plan), numbers, kinds, plan.classes))
    means = np.nanmean(np.asarray(rows, np.float64), 0)
    best = int(np.argmax(means))
    return float(means[best]), SCORES[best]


def _row(answer: Regions, numbers: Array, kinds: Array, classes: Sequence[str]) -> list[float]:
    """The score of one case at each limit."""
    geometry = Geometry.from_spacing(numbers.shape, None)
    held = np.unique(numbers[numbers > 0])
    truth = Instances.from_label_map(numbers, geometry, classes=classes, labels=kinds[held - 1])
    made = outlined(answer, numbers.shape, geometry, classes)
    sure = np.asarray(made.scores, np.float64)
    out = []
    for least in SCORES:
        sides = found(made.chosen(np.flatnonzero(sure >= least)), truth).classes.values()
        counts = [side.counts for side in sides]
        values = [
            score_at(side, 0.5) if min(n) else 0.0 for side, n in zip(sides, counts, strict=True) if max(n)
        ]
        out.append(float(np.mean(values)) if values else 1.0)
    return out


def looked_up(numbers: Array, where: Array) -> Array:
    """int32 (*patch): numbers (*grid) at the nearest pixel; beyond the edge they are mirrored as images are.

    Parameters
    ----------
    numbers
        One number an object.
    where
        (*patch, 2): positions in pixels.
    """
    at = []
    for axis, n in enumerate(numbers.shape):
        turn = np.mod(np.rint(where[..., axis]).astype(np.int64), 2 * n)
        at.append(np.minimum(turn, 2 * n - 1 - turn))
    return np.asarray(numbers[at[0], at[1]], np.int32)


def _parts(numbers: Array) -> list[tuple[int, tuple[tuple[slice, ...], Array]]]:
    """Each connected part of each object: its number, where it is, and its mask there.

    An object and its mirror image are two, as are the pieces that the edge of a patch leaves of one.
    """
    out = []
    for of, place in enumerate(ndimage.find_objects(numbers), start=1):
        if place is None:
            continue
        parts, _ = ndimage.label(numbers[place] == of)
        for one, inner in enumerate(ndimage.find_objects(parts), start=1):
            at = tuple(slice(p.start + s.start, p.start + s.stop) for p, s in zip(place, inner, strict=True))
            out.append((of, (at, parts[inner] == one)))
    return out


def _truth(case: Case, names: Sequence[str]) -> Instances:
    truth = case.truth()
    if not isinstance(truth, Instances):
        raise LabelError("a training case has no objects", where=case.id, got=type(truth).__name__)
    if truth.classes != tuple(names):
        raise LabelError("the case has objects of other classes than train", where=case.id,
                         got=", ".join(truth.classes), wanted=", ".join(names))
    return truth


QUESTION = Rcnn()
