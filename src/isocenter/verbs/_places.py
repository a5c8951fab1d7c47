"""Where results go, looked at before the work begins: a refusal after an hour of training helps nobody."""

from __future__ import annotations

import os
from pathlib import Path

from isocenter.errors import OutputError


def usable(folder: Path) -> None:
    """OutputError when nothing could be written to a folder, whether it exists already or not."""
    near = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    if not near.is_dir() or not os.access(near, os.W_OK):
        raise OutputError("the output folder cannot be written", where=str(folder), remedy="Name another with -o")


def vacant_report(folder: str | Path | None, *, overwrite: bool) -> None:
    """OutputError when a report stands in the folder and may not be replaced, or none can be written there."""
    if folder is None:
        return
    usable(Path(folder))
    if (Path(folder) / "report.html").exists() and not overwrite:
        raise OutputError("a report lies here", where=str(folder), remedy="Pass --overwrite or name another folder")
