"""Files in and out. One module is one format; the content of a file decides which one reads it."""

from __future__ import annotations

from isocenter.io.dicom.series import Series, find_series
from isocenter.io.formats import sniff
from isocenter.io.npz import array_at
from isocenter.io.reading import problems, read, read_image, read_labels
from isocenter.io.writing import write, write_overlay

__all__ = [
    "Series", "array_at", "find_series", "problems", "read", "read_image", "read_labels", "sniff", "write",
    "write_overlay",
]
