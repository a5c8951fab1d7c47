"""Objects of other libraries in and out: numpy, nibabel, SimpleITK, torch, pandas. Geometry survives both ways."""

from __future__ import annotations

import importlib
import os
from functools import partial
from typing import Any

import numpy as np

from isocenter.data import (
    Boxes,
    Cases,
    Geometry,
    Image,
    Instances,
    Probabilities,
    Scores,
    Segmentation,
    Source,
    Values,
)
from isocenter.errors import InputError, MissingExtraError
from isocenter.io import answers, encoded, labels, nifti, npy, ras, reading
from isocenter.io.annotations import table
from isocenter.io.grid import located, ordered, respaced, stated, unstated
from isocenter.ops.array import Array

# SimpleITK always has a spacing; this entry says that it means nothing.
UNKNOWN = "isocenter.spacing"


def as_image(obj: Any, *, axes: str | None = None, spacing: tuple[float, ...] | None = None) -> Image:
    """An `Image` from whatever a person holds.

    Parameters
    ----------
    obj
        An Image, a path, a numpy array, a nibabel image, a SimpleITK image, or a torch tensor.
    axes
        Names of the array's axes in its own order; of an array or tensor default "yx" and "zyx". A nibabel image counts
        in C order (its own reversed), SimpleITK as `GetArrayFromImage` does.
    spacing
        mm per spatial axis in the order (z,) y, x, over what the object says.

    Raises
    ------
    InputError
        A kind of object that nobody here knows.
    AmbiguousError
        Axes that do not follow from the object.
    """
    if isinstance(obj, Image):
        return obj.replaced(obj.load, geometry=respaced(obj.name, obj.geometry, spacing)) if spacing else obj
    if isinstance(obj, str | os.PathLike):
        return reading.read_image(os.fspath(obj), axes=axes, spacing=spacing)
    kind = type(obj).__module__.split(".")[0]
    if kind == "nibabel" and hasattr(obj, "dataobj"):
        return _from_nibabel(obj, axes, spacing)
    if kind == "SimpleITK":
        return _from_sitk(obj, axes, spacing)
    if kind == "torch":
        return _from_array(obj.detach().cpu().numpy(), axes, spacing)
    if isinstance(obj, np.ndarray) or hasattr(obj, "__array__"):
        return _from_array(np.asarray(obj), axes, spacing)
    raise InputError("not an image", got=type(obj).__name__, wanted="a path, array, nibabel, SimpleITK or torch object")


def placed(obj: Any) -> bool:
    """Whether an object of another library is one image that knows its own grid (nibabel, SimpleITK)."""
    kind = type(obj).__module__.split(".")[0]
    return (kind == "nibabel" and hasattr(obj, "dataobj")) or (kind == "SimpleITK" and type(obj).__name__ == "Image")


def as_labels(obj: Any, *, where: str = "label map") -> tuple[Array, Geometry]:
    """Whole numbers on the spatial grid, and that grid, from whatever `as_image` takes; raises as `read_labels`."""
    if isinstance(obj, str | os.PathLike):
        return reading.read_labels(os.fspath(obj))
    image = as_image(obj)
    return labels.single(where, image, labels.whole(where, image.pixels())), image.geometry


def _from_array(array: Array, axes: str | None, spacing: tuple[float, ...] | None) -> Image:
    if axes is None:
        if array.ndim not in (2, 3):
            raise unstated("array", array.shape, npy.READINGS.get(array.ndim, ("tczyx",)))
        axes = "zyx"[3 - array.ndim :]
    stated("array", axes, array.shape)
    ours = ordered(axes, array.astype(np.uint8) if array.dtype == bool else array)
    return Image.from_array(ours, axes="".join(a for a in "tczyx" if a in axes), spacing=spacing)


def _from_nibabel(obj: Any, axes: str | None, spacing: tuple[float, ...] | None) -> Image:
    shape = tuple(int(s) for s in obj.shape)[::-1]
    vector = len(shape) == 5 and shape[1] == 1
    if vector:
        shape = (shape[0], *shape[2:])
    named = axes or {2: "yx", 3: "zyx"}.get(len(shape), "czyx" if vector else "")
    times = None
    if not named and len(shape) == 4 and hasattr(obj.header, "get_xyzt_units"):
        unit, step = nifti.SECONDS.get(obj.header.get_xyzt_units()[1]), float(obj.header["pixdim"][4])
        if unit is not None and step > 0:
            named, times = "tzyx", tuple(i * step * unit for i in range(shape[0]))
    if not named:
        raise unstated("nibabel image", shape, ("tzyx", "czyx"))
    stated("nibabel image", named, shape)
    spatial = [a for a in "zyx" if a in named]
    grid = tuple(shape[named.index(a)] for a in spatial)
    columns = ["xyz".index(a) for a in spatial] + [3]
    geometry = Geometry(grid)
    if obj.affine is not None and not _unplaced(obj.header):
        geometry = located("nibabel image", grid, (ras.RAS_TO_LPS @ np.asarray(obj.affine, float))[:, columns])
    legal = "".join(a for a in "tczyx" if a in named)
    return Image(
        partial(_nibabel_pixels, obj, shape, named), tuple(shape[named.index(a)] for a in legal), legal,
        str(np.asanyarray(obj.dataobj[(slice(0, 1),) * len(obj.shape)]).dtype),
        respaced("nibabel image", geometry, spacing), times=times, source=Source((), "nibabel"),
    )


def _unplaced(header: Any) -> bool:
    """Whether a NIfTI header says that it knows no spacing: no form, no unit, ones."""
    if not hasattr(header, "get_xyzt_units") or int(header["sform_code"]) or int(header["qform_code"]):
        return False
    return header.get_xyzt_units()[0] == "unknown" and bool((np.asarray(header["pixdim"][1:4]) == 1).all())


def _nibabel_pixels(obj: Any, shape: tuple[int, ...], axes: str) -> Array:
    return ordered(axes, np.asanyarray(obj.dataobj).transpose().reshape(shape))


def _from_sitk(obj: Any, axes: str | None, spacing: tuple[float, ...] | None) -> Image:
    sitk = _extra("SimpleITK", "reading a SimpleITK image")
    n = obj.GetDimension()
    if n not in (2, 3):
        raise InputError("a SimpleITK image of two or three axes is needed", got=f"{n} axes")
    vector = obj.GetNumberOfComponentsPerPixel() > 1
    shape = tuple(reversed(obj.GetSize()))
    named = axes or "zyx"[3 - n :] + "c" * vector
    direction = np.asarray(obj.GetDirection()).reshape(n, n) * np.asarray(obj.GetSpacing())
    m = np.eye(n + 1)
    m[:n, :n], m[:n, n] = direction[:, ::-1], obj.GetOrigin()
    unknown = obj.HasMetaDataKey(UNKNOWN)
    geometry = Geometry(shape) if unknown else located("SimpleITK image", shape, m)
    full = (*shape, obj.GetNumberOfComponentsPerPixel()) if vector else shape
    stated("SimpleITK image", named, full)
    legal = "".join(a for a in "tczyx" if a in named)
    dtype = sitk.GetArrayViewFromImage(obj).dtype.name
    return Image(
        partial(_sitk_pixels, obj, named), tuple(full[named.index(a)] for a in legal), legal, dtype,
        respaced("SimpleITK image", geometry, spacing), source=Source((), "simpleitk"),
    )


def _sitk_pixels(obj: Any, axes: str) -> Array:
    import SimpleITK

    return ordered(axes, SimpleITK.GetArrayFromImage(obj))


def to_nibabel(value: Image | Segmentation | Instances) -> Any:
    """A nibabel ``Nifti1Image``: axes i, j, k[, t], RAS affine, labels as uint8.

    Raises
    ------
    OutputError
        Axes that NIfTI cannot hold without inventing one.
    """
    import nibabel

    array, header = nifti.prepared("nibabel image", encoded.block(value))
    affine = None if value.geometry.affine is None else header.get_sform()
    return nibabel.Nifti1Image(array.transpose(), affine, header)


def to_sitk(value: Image | Segmentation | Instances) -> Any:
    """A SimpleITK image with spacing, origin and direction; channels become components.

    A slice in its place in the patient becomes a volume of one slice, since SimpleITK keeps 2D in a plane of its own.

    Raises
    ------
    MissingExtraError
        SimpleITK is not installed.
    InputError
        A film.
    """
    sitk = _extra("SimpleITK", "a SimpleITK image")
    block = encoded.block(value)
    if "t" in block.axes:
        raise InputError("a film where one image was needed", got=block.axes, wanted="cut('frame') first")
    array = np.moveaxis(block.array, 0, -1) if "c" in block.axes else block.array
    m = block.geometry.matrix
    n = block.geometry.ndim
    if m is not None and m.shape[0] - 1 > n:
        array, n = array[None], 3
        normal = np.cross(m[:3, 1], m[:3, 0])
        m = np.insert(m, 0, [*(normal / np.linalg.norm(normal)), 0], axis=1)
    out = sitk.GetImageFromArray(np.ascontiguousarray(array), isVector="c" in block.axes)
    if m is None:
        out.SetMetaData(UNKNOWN, "unknown")
        return out
    lengths = np.linalg.norm(m[:-1, :n], axis=0)
    out.SetSpacing(lengths[::-1].tolist())
    out.SetOrigin(m[:-1, n].tolist())
    out.SetDirection((m[:-1, :n] / lengths)[:, ::-1].ravel().tolist())
    return out


def to_torch(value: Image | Segmentation | Instances) -> Any:
    """A torch tensor with the axes of the value, on the CPU; MissingExtraError without torch."""
    torch = _extra("torch", "a torch tensor", "train")
    array = encoded.block(value).array
    return torch.from_numpy(np.array(array, array.dtype.newbyteorder("="), order="C", copy=True))


def to_pandas(value: Scores | Cases | Probabilities | Values | Boxes | Instances) -> Any:
    """A pandas table in long form.

    Returns
    -------
    table
        Scores: metric, target, value, low, high, n, unit, flags. Cases: id, subject, group, split, labels and one
        column a role with its path. Probabilities and Values: name, value, unit, low, high. Boxes and Instances: a row
        an object, with the columns of their CSV.

    Raises
    ------
    InputError
        A value that is no table.
    """
    import pandas

    if isinstance(value, Scores):
        return pandas.DataFrame([
            {"metric": metric, "target": target, "value": s.value, "low": s.low, "high": s.high, "n": s.n,
             "unit": s.unit, "flags": " ".join(s.flags)}
            for metric, targets in value.metrics.items() for target, s in targets.items()
        ])
    if isinstance(value, Cases):
        return pandas.DataFrame([
            {"id": e.id, "subject": e.subject, "group": e.group, "split": e.split, "labels": " ".join(e.labels)}
            | dict(e.files) for e in value.entries
        ])
    if isinstance(value, Probabilities | Values):
        return pandas.DataFrame(answers.rows(value))
    if isinstance(value, Boxes | Instances):
        return pandas.DataFrame(table.rows(value), columns=table.header(value))
    wanted = "Scores, Cases, Probabilities, Values, Boxes or Instances"
    raise InputError("no table", got=type(value).__name__, wanted=wanted)


def _extra(module: str, feature: str, extra: str = "registration") -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(feature, extra) from error
