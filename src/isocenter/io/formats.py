"""Which format a file holds, by its content, and whether its suffix agrees."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from isocenter.errors import UnreadableError
from isocenter.io import limits

HEAD = 1024


class Format(NamedTuple):
    """A format: its module in `isocenter.io` (with ``claims`` and ``read``), its title and its suffixes."""

    module: str
    title: str
    suffixes: tuple[str, ...]


FORMATS = {
    "nifti": Format("nifti", "NIfTI", (".nii", ".nii.gz")),
    "png": Format("png", "PNG", (".png",)),
    "jpeg": Format("jpeg", "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif")),
    "tiff": Format("tiff", "TIFF", (".tif", ".tiff")),
    "npy": Format("npy", "npy", (".npy",)),
    "npz": Format("npz", "npz", (".npz",)),
    "video": Format("video", "video", (".mp4", ".m4v", ".mov", ".mpeg", ".mpg", ".avi", ".mkv", ".webm")),
    "dicom": Format("dicom", "DICOM", (".dcm", ".dicom", ".ima", "")),
}
# What else a head may be, so that a refusal can name it.
OTHERS = (
    (b"%PDF", "PDF"), (b"%!PS", "PostScript"), (b"8BPS", "PSD"), (b"GIF8", "GIF"), (b"BM", "BMP"), (b"RIFF", "RIFF"),
    (b"\x89HDF", "HDF5"), (b"PK\x03\x04", "a zip archive"), (b"\x1f\x8b", "gzip"), (b"NRRD", "NRRD"),
    (b"MZ", "a program"), (b"\x7fELF", "a program"), (b"<", "XML or HTML"), (b"{", "JSON"),
    (b"ObjectType", "MetaImage"),
)


def module(name: str) -> ModuleType:
    """The module of a format."""
    return importlib.import_module(f"isocenter.io.{FORMATS[name].module}")


def suffix(path: Path) -> str:
    """The suffix in lower case, ``".nii.gz"`` being one.

    >>> suffix(Path("A.NII.GZ"))
    '.nii.gz'
    """
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()


def by_suffix(path: Path) -> str | None:
    """The format that the suffix promises, or None."""
    end = suffix(path)
    return next((n for n, f in FORMATS.items() if end and end in f.suffixes), None)


def sniff(path: str | Path) -> str:
    """The format of a file (or ``"dicom"`` for a folder), by its content.

    Raises
    ------
    UnreadableError
        The file is empty or of a kind that nobody here reads, or its suffix promises another format than its content
        (names both).
    MissingFileError
        There is no such file.
    """
    path = limits.present(Path(path))
    if path.is_dir():
        return "dicom"
    if not path.is_file():
        # Opening a pipe would wait for a writer.
        raise UnreadableError("not a regular file", where=str(path))
    with limits.typed(path, "file"), path.open("rb") as file:
        head = file.read(HEAD)
    return sniffed(path, head)


def sniffed(path: Path, head: bytes) -> str:
    """As `sniff`, for the first bytes of a file."""
    if not head:
        raise UnreadableError("the file is empty", where=str(path))
    promised = by_suffix(path)
    # The promised format is asked first; then DICOM where its letters stand behind a preamble, which may itself look
    # like another format; then the others in order, the permissive DICOM without a preamble last.
    order = sorted(FORMATS, key=lambda n: (n != promised, n != "dicom" or head[128:132] != b"DICM"))
    found = next((n for n in order if module(n).claims(path, head)), None)
    if found is None:
        kind = next((k for magic, k in OTHERS if head.startswith(magic)), "an unknown kind of file")
        wanted = FORMATS[promised].title if promised else ", ".join(f.title for f in FORMATS.values())
        raise UnreadableError("cannot be read", where=str(path), got=kind, wanted=wanted)
    if promised not in (None, found):
        right = FORMATS[found]
        raise UnreadableError(
            f"the suffix says {FORMATS[str(promised)].title}, the content is {right.title}", where=str(path),
            remedy=f"Rename it to {right.suffixes[0] or '.dcm'} if you trust it",
        )
    return found
