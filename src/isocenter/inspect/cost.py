"""What training and answering will cost: an estimate from pixels, the network's arithmetic and this machine's speed."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

# Arithmetic of one forward pass in operations per pixel of the network's grid, by (method, rank): counted from the
# layers of the default networks (two per multiplication and addition) and checked against their measured speed.
FORWARD = {
    ("unet", 2): 1.0e5, ("unet", 3): 1.1e5, ("contours", 2): 1.0e5, ("contours", 3): 1.1e5, ("cnn", 2): 1.2e5,
    ("cnn", 3): 8.0e4, ("yolo", 2): 1.9e4, ("retinanet", 2): 1.9e4, ("ssd", 2): 3.2e4,
}
# Bytes that tensors hold per pixel of a batch at the peak of training, and MB of the weights (counted on the default
# networks with `fit.memory`).
KEPT = {
    ("unet", 2): 836, ("unet", 3): 585, ("contours", 2): 784, ("contours", 3): 600, ("cnn", 2): 251, ("cnn", 3): 480,
    ("yolo", 2): 136, ("retinanet", 2): 140, ("ssd", 2): 174,
}
WEIGHTS = {
    ("unet", 2): 20, ("unet", 3): 5, ("contours", 2): 20, ("contours", 3): 5, ("cnn", 2): 43, ("cnn", 3): 43,
    ("yolo", 2): 7, ("retinanet", 2): 6, ("ssd", 2): 12,
}
# Bytes of the truth per pixel of a prepared case; the shorter side that a U-Net in two axes works at; cases of val for
# each of train.
TRUTH, SHORTER, VALID = {"unet": 1, "contours": 4}, 256, 0.2
# Networks that see patches; the others see each image whole.
PATCHES = ("unet", "contours")
# Pixels of a batch and number of batches where the plan decides.
BATCH = {2: 4 * 256**2, 3: 2 * 40 * 56 * 40}
STEPS, PASSES, CASES_A_BATCH = 2000, 15, 32
DETECTOR_STEPS, DETECTOR_BATCH = 3000, 16
# Longest side that an image is classified at, and searched for objects at.
LONGEST, SEARCHED = {2: 224, 3: 64}, 416
# Backward costs twice forward, and half precision takes two thirds of the time; convolutions reach this share of the
# speed of a matrix product.
TRAINING, SHARE = 3.0 * 0.65, 0.35
# What a process takes that learns and one that does not, what the allocator takes over what tensors hold, and copies of
# the weights (as in `fit.memory`).
BASE_MB, PLAIN_MB, OVER, COPIES = 580.0, 150.0, 1.3, 6
# Side of the matrices whose product is timed.
SIZE = 512
# Operations per pixel of a classical method: filters, sorting, components.
CLASSICAL = 400.0


@dataclass(frozen=True)
class Cost:
    """An estimate: time good to a factor of about two, memory of a training within 30 %.

    Parameters
    ----------
    method
        What it is about.
    train_seconds, case_seconds
        Of the whole training, and of the answer to one case.
    memory_mb
        Of the training, at its peak.
    gigaflops
        Speed of this machine, measured now on a matrix product.
    halving
        The three settings that would halve time or memory, as they are typed, with what they do.
    """

    method: str
    train_seconds: float
    case_seconds: float
    memory_mb: float
    gigaflops: float
    halving: tuple[str, str, str]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @property
    def text(self) -> str:
        """As a sentence."""
        return (
            f"{self.method} (estimate, time good to a factor of two): training {duration(self.train_seconds)} at the "
            f"default number of steps (--time ends it sooner) and {self.memory_mb:.0f} MB, "
            f"{duration(self.case_seconds)} a case, on this machine as it is now"
        )


def estimate(
    method: str, *, shape: tuple[int, ...], n_train: int, network: bool = False, channels: int = 1
) -> Cost | None:
    """The cost of a method on a set; None for a network whose arithmetic is not counted here.

    Parameters
    ----------
    method
        The names in `FORWARD` are counted as networks, everything else as classical.
    shape
        Median grid of the images.
    n_train
        Cases to learn from.
    network
        Whether the method is a network.
    channels
        Of the images.
    """
    rank = len(shape)
    if network and (method, rank) not in FORWARD:
        return None
    pixels = math.prod(shape)
    speed = gigaflops()
    per_second = speed * 1e9 * SHARE
    if (method, rank) not in FORWARD:
        seconds = pixels * CLASSICAL / (speed * 1e9 * 0.05)
        memory = PLAIN_MB + pixels * 40 / 2**20
        return Cost(method, seconds * n_train, seconds, memory, speed, _classical_halving(rank))
    work, batch, steps = _work(method, rank, shape, n_train)
    forward = FORWARD[method, rank]
    return Cost(
        method,
        TRAINING * forward * batch * steps / per_second,
        forward * work / per_second,
        _memory_mb(method, shape, n_train, channels=channels),
        speed,
        _halving(method, rank),
    )


def _work(method: str, rank: int, shape: tuple[int, ...], n: int) -> tuple[float, float, int]:
    """Pixels of one case on the network's grid, pixels of a batch, number of batches."""
    if method in PATCHES:
        return float(math.prod(shape)), float(BATCH[rank]), STEPS
    factor = max(1.0, max(shape) / (LONGEST[rank] if method == "cnn" else SEARCHED))
    work = math.prod(s / factor for s in shape)
    if method != "cnn":
        return work, work * max(1, min(DETECTOR_BATCH, n)), DETECTOR_STEPS
    batch = max(2, min(CASES_A_BATCH, n // 2))
    return work, work * batch, PASSES * max(1, math.ceil(n / batch))


def _memory_mb(method: str, shape: tuple[int, ...], n: int, *, channels: int) -> float:
    """Peak of a training: process, activations, weights with what the optimiser holds of them, prepared cases."""
    key = (method, len(shape))
    work, batch, _ = _work(method, len(shape), shape, n)
    if key == ("unet", 2):
        work /= max(1.0, min(shape) / SHORTER) ** 2
    held = n * (1 + VALID) * work * (4 * channels + TRUTH.get(method, 0))
    return BASE_MB + OVER * batch * KEPT[key] / 2**20 + COPIES * WEIGHTS[key] + min(8192.0, held / 2**20)


def _halving(method: str, rank: int) -> tuple[str, str, str]:
    smaller = {2: "0.71", 3: "0.79"}[rank]
    coarser = {2: "1.41", 3: "1.26"}[rank]
    grid = "study.patch" if method in PATCHES else "before.spacing"
    first = (
        f"--set {grid}: {smaller} times the planned length per axis halves time and memory a step"
        if method in PATCHES
        else f"--set {grid}: {coarser} times the planned spacing halves time and memory a step"
    )
    return (
        first,
        "--set study.batch_size: half the planned number halves memory and the time of a step",
        "--set study.epochs: half the planned number halves the training time (or --time 10m)",
    )


def _classical_halving(rank: int) -> tuple[str, str, str]:
    coarser = {2: "1.41", 3: "1.26"}[rank]
    return (
        f"--set before.spacing: {coarser} times the spacing of the images halves time and memory",
        "--set before.denoise=none: leaves the smoothing out",
        "fewer cases: half the cases take half the time",
    )


def gigaflops() -> float:
    """Speed of a matrix product on this machine with the threads that numpy uses now, in 1e9 operations a second."""
    a = np.full((SIZE, SIZE), 0.5, np.float32)
    a @ a
    best = math.inf
    # Many short products: the best of them ran while nothing else did.
    for _ in range(20):
        start = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - start)
    return 2 * SIZE**3 / max(best, 1e-7) / 1e9


def duration(seconds: float) -> str:
    """A length of time for people.

    >>> duration(0.02), duration(75), duration(7300)
    ('20 ms', '75 s', '2.0 h')
    """
    if seconds < 1:
        return f"{max(1, round(seconds * 1000))} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
