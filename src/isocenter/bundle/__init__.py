"""A fitted method as a folder: written whole, read only when every byte is as it was written. No torch."""

from __future__ import annotations

from isocenter.bundle.network import refuse_external

__all__ = ["refuse_external"]
