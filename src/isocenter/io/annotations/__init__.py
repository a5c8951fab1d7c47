"""Boxes and outlined objects in the files of other programs. One module is one format."""

from __future__ import annotations

import importlib
from pathlib import Path

from isocenter.errors import UnreadableError
from isocenter.io.annotations.marks import Crop, Marks, Source

# Asked in this order; each has ``claims(path)`` and ``read(path)``.
FORMATS = ("voc", "yolo", "coco", "table", "geojson", "roiset", "nrrd", "mask_folder")
# Format of a finding by the suffix of the file: of boxes, and of objects beside label maps.
BOXES = {
    ".csv": "table", ".json": "coco", ".xml": "voc", ".txt": "yolo", ".geojson": "geojson", ".zip": "roiset",
}  # fmt: skip
OBJECTS = {".csv": "table", ".json": "coco", ".geojson": "geojson", ".zip": "roiset", ".seg.nrrd": "nrrd"}
# Name that a person types to the suffix.
NAMES = {
    "csv": ".csv", "coco": ".json", "voc": ".xml", "yolo": ".txt", "geojson": ".geojson", "roiset": ".zip",
    "nrrd": ".seg.nrrd",
}  # fmt: skip

__all__ = ["BOXES", "FORMATS", "NAMES", "OBJECTS", "Crop", "Marks", "Source", "claimed", "opened"]


def claimed(path: str | Path) -> str:
    """The format that the name of a file or folder promises; "" where it is none of these."""
    found = (n for n in FORMATS if importlib.import_module(f"isocenter.io.annotations.{n}").claims(Path(path)))
    return next(found, "")


def opened(path: str | Path) -> Source:
    """An annotation file or a folder of masks.

    Raises
    ------
    UnreadableError
        None of the formats, or damaged.
    MissingFileError, ResourceError
        Not there; larger than any annotation.
    """
    name = claimed(path)
    if not name:
        raise UnreadableError("no annotation that is read here", where=str(path), wanted=", ".join(FORMATS))
    source: Source = importlib.import_module(f"isocenter.io.annotations.{name}").read(path)
    return source
