"""Images turned, flipped, scaled, cut and resampled: each a transform, so that several are one and pixels move once.

A move goes from its new grid to the old one, as every `Transform`. What lies on the old grid follows by
`isocenter.data.warping.warped` and `carried`, points by `followed`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from isocenter.data.findings.transform import Linear, Transform, to_world
from isocenter.data.geometry import Geometry
from isocenter.data.image import Image
from isocenter.data.plane import between
from isocenter.data.warping import warped
from isocenter.errors import GeometryError
from isocenter.ops.array import Array
from isocenter.ops.transforms import fit_matrix

# How far in pixels a place may lie from a pixel's centre and still be that pixel.
EXACT = 1e-6
# A grid that a move would make many times larger than the image is a mistake.
LARGEST = 64


def flipped(grid: Geometry, axes: str) -> Transform:
    """The content mirrored along axes such as ``"x"`` or ``"zy"``, on the same grid: what was left is right.

    Raises
    ------
    GeometryError
        The grid has no such axis.
    """
    turn, shift = np.eye(grid.ndim), np.zeros(grid.ndim)
    for axis in (_axis(grid, a) for a in axes):
        turn[axis, axis], shift[axis] = -1.0, grid.shape[axis] - 1.0
    return _placed(grid, grid, turn, shift)


def rotated(grid: Geometry, degrees: float, *, axis: str = "z", grow: bool = True) -> Transform:
    """The content turned about its centre, counter-clockwise as slices across `axis` are seen (rows run down).

    Quarter turns are exact: pixels change places, and spacings with them.

    Parameters
    ----------
    degrees
        Any.
    axis
        ``"z"``, ``"y"`` or ``"x"``; of a flat image ``"z"`` alone.
    grow
        Whether the new grid holds all of the content; else it is the old one.

    Raises
    ------
    GeometryError
        No such axis, or not a finite angle.
    """
    if axis not in "zyx" or (grid.ndim == 2 and axis != "z") or not np.isfinite(degrees):
        raise GeometryError("no rotation of this image", got=f"{degrees:g} about {axis}",
                            wanted="z" if grid.ndim == 2 else "z, y or x")
    row, column = (k for k, name in enumerate("zyx"[-grid.ndim :]) if name != axis)
    quarters = degrees / 90.0
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    spacing = np.asarray(grid.spacing or (1.0,) * grid.ndim)
    new = spacing.copy()
    if quarters == round(quarters):
        cosine, sine = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)][round(quarters) % 4]
        if grow and round(quarters) % 2:
            new[[row, column]] = spacing[[column, row]]
    turn = np.eye(grid.ndim)
    # Columns to the right, rows down: the pull-back of a turn against the clock.
    turn[[row, row, column, column], [row, column, row, column]] = cosine, sine, -sine, cosine
    extent = np.abs(turn) @ (spacing * np.asarray(grid.shape))
    shape = np.maximum(np.ceil(extent / new - 1e-6), 1).astype(int) if grow else np.asarray(grid.shape)
    fixed = _centred(grid, shape, new) if grow else grid
    return _about_centres(grid, fixed, turn, new if grow else spacing)


def scaled(grid: Geometry, factors: Sequence[float]) -> Transform:
    """The content made so many times larger about its centre, at the same spacing; the grid grows with it.

    Parameters
    ----------
    factors
        One per axis in array order, > 0.

    Raises
    ------
    GeometryError
        Not one factor an axis, or not above 0.
    """
    by = _each(grid, factors, "factors")
    shape = np.maximum(np.round(np.asarray(grid.shape) * by), 1).astype(int)
    spacing = np.asarray(grid.spacing or (1.0,) * grid.ndim)
    return _about_centres(grid, _centred(grid, shape, spacing), np.diag(1 / by), spacing)


def resampled(
    grid: Geometry, *, spacing: Sequence[float] | None = None, shape: Sequence[int] | None = None
) -> Transform:
    """The same content in the same box, in other pixels.

    Parameters
    ----------
    spacing
        mm per axis in array order, from which the shape follows; the box is kept, so that the last digits may differ.
    shape
        Pixels per axis.

    Raises
    ------
    GeometryError
        Neither or both are given, the spacing is unknown, or a number is not above 0.
    """
    if (spacing is None) == (shape is None):
        raise GeometryError("a new grid is said by one of two things", wanted="its spacing or its shape")
    if spacing is not None:
        if grid.spacing is None:
            raise GeometryError("the spacing is unknown", wanted="mm", remedy="State it, or say the new shape")
        wanted = _each(grid, spacing, "spacings")
        shape = np.maximum(np.round(np.asarray(grid.shape) * np.asarray(grid.spacing) / wanted), 1).astype(int).tolist()
    sizes = _each(grid, shape or (), "lengths").astype(int)
    _bounded(grid, sizes)
    fixed = grid.resampled(sizes.tolist())
    factor = np.asarray(grid.shape) / sizes
    return _placed(fixed, grid, np.diag(factor), 0.5 * factor - 0.5)


def cropped(grid: Geometry, start: Sequence[int], shape: Sequence[int]) -> Transform:
    """A part of the image; a negative start, or an end beyond the image, pads.

    Raises
    ------
    GeometryError
        Not one number an axis, a length below 1, or no pixel of the image is left.
    """
    sizes = _each(grid, shape, "lengths").astype(int)
    first = np.asarray(start, int)
    if first.shape != (grid.ndim,) or (first >= np.asarray(grid.shape)).any() or (first + sizes <= 0).any():
        raise GeometryError("nothing of the image is left", got=f"start {list(start)}, shape {list(shape)}",
                            wanted=f"a part of {grid.shape}")
    _bounded(grid, sizes)
    return _placed(grid.cropped(first.tolist(), sizes.tolist()), grid, np.eye(grid.ndim), first.astype(float))


def padded(grid: Geometry, before: Sequence[int], after: Sequence[int]) -> Transform:
    """Pixels added (below 0: taken away) before and after, per axis in array order; GeometryError as `cropped`."""
    low, high = np.asarray(before, int), np.asarray(after, int)
    return cropped(grid, (-low).tolist(), (np.asarray(grid.shape) + low + high).tolist())


def moved(grid: Geometry, matrix: Array) -> Transform:
    """The content moved by a matrix of its world (x, y[, z], 1), affine or perspective, on the same grid.

    Raises
    ------
    GeometryError
        The matrix is singular or does not fit the world.
    """
    there = Transform.of_matrix(np.asarray(matrix, float), grid, grid)
    return there.inverse()


def perspective(grid: Geometry, corners: Sequence[Sequence[float]]) -> Transform:
    """The corners of a flat image moved to other places of the same grid, straight lines kept straight.

    Parameters
    ----------
    corners
        Four pixels (x, y): where the centres of the top left, top right, bottom right and bottom left pixel go.

    Raises
    ------
    GeometryError
        The image is not flat, or three of the corners lie in one line.
    """
    target = np.asarray(corners, float)
    if grid.ndim != 2 or target.shape != (4, 2):
        raise GeometryError("a perspective view is of a flat image and by its four corners", got=str(target.shape),
                            wanted="(4, 2)")
    bottom, right = grid.shape[0] - 1.0, grid.shape[1] - 1.0
    source = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]])
    found = fit_matrix("perspective", target, source)
    if not np.isfinite(found).all():
        raise GeometryError("the corners do not determine a view", got=str(target.tolist()),
                            wanted="no three in one line")
    scale = np.diag([*np.asarray(grid.spacing or (1.0, 1.0))[::-1], 1.0])
    return between(Linear(scale @ found @ np.linalg.inv(scale)), grid, grid, {})


def onto(grid: Geometry, other: Geometry) -> Transform:
    """The same world on another image's grid; GeometryError where they have no world in common."""
    return Transform.identity(other, grid)


def chained(moves: Sequence[Transform]) -> Transform:
    """Moves one after the other as one, the first applied first.

    >>> grid = Geometry((4, 6))
    >>> chained([rotated(grid, 90), flipped(Geometry((6, 4)), "x")]).fixed.shape
    (6, 4)
    """
    whole = moves[0]
    for move in moves[1:]:
        whole = move.then(whole)
    return whole


def followed(move: Transform, points: Array) -> Array:
    """World points (n, w) of the old grid where they lie on the new one; NaN where the move folds."""
    return move.inverse().points(points)


def exact(move: Transform) -> bool:
    """Whether pixels only change places: every new pixel is an old one, or lies outside."""
    corners = np.array(np.meshgrid(*[(0, 1) for _ in move.fixed.shape], indexing="ij")).reshape(move.fixed.ndim, -1).T
    if move.matrix is None or np.abs(move.matrix[-1, :-1]).max() > 0:
        return False
    places = move.indices(np.concatenate([corners, corners * (np.asarray(move.fixed.shape) - 1)]).astype(float))
    steps = places[1 : len(corners)] - places[0]
    single = np.abs(np.linalg.norm(steps[[c.sum() == 1 for c in corners[1:]]], axis=1) - 1).max() < EXACT
    return bool(single and np.abs(places - np.round(places)).max() < EXACT)


def carried(move: Transform, image: Image, *, order: int = 1, outside: float = 0.0) -> Image:
    """The image on the new grid, in its own pixel type, read when its pixels are asked for.

    Where pixels only change places nothing is interpolated. Where they shrink, what is finer than a new pixel is
    smoothed away first (a Gaussian), so that every old one counts.

    Parameters
    ----------
    order, outside
        As `warped`.
    """
    if order == 0 or exact(move):
        return warped(move, image, order=0, outside=outside)
    kind, sigma = np.dtype(image.dtype), _spread(move)
    lead = len(image.axes) - image.ndim

    def smoothed() -> Array:
        pixels = image.pixels()
        return pixels if sigma is None else ndimage.gaussian_filter(pixels.astype(np.float32), [0] * lead + list(sigma))

    source = image.replaced(smoothed, dtype=image.dtype if sigma is None else "float32")
    seen = warped(move, source, order=order, outside=outside)

    def load() -> Array:
        values = seen.pixels()
        if kind.kind in "ui":
            ends = np.iinfo(kind)
            values = np.clip(np.rint(values), ends.min, ends.max)
        return values.astype(kind)

    return seen.replaced(load, dtype=image.dtype)


def _spread(move: Transform) -> Array | None:
    """Spread (axes,) of the Gaussian in old pixels; None where nothing shrinks or the move is no matrix."""
    if move.matrix is None:
        return None
    middle = (np.asarray(move.fixed.shape) - 1.0) / 2
    at = move.indices(np.concatenate([middle[None], middle + np.eye(move.fixed.ndim)]))
    size = np.linalg.norm(at[1:] - at[0], axis=0)
    return 0.5 * np.maximum(size - 1, 0) if np.isfinite(size).all() and size.max() > 1.01 else None


def _axis(grid: Geometry, name: str) -> int:
    names = "zyx"[-grid.ndim :]
    if name not in names:
        raise GeometryError("the image has no such axis", got=name, wanted=", ".join(names))
    return names.index(name)


def _each(grid: Geometry, numbers: Sequence[float], what: str) -> Array:
    out = np.asarray(numbers, float)
    if out.shape != (grid.ndim,) or not np.isfinite(out).all() or (out <= 0).any():
        raise GeometryError(f"not {what} of this image", got=str(list(numbers)),
                            wanted=f"{grid.ndim} numbers above 0, in the order {', '.join('zyx'[-grid.ndim :])}")
    return out


def _bounded(grid: Geometry, shape: Array) -> None:
    if float(np.prod(shape.astype(float))) > LARGEST * max(float(np.prod(np.asarray(grid.shape, float))), 1 << 16):
        raise GeometryError("the new grid is many times larger than the image", got=str(shape.tolist()),
                            wanted=f"at most {LARGEST} times {grid.shape}")


def _centred(grid: Geometry, shape: Array, spacing: Array) -> Geometry:
    """A grid of another shape and spacing along the same directions with the same centre."""
    _bounded(grid, shape)
    if grid.affine is None:
        return Geometry(tuple(int(n) for n in shape))
    matrix = np.array(grid.matrix)
    centre = to_world(grid, (np.asarray(grid.shape)[None] - 1.0) / 2)[0]
    matrix[:-1, :-1] *= spacing / np.asarray(grid.spacing)
    matrix[:-1, -1] = centre - matrix[:-1, :-1] @ ((shape - 1.0) / 2)
    return Geometry(tuple(int(n) for n in shape), tuple(map(tuple, matrix.tolist())), grid.frame)


def _about_centres(grid: Geometry, fixed: Geometry, turn: Array, spacing: Array) -> Transform:
    """The pull-back whose linear part in lengths is `turn` and which keeps the centre."""
    own = np.asarray(grid.spacing or (1.0,) * grid.ndim)
    index = turn * spacing / own[:, None]
    shift = (np.asarray(grid.shape) - 1.0) / 2 - index @ ((np.asarray(fixed.shape) - 1.0) / 2)
    return _placed(fixed, grid, index, shift)


def _placed(fixed: Geometry, moving: Geometry, turn: Array, shift: Array) -> Transform:
    """The transform whose indices are ``turn @ index + shift``."""
    n = moving.ndim
    old, new = (np.asarray(g.spacing or (1.0,) * n)[::-1] for g in (moving, fixed))
    own = np.eye(n + 1)
    own[:n, :n] = turn[::-1, ::-1] * old[:, None] / new
    own[:n, n] = shift[::-1] * old
    return between(Linear(own), fixed, moving, {})
