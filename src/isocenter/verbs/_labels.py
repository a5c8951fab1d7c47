"""What stands on a command line as LABELS: label maps, annotation files, films, folders of frames, data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Array, Case, Cases, Geometry, Image, Instances, NotEvaluated, Segmentation
from isocenter.errors import InputError, LabelError, MissingFileError, NotFoundError, UsageError, nearest

TABLES = (".csv", ".tsv", ".xlsx", ".parquet")
DECLARED = ("cases.json", "dataset.json", *(f"manifest{end}" for end in TABLES))
# Layouts of a folder that bring objects with their images.
CONVENTIONS = ("coco", "voc", "yolo", "mask_folders")


@dataclass(frozen=True, eq=False)
class Labelled:
    """The objects of one image, or of one frame.

    Parameters
    ----------
    name
        Of the case or file.
    found, ids
        The objects and their numbers.
    image
        On the same grid; None where there is none.
    subject, piece, frame
        Who, which slice, which frame; "" where nobody said.
    seconds
        Of the frame, where it is known.
    """

    name: str
    found: Instances
    ids: Array
    image: Image | None = None
    subject: str = ""
    piece: str = ""
    frame: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Reading:
    """How labels are read.

    Parameters
    ----------
    names
        Number to class, for label maps that do not say it; None: every number is an object of one class.
    parts
        Each connected part is an object of its own.
    how
        As `isocenter.io.read_image`: axes, spacing, series.
    frame, piece, given
        Of a data set: the columns of the frame and of the slice, and the column or folder of the labels, default the
        truth.
    """

    names: Mapping[int, str] | None
    parts: bool
    how: Mapping[str, Any]
    frame: str = ""
    piece: str = ""
    given: str = ""


def is_data(labels: Any) -> bool:
    """Whether LABELS is a data set: `Cases`, a table, or a folder that declares its cases or follows a convention."""
    from isocenter.layouts.choosing import module

    if isinstance(labels, Cases):
        return True
    if not isinstance(labels, str | Path):
        return False
    path = Path(labels)
    if path.is_dir():
        return any((path / name).is_file() for name in DECLARED) or any(module(n).claims(path) for n in CONVENTIONS)
    return path.suffix.lower() in TABLES


def of_cases(cases: Cases, reading: Reading) -> Iterator[tuple[str, Labelled | InputError | NotEvaluated]]:
    """The labels of each case: its truth, or what was given; or why there are none.

    Raises
    ------
    NotFoundError
        The data have no column for the frame or the slice.
    """
    for column in filter(None, (reading.frame, reading.piece)):
        known = {key for entry in cases.entries for key in entry.notes}
        if column not in known:
            raise NotFoundError(f"no column {column!r}", where=cases.name, remedy=nearest(column, known))
    for entry in cases.entries:
        try:
            case = entry.open()
            found = case.given(reading.given) if reading.given else case.truth()
            if found is None:
                yield entry.id, NotEvaluated("the case has no labels")
            elif isinstance(found, NotEvaluated):
                yield entry.id, found
            else:
                yield entry.id, _of_case(case, found, reading)
        except InputError as error:
            yield entry.id, error


def _of_case(case: Case, found: Any, reading: Reading) -> Labelled:
    image = case.image() if case.images else None
    frame, piece = (case.notes.get(c, "") if c else "" for c in (reading.frame, reading.piece))
    made = _finding(found, reading)
    return replace(made, name=case.id, image=image, subject=case.subject, piece=piece, frame=frame)


def of_frames(labels: Sequence[Any], images: Sequence[Any] | None, reading: Reading) -> Iterator[Labelled]:
    """One frame after the other.

    Raises
    ------
    UsageError
        Frames of labels and of images differ in number.
    """
    if images is not None and len(images) != len(labels):
        raise UsageError(
            "labels and images differ in their frames", got=f"{len(labels)} and {len(images)}", wanted="one each"
        )
    for i, one in enumerate(labels):
        image = images[i] if images is not None else None
        yield replace(next(iter(of_one(one, image, reading))), frame=str(i))


def folder_frames(folder: str | Path) -> list[Path]:
    """The images in a folder in the order of their names; MissingFileError, or UnreadableError where there are none."""
    from isocenter.verbs._inputs import inputs_of

    if not Path(folder).is_dir():
        raise MissingFileError("no such folder of frames", where=str(folder))
    return [one.files[0] for one in inputs_of([folder])]


def of_one(labels: Any, image: Any, reading: Reading) -> Iterator[Labelled]:
    """The objects of a label map or annotation file, or of each frame of a film.

    Raises
    ------
    UsageError
        An annotation file without the image that it is about.
    GeometryError
        Labels and image lie on different grids.
    LabelError
        Not one whole number a pixel, or boxes alone.
    InputError
        As reading.
    """
    picture = _image(image, reading.how)
    if isinstance(labels, Segmentation | Instances):
        yield _placed(_finding(labels, reading), picture)
        return
    if isinstance(labels, str | Path) and _annotated(Path(labels)):
        yield _placed(_annotation(Path(labels), picture), picture)
        return
    made = _image(labels, reading.how)
    assert made is not None
    if "t" in made.axes:
        yield from _film(made, picture, reading)
        return
    numbers, grid = _numbers(labels, made, reading.how)
    name = Path(made.name).name
    yield _placed(_mapped(name, numbers, grid, reading), picture)


def _image(image: Any, how: Mapping[str, Any]) -> Image | None:
    from isocenter.io import as_image, read_image

    if image is None:
        return None
    if isinstance(image, str | Path):
        return read_image(image, **how)
    return as_image(image, **{k: v for k, v in how.items() if k != "series"})


def _annotated(path: Path) -> bool:
    from isocenter.io.annotations import claimed

    return bool(claimed(path))


def _annotation(path: Path, image: Image | None) -> Labelled:
    from isocenter.io.annotations import opened
    from isocenter.layouts.grids import refusal

    source = opened(path)
    # The image's own name, where a file tells of several.
    name = image.name if image is not None and image.source.files else path.stem
    geometry = image.geometry if image is not None else _own_grid(source, name, path)
    own = getattr(source, "geometry", None)
    if isinstance(own, Geometry) and own.ndim == geometry.ndim and _differ(geometry, own):
        raise refusal(geometry, own, str(path))
    marks = source.marks(name, geometry.shape)
    faults = marks.faults(geometry.shape)
    if faults:
        i, what = next(iter(faults.items()))
        raise LabelError(f"an object {what}", where=str(path), got=marks.text(i), remedy="Correct the file")
    classes = tuple(dict.fromkeys([*source.classes, *marks.names])) or ("object",)
    labels = [classes.index(n) for n in marks.names]
    found = marks.instances(range(len(labels)), labels, classes=classes, geometry=geometry)
    return Labelled(path.name, found, np.arange(1, len(found) + 1))


def _own_grid(source: Any, name: str, path: Path) -> Geometry:
    """The grid that an annotation file states: in space where it says so, else its shape alone."""
    if isinstance(getattr(source, "geometry", None), Geometry):
        return source.geometry  # type: ignore[no-any-return]
    shape = source.size(name)
    if shape is None:
        raise UsageError(
            "outlines do not say how large their image is", got=str(path), remedy="Name the image: measure LABELS IMAGE"
        )
    return Geometry(tuple(shape))


def _numbers(labels: Any, made: Image, how: Mapping[str, Any]) -> tuple[Array, Geometry]:
    """Whole numbers a pixel, on the grid that was read with what is said about it."""
    from isocenter.io import as_labels

    if "axes" in how:
        from isocenter.io.labels import single, whole

        return single(made.name, made, whole(made.name, made.pixels())), made.geometry
    return as_labels(labels)[0], made.geometry


def _film(made: Image, picture: Image | None, reading: Reading) -> Iterator[Labelled]:
    from isocenter.io.labels import single, whole

    frames = made.length("t")
    if picture is not None and picture.length("t") != frames:
        raise UsageError(
            "labels and image differ in their frames", got=f"{frames} and {picture.length('t')}", wanted="one each"
        )
    numbers = whole(made.name, made.pixels())
    pixels = None if picture is None else picture.pixels()
    still = made.axes.replace("t", "")
    times = made.times or (picture.times if picture is not None else None)
    for i in range(frames):
        one = Image.from_array(numbers[i], axes=still, geometry=made.geometry)
        label = _mapped(Path(made.name).name, single(made.name, one, numbers[i]), made.geometry, reading)
        shown = None if picture is None or pixels is None else _frame(picture, pixels, i)
        yield replace(_placed(label, shown), frame=str(i), seconds=times[i] if times else None)


def _frame(film: Image, pixels: Array, i: int) -> Image:
    held = pixels[i]
    return film.replaced(partial(_kept, held), shape=held.shape, axes=film.axes.replace("t", ""), times=None)


def _kept(held: Array) -> Array:
    return held


def _mapped(name: str, numbers: Array, grid: Geometry, reading: Reading) -> Labelled:
    from isocenter.inspect.measuring import objects_of

    if numbers.size and numbers.dtype.kind == "i" and numbers.min() < 0:
        raise LabelError(
            "numbers below 0 name no object", where=name, got=str(int(numbers.min())),
            wanted="0 for the background, 1 and above for objects", remedy="Correct the file",
        )
    found, ids = objects_of(numbers, grid, names=reading.names, parts=reading.parts)
    return Labelled(name, found, ids)


def _finding(found: Any, reading: Reading) -> Labelled:
    from isocenter.inspect.measuring import regions_of

    if isinstance(found, Segmentation):
        return Labelled("labels", *regions_of(found, parts=reading.parts))
    if isinstance(found, Instances):
        return Labelled("labels", found, np.arange(1, len(found) + 1))
    raise InputError("boxes alone say nothing about pixels", got=type(found).__name__, wanted="label maps or objects")


def _placed(label: Labelled, image: Image | None) -> Labelled:
    """The objects on the grid of their image, which knows its spacing better than a picture of labels."""
    if image is None:
        return label
    from isocenter.layouts.grids import refusal

    if "t" in image.axes:
        raise InputError("a film where one image was needed", where=image.name, remedy="Name the labels of each frame")
    if _differ(image.geometry, label.found.geometry):
        raise refusal(image.geometry, label.found.geometry, label.name)
    geometry = image.geometry if image.geometry.affine is not None else label.found.geometry
    return replace(label, found=replace(label.found, geometry=geometry), image=image)


def _differ(image: Geometry, label: Geometry) -> bool:
    from isocenter.data.agreement import apart

    return apart(image, label).kind in ("moved", "shape")
