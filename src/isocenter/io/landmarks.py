"""Landmarks as CSV: a name and the pixel (X, Y[, Z]) of each, with centres at whole numbers."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from isocenter import files
from isocenter.data import Geometry
from isocenter.data.findings.matches import Matches
from isocenter.data.findings.transform import to_index, to_world
from isocenter.errors import TableError
from isocenter.io import limits
from isocenter.ops.array import Array

AXES = ("x", "y", "z")
# Rows of one file; more are no landmarks set by hand or by a matcher.
MOST = 1_000_000


def read_landmarks(path: str | Path, geometry: Geometry) -> dict[str, Array]:
    """World points of one image's landmarks, by name.

    Parameters
    ----------
    path
        CSV or TSV with the columns X, Y and in 3D Z, in pixels; another column, or the first, names the landmark.
    geometry
        Of the image.

    Returns
    -------
    dict
        Name to (w,) world point: mm, or pixels where the spacing is unknown.

    Raises
    ------
    TableError
        No such columns, a cell that is no number, or one name twice.
    """
    path = limits.present(Path(path))
    with limits.typed(path, "no table of landmarks"), path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ","))[: MOST + 1]
    head = [c.strip().lower() for c in rows[0]] if rows else []
    wanted = AXES[: geometry.ndim]
    if not set(wanted) <= set(head):
        raise TableError("no landmarks", where=str(path), got=", ".join(head), wanted=", ".join(wanted).upper())
    at = [head.index(a) for a in reversed(wanted)]
    name = next((i for i in range(len(head)) if i not in at), None)
    found: dict[str, Array] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(row):
            continue
        try:
            place = np.array([float(row[i]) for i in at])
        except (ValueError, IndexError):
            place = np.full(1, np.nan)
        key = str(number - 1) if name is None else row[name].strip()
        if key in found or not np.isfinite(place).all():
            what = "names a landmark twice" if key in found else "holds no number where a coordinate belongs"
            raise TableError(f"row {number} {what}", where=str(path), got=", ".join(row))
        found[key] = to_world(geometry, place[None])[0]
    return found


def joined(fixed: Mapping[str, Array], moving: Mapping[str, Array], where: str) -> tuple[Array, Array]:
    """The landmarks that both images have, (n, w) each, in the order of the fixed ones; TableError when none is."""
    both = [name for name in fixed if name in moving]
    if not both:
        raise TableError("the two images have no landmark in common", where=where,
                         got=f"{len(fixed)} and {len(moving)} landmarks", wanted="the same names in both")
    return np.array([fixed[n] for n in both]), np.array([moving[n] for n in both])


def write_landmarks(
    points: Array, path: str | Path, geometry: Geometry, *, names: tuple[str, ...] = (), overwrite: bool = False
) -> Path:
    """Writes world points (n, w) as pixels of an image; what `read_landmarks` reads.

    Parameters
    ----------
    names
        One a landmark; default 0, 1, 2 ...
    """
    path = Path(path)
    places = to_index(geometry, points)[:, ::-1]
    lines = [",".join(["", *AXES[: geometry.ndim]]).upper()]
    for i, place in enumerate(places):
        lines.append(",".join([names[i] if names else str(i), *[f"{v:.6g}" for v in place]]))
    files.write_text(path, "\n".join(lines) + "\n", overwrite=overwrite)
    return path


def write_matches(
    matches: Matches, path: str | Path, fixed: Geometry, moving: Geometry, *, overwrite: bool = False
) -> Path:
    """Writes the pairs of points that a registration rests on: pixels in both images, and whether the pair agrees."""
    path = Path(path)
    sides = [to_index(g, p)[:, ::-1] for g, p in ((fixed, matches.fixed), (moving, matches.moving))]
    names = [f"{side}_{axis}" for side, g in (("fixed", fixed), ("moving", moving)) for axis in AXES[: g.ndim]]
    lines = [",".join(["pair", *names, "agrees"])]
    for i, (a, b, agrees) in enumerate(zip(*sides, matches.inliers, strict=True)):
        lines.append(",".join([str(i), *[f"{v:.6g}" for v in (*a, *b)], str(int(agrees))]))
    files.write_text(path, "\n".join(lines) + "\n", overwrite=overwrite)
    return path
