"""A picture cut into overlapping tiles that differ in place, turn and exposure: a mosaic whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.data import Array, Image
from isocenter.errors import InputError
from isocenter.ops.transforms import apply_matrix
from isocenter.ops.warping import grid_points, sampled


@dataclass(frozen=True)
class Cutting:
    """How a picture is cut.

    Parameters
    ----------
    grid
        Rows and columns of tiles.
    overlap
        Of two neighbours, as a share of a tile.
    turn
        Largest rotation of a tile in degrees.
    jitter
        Largest shift of a tile from its place in pixels.
    gain
        Largest logarithm of what a tile's values are divided by: tiles are darker, so that none is saturated.
    offset
        Largest value that is added to a tile's values.
    noise
        Spread of the noise of every tile, in grey levels.
    """

    grid: tuple[int, int] = (2, 3)
    overlap: float = 0.25
    turn: float = 2.0
    jitter: float = 5.0
    gain: float = 0.5
    offset: float = 0.0
    noise: float = 2.0


@dataclass(frozen=True, eq=False)
class Cut:
    """One tile.

    Parameters
    ----------
    image
        Of the picture's type; its spacing is unknown.
    matrix
        float64 (3, 3) from the tile's pixel (x, y, 1) to the picture's.
    gain, offset
        What its values were multiplied by, and what was added.
    """

    image: Image
    matrix: Array
    gain: float
    offset: float


def cut(whole: Image, how: Cutting | None = None, *, seed: int = 0) -> tuple[Cut, ...]:
    """Overlapping tiles of a flat picture, in random order.

    Values between pixels are interpolated by cubic splines, so that a tile is as sharp as the picture.

    Parameters
    ----------
    whole
        "yx" or "cyx", of an integer type.
    how
        Default: 2 x 3 tiles that overlap by a quarter, turned by up to 2 degrees, gains of 0.61 to 1.
    seed
        Of places, turns, exposures, noise and order.

    Raises
    ------
    InputError
        No flat picture of whole numbers, or so small that a tile would have no 16 pixels.
    """
    how = how or Cutting()
    values = whole.channels_first()
    if values.ndim != 3 or values.dtype.kind not in "ui":
        raise InputError("no picture that can be cut", got=f"{whole.axes}, {whole.dtype}", wanted="yx or cyx, integers")
    shape = np.asarray(values.shape[1:])
    # A turned tile at the edge must not look over it.
    margin = how.jitter + 0.5 * float(shape.max()) / min(how.grid) * np.sin(np.radians(how.turn)) + 2
    counts = np.asarray(how.grid)
    size = ((shape - 2 * margin) / (counts - (counts - 1) * how.overlap)).astype(int)
    if size.min() < 16:
        raise InputError("the picture is too small to be cut", got=str(tuple(shape)), wanted="tiles of 16 pixels")
    rng = np.random.default_rng(seed)
    made = []
    for place in np.ndindex(*how.grid):
        corner = margin + np.asarray(place) * size * (1 - how.overlap) + rng.uniform(-how.jitter, how.jitter, 2)
        made.append(_cut(values, whole, corner, size=size, how=how, rng=rng))
    return tuple(made[i] for i in rng.permutation(len(made)))


def _cut(values: Array, whole: Image, corner: Array, *, size: Array, how: Cutting, rng: np.random.Generator) -> Cut:
    angle = np.radians(rng.uniform(-how.turn, how.turn))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (size[::-1] - 1) / 2
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn, corner[::-1] + middle - turn @ middle
    at = grid_points(tuple(int(n) for n in size)).reshape(-1, 2)
    places = apply_matrix(matrix, at[:, ::-1])[:, ::-1].reshape(*size, 2)
    gain, added = float(np.exp(-rng.uniform(0, how.gain))), float(rng.uniform(-how.offset, how.offset))
    seen = sampled(values, places, order=3, outside=None) * gain + added
    seen = seen + rng.normal(size=seen.shape) * how.noise
    ends = np.iinfo(values.dtype)
    pixels = np.clip(np.rint(seen), ends.min, ends.max).astype(values.dtype)
    pixels = pixels if "c" in whole.axes else pixels[0]
    return Cut(Image.from_array(pixels, axes=whole.axes, channels=whole.channels), matrix, gain, added)
