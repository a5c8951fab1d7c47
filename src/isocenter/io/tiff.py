"""TIFF."""
from pathlib import Path


def claims(path: Path, head: bytes) -> bool:
    """Whether the first bytes are those of a TIFF."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
