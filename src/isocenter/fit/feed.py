"""Training samples. Sample k of step s depends on the seed, s and k alone: resuming needs no state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from isocenter.data import IGNORE, Case, Cases, Probabilities, Segmentation
from isocenter.data.turning import turned, turned_labels
from isocenter.errors import LabelError
from isocenter.fit.augment import drawn, positions, sampled, sampled_labels, shaded
from isocenter.fit.scheme import Scheme
from isocenter.infer import prepare
from isocenter.ops.array import Array
from isocenter.ops.resample import resize
from isocenter.ops.windows import multiple

# Pixels remembered per class and case as centres of patches.
CENTRES = 5000
BUDGET_MB = 4096


@dataclass(frozen=True)
class Ready:
    """One case as the network sees it.

    Parameters
    ----------
    image
        float32 (c, *working grid).
    target
        segment: uint8 (*working grid) with 255 for ignore. classify: float32 (classes,).
    centres
        Class index to positions (n, rank) of some of its pixels, as whole numbers (segment).
    """

    image: Array
    target: Array
    centres: Mapping[int, Array] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return self.image.nbytes + self.target.nbytes


@dataclass(frozen=True)
class Shelf:
    """Prepared cases in memory, as many as the budget allows; the others are prepared anew each time."""

    cases: Cases
    scheme: Scheme
    budget_mb: float = BUDGET_MB
    held: OrderedDict[int, Ready] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, index: int) -> Ready:
        """The prepared case at this position."""
        if index in self.held:
            return self.held[index]
        made = prepared_case(self.cases[index], self.scheme)
        if sum(r.nbytes for r in self.held.values()) + made.nbytes <= self.budget_mb * 2**20:
            self.held[index] = made
        return made


def prepared_case(case: Case, scheme: Scheme) -> Ready:
    """Image and truth on the working grid, prepared exactly as for prediction.

    Raises
    ------
    LabelError
        The case has no truth of the task, or one with other names.
    """
    plan = scheme.plan
    image = prepare(turned(case.image(), plan.orientation), plan).array
    truth = case.truth()
    if plan.task == "classify":
        if not isinstance(truth, Probabilities) or truth.classes != plan.classes:
            raise LabelError(
                "the case has no truth over the classes of train", where=case.id, wanted=", ".join(plan.classes)
            )
        return Ready(image, np.asarray(truth.values, np.float32))
    if not isinstance(truth, Segmentation) or truth.names != plan.classes:
        raise LabelError(
            "the case has no truth over the regions of train", where=case.id, wanted=", ".join(plan.classes)
        )
    labels = regrid(turned_labels(truth, plan.orientation).labels, image.shape[1:], len(plan.classes))
    return Ready(image, labels, _centres(labels, len(plan.classes)))


def regrid(labels: Array, shape: Sequence[int], classes: int) -> Array:
    """uint8 labels on another grid of the same box: shares of each class (255 too) are averaged, the largest wins."""
    if labels.shape == tuple(shape):
        return np.ascontiguousarray(labels)
    values = [*range(classes), IGNORE]
    votes = resize(np.stack([labels == v for v in values]).astype(np.float32), shape)
    return np.asarray(np.asarray(values, np.uint8)[votes.argmax(0)])


def _centres(labels: Array, classes: int) -> dict[int, Array]:
    out: dict[int, Array] = {}
    for c in range(1, classes):
        flat = np.flatnonzero(labels == c)
        if len(flat):
            flat = flat[:: max(1, len(flat) // CENTRES)]
            out[c] = np.stack(np.unravel_index(flat, labels.shape), 1).astype(np.int32)
    return out


def generator(seed: int, step: int, k: int) -> np.random.Generator:
    """Randomness of sample k of step s, by counter (Salmon et al. 2011): no state, so training resumes anywhere."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, k, step + 1]))


def turn(n: int, seed: int, position: int) -> int:
    """Index of the case at a position of the endless sequence of shuffled passes over n cases."""
    pass_, place = divmod(position, n)
    order = np.random.Generator(np.random.Philox(key=seed, counter=[0, 1, 0, pass_])).permutation(n)
    return int(order[place])


def batch(shelf: Shelf, step: int, *, seed: int, size: int | None = None) -> tuple[Tensor, Tensor]:
    """One batch.

    Parameters
    ----------
    shelf
        Training cases.
    step
        Number of the step, from 0.
    seed
        Of the run.
    size
        Samples; default as planned.

    Returns
    -------
    float32 (n, c, *patch) and its targets: int64 (n, *patch), or float32 (n, classes).
    """
    n = size or int(shelf.scheme.study.batch_size or 1)
    pairs = [sample(shelf, step, k, seed=seed, size=n) for k in range(n)]
    images = torch.from_numpy(np.stack([p[0] for p in pairs]))
    targets = torch.from_numpy(np.stack([p[1] for p in pairs]))
    return images, targets.long() if shelf.scheme.plan.task == "segment" else targets


def sample(shelf: Shelf, step: int, k: int, *, seed: int, size: int) -> tuple[Array, Array]:
    """Sample k of a step: image float32 (c, *patch), and labels uint8 (*patch) or class shares float32 (classes,)."""
    scheme, rng = shelf.scheme, generator(seed, step, k)
    ready = shelf[_which(shelf, rng, step * size + k, seed)]
    augment, task = scheme.study.augment, scheme.plan.task
    patch = tuple(scheme.study.patch or multiple(ready.image.shape[1:], scheme.plan.divisor))
    centre = _centre(ready, patch, rng, scheme.loop.foreground if task == "segment" else 0.0)
    pose = drawn(rng, augment.spatial, patch, centre, spacing=scheme.plan.spacing)
    where = positions(pose, patch)
    image = shaded(rng, sampled(ready.image, where), augment.intensity, float(augment.share or 0.0))
    if task == "classify":
        return image, ready.target
    return image, sampled_labels(ready.target, where, len(scheme.plan.classes))


def _which(shelf: Shelf, rng: np.random.Generator, position: int, seed: int) -> int:
    u = rng.random(2)
    if not shelf.scheme.loop.balanced:
        return turn(len(shelf), seed, position)
    groups = by_class(shelf.cases)
    chosen = groups[int(u[0] * len(groups))]
    return chosen[int(u[1] * len(chosen))]


def by_class(cases: Cases) -> list[list[int]]:
    """Positions of the cases of each class that has any."""
    groups = [[i for i, e in enumerate(cases.entries) if c in e.labels] for c in cases.classes]
    return [g for g in groups if g] or [list(range(len(cases)))]


def _centre(ready: Ready, patch: Sequence[int], rng: np.random.Generator, share: float) -> Array:
    grid = np.asarray(ready.image.shape[1:], float)
    u = rng.random(3 + len(patch))
    low = np.minimum((np.asarray(patch) - 1) / 2, (grid - 1) / 2)
    high = (grid - 1) - low
    point = low + u[3:] * (high - low)
    if ready.centres and u[0] < share:
        classes = sorted(ready.centres)
        found = ready.centres[classes[int(u[1] * len(classes))]]
        point = np.clip(found[int(u[2] * len(found))].astype(float), low, high)
    # Whole pixels (half ones for even patches), so that an unmoved patch is a plain cut.
    return np.asarray(np.floor(point - low + 0.5) + low)
