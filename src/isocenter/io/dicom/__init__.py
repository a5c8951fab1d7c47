"""DICOM: one file, a folder with one series or several, multi-frame objects; compressed or not."""

from __future__ import annotations

from pathlib import Path

from isocenter.data import Image
from isocenter.errors import UsageError
from isocenter.io.dicom import build, elements, header
from isocenter.io.dicom import series as listing
from isocenter.io.dicom.series import Series, find_series
from isocenter.io.grid import Note, silent

__all__ = ["Series", "claims", "find_series", "read"]


def claims(path: Path, head: bytes) -> bool:
    """Whether the first bytes are those of a DICOM file, with or without its preamble."""
    if head[128:132] == b"DICM":
        return True
    if len(head) < 8:
        return False
    # Without a preamble a file starts with an element of group 2 or 8 whose value is short.
    little = int.from_bytes(head[:2], "little") in (2, 8)
    big = int.from_bytes(head[:2], "big") in (2, 8)
    if not (little or big) or int.from_bytes(head[2:4], "little" if little else "big") > 0x0100:
        return False
    explicit = head[4:6] in elements.SHORT or head[4:6] in elements.LONG
    return explicit or int.from_bytes(head[4:8], "little" if little else "big") < 256


def read(
    path: Path, *, axes: str | None = None, spacing: tuple[float, ...] | None = None, note: Note = silent,
    series: str | int | None = None,
) -> Image:
    """An image whose headers are read now and whose pixels are read by `pixels()`.

    Parameters
    ----------
    path
        A file, or a folder whose files are searched through.
    axes
        "tyx" or "zyx" for frames that state neither place nor time; "tzyx" or "czyx" for volumes that only their
        numbers tell apart.
    series
        Number, description, UID or key of the wanted one where a folder holds several.

    Raises
    ------
    AmbiguousError
        Several series and no word on which; lists them with reasons.
    GeometryError
        The slices form no grid; with numbers.
    UnreadableError, ResourceError
        Damaged, of no known kind, or too large.
    """
    if axes not in (None, "tyx", "zyx", "tzyx", "czyx"):
        raise UsageError("no axes of DICOM frames", where=str(path), got=axes, wanted="tyx, zyx, tzyx or czyx")
    if not path.is_dir():
        return build.image(str(path), [header.read(path)], axes=axes, spacing=spacing, note=note)
    folder = listing.scanned(path)
    for problem in folder.others:
        note(problem)
    group = folder.chosen(series)
    folder.whole(group)
    return build.image(str(path), group, axes=axes, spacing=spacing, note=note)


