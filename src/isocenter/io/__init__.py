"""Files in and out. One module is one format; the content of a file decides which one reads it."""

from isocenter.io.dicom.series import Series, find_series
from isocenter.io.formats import sniff
from isocenter.io.npz import array_at
from isocenter.io.objects import as_image, as_labels, placed, to_nibabel, to_pandas, to_sitk, to_torch
from isocenter.io.reading import problems, read, read_image, read_labels
from isocenter.io.tracks_reading import read_tracks
from isocenter.io.writing import write, write_overlay

__all__ = [
    "Series", "array_at", "as_image", "as_labels", "find_series", "placed", "problems", "read", "read_image",
    "read_labels", "read_tracks", "sniff", "to_nibabel", "to_pandas", "to_sitk", "to_torch", "write", "write_overlay",
]
