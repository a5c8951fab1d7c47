"""What one cell of a table means: a number, a name, a path relative to the table, an array of an archive."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
ARRAY = re.compile(r"(?P<file>.+\.np[yz])#(?P<name>[^\[\]#]*)(\[(?P<index>\d+)\])?", re.IGNORECASE)
# Beyond this, neighbouring whole numbers are the same float: identifiers, not numbers.
WHOLE = 2.0**53
SUFFIXES = (
    ".nii.gz", ".nii", ".ome.tiff", ".ome.tif", ".tiff", ".tif", ".png", ".jpeg", ".jpg", ".bmp", ".npy", ".npz",
    ".dcm", ".dicom", ".ima", ".mha", ".mhd", ".nrrd", ".nhdr", ".mp4", ".m4v", ".mov", ".mpeg", ".mpg", ".avi",
    ".mkv", ".webm",
)


def canonical(text: str) -> str:
    """The same text for the same number; other text as it stands.

    >>> canonical("1.0"), canonical(" 01"), canonical("benign"), canonical("2.50")
    ('1', '1', 'benign', '2.5')
    """
    text = text.strip()
    if not NUMBER.fullmatch(text):
        return text
    value = float(text)
    if not math.isfinite(value) or abs(value) >= WHOLE:
        return text
    return str(int(value)) if value == int(value) else repr(value)


def number(text: str) -> float | None:
    """The number that a cell holds, or None for text."""
    return float(text) if NUMBER.fullmatch(text.strip()) else None


def order(text: str) -> tuple[bool, float, str]:
    """Sorting key: numbers first and by size, then text."""
    value = number(text)
    return (value is None, value or 0.0, text)


def suffix(name: str) -> str:
    """The image suffix of a name, double ones whole; "" where there is none of an image.

    >>> suffix("images/a.NII.gz"), suffix("benign")
    ('.NII.gz', '')
    """
    lower = name.lower()
    return next((name[-len(s) :] for s in SUFFIXES if lower.endswith(s)), "")


def split_array(cell: str) -> tuple[str, str]:
    """A cell as file and what follows it: ``"a.npz#x[3]"`` is ``("a.npz", "#x[3]")``."""
    found = ARRAY.fullmatch(cell)
    return (found["file"], cell[len(found["file"]) :]) if found else (cell, "")


def located(base: Path, cell: str) -> str:
    """The absolute path of a cell, an array's name and index kept behind it."""
    name, rest = split_array(cell)
    if rest and is_there(base / cell):
        name, rest = cell, ""
    return os.path.normpath((base / name).absolute()) + rest


def names_file(base: Path, cell: str) -> bool:
    """Whether a cell names a file: one that is there, or a name that only a file would have."""
    name, rest = split_array(cell)
    if rest or suffix(name):
        return True
    return ("/" in cell or "." in cell) and is_there(base / cell) and (base / cell).is_file()


def is_there(path: Path) -> bool:
    """Whether something lies at a path; False for text that no path can be (a whole report in a cell, say)."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def identity(base: Path, cell: str) -> str:
    """A case's name from its image: the path relative to the table, without its suffix.

    >>> identity(Path("/data"), "images/a.nii.gz"), identity(Path("/data"), "/data/b.png")
    ('images/a', 'b')
    >>> identity(Path("."), "c.npz#x[3]")
    'c#x[3]'
    """
    name, rest = split_array(cell)
    path = Path(name)
    if path.is_absolute():
        path = path.relative_to(base) if path.is_relative_to(base) else Path(path.name)
    text = path.as_posix()
    text = text.removesuffix(".npz").removesuffix(".npy") if rest else text
    return text.removesuffix(suffix(text)) + rest
