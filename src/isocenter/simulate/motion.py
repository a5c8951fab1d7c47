"""Tissue that moves as nobody but the simulation knows: speckle carried along, and what becomes new in each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.data import Geometry, Image
from isocenter.ops.array import Array
from isocenter.simulate.noise import smooth

# Decibels that the grey scale shows; SD of the blur of the complex field, the size of a speckle.
RANGE, GRAIN = 50.0, 1.2


@dataclass(frozen=True, eq=False)
class Motion:
    """A beat: shift and stretch about the middle that grow from 0, are greatest at half of it and go back to 0.

    Parameters
    ----------
    shift
        Pixels per axis at the height of the beat.
    stretch
        (axes, axes): what is added to the unit matrix of the deformation gradient at the height of the beat, as
        ``[[-0.1, 0.0], [0.0, 0.08]]``.
    frames
        Of one beat; the next would look like the first.
    """

    shift: tuple[float, ...] = (3.0, -2.0)
    stretch: tuple[tuple[float, ...], ...] = ((-0.08, 0.0), (0.0, 0.06))
    frames: int = 20

    def share(self, frame: int) -> float:
        """How far the beat is, 0 to 1."""
        return float(np.sin(np.pi * frame / self.frames) ** 2)

    def gradient(self, frame: int) -> Array:
        """float64 (axes, axes): deformation gradient of the whole in one frame, against the first."""
        return np.asarray(np.eye(len(self.shift)) + self.share(frame) * np.asarray(self.stretch))

    def carried(self, points: Array, middle: Array, frame: int) -> Array:
        """Where points (n, axes) of the first frame are in another, as indices."""
        moved = self.share(frame) * np.asarray(self.shift)
        return np.asarray((points - middle) @ self.gradient(frame).T + middle + moved)


def moving_speckle(
    shape: Sequence[int], rng: np.random.Generator, motion: Motion = Motion(), *, fresh: float = 0.05
) -> Image:
    """A B-mode film of tissue whose scatterers move with it.

    The complex echo of the tissue is carried along; each frame adds an echo of its own, so that speckle decorrelates;
    amplitude is compressed to decibels last.

    Parameters
    ----------
    shape
        (y, x).
    rng
        Generator.
    motion
        How it moves.
    fresh
        Share of the power that is new in each frame, 0 to 1.
    """
    from scipy import ndimage

    size = np.asarray(shape)
    rim = int(np.ceil(np.abs(motion.shift).max() + np.abs(motion.stretch).max() * size.max())) + 4
    wide = [int(n) + 2 * rim for n in size]
    level = 10 ** ((-12 + 4 * smooth(wide, rng, grain=min(shape) / 12)) / 20)
    echo = [level * smooth(wide, rng, grain=GRAIN) for _ in range(2)]
    grid = np.stack(np.meshgrid(*[np.arange(n, dtype=float) for n in size], indexing="ij"), -1).reshape(-1, len(size))
    middle, frames = (size - 1) / 2, []
    for t in range(motion.frames):
        back = np.linalg.inv(motion.gradient(t))
        home = (grid - middle - motion.share(t) * np.asarray(motion.shift)) @ back.T + middle + rim
        power = np.zeros(tuple(shape))
        for part in echo:
            still = ndimage.map_coordinates(part, home.T, order=3).reshape(tuple(shape))
            own = smooth(shape, rng, grain=GRAIN) * level.mean()
            power += (np.sqrt(1 - fresh) * still + np.sqrt(fresh) * own) ** 2
        grey = 255 * (1 + 10 * np.log10(np.maximum(power / 2, 1e-12)) / RANGE)
        frames.append(np.clip(np.round(grey), 0, 255).astype(np.uint8))
    image = Image.from_array(np.stack(frames), axes="tyx", geometry=Geometry(tuple(int(n) for n in size)))
    return image.replaced(image.load, modality="US", times=tuple(0.04 * t for t in range(motion.frames)))
