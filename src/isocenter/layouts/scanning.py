"""What lies in a folder: images by name, hidden files left out, other people's JSON read with care."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isocenter.errors import UnreadableError
from isocenter.layouts.cells import suffix

# Folder names that conventions give to splits, and what they are called here.
SPLIT_NAMES = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
    "testing": "test",
}
# Folder names that say what kind of file lies within: never the name of a class.
KINDS = frozenset({
    "image", "images", "img", "imgs", "mask", "masks", "label", "labels", "annotation", "annotations", "segmentation",
    "segmentations", "imagestr", "labelstr", "imagests", "labelsts", "anat", "func", "dwi", "derivatives", "sourcedata",
})


def is_image(path: Path) -> bool:
    """Whether a file's name is that of an image that could be one case (hidden files are not)."""
    return not path.name.startswith(".") and suffix(path.name) not in ("", ".npz") and path.is_file()


def folders(path: Path) -> list[Path]:
    """The visible folders in a folder, sorted."""
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def images(path: Path) -> list[Path]:
    """The images directly in a folder, sorted."""
    return sorted(p for p in path.iterdir() if is_image(p))


def below(path: Path) -> Iterator[Path]:
    """The images in a folder and the folders in it, sorted; links to folders are not followed."""
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(d for d in inner if not d.startswith("."))
        yield from (p for n in sorted(names) if is_image(p := Path(folder) / n))


def looks_dicom(path: Path) -> bool:
    """Whether a file has the DICOM prefix (PS3.10, 7.1) or suffix."""
    if path.suffix.lower() in (".dcm", ".dicom", ".ima"):
        return True
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def json_named(folder: Path, name: str) -> Path | None:
    """The file of that name in a folder, capitals aside."""
    return next((p for p in sorted(folder.iterdir()) if p.name.lower() == name and p.is_file()), None)


def json_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; UnreadableError when it is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableError("not JSON", where=str(path), got=str(error).split("\n")[0]) from error
    if not isinstance(value, dict):
        raise UnreadableError("not a JSON object", where=str(path), got=type(value).__name__)
    return value


def dataset_json(path: Path) -> dict[str, Any] | None:
    """The object in a folder's dataset.json, or in that file itself; None where there is none that can be read."""
    found = path if path.name.lower() == "dataset.json" and path.is_file() else None
    if path.is_dir():
        found = json_named(path, "dataset.json")
    try:
        return json_object(found) if found else None
    except UnreadableError:
        return None


def relative_id(root: Path, path: Path) -> str:
    """A case's name from the place of its image below a folder, without suffix."""
    text = path.relative_to(root).as_posix()
    return text.removesuffix(suffix(text))
