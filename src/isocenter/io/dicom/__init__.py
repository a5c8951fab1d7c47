"""DICOM."""
from pathlib import Path


def claims(path: Path, head: bytes) -> bool:
    """Whether the first bytes are those of a DICOM file."""
    return head[128:132] == b"DICM"
