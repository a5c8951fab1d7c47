"""A fitted method as a folder: written whole, read only when every byte is as it was written. No torch."""

from __future__ import annotations

from isocenter.bundle.lock import locked
from isocenter.bundle.network import first_width, refuse_external, until, values
from isocenter.bundle.reading import open_bundle, shipped, state
from isocenter.bundle.tensors import packed, unpacked
from isocenter.bundle.writing import workspace, write

__all__ = [
    "first_width", "locked", "open_bundle", "packed", "refuse_external", "shipped", "state", "unpacked", "until",
    "values", "workspace", "write",
]  # fmt: skip
