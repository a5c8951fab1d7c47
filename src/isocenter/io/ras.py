"""NIfTI's world: sform, qform and pixdim of a header as an LPS grid, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Geometry, Problem
from isocenter.errors import GeometryError
from isocenter.io import limits
from isocenter.io.grid import Note, located, numbers, silent
from isocenter.ops.array import Array

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Axes this far from right angles (degrees) are told; rounding in headers stays below.
LEAN = 0.1
MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 1e-3}


def geometry(path: Path, header: Any, axes: str, *, shape: tuple[int, ...], note: Note = silent) -> Geometry:
    """The LPS grid that a header declares.

    Parameters
    ----------
    axes, shape
        Of the file in C order.

    Raises
    ------
    GeometryError
        The affine holds NaN or infinity, or is singular.
    """
    affine = _affine(path, header, note)
    spatial = [a for a in "zyx" if a in axes]
    shape = tuple(shape[axes.index(a)] for a in spatial)
    if affine is None:
        return Geometry(shape)
    # File axis i is our x, j our y, k our z: columns in the order k, j, i, or j, i for a grid of two axes.
    columns = [{"z": 2, "y": 1, "x": 0}[a] for a in spatial] + [3]
    found = located(path, shape, (RAS_TO_LPS @ affine)[:, columns])
    unit = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    lean = np.degrees(np.arcsin(min(np.abs(np.triu(unit.T @ unit, 1)).max(), 1.0)))
    if lean > LEAN:
        got = f"{lean:.1f} degrees off"
        note(Problem("sheared", "warning", "the axes are not at right angles", str(path), got=got))
    return found


def _affine(path: Path, header: Any, note: Note) -> Array | None:
    """RAS mm affine by sform, else qform, else pixdim; None where the file says nothing."""
    scale = np.diag([*[MILLIMETRES.get(header.get_xyzt_units()[0], 1.0)] * 3, 1.0])
    sform = header.get_sform(coded=True)[0]
    qform = _qform(path, header) if sform is None or int(header["qform_code"]) > 0 else None
    if sform is not None:
        if qform is not None and np.isfinite(sform).all():
            _agree(path, header, scale @ sform, scale @ qform, note)
        return np.asarray(scale @ sform)
    if qform is not None:
        return np.asarray(scale @ qform)
    zooms = np.asarray(header["pixdim"][1:4], float)
    if (zooms == 0).any() or (header.get_xyzt_units()[0] == "unknown" and (zooms == 1).all()):
        note(Problem("spacing-unknown", "warning", "the file states no spacing", str(path), remedy="Pass spacing="))
        return None
    note(Problem(
        "orientation-unstated", "warning", "neither sform nor qform is set: spacing known, orientation assumed",
        str(path), got="sform_code 0, qform_code 0",
    ))
    return np.asarray(scale @ header.get_base_affine())


def _qform(path: Path, header: Any) -> Array | None:
    try:
        found = header.get_qform(coded=True)[0]
    except Exception as error:
        raise GeometryError("the qform is impossible", where=str(path), got=limits.cause(error)) from error
    return None if found is None else np.asarray(found, float)


def _agree(path: Path, header: Any, sform: Array, qform: Array, note: Note) -> None:
    """Tells of sform and qform that place a corner of the grid at different points."""
    lengths = [max(int(v), 1) for v in header["dim"][1:4]]
    corners = np.stack(np.meshgrid(*[(0, v - 1) for v in lengths], indexing="ij"), -1).reshape(-1, 3)
    apart = np.linalg.norm(corners @ (sform - qform)[:3, :3].T + (sform - qform)[:3, 3], axis=1)
    size = np.linalg.norm(sform[:3, :3], axis=0).min()
    if np.isfinite(apart).all() and apart.max() > 0.1 * size:
        note(Problem(
            "sform-qform", "warning", "sform and qform place the image differently; sform is used", str(path),
            got=f"corners up to {numbers([apart.max()])} mm apart",
            remedy="Check in which of the two the labels were drawn",
        ))


def place(header: Any, geometry: Geometry) -> str | None:
    """Sets sform and qform from a grid; the unit of space."""
    m = geometry.matrix
    if m is None:
        header["pixdim"][1:4] = 1.0
        return None
    affine = np.eye(4)
    n, world = geometry.ndim, m.shape[0] - 1
    affine[:world, :n] = m[:-1, :-1][:, ::-1]
    affine[:world, 3] = m[:-1, -1]
    if n == 2 and world == 3:
        normal = np.cross(affine[:3, 0], affine[:3, 1])
        affine[:3, 2] = normal / np.linalg.norm(normal)
    affine = RAS_TO_LPS @ affine
    unit = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.allclose(unit.T @ unit, np.eye(3), atol=1e-5):
        header.set_qform(affine, code=1)
    else:
        header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    header.set_sform(affine, code=1)
    return "mm"
