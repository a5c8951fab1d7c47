"""Training samples. Sample k of step s depends on the seed, s and k alone: resuming needs no state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from isocenter.data import Case, Cases, Normalisation, Plan
from isocenter.data.turning import turned
from isocenter.fit import questions
from isocenter.fit.augment import drawn, positions, sampled, shaded
from isocenter.fit.imbalance import drawn as drawn_of
from isocenter.fit.questions.question import Ready
from isocenter.fit.scheme import Scheme
from isocenter.infer import available, prepare
from isocenter.ops.array import Array
from isocenter.ops.span import span
from isocenter.ops.windows import multiple

# Most memory of the prepared cases of one side, and the share of what is free that they may take.
BUDGET_MB, FREE = 4096.0, 0.25


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


def room() -> float:
    """MB that the prepared cases of one side may take here: decides what is prepared again, never a result."""
    free = available()
    return BUDGET_MB if free is None else min(BUDGET_MB, FREE * free / 2**20)


def prepared_case(case: Case, scheme: Scheme) -> Ready:
    """Image and truth on the working grid, prepared exactly as for prediction.

    Raises
    ------
    LabelError
        The case has no truth of the task, or one with other names.
    """
    plan = scheme.plan
    image = prepare(turned(case.image(), plan.orientation), plan).array
    ready = questions.of(plan.kind).ready(case, scheme, image)
    return replace(ready, reach=reach_of(case, plan, image)) if scheme.study.augment.adversarial.epsilon else ready


def reach_of(case: Case, plan: Plan, image: Array) -> Array:
    """float32 (c,): by how much a prepared image (c, *grid) changes when pixels change by the whole range of the file.

    Every normalisation is a straight line where it does not clip; its slope is that of prepared over plain values.
    """
    own = case.image()
    low, high = span(own.channels_first(), own.dtype)
    plain = prepare(turned(own, plan.orientation), replace(plan, normalisation=Normalisation("none"))).array
    out = np.zeros(len(image), np.float32)
    for c, (after, before) in enumerate(zip(image.astype(np.float64), plain.astype(np.float64), strict=True)):
        inside = (after > after.min()) & (after < after.max())
        x, y = (before[inside], after[inside]) if inside.any() else (before.ravel(), after.ravel())
        x = x - x.mean()
        out[c] = (high - low) * float((x * (y - y.mean())).sum()) / max(float((x * x).sum()), 1e-30)
    return out


def reaches(shelf: Shelf, step: int, *, seed: int) -> Tensor:
    """float32 (n, c): `reach_of` of every sample of a batch."""
    n = int(shelf.scheme.study.batch_size or 1)
    cases = [_which(shelf, generator(seed, step, k), step * n + k, seed) for k in range(n)]
    return torch.from_numpy(np.stack([np.asarray(shelf[i].reach, np.float32) for i in cases]))


def generator(seed: int, step: int, k: int) -> np.random.Generator:
    """Randomness of sample k of step s, by counter (Salmon et al. 2011): no state, so training resumes anywhere."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, k, step + 1]))


def turn(n: int, seed: int, position: int) -> int:
    """Index of the case at a position of the endless sequence of shuffled passes over n cases."""
    pass_, place = divmod(position, n)
    order = np.random.Generator(np.random.Philox(key=seed, counter=[0, 1, 0, pass_])).permutation(n)
    return int(order[place])


def batch(shelf: Shelf, step: int, *, seed: int, size: int | None = None) -> tuple[Tensor, Any]:
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
    float32 (n, c, *patch) and its targets, as `Question.stacked` gives them.
    """
    n = size or int(shelf.scheme.study.batch_size or 1)
    pairs = [sample(shelf, step, k, seed=seed, size=n) for k in range(n)]
    images = torch.from_numpy(np.stack([p[0] for p in pairs]))
    targets = questions.of(shelf.scheme.plan.kind).stacked([p[1] for p in pairs])
    alpha = float(shelf.scheme.loop.imbalance.mixup or 0.0)
    # One counter beyond those of the samples.
    return mixed(images, targets, generator(seed, step, n), alpha=alpha) if alpha else (images, targets)


def mixed(images: Tensor, targets: Tensor, rng: np.random.Generator, *, alpha: float) -> tuple[Tensor, Tensor]:
    """Each sample mixed with the next one of the batch, and so are their shares of classes (mixup, Zhang et al. 2018).

    Parameters
    ----------
    images, targets
        (n, c, *patch) and (n, classes).
    rng
        Draws the share of the first of each pair, one for the batch, from Beta(alpha, alpha).
    alpha
        Above 0: the larger, the nearer to halves.
    """
    share = float(rng.beta(alpha, alpha))
    first, second = (share * t + (1 - share) * t.roll(-1, 0) for t in (images, targets))
    return first, second


def sample(shelf: Shelf, step: int, k: int, *, seed: int, size: int) -> tuple[Array, Any]:
    """Sample k of a step: image float32 (c, *patch) and its target, as `Question.sampled` gives it."""
    scheme, rng = shelf.scheme, generator(seed, step, k)
    ready = shelf[_which(shelf, rng, step * size + k, seed)]
    augment, question = scheme.study.augment, questions.of(scheme.plan.kind)
    patch = tuple(scheme.study.patch or multiple(ready.image.shape[1:], scheme.plan.divisor))
    centre = _centre(ready, patch, rng, scheme.loop.foreground if question.dense else 0.0)
    pose = drawn(rng, augment.spatial, patch, centre, spacing=scheme.plan.spacing)
    where = positions(pose, patch)
    image = shaded(rng, sampled(ready.image, where), augment.intensity, float(augment.share or 0.0))
    return question.shown(image, question.sampled(ready, where, pose, scheme), rng, scheme)


def _which(shelf: Shelf, rng: np.random.Generator, position: int, seed: int) -> int:
    u = rng.random(2)
    sampling = shelf.scheme.loop.imbalance.sampling or "none"
    if sampling == "none":
        return turn(len(shelf), seed, position)
    groups = by_class(shelf.cases)
    edges = np.cumsum(drawn_of([len(g) for g in groups], sampling))
    chosen = groups[min(len(groups) - 1, int(np.searchsorted(edges, u[0] * edges[-1], side="right")))]
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
