"""Overlapping images laid into one, tile by tile, without a visible seam."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from isocenter.ops.array import Array

BLENDS = ("bands", "feather", "none")
# Spread in pixels of the Gaussian that parts coarse from fine.
COARSE = 8.0


@dataclass(frozen=True, eq=False)
class Piece:
    """One image on a part of the panorama's grid.

    Parameters
    ----------
    start
        First pixel (axes,) of that part.
    values
        float32 (c, *part).
    weights
        float32 (*part): how far inside the image a pixel lies, 0 where it is outside.
    """

    start: tuple[int, ...]
    values: Array
    weights: Array

    @property
    def where(self) -> tuple[slice, ...]:
        """The part."""
        return tuple(slice(s, s + n) for s, n in zip(self.start, self.weights.shape, strict=True))


def inside(places: Array, shape: tuple[int, ...]) -> Array:
    """How far inside an image fractional indices lie: 1 in its middle, falling straight to 0 half a pixel beyond it.

    Parameters
    ----------
    places
        (*grid, axes); NaN is outside.
    shape
        Of the image.

    Returns
    -------
    float32 (*grid) in [0, 1].

    >>> inside(np.array([[1.0, 1.0], [0.0, 1.0], [5.0, 1.0]]), (3, 3)).astype(float).round(2).tolist()
    [1.0, 0.33, 0.0]
    """
    half = np.asarray(shape) / 2
    away = np.abs(places - (half - 0.5)) / half
    return np.asarray(np.clip(1 - np.nan_to_num(away, nan=2.0).max(axis=-1), 0, 1), np.float32)


def blended(
    pieces: Iterable[Piece], shape: tuple[int, ...], *, channels: int, how: str = "bands"
) -> tuple[Array, Array]:
    """The panorama, and where any image is.

    ``"feather"`` is the mean weighed by how far inside each image a pixel lies. ``"bands"`` takes that mean of what is
    coarse, and what is fine from the image in which the pixel lies deepest, so that small errors of place double no
    edge (Burt and Adelson, ACM TOG 2 (1983) 217; two bands as in Brown and Lowe, IJCV 74 (2007) 59). ``"none"`` takes
    all from that image.

    Parameters
    ----------
    pieces
        Taken one after the other; each is let go before the next is asked for.
    shape
        Of the panorama.
    channels
        Of every piece.
    how
        One of `BLENDS`.

    Returns
    -------
    float32 (channels, *shape), 0 where no image is; bool (*shape).
    """
    total, weight = np.zeros((channels, *shape), np.float32), np.zeros(shape, np.float32)
    fine = np.zeros((channels, *shape), np.float32) if how != "feather" else None
    deepest = np.zeros(shape, np.float32) if how != "feather" else None
    for piece in pieces:
        at = piece.where
        coarse = _coarse(piece) if how == "bands" else piece.values
        total[:, *at] += coarse * piece.weights
        weight[at] += piece.weights
        if fine is not None and deepest is not None:
            leads = piece.weights > deepest[at]
            detail = piece.values - coarse if how == "bands" else piece.values
            fine[:, *at] = np.where(leads, detail, fine[:, *at])
            deepest[at] = np.maximum(deepest[at], piece.weights)
    covered = weight > 0
    if how == "none" and fine is not None:
        return fine, covered
    total /= np.where(covered, weight, 1.0)
    return (total if fine is None else total + fine), covered


def _coarse(piece: Piece) -> Array:
    """The values without fine detail, of what lies inside alone."""
    there = (piece.weights > 0).astype(np.float32)
    share = np.maximum(ndimage.gaussian_filter(there, COARSE, mode="constant"), 1e-6)
    return np.stack([ndimage.gaussian_filter(v * there, COARSE, mode="constant") / share for v in piece.values])
