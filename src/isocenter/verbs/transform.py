"""An image and all that lies on it moved at once: turned, flipped, cut, resampled, or by a transform file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np

from isocenter.data import Array, Boxes, Geometry, Image, Instances, Progress, Transform
from isocenter.data.findings.transform import dimension, to_index
from isocenter.data.moving import carried, chained, exact, followed, onto
from isocenter.data.warping import warped
from isocenter.errors import GeometryError, OutputError, UsageError, nearest
from isocenter.io import as_image, read_image, read_labels, write
from isocenter.io.annotations import BOXES, OBJECTS, opened
from isocenter.io.formats import suffix
from isocenter.io.landmarks import read_landmarks, write_landmarks
from isocenter.io.transforms import read_transform
from isocenter.io.writing import ARRAYS
from isocenter.verbs._moves import move_of
from isocenter.verbs._options import checked
from isocenter.verbs._places import usable
from isocenter.verbs._text import counted, typed

ORDERS: Mapping[str, int] = {"nearest": 0, "linear": 1, "cubic": 3}
KINDS = ("masks", "points", "boxes", "objects")


class Moving(TypedDict, total=False):
    """Options of `transform`.

    Parameters
    ----------
    masks, points, boxes, objects
        Files on the image's grid that move with it: label maps; CSV of points (X, Y[, Z] in pixels); boxes and
        outlined objects in the formats that `isocenter.write` knows.
    order
        ``"linear"``, ``"cubic"`` or ``"nearest"``: how pixels are interpolated where they do not only change places.
    outside
        Value of pixels that show nothing of the image.
    overwrite
        Replace what is there; inputs are never touched.
    series, axes, spacing
        What the image's file leaves unsaid, as in `isocenter.read`.
    seed, threads, report
        Taken by every verb; nothing here is random.
    """

    masks: Sequence[str | Path]
    points: Sequence[str | Path]
    boxes: Sequence[str | Path]
    objects: Sequence[str | Path]
    order: str
    outside: float
    overwrite: bool
    series: str | int | None
    axes: str | None
    spacing: Sequence[float] | None
    seed: int
    threads: int | None
    report: Callable[[Progress], None]


@dataclass(frozen=True, eq=False)
class Moved:
    """What was moved.

    Parameters
    ----------
    image
        On the new grid, read when its pixels are asked for.
    transform
        From the new grid to the old one.
    beside
        What moved with it by file: an `Image` of whole numbers, points (n, w) of the new world, `Boxes`, `Instances`.
    names
        Of points, by file.
    left
        How many of a file's points, boxes or objects lie outside the new image; of boxes and objects they are gone.
    files
        What was written.
    """

    image: Image
    transform: Transform
    beside: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        matrix = self.transform.matrix
        return {
            "format": 1, "shape": list(self.image.shape), "axes": self.image.axes,
            "spacing": None if self.image.geometry.spacing is None else list(self.image.geometry.spacing),
            "matrix": None if matrix is None else matrix.tolist(), "exact": exact(self.transform),
            "outside": dict(self.left), "files": [str(f) for f in self.files],
        }  # fmt: skip

    def lines(self) -> list[str]:
        """The new grid, what lies outside it, and where things are."""
        old, new = self.transform.moving, self.image.geometry
        how = "pixels only change places" if exact(self.transform) else "pixels interpolated once"
        lines = [f"{_grid(old)} -> {_grid(new)}; {how}"]
        lines += [f"{Path(name).name}: {counted(n, 'entry', many='entries')} outside the new image"
                  for name, n in self.left.items() if n]  # fmt: skip
        lines += [f"written: {f}" for f in self.files]
        return [*lines, f"next: isocenter look {typed(self.files[0])}"] if self.files else lines


def _grid(grid: Geometry) -> str:
    spacing = " x ".join(f"{s:.3g}" for s in grid.spacing) + " mm" if grid.spacing else "spacing unknown"
    return f"{' x '.join(map(str, grid.shape))} px ({spacing})"


def transform(
    image: Any,
    *,
    moves: Sequence[tuple[str, Any]] = (),
    by: Transform | str | Path | None = None,
    to: Any = None,
    inverse: bool = False,
    out: str | Path | None = None,
    **options: Unpack[Moving],
) -> Moved:
    """Moves an image and what lies on it; however many moves there are, pixels are interpolated once.

    Parameters
    ----------
    image
        A path, `Image`, array, nibabel, SimpleITK or torch object.
    moves
        Applied in their order, after `by`: pairs such as ``("rotate", 15)``, ``("flip", "x")``, ``("crop",
        "10:90,20:80")``; the names are those of `isocenter.verbs._moves.MOVES`.
    by
        A `Transform`, or its file (ITK's .tfm and .txt; displacements in .nii.gz and .npz). As a registration gives it
        with this image as the moving one: it maps points of `to` to points of the image.
    to
        The image (only its grid is read) on whose grid the result lies; default the image's own.
    inverse
        `by` was made the other way round: with this image as the fixed one and `to` as the moving one.
    out
        A folder for the image, all that moved with it, and the transform; or one file for the image alone.

    Raises
    ------
    UsageError
        Nothing is to be done, or no such move or option.
    GeometryError, UnreadableError
        A grid, matrix or file does not fit.
    OutputError
        Something lies there already, or is an input.
    """
    checked(options, Moving)
    how: dict[str, Any] = {n: options.get(n) for n in ("series", "axes", "spacing") if options.get(n) is not None}
    if "spacing" in how:
        how["spacing"] = tuple(float(s) for s in how["spacing"])
    if options.get("order", "linear") not in ORDERS:
        raise UsageError("no such interpolation", remedy=nearest(options["order"], ORDERS))
    if not moves and by is None and to is None:
        raise UsageError("nothing is to be done", wanted="moves, a transform file, or a grid to bring it to")
    source = _image(image, how)
    whole = _whole(source.geometry, moves=moves, by=by, to=to, inverse=inverse)
    order, outside = ORDERS[options.get("order", "linear")], float(options.get("outside", 0.0))
    made = Moved(carried(whole, source, order=order, outside=outside), whole)
    made = _with_companions(made, source, options)
    if out is None:
        return made
    return _written(made, source, Path(out), overwrite=options.get("overwrite", False))


def _image(image: Any, how: Mapping[str, Any]) -> Image:
    if isinstance(image, str | Path):
        return read_image(image, **how)
    return as_image(image, **{k: v for k, v in how.items() if k != "series"})


def _whole(
    grid: Geometry, *, moves: Sequence[tuple[str, Any]], by: Any, to: Any, inverse: bool
) -> Transform:
    """The one transform from the new grid to the image's."""
    target = grid if to is None else to if isinstance(to, Geometry) else _image(to, {}).geometry
    if by is None:
        start = onto(grid, target)
    elif isinstance(by, Transform):
        start = by.inverse() if inverse else by
        if not start.moving.same_grid(grid):
            raise GeometryError("the transform is of another image", got=_grid(start.moving), wanted=_grid(grid),
                                remedy="Pass inverse=True where it was made the other way round")
    elif inverse:
        start = read_transform(by, grid, target).inverse()
    else:
        start = read_transform(by, target, grid)
    return chained([start, move_of(start.fixed, moves)]) if moves else start


def _with_companions(made: Moved, source: Image, options: Moving) -> Moved:
    beside: dict[str, Any] = {}
    names: dict[str, tuple[str, ...]] = {}
    left: dict[str, int] = {}
    for kind in KINDS:
        for path in options.get(kind) or ():  # type: ignore[attr-defined]
            key = str(path)
            if Path(key).name in {Path(k).name for k in beside}:
                raise UsageError("two files of one name would lie in one folder", got=Path(key).name)
            if kind == "points":
                found = read_landmarks(key, source.geometry)
                names[key] = tuple(found)
                points = np.reshape(list(found.values()), (len(found), dimension(source.geometry)))
                beside[key] = followed(made.transform, points)
                left[key] = int((~_within(made.transform.fixed, beside[key])).sum())
                continue
            value = _mask(key, source) if kind == "masks" else _marked(key, source, kind)
            beside[key] = carried(made.transform, value, order=0) if isinstance(value, Image) else warped(
                made.transform, value)
            if not isinstance(value, Image):
                left[key] = len(value) - len(beside[key])
    return Moved(made.image, made.transform, beside, names, left)


def _within(grid: Geometry, points: Array) -> Array:
    places = to_index(grid, points)
    with np.errstate(invalid="ignore"):
        return np.asarray(((places >= -0.5) & (places <= np.asarray(grid.shape) - 0.5)).all(axis=1))


def _mask(path: str, source: Image) -> Image:
    """The numbers of a label map on the image's grid; a picture that knows no spacing lies where its image does."""
    numbers, grid = read_labels(path)
    if grid.shape != source.geometry.shape or (grid.affine is not None and not grid.same_grid(source.geometry)):
        raise GeometryError("the mask lies on another grid than its image", where=path, got=_grid(grid),
                            wanted=_grid(source.geometry))
    low, high = int(numbers.min()), int(numbers.max())
    small = np.min_scalar_type(high) if low >= 0 else np.result_type(np.min_scalar_type(low), np.min_scalar_type(high))
    return Image.from_array(numbers.astype(small), axes="zyx"[-grid.ndim :], geometry=source.geometry)


def _marked(path: str, source: Image, kind: str) -> Boxes | Instances:
    """Boxes or objects as a file of another program says them."""
    held = opened(path)
    name = source.name if source.source.files else Path(path).stem
    marks = held.marks(name, source.geometry.shape)
    faults = marks.faults(source.geometry.shape)
    classes = tuple(dict.fromkeys([*held.classes, *marks.names])) or ("object",)
    kept = [i for i in range(len(marks.names)) if i not in faults]
    labels = [classes.index(marks.names[i]) for i in kept]
    if kind == "boxes":
        return marks.boxes(kept, labels, classes=classes, geometry=source.geometry)
    return marks.instances(kept, labels, classes=classes, geometry=source.geometry)


def _written(made: Moved, source: Image, out: Path, *, overwrite: bool) -> Moved:
    alone = suffix(out) in ARRAYS
    if alone and made.beside:
        raise UsageError("one file holds the image alone", got=str(out), wanted="a folder: -o OUT")
    usable(out.parent if alone else out)
    image = out if alone else out / _name(source)
    field_end = ".nii.gz" if made.transform.fixed.ndim == 3 else ".npz"
    matrix = made.transform.matrix
    straight = matrix is not None and not np.abs(matrix[-1, :-1]).max() > 0
    targets: dict[Path, Any] = {image: made.image}
    targets |= {out / _apart(Path(k).name, v, image.name): k for k, v in made.beside.items()}
    if not alone:
        targets[out / f"transform{'.tfm' if straight else field_end}"] = made.transform
    inputs = {Path(p).resolve() for p in (*source.source.files, *made.beside)}
    for target in targets:
        if target.resolve() in inputs:
            raise OutputError("an input would be replaced", where=str(target), remedy="Name another folder with -o")
        if target.exists() and not overwrite:
            raise OutputError("the file exists", where=str(target), remedy="Pass --overwrite or name another")
    for target, value in targets.items():
        _one(made, target, made.beside.get(value, value) if isinstance(value, str) else value, value)
    return Moved(made.image, made.transform, made.beside, made.names, made.left, tuple(targets))


def _apart(name: str, value: Any, image: str) -> str:
    """A file's own name; with its kind where the image has the same, as in sets with folders of images and labels."""
    if name != image:
        return name
    kind = "boxes" if isinstance(value, Boxes) else "objects" if isinstance(value, Instances) else "mask"
    end = suffix(Path(name))
    return f"{name[: -len(end)]}_{kind}{end}"


def _one(made: Moved, target: Path, value: Any, key: Any) -> None:
    if isinstance(value, np.ndarray):
        known = np.asarray(np.isfinite(value).all(axis=1))
        names = tuple(n for n, k in zip(made.names[key], known, strict=True) if k)
        write_landmarks(value[known], target, made.transform.fixed, names=names, overwrite=True)
    elif isinstance(value, Boxes | Instances):
        known_ends = BOXES if isinstance(value, Boxes) else OBJECTS
        if not any(target.name.lower().endswith(end) for end in known_ends):
            raise OutputError("boxes or objects are not written in this format", where=str(target),
                              wanted=", ".join(known_ends))
        write(value, target, like=made.image, overwrite=True)
    else:
        write(value, target, overwrite=True)


def _name(source: Image) -> str:
    """The source's own name where its format is written, else with the suffix of one that is."""
    if not source.source.files:
        return "image.nii.gz" if source.ndim == 3 else "image.tif"
    path = Path(source.source.files[0].split("#")[0])
    end = suffix(path)
    if end in ARRAYS and "#" not in source.source.files[0]:
        return path.name
    stem = path.parent.name if source.source.format == "dicom" and len(source.source.files) > 1 else path.name
    return (stem[: -len(end)] if end and stem.endswith(end) else stem) + (".nii.gz" if source.ndim == 3 else ".tif")
