"""What writes any value: the suffix decides the format, the file appears whole or not at all."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isocenter import files
from isocenter.data import (
    Attribution,
    Boxes,
    Image,
    Instances,
    Perturbation,
    Probabilities,
    Segmentation,
    Tracks,
    Transform,
    Values,
)
from isocenter.errors import OutputError
from isocenter.io import (
    answers,
    encoded,
    formats,
    overlay,
    overlay_film,
    overlay_objects,
    trackmate,
    tracks,
    tracks_geojson,
    tracks_table,
)
from isocenter.io.annotations import BOXES, OBJECTS
from isocenter.io.objects import as_image
from isocenter.io.transforms import write_transform
from isocenter.ops.array import Array

ARRAYS = {
    ".nii": "nifti", ".nii.gz": "nifti", ".tif": "tiff", ".tiff": "tiff", ".png": "png",
    ".npy": "npy", ".npz": "npz",
}
TRACKS = {".xml": trackmate, ".geojson": tracks_geojson}
TEXTS = {".json": answers.as_json, ".csv": answers.as_csv}


def write(
    value: Any,
    path: str | Path,
    *,
    like: Image | None = None,
    codes: Mapping[str, int] | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a finding or an image; the suffix names the format.

    Parameters
    ----------
    value
        Segmentation, Image, Attribution or Perturbation: .nii, .nii.gz, .tif, .png, .npy, .npz. An Attribution's .png
        is a heat map over `like`; a Perturbation's shows `like` with the change, without it, and the change alone x20.
        Probabilities or Values: .json, .csv. An array, a nibabel, SimpleITK or torch object is an Image.
        Boxes: .csv, .json (COCO), .xml (VOC), .txt (YOLO), .geojson (QuPath), .zip (ImageJ RoiSet). Instances: label
        maps, one number an object (where objects overlap the surer one shows), or .csv, .json (COCO), .geojson, .zip,
        .seg.nrrd (3D Slicer), in which overlaps survive. Transform: .tfm, .txt (ITK; affine maps), or a displacement
        per pixel of the fixed image: .nii.gz (3D), .npz. Tracks: .csv, .xml (TrackMate), .geojson, all three with
        the intensities of the film `like`; .gif, .mp4 or .avi over it; or a folder (Cell Tracking Challenge).
    path
        Where to.
    like
        The image that the value is about: a NIfTI on the same grid gets its very forms, codes and units.
    codes
        Segmentation: region name to the number that the file shall use.
    overwrite
        Replace an existing file.

    Returns
    -------
    path
        The file written.

    Raises
    ------
    OutputError
        The suffix is unknown or unfit for the value (names those that work), the file exists, or the format cannot
        hold the values.
    ResourceError
        The disk is full.
    InputError
        Nothing that can be written.
    """
    path = Path(path)
    end = formats.suffix(path)
    if isinstance(value, Probabilities | Values):
        if end not in TEXTS:
            raise _refusal(value, path, end, TEXTS)
        files.write_text(path, TEXTS[end](value), overwrite=overwrite)
        return path
    if isinstance(value, Tracks):
        return _tracks(value, path, like, overwrite)
    if isinstance(value, Transform):
        return write_transform(value, path, overwrite=overwrite)
    if isinstance(value, Boxes | Instances):
        known = BOXES if isinstance(value, Boxes) else OBJECTS
        whole = next((e for e in known if path.name.lower().endswith(e)), "")
        if whole:
            return _annotation(value, path, known[whole], like, overwrite)
        if isinstance(value, Boxes) or end not in ARRAYS:
            raise _refusal(value, path, end, known if isinstance(value, Boxes) else known | ARRAYS)
    if end not in ARRAYS:
        raise _refusal(value, path, end, ARRAYS)
    if isinstance(value, Attribution) and end == ".png":
        return _picture(overlay.heat(value, like), path, overwrite)
    if isinstance(value, Perturbation) and end == ".png":
        if like is None:
            raise OutputError("the picture of a change needs the image", where=str(path), wanted="like=",
                              remedy="Pass the image that was changed, or write .npz or .nii.gz")
        return _picture(overlay.change(value, like), path, overwrite)
    ours = isinstance(value, Segmentation | Attribution | Instances | Perturbation)
    block = encoded.block(value if ours else as_image(value), codes)
    with files.written(path, overwrite=overwrite) as part:
        try:
            formats.module(ARRAYS[end]).write(part, block, like)
        except OutputError as error:
            raise OutputError(
                error.what, where=str(path), got=error.got, wanted=error.wanted, remedy=error.remedy
            ) from error
    return path


def write_overlay(
    image: Image,
    found: Segmentation | Boxes | Instances,
    path: str | Path,
    *,
    index: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes the image with the outlines of regions or objects, or with boxes and their scores, as a PNG.

    Parameters
    ----------
    index
        Slice along z of a volume; default the one that shows most of what was found.

    Raises
    ------
    OutputError
        Different grids, a film, or another suffix than .png.
    """
    path = Path(path)
    if formats.suffix(path) != ".png":
        raise OutputError("overlays are PNG", where=str(path), got=path.suffix, wanted=".png")
    if isinstance(found, Boxes):
        return _picture(overlay_objects.boxes_drawn(image, found, index=index), path, overwrite)
    if isinstance(found, Instances):
        return _picture(overlay_objects.objects_drawn(image, found, index=index), path, overwrite)
    return _picture(overlay.drawn(image, found, index=index), path, overwrite)


def _tracks(value: Tracks, path: Path, like: Image | None, overwrite: bool) -> Path:
    end = formats.suffix(path)
    if end == "":
        return tracks.write_folder(value, path, overwrite=overwrite)
    if end in overlay_film.ENDS:
        if like is None:
            raise OutputError("tracks are drawn over their film", where=str(path), wanted="like=")
        return overlay_film.write_film(like, value, path, overwrite=overwrite)
    if end in TRACKS:
        with files.written(path, overwrite=overwrite) as part:
            TRACKS[end].write(part, value, like)
        return path
    if end != ".csv":
        raise _refusal(value, path, end, dict.fromkeys((".csv", *TRACKS, *overlay_film.ENDS, "a folder")))
    means = tracks_table.channel_means(value, like) if like is not None else tracks_table.NOTHING
    files.write_text(path, tracks_table.as_csv(value, means), overwrite=overwrite)
    return path


def _annotation(value: Boxes | Instances, path: Path, name: str, like: Image | None, overwrite: bool) -> Path:
    with files.written(path, overwrite=overwrite) as part:
        module = importlib.import_module(f"isocenter.io.annotations.{name}")
        module.write(part, value, Path(like.name).name if like is not None and like.source.files else path.name)
    return path


def _picture(array: Array, path: Path, overwrite: bool) -> Path:
    import PIL.Image

    with files.written(path, overwrite=overwrite) as part:
        PIL.Image.fromarray(array).save(part, "PNG")
    return path


def _refusal(value: object, path: Path, end: str, known: Mapping[str, Any]) -> OutputError:
    kind = type(value).__name__
    what = f"{kind} as DICOM is not written yet" if end == ".dcm" else f"no format of a {kind} has the suffix {end!r}"
    return OutputError(what, where=str(path), wanted=", ".join(known))
