"""What reads any file: the content decides which format answers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from isocenter.data import Case, Geometry, Image, Problem
from isocenter.errors import IsocenterError, UsageError
from isocenter.io import formats, labels, limits, npz
from isocenter.io.grid import Note, silent
from isocenter.ops.array import Array

Where = str | Path


def read_image(
    path: Where,
    *,
    series: str | int | None = None,
    axes: str | None = None,
    spacing: tuple[float, ...] | None = None,
    note: Note = silent,
) -> Image:
    """An image: its header now, its pixels anew at every `Image.pixels()`.

    Parameters
    ----------
    path
        A file, a folder of DICOM files, or a place in an array file such as ``"scans.npz#images[3]"``.
    series
        DICOM: number, description or UID of the wanted series where a folder holds several.
    axes
        Names of the file's axes in its own order, letters of "tczyx", where the file does not say them.
    spacing
        mm per spatial axis in the order (z,) y, x, over what the file says.
    note
        Hears of contradictions and choices that do not stop reading.

    Raises
    ------
    MissingFileError, UnreadableError, GeometryError, AmbiguousError, ResourceError
        Each names the file and the cause.
    """
    where = npz.place(path)
    if where is not None and not Path(path).exists():
        limits.present(where.path)
        if where.path.suffix.lower() == ".npz":
            return npz.read(where, axes=axes, spacing=spacing, note=note)
        return formats.module("npy").read(where.path, axes=axes, spacing=spacing, index=where.index)  # type: ignore[no-any-return]
    path = Path(path)
    name = formats.sniff(path)
    extra: dict[str, Any] = {"series": series} if name in ("dicom", "tiff") else {}
    if series is not None and not extra:
        raise UsageError("only DICOM and TIFF hold several series", where=str(path), got=f"series={series!r}")
    with limits.typed(path, formats.FORMATS[name].title):
        return formats.module(name).read(path, axes=axes, spacing=spacing, note=note, **extra)  # type: ignore[no-any-return]


def read_labels(path: Where) -> tuple[Array, Geometry]:
    """Raw whole numbers of a label map, and the grid that they lie on.

    One-bit pictures give 0 and 1, palettes their indices, equal colour channels one number; floating point must hold
    whole numbers.

    Raises
    ------
    LabelError
        Not whole, several different channels, or several frames.
    MissingFileError, UnreadableError, GeometryError, AmbiguousError, ResourceError
        As `read_image`.
    """
    image = read_image(path)
    raw = formats.module(image.source.format) if image.source.format in ("png",) else None
    array = raw.labels(Path(path)) if raw else image.pixels()
    return labels.single(path, image, labels.whole(path, array)), image.geometry


def read(
    path: Any = None,
    *,
    series: str | int | None = None,
    axes: str | None = None,
    spacing: tuple[float, ...] | None = None,
    **roles: Any,
) -> Case:
    """A case of one image, or of several by role: ``read("scan.nii.gz")``, ``read(fixed="a.png", moving="b.png")``.

    Parameters
    ----------
    path
        The leading image (role ``"image"``): a path, an `Image`, an array, a nibabel, SimpleITK or torch object.
    series, axes, spacing
        As `read_image`, for every image.
    roles
        Role to path or object.

    Raises
    ------
    UsageError
        No path at all.
    InputError
        An object that is no image.
    MissingFileError, UnreadableError, GeometryError, AmbiguousError, ResourceError
        As `read_image`.
    """
    paths = ({"image": path} if path is not None else {}) | roles
    if not paths:
        raise UsageError("nothing to read", wanted="a path, or role=path")
    from isocenter.io.objects import as_image

    on_disk = partial(read_image, series=series, axes=axes, spacing=spacing)
    held = partial(as_image, axes=axes, spacing=spacing)
    images = {role: on_disk(p) if isinstance(p, Where) else held(p) for role, p in paths.items()}
    first = next(iter(images))
    if not isinstance(paths[first], Where):
        return Case("case", images, lead=first)
    end = Path(str(paths[first])).name
    return Case(end[: -len(formats.suffix(Path(end)))] if formats.suffix(Path(end)) else end, images, lead=first)


def problems(path: Where, **how: Any) -> tuple[Problem, ...]:
    """What is wrong or worth knowing about a file, found from its header.

    Parameters
    ----------
    how
        As `read_image`.

    Returns
    -------
    problems
        Contradictions that reading got over, and the refusal where it could not.
    """
    found: list[Problem] = []
    try:
        read_image(path, note=found.append, **how)
    except IsocenterError as error:
        found.append(Problem.of(error, str(path)))
    return tuple(found)
