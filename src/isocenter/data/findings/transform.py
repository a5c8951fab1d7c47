"""Which point of one image is which point of another: a map between two worlds, and pairs of points or regions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from isocenter.data.findings.matches import Matches
from isocenter.data.findings.segmentation import Segmentation
from isocenter.data.geometry import Geometry
from isocenter.errors import GeometryError
from isocenter.ops.array import Array
from isocenter.ops.transforms import apply_matrix, apply_spline, monomials, solved
from isocenter.ops.warping import determinants, grid_points, sampled


def to_world(geometry: Geometry, indices: Array) -> Array:
    """World points (n, w) of indices (n, axes); where the spacing is unknown the world is pixels, (x, y[, z])."""
    return geometry.to_world(indices) if geometry.affine else np.asarray(indices, float)[:, ::-1]


def to_index(geometry: Geometry, points: Array) -> Array:
    """Indices (n, axes) of world points (n, w): what `to_world` undoes."""
    return geometry.to_index(points) if geometry.affine else np.asarray(points, float)[:, ::-1]


def dimension(geometry: Geometry) -> int:
    """Coordinates of a world point: 3 for a slice in space, else the number of axes."""
    return len(geometry.affine) - 1 if geometry.affine else geometry.ndim


class Part(Protocol):
    """One map of world points; a `Transform` chains several."""

    def points(self, points: Array) -> Array:
        """(n, w) to (n, w); NaN where there is none."""

    def inverted(self) -> Part:
        """The map that undoes it."""


@dataclass(frozen=True, eq=False)
class Linear:
    """A homogeneous matrix: translation, rigid, similarity, affine or perspective.

    Parameters
    ----------
    matrix
        float64 (w + 1, w + 1) that acts on columns (x, y[, z], 1).

    Raises
    ------
    GeometryError
        It is not square, not finite, or singular.
    """

    matrix: Array

    def __post_init__(self) -> None:
        m = self.matrix
        if m.ndim != 2 or m.shape[0] != m.shape[1] or m.shape[0] not in (3, 4):
            raise GeometryError("no matrix of a transform", got=str(m.shape), wanted="(3, 3) or (4, 4)")
        if not np.isfinite(m).all() or not np.linalg.cond(m / np.abs(m).max(axis=0, initial=1e-300)) < 1e12:
            raise GeometryError("the matrix of a transform is singular or not finite", got=np.array2string(m))

    def points(self, points: Array) -> Array:
        """(n, w) to (n, w); NaN for what a perspective sends to infinity."""
        return apply_matrix(self.matrix, points)

    def inverted(self) -> Linear:
        """By the inverse matrix."""
        found = np.linalg.inv(self.matrix)
        return Linear(found / found[-1, -1] if found[-1, -1] else found)


@dataclass(frozen=True, eq=False)
class Polynomial:
    """Products of coordinates up to a degree, of points that were centred and scaled first.

    Parameters
    ----------
    coefficients
        float64 (terms, k), in the order of `isocenter.ops.transforms.monomials`; k is the number of leading coordinates
        that are mapped, others stay.
    degree
        >= 1.
    centre, scale
        Point (k,) that is subtracted and length by which is divided, before.
    """

    coefficients: Array
    degree: int
    centre: Array
    scale: float

    def points(self, points: Array) -> Array:
        """(n, w) to (n, w)."""
        k = self.coefficients.shape[1]
        terms = monomials((points[:, :k] - self.centre) / self.scale, self.degree)
        return np.concatenate([terms @ self.coefficients, points[:, k:]], axis=1)

    def inverted(self) -> Inverse:
        """Numerically."""
        return Inverse(self)


@dataclass(frozen=True, eq=False)
class Spline:
    """A thin-plate spline.

    Parameters
    ----------
    centres
        float64 (n, k): landmarks; k as in `Polynomial`.
    weights
        float64 (n + k + 1, k), as `isocenter.ops.transforms.fit_spline` gives them.
    """

    centres: Array
    weights: Array

    def points(self, points: Array) -> Array:
        """(n, w) to (n, w)."""
        k = self.centres.shape[1]
        return np.concatenate([apply_spline(self.centres, self.weights, points[:, :k]), points[:, k:]], axis=1)

    def inverted(self) -> Inverse:
        """Numerically."""
        return Inverse(self)


@dataclass(frozen=True, eq=False)
class Field:
    """A displacement per pixel of a grid, linear between pixels; beyond the grid the nearest pixel's holds.

    Parameters
    ----------
    displacement
        float (w, *grid): world units, to be added to a point; (x, y[, z]).
    geometry
        Of the grid.

    Raises
    ------
    GeometryError
        Shapes do not fit, or a displacement is not finite.
    """

    displacement: Array
    geometry: Geometry

    def __post_init__(self) -> None:
        wanted = (dimension(self.geometry), *self.geometry.shape)
        if self.displacement.shape != wanted:
            raise GeometryError("field and grid do not fit", got=str(self.displacement.shape), wanted=str(wanted))
        if not np.isfinite(self.displacement).all():
            raise GeometryError("a displacement is not finite", wanted="numbers")

    def points(self, points: Array) -> Array:
        """(n, w) to (n, w)."""
        places = to_index(self.geometry, points)
        return np.asarray(points + sampled(self.displacement, places, outside=None).T)

    def inverted(self) -> Inverse:
        """Numerically."""
        return Inverse(self)


@dataclass(frozen=True, eq=False)
class Inverse:
    """What undoes a map that has no inverse in closed form: solved point by point.

    Parameters
    ----------
    of
        The map.
    step
        Length over which it is as good as straight; a pixel.
    """

    of: Part
    step: float = 1.0

    def points(self, points: Array) -> Array:
        """(n, w) to (n, w), to a hundredth of `step`; NaN where the map folds or does not reach."""
        return solved(self.of.points, points, points, step=self.step)

    def inverted(self) -> Part:
        """The map itself."""
        return self.of


@dataclass(frozen=True, eq=False)
class Transform:
    """Maps points of the fixed image's world to the moving image's (pull-back): what resampling asks for.

    World points are LPS mm, (x, y[, z]); of an image of unknown spacing they are pixels, (x, y[, z]), with centres at
    whole numbers. Values that lie on the moving grid come to the fixed one by `isocenter.data.warping.warped`.

    Parameters
    ----------
    parts
        Applied in order, first to last; none is the identity.
    fixed, moving
        The two grids.
    evidence
        What a method measured on the way, by name (matches, inliers, ...), for people and reports.
    matches
        The pairs of points that it was made of; None where it rests on none, and after it was composed or inverted.

    Raises
    ------
    GeometryError
        The two worlds differ in dimension.
    """

    parts: tuple[Part, ...]
    fixed: Geometry
    moving: Geometry
    evidence: tuple[tuple[str, float], ...] = ()
    matches: Matches | None = None

    def __post_init__(self) -> None:
        if dimension(self.fixed) != dimension(self.moving):
            raise GeometryError("the two worlds differ in dimension", got=str(dimension(self.moving)),
                                wanted=str(dimension(self.fixed)))

    @classmethod
    def identity(cls, fixed: Geometry, moving: Geometry) -> Transform:
        """Every point of the world stays."""
        return cls((), fixed, moving)

    @classmethod
    def of_matrix(cls, matrix: Array, fixed: Geometry, moving: Geometry) -> Transform:
        """A homogeneous matrix (w + 1, w + 1) between the worlds; GeometryError where it is singular."""
        made = cls((Linear(np.asarray(matrix, float)),), fixed, moving)
        if len(matrix) != dimension(fixed) + 1:
            wanted = f"{dimension(fixed) + 1} rows"
            raise GeometryError("the matrix does not fit the world", got=str(np.shape(matrix)), wanted=wanted)
        return made

    @property
    def matrix(self) -> Array | None:
        """The homogeneous matrix (w + 1, w + 1); None where a part is none."""
        out = np.eye(dimension(self.fixed) + 1)
        for part in self.parts:
            if not isinstance(part, Linear):
                return None
            out = part.matrix @ out
        return np.asarray(out / out[-1, -1])

    def points(self, points: Array) -> Array:
        """Points (n, w) of the fixed world in the moving world; NaN where there is none.

        >>> g = Geometry((4, 4))
        >>> Transform.of_matrix([[1, 0, 5], [0, 1, 0], [0, 0, 1]], g, g).points(np.array([[1.0, 2.0]])).tolist()
        [[6.0, 2.0]]
        """
        out = np.asarray(points, float)
        for part in self.parts:
            out = part.points(out)
        return out

    def indices(self, indices: Array) -> Array:
        """Indices (n, axes) on the fixed grid as fractional indices on the moving grid."""
        return to_index(self.moving, self.points(to_world(self.fixed, indices)))

    def inverse(self) -> Transform:
        """From the moving world to the fixed; splines and fields numerically, NaN where they fold."""
        return Transform(tuple(_inverted(p, self) for p in reversed(self.parts)), self.moving, self.fixed)

    def then(self, other: Transform) -> Transform:
        """First this, then `other`, as one map; matrices that meet become one, and pixels are resampled once.

        Raises
        ------
        GeometryError
            `other` starts in another world than this ends in.
        """
        if dimension(self.moving) != dimension(other.fixed) or self.moving.unit != other.fixed.unit:
            raise GeometryError("the second map starts in another world", got=f"{other.fixed.shape}, "
                                f"{other.fixed.unit}", wanted=f"{self.moving.shape}, {self.moving.unit}")
        parts: list[Part] = list(self.parts)
        for part in other.parts:
            if parts and isinstance(part, Linear) and isinstance(last := parts[-1], Linear):
                parts[-1] = Linear(part.matrix @ last.matrix)
            else:
                parts.append(part)
        return Transform(tuple(parts), self.fixed, other.moving)

    def sampled(self, most: int | None = None) -> tuple[Array, Array]:
        """Indices (n, axes) on the fixed grid, all or at most `most` per axis, and where they lie on the moving one."""
        at = grid_points(self.fixed.shape, most).reshape(-1, self.fixed.ndim)
        return at, self.indices(at)

    def jacobian(self, most: int | None = None) -> Array:
        """How many times larger things are in the moving world; <= 0 or NaN where it folds.

        Parameters
        ----------
        most
            Points per axis at which it is looked at, evenly from edge to edge; None: every pixel.

        Returns
        -------
        float64 (*fixed grid), or at most `most` along each axis.
        """
        shape = tuple(s if most is None else min(s, most) for s in self.fixed.shape)
        there = self.sampled(most)[1].reshape(*shape, -1)
        steps = [(full - 1) / (few - 1) for full, few in zip(self.fixed.shape, shape, strict=True) if few > 1]
        change = _signed_volume(self.moving) / _signed_volume(self.fixed) / float(np.prod(steps))
        return np.asarray(determinants(there) * change)

    def as_field(self) -> Transform:
        """The same map as one displacement per pixel of the fixed grid; GeometryError where it has no value."""
        at = to_world(self.fixed, grid_points(self.fixed.shape).reshape(-1, self.fixed.ndim))
        moved = (self.points(at) - at).T.reshape(-1, *self.fixed.shape)
        return replace(self, parts=(Field(moved.astype(np.float32), self.fixed),))


def _inverted(part: Part, whole: Transform) -> Part:
    found = part.inverted()
    finest = min(whole.fixed.spacing or (1.0,))
    return replace(found, step=finest) if isinstance(found, Inverse) else found


def _signed_volume(geometry: Geometry) -> float:
    """Of a pixel; negative where the grid is the mirror image of its world. A slice in space has no side."""
    if geometry.affine is None:
        return float((-1) ** (geometry.ndim * (geometry.ndim - 1) // 2))
    m = np.asarray(geometry.affine)[:-1, :-1]
    return float(np.linalg.det(m)) if m.shape[0] == m.shape[1] else float(geometry.pixel_volume or 1.0)


@dataclass(frozen=True, eq=False)
class Correspondence:
    """What is known to be the same in two images, without the map itself: landmarks, or regions.

    Parameters
    ----------
    fixed, moving
        The two grids.
    points
        float64 (n, w) fixed world and (n, w) moving world, in one order.
    regions
        The same regions on the fixed and on the moving grid.

    Raises
    ------
    GeometryError
        Neither is given, shapes differ, a point is not finite, or regions lie on other grids.
    """

    fixed: Geometry
    moving: Geometry
    points: tuple[Array, Array] | None = None
    regions: tuple[Segmentation, Segmentation] | None = None

    def __post_init__(self) -> None:
        if self.points is None and self.regions is None:
            raise GeometryError("nothing is said to be the same", wanted="landmarks or regions in both images")
        if self.points is not None:
            a, b = self.points
            if a.shape != b.shape or a.ndim != 2 or a.shape[1] != dimension(self.fixed) or not len(a):
                raise GeometryError("the landmarks of the two images differ in number or dimension",
                                    got=f"{a.shape} and {b.shape}", wanted=f"(n, {dimension(self.fixed)}) twice")
            if not (np.isfinite(a).all() and np.isfinite(b).all()):
                raise GeometryError("a landmark is not finite", wanted="numbers")
        for found, grid in zip(self.regions or (), (self.fixed, self.moving), strict=False):
            if not found.geometry.same_grid(grid):
                raise GeometryError("a region lies on another grid than its image", got=str(found.geometry.shape),
                                    wanted=str(grid.shape))
