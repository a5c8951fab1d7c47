"""How the objects of an image lie to each other: a row a pair, and the same as a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from isocenter.data import Instances
from isocenter.errors import InputError
from isocenter.inspect.measuring import world_axes
from isocenter.inspect.readout import Column, Readout
from isocenter.ops.array import Array
from isocenter.ops.relations import relations

# Of more objects not every pair is of interest, and there are thousands of them.
MOST = 64


def related(found: Instances, *, ids: Array | None = None, reach: float | None = None) -> Readout:
    """A row a pair of objects a and b, a the earlier.

    Contact (length in 2D, area in 3D; none where they share pixels), the share of each that lies within the other (with
    the holes that it encloses), shared pixels, least distance of the surfaces, and the vector from the centre of a to
    that of b: towards the patient's left (L), back (P) and head (S) where the grid lies in the patient.

    Parameters
    ----------
    found
        May overlap.
    ids
        int64 (n,): numbers of the objects; default from 1.
    reach
        Pairs whose surfaces are farther apart, in the unit of the grid, are left out; None: all pairs.

    Raises
    ------
    InputError
        More than 64 objects and no reach, or a reach below 0.
    """
    if reach is not None and not reach >= 0:
        raise InputError("not a distance", got=str(reach), wanted="0 or more")
    if reach is None and len(found) > MOST:
        raise InputError(
            f"too many pairs to relate them all: {len(found)} objects", wanted=f"at most {MOST} objects, or a distance",
            remedy="Pass --reach, the largest distance of surfaces that is of interest",
        )
    grid = found.geometry
    numbers = np.arange(1, len(found) + 1) if ids is None else ids
    steps = None if grid.matrix is None else grid.matrix[:-1, :-1]
    pairs = relations(found.starts, found.masks, shape=grid.shape, matrix=steps, reach=reach)
    at, to = (np.asarray([getattr(p, end) for p in pairs], np.int64) for end in "ab")
    unit, axes = grid.unit, world_axes(grid)
    centres = _centres(found)
    vectors = centres[to] - centres[at]
    contact = f"contact_length_{unit}" if grid.ndim == 2 else f"contact_area_{unit}{'2' if unit == 'mm' else ''}"
    columns: dict[str, Column] = {
        "a": numbers[at], "b": numbers[to],
        "class_a": [found.classes[int(k)] for k in found.labels[at]],
        "class_b": [found.classes[int(k)] for k in found.labels[to]],
        contact: [p.contact if p.contact is not None else np.nan for p in pairs],
        "share_of_a_in_b": [p.a_in_b for p in pairs], "share_of_b_in_a": [p.b_in_a for p in pairs],
        "overlap_px": [p.shared for p in pairs], f"surface_distance_{unit}": [p.gap for p in pairs],
        **{f"to_{name}_{unit}": vectors[:, k] for k, name in enumerate(axes)},
        f"centre_distance_{unit}": np.linalg.norm(vectors, axis=1),
    }  # fmt: skip
    return Readout.of(columns)


def _centres(found: Instances) -> Array:
    """Centres of the objects in the world, or as x, y[, z] in px."""
    indices = np.asarray([np.argwhere(m).mean(0) + s for s, m in zip(found.starts, found.masks, strict=True)])
    indices = indices.reshape(len(found), found.geometry.ndim)
    return indices[:, ::-1] if found.geometry.affine is None else found.geometry.to_world(indices)


def graph(objects: Readout, pairs: Readout) -> dict[str, Any]:
    """Nodes (a row an object) and edges (a row a pair, named by the numbers of its objects) as a JSON document."""
    return {"nodes": [dict(row) for row in objects.rows], "edges": [dict(row) for row in pairs.rows]}
