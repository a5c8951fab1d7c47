"""Examinations of one simulated subject over time: balls of known size in a body that lies differently each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.data import Geometry, Image
from isocenter.ops.array import Array

# The body: values of tissue and of lesions, and the strength of its pattern.
TISSUE, LESION, PATTERN = 100.0, 60.0, 25.0
WAVES = 24


@dataclass(frozen=True)
class Ball:
    """One lesion: its middle in mm (x, y[, z]) in the baseline's world, and its radius in mm; a disc in the plane."""

    middle: tuple[float, ...]
    radius: float

    @property
    def size(self) -> float:
        """Volume in mm3, or area in mm2."""
        cubed = 4.0 / 3.0 * np.pi * self.radius**3
        return float(cubed if len(self.middle) == 3 else np.pi * self.radius**2)


def moved(rank: int, *, turn: float, shift: Sequence[float]) -> Array:
    """The matrix of a body that was turned by degrees about its last axis and shifted by mm (rank + 1, rank + 1)."""
    out = np.eye(rank + 1)
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    out[:2, :2] = [[c, -s], [s, c]]
    out[:rank, rank] = shift
    return out


def examination(
    lesions: Sequence[Ball], grid: Geometry, *, lies: Array | None = None, border: float | Sequence[float] = 0.0,
    noise: float = 4.0, seed: int = 0,
) -> tuple[Image, Array]:
    """An image and one number a lesion, each pixel by what its centre lies in.

    Parameters
    ----------
    lesions
        Drawn in order, the later over the earlier.
    grid
        With known spacing.
    lies
        Matrix from the baseline's world to this one's; None: as at the baseline.
    border
        mm by which the labels reach beyond the lesions, as a reader who sees borders farther out draws them; or along
        each axis of a grid that is not oblique.
    noise
        Standard deviation; the pattern of the body is the same for all seeds, the noise is not.
    """
    at = np.stack(np.meshgrid(*[np.arange(n, dtype=float) for n in grid.shape], indexing="ij"), -1)
    world = grid.to_world(at.reshape(-1, grid.ndim))
    back = np.linalg.inv(np.eye(world.shape[1] + 1) if lies is None else lies)
    values = TISSUE + PATTERN * _pattern(world @ back[:-1, :-1].T + back[:-1, -1])
    values += LESION * (drawn(lesions, grid, lies=lies) > 0).ravel()
    values += np.random.default_rng(seed).normal(0, noise, len(values))
    image = Image.from_array(values.reshape(grid.shape).astype(np.float32), geometry=grid)
    return image, drawn(lesions, grid, lies=lies, border=border)


def drawn(
    lesions: Sequence[Ball], grid: Geometry, *, lies: Array | None = None, border: float | Sequence[float] = 0.0
) -> Array:
    """The labels alone, int32 (*grid); arguments as in `examination`."""
    labels = np.zeros(grid.shape, np.int32)
    spacing = np.asarray(grid.spacing)
    more = np.broadcast_to(np.asarray(border, float), (grid.ndim,))
    for i, ball in enumerate(lesions, 1):
        own = np.asarray(ball.middle)
        middle = own if lies is None else lies[:-1, :-1] @ own + lies[:-1, -1]
        centre = grid.to_index(middle[None])[0]
        reach = (ball.radius + more) / spacing
        low = np.maximum(np.floor(centre - reach), 0).astype(int)
        high = np.minimum(np.ceil(centre + reach) + 1, grid.shape).astype(int)
        if (high <= low).any():
            continue
        at = np.stack(np.meshgrid(*[np.arange(a, b) for a, b in zip(low, high, strict=True)], indexing="ij"), -1)
        part = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        part[(((at - centre) / reach) ** 2).sum(-1) <= 1] = i
    return labels


def _pattern(points: Array) -> Array:
    """A smooth texture of the body, between about -1 and 1."""
    rng = np.random.default_rng(20090115)
    waves = rng.normal(0, 1, (WAVES, points.shape[1]))
    waves *= 2 * np.pi / (rng.uniform(12, 60, (WAVES, 1)) * np.linalg.norm(waves, axis=1, keepdims=True))
    return np.asarray(np.cos(points @ waves.T + rng.uniform(0, 2 * np.pi, WAVES)).sum(axis=1) / np.sqrt(WAVES))
