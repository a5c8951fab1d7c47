"""Learning where it is: boxes with a class, by networks with anchors or without."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from isocenter import nets
from isocenter.data import Augment, Boxes, Case, Cases, Geometry, Intensity, Plan, Spatial
from isocenter.data.turning import turned_boxes
from isocenter.errors import LabelError, RecipeError, nearest
from isocenter.fit.augment import Pose
from isocenter.fit.boxed import LEFT_OUT, padded_rows, posed
from isocenter.fit.network import strides_of
from isocenter.fit.questions.question import Looked, Origins, Question, Ready
from isocenter.fit.scheme import Loop, Scheme
from isocenter.fit.validation import asked
from isocenter.infer.detecting import DEFAULTS, chosen, on_own_grid
from isocenter.metrics.detect import coco_50_row, found, precision_summary
from isocenter.metrics.objects import record
from isocenter.metrics.score_limit import best_limit
from isocenter.ops.anchors import agreement, fitted
from isocenter.ops.array import Array
from isocenter.ops.windows import multiple, padded

if TYPE_CHECKING:
    from isocenter.fit.feed import Shelf
    from isocenter.fit.fingerprint import Fingerprint

# Loss of each network.
LOSSES = {"yolo": "aligned", "yolov3": "objectness", "retinanet": "focal", "ssd": "mined"}
# Channels of the first stage; anchors of a level.
WIDTH, ANCHORS = 24, {"yolov3": 3, "retinanet": 3, "ssd": 4}
# The finest level that answers has cells of at most this share of small objects, the coarsest of at least this share of
# large ones; small and large are these percentiles of the shorter side.
FINE, COARSE, SMALL, LARGE = 1 / 2, 1 / 6, 5, 98
LEVELS = 3
# Largest difference of a box between torch and the exported network, in pixels.
TOLERANCE = 0.02


class Detect(Question):
    """Boxes of one image, seen whole."""

    task = "detect"
    dense = False
    longest = {2: 416, 3: 128}

    def names(self, cases: Cases) -> tuple[str, ...]:
        """The classes."""
        return cases.classes

    def looked(self, case: Case, names: tuple[str, ...]) -> Looked:
        """Boxes of each class, and their sizes; every value counts."""
        truth = boxes_of(case, names)
        held = truth if truth.ignored is None else truth.chosen(~truth.ignored)
        counts = np.bincount(held.labels, minlength=len(names))
        return Looked({n: int(counts[i]) for i, n in enumerate(names)}, sizes=held.sizes)

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """Boxes float32 (m, 2 rank + 1) on the working grid: low edges, high edges, class (-2: ignored)."""
        truth = turned_boxes(boxes_of(case, scheme.plan.classes), scheme.plan.orientation)
        own = truth.geometry.shape
        edges = on_own_grid(truth.edges, own, own, image.shape[1:])
        kinds = truth.labels if truth.ignored is None else np.where(truth.ignored, LEFT_OUT, truth.labels)
        held = (edges[:, 1] > edges[:, 0]).all(1)
        rows = np.concatenate((edges[:, 0], edges[:, 1], kinds[:, None]), 1)[held]
        return Ready(image, rows.astype(np.float32))

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> Array:
        """Boxes float32 (k, 2 rank + 1) in pixels of the patch."""
        return posed(ready.target, pose, where.shape[:-1], ready.image.shape[1:])

    def stacked(self, targets: Sequence[Any]) -> Tensor:
        """float32 (n, m, 2 rank + 1), filled up with class -1."""
        return torch.from_numpy(padded_rows(targets))

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """That of the network's family."""
        return nets.DETECTION_LOSSES[LOSSES[scheme.network["name"]]]

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """Average precision at IoU 0.5, mean over classes."""
        rows = [record(found(answer, truth), coco_50_row) for answer, truth in _answered(module, valid)]
        summary = precision_summary(rows)
        once = np.ones((1, len(rows)))
        names = [c for c in valid.scheme.plan.classes if c in summary]
        values = [float(summary[c].at(once)[0]) for c in names]
        there = [v for v in values if math.isfinite(v)]
        return float(np.mean(there)) if there else 0.0

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The scheme with the score limit of each class: that of the greatest F1 at IoU 0.5 on val."""
        sides = [found(answer, truth).classes for answer, truth in _answered(module, valid)]
        limits = tuple(best_limit([s[c] for s in sides if c in s]) for c in scheme.plan.classes)
        said = {"plan.thresholds": f"val: greatest F1 at IoU 0.5 of each class over {len(sides)} images"}
        plan = replace(scheme.plan, thresholds=limits, tolerance=TOLERANCE)
        return replace(scheme, plan=plan, origins=scheme.origins | said)

    def network(
        self, recipe: Any, facts: Fingerprint, patch: Sequence[int], base: dict[str, Any], origins: Origins
    ) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Steps down and levels by the size of the objects; anchors fitted to them."""
        name = base["name"] or "yolo"
        origins["network.name"] = "default" if base["name"] is None else "recipe"
        if not isinstance(name, str) or name not in LOSSES:
            raise RecipeError("no such detector", got=str(name), remedy=nearest(str(name), LOSSES))
        factor = shrunk(facts, patch)
        sizes = np.asarray(facts.sizes, np.float64) / factor
        spacing = None if facts.spacing is None else [s * f for s, f in zip(facts.spacing, factor, strict=True)]
        strides, levels = scales(sizes, strides_of(patch, spacing, most=5))
        small, large = np.percentile(sizes.min(1), [SMALL, LARGE])
        said = f"fingerprint: objects of {small:.3g} to {large:.3g} pixels on the grid of {tuple(patch)}"
        origins["network.strides"] = said
        width = getattr(recipe, "width", None)
        origins["network.width"] = "default" if width is None else "recipe"
        base |= {"name": name, "width": width or WIDTH, "strides": strides}
        if name in ANCHORS:
            anchors = fitted(sizes, ANCHORS[name] * levels)
            fit = agreement(sizes, anchors).max(1).mean()
            origins["network.anchors"] = f"fingerprint: k-means over {len(sizes)} boxes, mean IoU {fit:.3f}"
            base["anchors"] = np.round(anchors.reshape(levels, ANCHORS[name], -1), 1).tolist()
        else:
            base["levels"] = levels
        if name == "ssd":
            base["encoder"] = getattr(recipe, "encoder", None) or "light"
        return base, tuple(math.prod(s[a] for s in strides) for a in range(facts.rank))

    def settings(self, recipe: Any, facts: Fingerprint, grid: Sequence[int], origins: Origins) -> dict[str, Any]:
        """What remains of an answer, as `infer.detecting.DEFAULTS`, and what `infer.detecting` needs for tiles."""
        keep = getattr(recipe, "keep", None)
        said = {name: getattr(keep, name, None) for name in (*DEFAULTS, "windows")}
        largest = np.asarray(facts.sizes, np.float64).max(0) * np.asarray(grid) / np.asarray(facts.median)
        seen = {
            "reach": [math.ceil(v) for v in largest],
            "seen": list(facts.median),
            "pixel": None if facts.spacing is None else list(facts.spacing),
        }
        return DEFAULTS | {name: value for name, value in said.items() if value is not None} | seen

    def study(self, facts: Fingerprint, batch: int) -> dict[str, Any]:
        """More samples a batch than usual: most places of an image hold nothing."""
        most = {2: min(16, 8 * batch), 3: min(4, 2 * batch)}[facts.rank]
        size = max(1, min(most, facts.n))
        return {"epochs": 60, "steps": 50, "batch_size": size, "learning_rate": 2e-3, "patience": 0}

    def augment(self, facts: Fingerprint, *, photo: bool) -> Augment:
        """No turning: the box around a turned box is too large."""
        spatial = Spatial((0.0, 0.0), (-0.1, 0.1), (0.7, 1.4), (0.0, 0.0), (), 0.0)
        return Augment(spatial, Intensity((0.65, 1.5), 0.3, (0.7, 1.5), 0.15, 1.0, 2.0), 0.3)

    def loop(self, recipe: Any, facts: Fingerprint, origins: Origins) -> Loop:
        """A long running mean of the weights."""
        return Loop(weight_decay=0.05, ema=0.998)


def boxes_of(case: Case, names: tuple[str, ...]) -> Boxes:
    """The true boxes of a case; LabelError where there are none over these classes."""
    truth = case.truth()
    if not isinstance(truth, Boxes) or truth.classes != names:
        raise LabelError("the case has no boxes over the classes of train", where=case.id, wanted=", ".join(names))
    return truth


def shrunk(facts: Fingerprint, patch: Sequence[int]) -> Array:
    """float64 (rank,): pixels of the images for one of the working grid."""
    return np.maximum(1.0, np.asarray(facts.median, np.float64) / np.asarray(patch, np.float64))


def scales(sizes: Array, strides: list[list[int]]) -> tuple[list[list[int]], int]:
    """Steps down, and how many of the last stages answer, for objects of these sizes (n, rank) in pixels."""
    small, large = np.percentile(sizes.min(1), [SMALL, LARGE])
    cells = np.cumprod([max(s) for s in strides])
    first = max(0, int(np.searchsorted(cells, small * FINE, side="right")) - 1)
    last = max(int(np.searchsorted(cells, large * COARSE)), first + LEVELS - 1)
    last = min(last, len(strides) - 1)
    first = min(first, max(0, last - LEVELS + 1))
    return strides[: last + 1], last - first + 1


def _answered(module: nn.Module, valid: Shelf) -> list[tuple[Boxes, Boxes]]:
    """Answer and truth of every case, on the working grid."""
    return [_pair(module, valid[i], valid.scheme.plan) for i in range(len(valid))]


def _pair(module: nn.Module, ready: Ready, plan: Plan) -> tuple[Boxes, Boxes]:
    grid = ready.image.shape[1:]
    shape = multiple(grid, plan.divisor)
    edges, labels, scores = chosen(asked(module, padded(ready.image, shape)[None])[0], plan)
    edges = on_own_grid(edges, shape, grid, grid)
    held = (edges[:, 1] > edges[:, 0]).all(1)
    geometry = Geometry.from_spacing(grid, None)
    rows = ready.target.astype(np.float64)
    ignored = rows[:, -1] == LEFT_OUT
    truth = Boxes(
        rows[:, :-1].reshape(-1, 2, plan.rank), np.where(ignored, 0, rows[:, -1]).astype(np.int64), plan.classes,
        geometry, ignored=ignored,
    )  # fmt: skip
    return Boxes(edges[held], labels[held], plan.classes, geometry, scores[held]), truth


QUESTION = Detect()
