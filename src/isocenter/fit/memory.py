"""How much memory a training takes at its peak: measured on few samples before it starts."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from isocenter.data import Plan
from isocenter.fit import questions
from isocenter.fit.feed import BUDGET_MB, Shelf, batch
from isocenter.fit.scheme import Scheme
from isocenter.fit.step import learnt, loss_of, started
from isocenter.fit.validation import asked
from isocenter.infer.holding import kept
from isocenter.ops.windows import multiple

# Pixels of a patch up to which it is tried whole; larger ones are halved, and their share grows with the pixels.
TRIED = 2**18
# Interpreter, libraries, and the kernels that torch and numba compile (measured on trainings of all kinds).
BASE_MB = 580.0
# What the allocator takes over what tensors hold (measured likewise).
OVER = 1.3
# Copies of the weights beside the gradients: themselves, running mean, the best, and those set aside on val.
COPIES, MOMENTS = 4, {"adamw": 2, "sgd": 1}


class Live(TorchDispatchMode):  # type: ignore[misc]
    """Counts the bytes of tensors that are made inside the block and still alive, and the most there ever were.

    Parameters
    ----------
    known
        Tensors from before, which are not counted.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._held: dict[int, Any] = {t.untyped_storage()._cdata: t for t in known}

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Runs the operation and counts what it gives."""
        out = func(*args, **(kwargs or {}))
        for value in tree_leaves(out):
            if isinstance(value, Tensor):
                self._count(value.untyped_storage())
        return out

    def _count(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._held:
            return

        def gone(_: Any) -> None:
            self.now -= size
            self._held.pop(key, None)

        self._held[key] = weakref.ref(storage, gone)
        self.now += size
        self.peak = max(self.peak, self.now)


def counted(build: Callable[[], nn.Module], shelf: Shelf, *, n: int, n_valid: int) -> Scheme:
    """The scheme with the most memory that the process of its training will hold on the CPU, in MB, rounded to ten.

    Tensors are counted on two or three samples that go through the network and back, and on one that is answered; the
    network is thrown away. Every other part is known from the plan.

    Parameters
    ----------
    build
        Makes the untrained network.
    shelf
        Training cases; two or three of them are prepared here.
    n, n_valid
        Cases that are held prepared, of train and of val.
    """
    scheme = shelf.scheme
    weights = sum(p.numel() * p.element_size() for p in build().parameters())
    copies = weights * (COPIES + MOMENTS.get(scheme.loop.optimiser, 2))
    case = scheme.estimate.get("case_mb", shelf[0].nbytes / 2**20)
    held = min(BUDGET_MB, n * case) + min(BUDGET_MB, n_valid * case)
    busy = max(learning(build, shelf), answering(build, scheme)) * OVER + copies
    total = round(BASE_MB + (busy + kept(shelf.cases)) / 2**20 + held + n_valid * answer_mb(scheme.plan, case), -1)
    return replace(scheme, estimate=scheme.estimate | {"memory_mb": total, "held_mb": round(held, 1)})


def learning(build: Callable[[], nn.Module], shelf: Shelf) -> float:
    """Bytes that a batch makes on its way through the network and back, at their peak."""
    scheme, n = shelf.scheme, int(shelf.scheme.study.batch_size or 1)
    grid = scheme.study.patch or multiple(shelf[0].image.shape[1:], scheme.plan.divisor)
    small = tried(grid, scheme.plan.divisor)
    # Normalisation over a batch needs two.
    first = min(n, 2)
    low = _passed(build, shelf, small, first)
    each = _passed(build, shelf, small, first + 1) - low if n > first else low / first
    return (low + (n - first) * each) * math.prod(grid) / math.prod(small)


def _passed(build: Callable[[], nn.Module], shelf: Shelf, grid: tuple[int, ...], n: int) -> int:
    scheme = replace(shelf.scheme, study=replace(shelf.scheme.study, patch=grid))
    images, targets = batch(replace(shelf, scheme=scheme), 0, seed=0, size=n)
    run = started(build, scheme, torch.device("cpu"))
    inside = questions.of(scheme.plan.kind).sees_targets
    with Live([*run.module.parameters(), *run.module.buffers()]) as live:
        learnt(run, images, targets, loss=loss_of(scheme), loop=scheme.loop, inside=inside, seed=0)
    return int(live.peak + images.nbytes)


def answering(build: Callable[[], nn.Module], scheme: Scheme) -> float:
    """Bytes that one answer on val makes, at their peak."""
    grid = scheme.plan.patch or scheme.plan.size or scheme.study.patch
    if not grid:
        return 0.0
    small = tried(multiple(grid, scheme.plan.divisor), scheme.plan.divisor)
    module = build()
    with Live(module.parameters()) as live:
        asked(module, np.zeros((1, scheme.plan.channels, *small), np.float32))
    return float(live.peak) * math.prod(grid) / math.prod(small)


def answer_mb(plan: Plan, case_mb: float) -> float:
    """Memory of the answer on one case of val that is kept while the limits of objects are chosen (contours)."""
    return case_mb * plan.outputs / (plan.channels + 1) if plan.kind == "contours" else 0.0


def tried(grid: Sequence[int], divisor: Sequence[int]) -> tuple[int, ...]:
    """A grid of at most `TRIED` pixels: the longest axis is halved while there are more.

    >>> tried((1024, 1024), (32, 32))
    (512, 512)
    """
    out, least = list(grid), [2 * d for d in divisor] or [16] * len(grid)
    while math.prod(out) > TRIED and any(n > k for n, k in zip(out, least, strict=True)):
        axis = max((a for a in range(len(out)) if out[a] > least[a]), key=lambda a: out[a])
        out[axis] = max(least[axis], out[axis] // 2)
    return multiple(out, divisor)
