"""Axes and grids as the readers meet them: named axes put in our order, spacings stated by hand, affines judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.data import Geometry, Image, Problem
from isocenter.errors import AmbiguousError, GeometryError, UsageError
from isocenter.ops.array import Array

Note = Callable[[Problem], None]
OURS = "tczyx"
# Electron microscopes reach 1e-7 mm; nothing in medicine has pixels of 100 m.
FINEST, COARSEST, FARTHEST = 1e-8, 1e5, 1e8


def silent(problem: Problem) -> None:
    """A `Note` that nobody hears."""


def ordered(axes: str, array: Array) -> Array:
    """The array with its named axes in our order ("tczyx"), contiguous."""
    order = [axes.index(a) for a in OURS if a in axes]
    return np.ascontiguousarray(array.transpose(order))


def stated(path: str | Path, axes: str, shape: Sequence[int]) -> str:
    """`axes`, when they name each axis of `shape` once.

    Raises
    ------
    UsageError
        A letter outside "tczyx", twice, or another number of letters than axes; y and x are needed.
    """
    if len(axes) != len(shape) or len(set(axes)) != len(axes) or not set("yx") <= set(axes) <= set(OURS):
        raise UsageError(
            "axes do not fit the file", where=str(path), got=f"{axes!r} for shape {tuple(shape)}",
            wanted="one letter of tczyx per axis, y and x among them",
        )
    return axes


def unstated(path: str | Path, shape: Sequence[int], readings: Sequence[str]) -> AmbiguousError:
    """The question which of several readings of the axes is meant."""
    said = " or ".join(f"axes={r!r}" for r in readings)
    return AmbiguousError(
        "the file does not say what its axes are", where=str(path), got=f"shape {tuple(shape)}", remedy=f"Pass {said}"
    )


def respaced(path: str | Path, geometry: Geometry, spacing: Sequence[float] | None) -> Geometry:
    """The grid with a spacing stated by hand, in mm per spatial axis in array order.

    Raises
    ------
    UsageError
        Another number of spacings than axes.
    GeometryError
        A spacing that is not a positive number.
    """
    if spacing is None:
        return geometry
    wanted = np.asarray(spacing, float)
    if wanted.shape != (geometry.ndim,):
        got = str(tuple(spacing))
        raise UsageError("spacing does not fit", where=str(path), got=got, wanted=f"{geometry.ndim} numbers")
    if not (np.isfinite(wanted) & (wanted > 0)).all():
        raise GeometryError("not a spacing", where=str(path), got=str(tuple(spacing)), wanted="positive mm")
    m = geometry.matrix
    if m is None:
        return replace(Geometry.from_spacing(geometry.shape, wanted.tolist()), frame=geometry.frame)
    m[:-1, :-1] *= wanted / np.linalg.norm(m[:-1, :-1], axis=0)
    return replace(geometry, affine=rows(m))


def located(path: str | Path, shape: Sequence[int], matrix: Array, frame: str | None = None) -> Geometry:
    """A grid from a file's affine, judged.

    Raises
    ------
    GeometryError
        NaN, infinity, a singular matrix, or lengths that no image has; names the file and the numbers.
    """
    m = np.asarray(matrix, float)
    if not np.isfinite(m).all():
        raise GeometryError("the affine holds NaN or infinity", where=str(path), remedy="Repair the header")
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(m[:-1, :-1], axis=0)
    if (lengths == 0).any():
        raise GeometryError("the affine is singular", where=str(path), got=f"spacings {numbers(lengths)} mm")
    if lengths.min() < FINEST or lengths.max() > COARSEST or np.abs(m[:-1, -1]).max() > FARTHEST:
        raise GeometryError(
            "impossible spacing or position", where=str(path),
            got=f"spacings {numbers(lengths)} mm, origin {numbers(m[:-1, -1])} mm",
        )
    try:
        return Geometry(tuple(int(s) for s in shape), rows(m), frame)
    except GeometryError as error:
        raise GeometryError(error.what, where=str(path), got=error.got, wanted=error.wanted) from error


def rows(matrix: Array) -> tuple[tuple[float, ...], ...]:
    """A matrix as the nested tuples that a `Geometry` holds; no negative zeros."""
    return tuple(tuple(float(v) + 0.0 for v in row) for row in matrix)


def numbers(values: Array | Sequence[float]) -> str:
    """Numbers for a message.

    >>> numbers([1.0, 2.54321])
    '1, 2.543'
    """
    return ", ".join(f"{float(v):.4g}" for v in values)


def with_spacing(image: Image, path: str | Path, spacing: Sequence[float] | None) -> Image:
    """The image with a spacing stated by hand."""
    return image if spacing is None else image.replaced(image.load, geometry=respaced(path, image.geometry, spacing))
