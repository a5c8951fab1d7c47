"""Lung ultrasound that never was: a pleural line under tissue, its repetitions, comet tails, and a lung that slides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array
from isocenter.simulate.noise import smooth

# Decibels that the grey scale shows, and levels in dB below white: tissue, pleural line, what lies below it and how
# much less that becomes to the bottom, B-lines.
RANGE, TISSUE, PLEURA, BELOW, FALL, TAIL = 50.0, -24.0, -6.0, -32.0, 12.0, -16.0
# The first repetition above what lies around it, and how much less each further one is, in dB.
REPEATED, LESS = 16.0, 4.0
# Layers of the tissue, as shares of the depth of the line from and to, and how far they are above it in dB.
LAYERS, ECHO = ((0.15, 0.35, 0.6), (0.3, 0.55, 0.8)), (6.0, 18.0)
# Share of the power of the speckle that a frame keeps from the one before, besides its motion; averaged speckles.
KEPT, LOOKS = 0.97, 2
# Below a gap, dB less.
SHADOW = 8.0
# Widths as shares of that of the image: a B-line from and to, a gap in the line. SD of the slow course (share of the
# depth of the image) and grain of the slow and of the fine course.
TAILS, GAP, WAVE, SLOW, FINE = (0.03, 0.06), 0.06, 0.015, 0.15, 0.02
# A curved probe: apex above the image, radius of its face and half its angle; lengths in heights of the image.
APEX, FACE, HALF = 0.25, 0.3, np.pi / 6
# Numbers in the label map.
NAMES = ("background", "pleural_line", "a_line", "b_line")


@dataclass(frozen=True)
class LungScene:
    """What is there to be found.

    Parameters
    ----------
    depth
        Of the pleural line below the probe, as a share of the depth of the image.
    thickness
        Of the line: px at half of its height in grey levels.
    roughness
        px: root mean square of its fine course about its slow one.
    breaks
        Gaps in it, with shadow below.
    b_lines, a_lines
        Number of bands down to the bottom, and of repetitions of the line.
    sliding
        Of line and lung below still tissue, px a frame along the line.
    """

    depth: float = 0.22
    thickness: float = 5.0
    roughness: float = 0.0
    breaks: int = 0
    b_lines: int = 0
    a_lines: int = 0
    sliding: float = 0.0


class LungTruth(NamedTuple):
    """What was drawn: labels uint8 (t, y, x) numbered as `NAMES`; mean depth of the line below the probe in px; share
    of the width that B-lines cover.
    """

    labels: Array
    depth: float
    covered: float


def lung(
    shape: Sequence[int], rng: np.random.Generator, scene: LungScene, *, frames: int = 1, convex: bool = False
) -> tuple[Array, LungTruth]:
    """A film of one place.

    Parameters
    ----------
    shape
        (y, x) of a frame, at least 48 pixels each; y is depth.
    rng
        Generator.
    scene
        What it shows.
    frames
        Of the film.
    convex
        A fan of beams from an apex above the image instead of parallel ones.

    Returns
    -------
    pixels
        uint8 (t, y, x), log-compressed amplitude.
    truth
        What was drawn.

    Raises
    ------
    InputError
        Smaller.

    Examples
    --------
    >>> pixels, truth = lung((64, 64), np.random.default_rng(0), LungScene(b_lines=1))
    >>> pixels.shape, bool((truth.labels == 3).any())
    ((1, 64, 64), True)
    """
    if min(shape) < 48:
        raise InputError("too small for a lung", got=str(tuple(shape)), wanted="48 pixels a side")
    grid = _polar(shape) if convex else tuple(int(s) for s in shape)
    drawn = _Drawn(grid, rng, scene)
    # Along the line a pixel is one column, or the arc of one column at the line's depth.
    step = scene.sliding / ((FACE * shape[0] + drawn.course.mean()) * _angle(shape) if convex else 1.0)
    still, moving = _field(grid, rng), _field(grid, rng)
    films, labels = [], []
    for i in range(frames):
        level, mask = drawn.at(i * step)
        below = np.arange(grid[0])[:, None] >= drawn.course - scene.thickness
        fields = [np.where(below, _moved(b, i * step), a) for a, b in zip(still, moving, strict=True)]
        still, moving = _renewed(still, rng), _renewed(moving, rng)
        amplitude = 10 ** (level / 20) * np.sqrt(np.mean(np.square(fields), axis=0))
        grey = 255 * (1 + 20 * np.log10(np.maximum(amplitude, 1e-6)) / RANGE)
        films.append(_shown(grey, shape, order=1) if convex else grey)
        labels.append(_shown(mask, shape, order=0) if convex else mask)
    pixels = np.clip(np.round(np.stack(films)), 0, 255).astype(np.uint8)
    return pixels, LungTruth(np.stack(labels).astype(np.uint8), float(drawn.course.mean()), drawn.covered)


class _Drawn:
    """Levels in dB on a grid of beams (depth, column)."""

    def __init__(self, grid: Sequence[int], rng: np.random.Generator, scene: LungScene) -> None:
        self.scene, (rows, columns) = scene, grid
        self.depth = np.arange(rows, dtype=np.float64)[:, None]
        slow, fine = (smooth((columns,), rng, grain=share * columns) for share in (SLOW, FINE))
        self.course = scene.depth * rows + WAVE * rows * slow + scene.roughness * fine
        self.tissue = TISSUE + 3.0 * smooth(grid, rng, grain=rows / 20)
        for share, echo in zip(rng.uniform(*LAYERS), rng.uniform(*ECHO, 3), strict=True):
            away = self.depth - share * self.course * (1 + 0.1 * smooth((columns,), rng, grain=columns / 4))
            self.tissue += echo * _bump(away, 3.5)
        places = (np.arange(scene.b_lines) + rng.uniform(0.25, 0.75, scene.b_lines)) / max(scene.b_lines, 1)
        self.tails = [(p * columns, rng.uniform(*TAILS) * columns) for p in places]
        x = np.arange(columns)
        self.line = np.ones(columns)
        for i in range(scene.breaks):
            # As far from B-lines as there is room: they come from the line.
            choice = (i + np.linspace(0.2, 0.8, 13)) / scene.breaks * columns
            away = [min((abs(c - place) for place, _ in self.tails), default=-abs(c - choice[6])) for c in choice]
            self.line[np.abs(x - choice[int(np.argmax(away))]) <= GAP * columns / 2] = 0
        self.covered = float(np.mean(self._within(0.0) > 0.5))

    def _within(self, moved: float) -> Array:
        """0 to 1 (columns): how much of a B-line is there; half at its edges."""
        columns = len(self.course)
        x = np.arange(columns)
        found = np.zeros(columns)
        for place, width in self.tails:
            away = (x - place - moved + columns / 2) % columns - columns / 2
            found = np.maximum(found, np.exp(-np.log(2) * (2 * away / width) ** 4))
        return found

    def at(self, moved: float) -> tuple[Array, Array]:
        """Level and labels after the lung has moved by so many columns."""
        scene, deep = self.scene, len(self.depth) - self.course
        away = self.depth - self.course
        within = self._within(moved)
        below = BELOW - FALL * np.clip(away / deep, 0, 1) - SHADOW * (1 - self.line)
        labels = np.zeros(below.shape, np.uint8)
        for k in range(2, scene.a_lines + 2):
            from_it = self.depth - k * self.course
            below = below + (1 - within) * self.line * (REPEATED - LESS * (k - 2)) * _bump(from_it, scene.thickness)
            labels[(np.abs(from_it) <= scene.thickness / 2) & (self.line > 0)] = 2
        below = below + within * (TAIL - BELOW + FALL * np.clip(away / deep, 0, 1) - FALL / 4)
        labels[(away > scene.thickness / 2) & (within > 0.5)] = 3
        share = 1 / (1 + np.exp(-away))
        level = (1 - share) * self.tissue + share * below
        rise = PLEURA - (TISSUE + BELOW) / 2
        level = np.minimum(level + self.line * rise * _bump(away, scene.thickness), PLEURA + 2)
        labels[(np.abs(away) <= scene.thickness / 2) & (self.line > 0)] = 1
        return level, labels


def _bump(away: Array, width: float) -> Array:
    return np.asarray(np.exp(-4 * np.log(2) * (away / width) ** 2))


def _field(grid: Sequence[int], rng: np.random.Generator) -> list[Array]:
    """Both parts of each complex field of speckle."""
    return [smooth(grid, rng, grain=1.0) for _ in range(2 * LOOKS)]


def _renewed(fields: list[Array], rng: np.random.Generator) -> list[Array]:
    return [np.sqrt(KEPT) * f + np.sqrt(1 - KEPT) * smooth(f.shape, rng, grain=1.0) for f in fields]


def _moved(field: Array, columns: float) -> Array:
    """The field moved to the right, what leaves it coming back on the left; exact between pixels."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(field.shape[1]) * columns)
    return np.asarray(np.fft.irfft(np.fft.rfft(field, axis=1) * turn, field.shape[1], axis=1))


def _angle(shape: Sequence[int]) -> float:
    """Radians between two beams: a pixel in the middle of the depth."""
    return 1 / ((FACE + (1 + APEX)) / 2 * shape[0])


def _polar(shape: Sequence[int]) -> tuple[int, int]:
    return round((1 + APEX - FACE) * shape[0]), round(2 * HALF / _angle(shape))


def _shown(grid: Array, shape: Sequence[int], *, order: int) -> Array:
    """Beams laid out as a fan; 0 where no beam goes."""
    from scipy import ndimage

    y, x = np.indices(tuple(shape), dtype=np.float64)
    y, x = y + APEX * shape[0], x - (shape[1] - 1) / 2
    radius = np.hypot(y, x) - FACE * shape[0]
    column = (np.arctan2(x, y) + HALF) / _angle(shape) - 0.5
    return np.asarray(ndimage.map_coordinates(np.asarray(grid, np.float64), [radius, column], order=order))
