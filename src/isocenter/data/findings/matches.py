"""Pairs of points that a registration rests on, and which of them it believes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.errors import GeometryError
from isocenter.ops.array import Array


@dataclass(frozen=True, eq=False)
class Matches:
    """Points of the fixed image, what they were taken for in the moving image, and which of these pairs agree.

    Parameters
    ----------
    fixed, moving
        float64 (n, w): world points of the two images, in one order.
    inliers
        bool (n,): the pairs that the map was made of.

    Raises
    ------
    GeometryError
        They differ in number.

    >>> Matches(np.zeros((2, 2)), np.ones((2, 2)), np.array([True, False])).share
    0.5
    """

    fixed: Array
    moving: Array
    inliers: Array

    def __post_init__(self) -> None:
        sizes = {len(self.fixed), len(self.moving), len(self.inliers)}
        if len(sizes) > 1 or self.fixed.shape != self.moving.shape or self.fixed.ndim != 2:
            raise GeometryError("pairs of points differ in number", got=f"{self.fixed.shape}, {self.moving.shape} and "
                                f"{self.inliers.shape}", wanted="(n, w), (n, w) and (n,)")

    def __len__(self) -> int:
        return len(self.inliers)

    @property
    def share(self) -> float:
        """Of the pairs that agree; 0 where there is none."""
        return float(np.mean(self.inliers)) if len(self) else 0.0
