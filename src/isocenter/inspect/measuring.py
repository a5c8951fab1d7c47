"""What can be read off objects: size, shape and grey values a row an object, and their summary an image.

Lengths are in mm where the spacing is known, else in px; sizes are in px too. The direction of the longest axis is an
angle in 2D and a unit vector in 3D: L, P, S in the patient, x, y, z of the grid where nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from isocenter.data import IGNORE, OBJECT, Geometry, Image, Instances, Segmentation
from isocenter.errors import InputError
from isocenter.inspect.bounds import Bounds, beyond, is_uptake, uptake
from isocenter.inspect.readout import Column, Readout
from isocenter.ops import components
from isocenter.ops.array import Array
from isocenter.ops.histoscore import GRADES, grades, histoscore
from isocenter.ops.histoscore import THRESHOLDS as THRESHOLDS
from isocenter.ops.morphometry import Shapes, angles, crops, equivalent_diameter, grey_values, shapes
from isocenter.ops.stain import separate

AXES = "zyx"
DYES = ("hematoxylin", "dab")
# Beginnings of the columns whose medians stand in the summary.
MEDIANS = ("area_", "volume_", "equivalent_", "feret_", "mean_", "suv_", "share_")
STATISTICS = ("mean", "sd", "min", "max")
# In how many unconnected parts an object may lie before a word is due, and of how many objects that is asked.
PARTS, ASKED = 1, 8


def objects_of(
    numbers: Array, geometry: Geometry, *, names: Mapping[int, str] | None = None, parts: bool = False
) -> tuple[Instances, Array]:
    """The objects of a map with one number an object, and their numbers.

    Parameters
    ----------
    numbers
        Integers (*grid); 0 is background.
    geometry
        Of the grid.
    names
        Number to class; others are named by their number. None: all are of one class, `OBJECT`.
    parts
        Each connected part of a number is an object of its own, of the class of its number, counted from 1.

    Raises
    ------
    LabelError
        Numbers below 0 or not whole.
    """
    ids, starts, masks = crops(numbers)
    if parts:
        names = names or ({int(i): str(i) for i in ids} if len(ids) > 1 else None)
        return _parts(ids, starts, masks, names=names, geometry=geometry)
    return _named(ids, starts, masks, names=names, geometry=geometry), ids


def regions_of(found: Segmentation, *, parts: bool = False) -> tuple[Instances, Array]:
    """Each region of a label map, or each of its connected parts, as an object of the class of that name."""
    numbers = np.where(found.labels == IGNORE, 0, found.labels)
    return objects_of(numbers, found.geometry, names=dict(enumerate(found.names)), parts=parts)


def _named(
    ids: Array, starts: Array, masks: tuple[Array, ...], *, names: Mapping[int, str] | None, geometry: Geometry
) -> Instances:
    texts = [OBJECT if names is None else names.get(int(i), str(int(i))) for i in ids]
    known = [] if names is None else [n for i, n in names.items() if i]
    classes = tuple(dict.fromkeys([*known, *texts])) or (OBJECT,)
    labels = np.asarray([classes.index(t) for t in texts], np.int64)
    return Instances(starts, masks, labels, classes, geometry)


def _parts(
    ids: Array, starts: Array, masks: tuple[Array, ...], *, names: Mapping[int, str] | None, geometry: Geometry
) -> tuple[Instances, Array]:
    owners: list[int] = []
    firsts: list[Array] = [np.zeros((0, len(geometry.shape)), np.int64)]
    pieces: list[Array] = []
    for number, start, mask in zip(ids, starts, masks, strict=True):
        _, where, held = crops(components.parts(mask)[0])
        owners += [int(number)] * len(held)
        firsts.append(where + start)
        pieces += held
    made = _named(np.asarray(owners, np.int64), np.concatenate(firsts), tuple(pieces), names=names, geometry=geometry)
    return made, np.arange(1, len(pieces) + 1)


def scattered(found: Instances) -> int:
    """The most connected parts that one of a few objects lies in; 1 where nothing is to be said."""
    if not 0 < len(found) <= ASKED:
        return PARTS
    return max(int(components.parts(mask)[0].max()) for mask in found.masks)


def measured(
    found: Instances, image: Image | None = None, *, ids: Array | None = None,
    thresholds: Sequence[float] | None = None, bounds: Bounds | None = None,
) -> Readout:
    """A row an object.

    Parameters
    ----------
    found
        May overlap.
    image
        On the same grid, without frames; gives mean, standard deviation, least and greatest value of each channel.
    ids
        int64 (n,): numbers of the objects; default from 1.
    thresholds
        The image is a picture of hematoxylin and DAB: mean optical density of both dyes, and the grade (0 to 3) of
        DAB by these limits.
    bounds
        Shares of pixels beyond values; of an image in SUV also its uptake (the usual thresholds where None).

    Raises
    ------
    InputError
        The image lies on another grid or is not there, staining is asked of one that has no three colours, or uptake
        of one that holds no SUV.
    """
    grid = found.geometry
    steps = None if grid.matrix is None else grid.matrix[:-1, :-1]
    got = shapes(found.starts, found.masks, shape=grid.shape, matrix=steps)
    columns: dict[str, Column] = {
        "id": np.arange(1, len(found) + 1) if ids is None else ids,
        "class": [found.classes[int(k)] for k in found.labels],
    }
    if found.scores is not None:
        columns["score"] = found.scores
    columns |= sizes(got.pixels, grid) | _lengths(got, grid, steps) | _places(got, grid)
    if image is not None:
        pixels = _pixels(image, grid)
        columns |= _grey(found, image, pixels) | _bounded(found, image, pixels, bounds or Bounds())
        if thresholds is not None:
            columns |= _stained(found, image, pixels, thresholds)
    elif bounds is not None and (bounds.below or bounds.above or bounds.uptake):
        raise InputError("bounds are about the image, which was not given", remedy="Name the image too")
    elif thresholds is not None:
        raise InputError("staining is read from the picture, which was not given", remedy="Name the image too")
    return Readout.of(columns)


def sizes(pixels: Array, grid: Geometry) -> dict[str, Column]:
    """Area or volume in px and, where the spacing is known, in mm2, or in mm3 and ml."""
    name = "area" if grid.ndim == 2 else "volume"
    columns: dict[str, Column] = {f"{name}_px": pixels}
    one = grid.pixel_volume
    if one is not None:
        columns |= {"area_mm2": pixels * one} if grid.ndim == 2 else {
            "volume_mm3": pixels * one, "volume_ml": pixels * one / 1000
        }  # fmt: skip
    return columns


def _lengths(got: Shapes, grid: Geometry, steps: Array | None) -> dict[str, Column]:
    unit = grid.unit
    named = ("major", "minor") if grid.ndim == 2 else ("major", "middle", "minor")
    columns: dict[str, Column] = {
        f"equivalent_diameter_{unit}": equivalent_diameter(got.pixels * (grid.pixel_volume or 1.0), grid.ndim),
        **{f"{name}_axis_{unit}": got.axes[:, k] for k, name in enumerate(named)},
        f"feret_diameter_{unit}": got.feret,
    }
    if grid.ndim == 2:
        columns["orientation_deg"] = angles(got.directions, steps)
    else:
        # Without a matrix the world is the grid, whose axes run z, y, x.
        order = (0, 1, 2) if steps is not None else (2, 1, 0)
        columns |= {f"major_axis_{n}": got.directions[:, k] for n, k in zip(world_axes(grid), order, strict=True)}
    return columns | {"solidity": got.solidity, "border": got.border}


def world_axes(grid: Geometry) -> tuple[str, ...]:
    """Names of the world's axes: L, P, S in the patient, else x, y[, z]."""
    world = grid.ndim if grid.matrix is None else len(grid.matrix) - 1
    return ("L", "P", "S") if world == 3 and grid.matrix is not None else tuple("xyz"[:world])


def _places(got: Shapes, grid: Geometry) -> dict[str, Column]:
    axes = AXES[-grid.ndim :]
    columns: dict[str, Column] = {
        f"centroid_{a}_px": got.centroids[:, k] for k, a in reversed(list(enumerate(axes)))
    }
    if grid.matrix is not None:
        world = grid.to_world(got.centroids)
        columns |= {f"centroid_{a}_mm": world[:, k] for k, a in enumerate(world_axes(grid))}
    return columns


def _pixels(image: Image, grid: Geometry) -> Array:
    if image.geometry.shape != grid.shape:
        raise InputError("objects and image lie on different grids", where=image.name, got=str(image.geometry.shape),
                         wanted=str(grid.shape))
    return image.channels_first()


def channels_of(image: Image) -> tuple[str, ...]:
    """A name per channel; "" for the only one without a name."""
    n = image.length("c")
    return image.channels or (("",) if n == 1 else tuple(f"c{i + 1}" for i in range(n)))


def _grey(found: Instances, image: Image, pixels: Array) -> dict[str, Column]:
    # Values without a unit are steps of grey: arbitrary units.
    unit = image.unit.replace(".", "") or "au"
    columns: dict[str, Column] = {}
    for name, channel in zip(channels_of(image), pixels, strict=True):
        if name == "alpha":
            continue
        table = np.asarray([grey_values(v) for v in _within(found, channel)]).reshape(-1, len(STATISTICS))
        middle = f"_{name}" if name else ""
        columns |= {f"{what}{middle}_{unit}": table[:, k] for k, what in enumerate(STATISTICS)}
    return columns


def _bounded(found: Instances, image: Image, pixels: Array, bounds: Bounds) -> dict[str, Column]:
    """Shares beyond bounds of each channel, and the uptake of the first."""
    columns: dict[str, Column] = {}
    for name, channel in zip(channels_of(image), pixels, strict=True):
        if name != "alpha":
            made = beyond(found, channel, image.unit, bounds)
            columns |= {f"{key}_{name}" if name else key: values for key, values in made.items()}
    return columns | (uptake(found, image, pixels[0], bounds) if is_uptake(image, bounds) else {})


def _within(found: Instances, channel: Array) -> list[Array]:
    return [channel[found.where(i)][mask] for i, mask in enumerate(found.masks)]


def _stained(found: Instances, image: Image, pixels: Array, limits: Sequence[float]) -> dict[str, Column]:
    colours = pixels[:3] if channels_of(image)[3:] in ((), ("alpha",)) else pixels
    if len(colours) != 3:
        raise InputError("staining needs a picture of three colours", where=image.name, got=f"{len(pixels)} channels")
    amounts = separate(colours, DYES)
    means = [np.asarray([float(v.mean(dtype=np.float64)) for v in _within(found, a)]) for a in amounts]
    grade = grades(means[1], limits)
    return {**{f"{dye}_od": m for dye, m in zip(DYES, means, strict=True)}, "dab_grade": grade}


def summarised(found: Instances, rows: Readout) -> Readout:
    """A row for all objects of an image and, where there are several classes, one a class.

    Counts, total size (shared pixels counted once), its share of the image, density, medians of sizes, diameters and
    means, how many touch the border, and where they were graded the positive share and the H-score.

    Parameters
    ----------
    found, rows
        The objects, and what `measured` said about them.
    """
    parts = [("all", np.ones(len(found), bool))]
    if len(found.classes) > 1:
        parts += [(name, found.labels == k) for k, name in enumerate(found.classes)]
    lines = [_summary(name, found.chosen(which), _chosen(rows, which)) for name, which in parts]
    return Readout.of({key: [line[key] for line in lines] for key in lines[0]})


def _chosen(rows: Readout, which: Array) -> Readout:
    return Readout(rows.header, tuple(row for row, yes in zip(rows.rows, which, strict=True) if yes))


def _summary(name: str, found: Instances, rows: Readout) -> dict[str, Any]:
    grid = found.geometry
    covered = int(np.count_nonzero(found.label_map())) if len(found) else 0
    held = np.asarray([covered])
    line: dict[str, Any] = {"class": name, "objects": len(found)}
    line |= {f"total_{key}": values[0] for key, values in sizes(held, grid).items()}
    line |= {"overlap_px": int(found.areas.sum()) - covered, "share_of_image": covered / np.prod(grid.shape)}
    line |= _density(len(found), grid)
    line |= {f"total_{c}": sum(rows.column(c)) for c in rows.header if c.startswith(("mtv_", "tlg_"))}
    line["border_objects"] = sum(rows.column("border"))
    medians = [c for c in rows.header if c.startswith(MEDIANS)]
    line |= {f"median_{c}": _median(rows.column(c)) for c in [*medians, "solidity"]}
    return line | (_staining(rows) if "dab_grade" in rows.header else {})


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if len(values) else None


def _density(count: int, grid: Geometry) -> dict[str, float]:
    whole, one = float(np.prod(grid.shape)), grid.pixel_volume
    if one is None:
        return {"density_per_Mpx": count / whole * 1e6}
    return {"density_per_mm2": count / (whole * one)} if grid.ndim == 2 else {
        "density_per_ml": count / (whole * one) * 1000
    }


def _staining(rows: Readout) -> dict[str, Any]:
    got = histoscore(np.asarray(rows.column("dab_grade"), np.int64))
    shares: Sequence[float | None] = (None,) * 4 if got is None else got.shares
    line: dict[str, Any] = {"positive_share": None if got is None else got.positive}
    line |= {f"{name}_share": share for name, share in zip(GRADES, shares, strict=True)}
    return line | {"h_score": None if got is None else got.score}
