"""Inputs through an engine: several in flight, mirrored answers averaged, in an order that never changes."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from isocenter.errors import BundleError
from isocenter.infer.engines import Engine
from isocenter.ops.array import Array

Call = TypeVar("Call")


def answered(
    engine: Engine, inputs: Iterable[Array], *, mirror: Sequence[str] = (), classes: int, flight: int = 1
) -> Iterator[Array]:
    """Logits of each input, averaged over every combination of mirrored axes and mirrored back.

    Parameters
    ----------
    engine
        As `infer.engine` makes it.
    inputs
        float32 (c, *grid) each; taken one by one as they are needed.
    mirror
        Names of axes among z, y, x.
    classes
        Number of outputs expected.
    flight
        Calls of the engine at the same time. Every call holds one input, so that the number changes no bit.

    Yields
    ------
    float32 (classes, *grid), or (classes,) of a network that answers once per image.

    Raises
    ------
    BundleError
        The network's output has another shape, or is not finite.
    """
    turns = [turn for n in range(len(mirror) + 1) for turn in itertools.combinations(mirror, n)]
    calls = ((array, turn) for array in inputs for turn in turns)
    results = flown(lambda call: _one(engine, *call, classes), calls, flight)
    while parts := list(itertools.islice(results, len(turns))):
        mean = np.add.reduce(parts) / np.float32(len(turns)) if len(turns) > 1 else parts[0]
        if not np.isfinite(mean).all():
            raise BundleError(
                "the network's answer is not finite", remedy="Fetch or train it again: weights are damaged"
            )
        yield mean


def flown(ask: Callable[[Call], Array], calls: Iterable[Call], flight: int) -> Iterator[Array]:
    """``ask`` of each call, in order, with at most `flight` of them begun and not yet taken."""
    if flight <= 1:
        yield from map(ask, calls)
        return
    waiting: deque[Future[Array]] = deque()
    with ThreadPoolExecutor(flight) as pool:
        try:
            for call in calls:
                waiting.append(pool.submit(ask, call))
                if len(waiting) >= flight:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _one(engine: Engine, array: Array, turn: Sequence[str], classes: int) -> Array:
    axes = tuple("zyx"[-(array.ndim - 1) :].index(name) + 1 for name in turn)
    logits = engine(np.flip(array, axes)[None])[0]
    if logits.shape not in ((classes, *array.shape[1:]), (classes,)):
        wanted = f"{classes} classes on {array.shape[1:]}"
        raise BundleError("the network answers in another shape than its plan", got=str(logits.shape), wanted=wanted)
    return np.asarray(np.flip(logits, axes) if logits.ndim > 1 else logits, np.float32)
