"""Findings and images as plain arrays for a file: numbers that the data set uses, types that a format holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isocenter.data import IGNORE, Attribution, Geometry, Image, Instances, Perturbation, Segmentation
from isocenter.errors import OutputError
from isocenter.ops.array import Array


@dataclass(frozen=True, eq=False)
class Block:
    """An array to be written, with the names of its axes and what is known of its grid.

    Parameters
    ----------
    array
        Numbers in our order of axes.
    axes
        Their names.
    geometry
        Of the spatial axes.
    kind
        ``"labels"``, ``"pixels"`` or ``"values"``.
    names
        Channel names, or region names of labels.
    times
        Seconds per frame.
    """

    array: Array
    axes: str
    geometry: Geometry
    kind: str
    names: tuple[str, ...] = ()
    times: tuple[float, ...] | None = None


def block(
    value: Segmentation | Image | Attribution | Instances | Perturbation, codes: Mapping[str, int] | None = None
) -> Block:
    """What a value looks like as numbers.

    Parameters
    ----------
    codes
        Segmentation: region name to number in the file, ``"ignore"`` included; default: the index of the name, and 255.
    """
    if isinstance(value, Segmentation):
        return Block(numbered(value, codes), "zyx"[-value.geometry.ndim :], value.geometry, "labels", value.names)
    if isinstance(value, Instances):
        # 16 bits are what programs for label maps expect; more objects than they number take 32.
        dtype = np.uint16 if len(value) < 65536 else np.int32
        return Block(value.label_map().astype(dtype), "zyx"[-value.geometry.ndim :], value.geometry, "labels")
    if isinstance(value, Attribution):
        axes = "zyx"[-value.geometry.ndim :]
        return Block(np.asarray(value.values, np.float32), axes, value.geometry, "values")
    if isinstance(value, Perturbation):
        axes = "zyx"[-value.geometry.ndim :]
        added = np.asarray(value.values, np.float32)
        alone = len(added) == 1
        return Block(added[0] if alone else added, axes if alone else "c" + axes, value.geometry, "values")
    return Block(value.pixels(), value.axes, value.geometry, "pixels", value.channels, value.times)


def numbered(found: Segmentation, codes: Mapping[str, int] | None) -> Array:
    """The label map in the numbers of the data set, in the smallest type that holds them.

    Raises
    ------
    OutputError
        A region has no number, or two share one.
    """
    if codes is None:
        return found.labels
    lacking = [n for n in found.regions if n not in codes]
    if lacking:
        raise OutputError("no number for a region", got=", ".join(lacking), wanted=", ".join(codes))
    table = np.zeros(256, np.int64)
    table[: len(found.names)] = [codes.get(name, 0) for name in found.names]
    table[IGNORE] = codes.get("ignore", IGNORE)
    present = np.unique(found.labels)
    used = table[present]
    if len(set(used.tolist())) < len(used):
        raise OutputError(
            "two regions would get one number", got=str(dict(codes)), remedy="Give ignore a number of its own in codes"
        )
    top, low = int(table.max()), int(table.min())
    dtype = np.uint8 if low >= 0 and top < 256 else np.uint16 if low >= 0 and top < 65536 else np.int32
    return table.astype(dtype)[found.labels]


def as_bytes(path: Path, array: Array) -> Array:
    """The same numbers as uint8 or uint16, whichever holds them.

    Raises
    ------
    OutputError
        Negative, fractional or larger numbers: nothing is rounded or stretched.
    """
    if array.dtype in (np.uint8, np.uint16):
        return array
    low, high = float(array.min()), float(array.max())
    fits = np.isfinite([low, high]).all() and low >= 0 and high <= 65535
    if not fits or (array.dtype.kind == "f" and not np.array_equal(array, np.round(array))):
        raise OutputError(
            "values that 8 or 16 bits cannot hold", where=str(path), got=f"{array.dtype}, {low:.4g} to {high:.4g}",
            wanted="whole numbers from 0 to 65535", remedy="Write .tif, .nii.gz or .npy",
        )
    return array.astype(np.uint8 if high < 256 else np.uint16)
