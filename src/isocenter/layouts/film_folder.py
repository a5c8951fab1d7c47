"""A folder of single images as one film: the frames in the order of the numbers in their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from isocenter import io
from isocenter.data import Case
from isocenter.errors import TableError
from isocenter.layouts.cells import number
from isocenter.layouts.stacking import stacked

# Files beside the frames that hold the seconds of each.
TIMES = ("times.csv", "times.txt")


def natural(path: Path) -> list[tuple[bool, int, str]]:
    """Sorting key of a name: what is a number in it counts as one, so that t2 comes before t10."""
    parts = re.split(r"(\d+)", path.name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def is_film(files: Sequence[Path], how: Mapping[str, Any]) -> bool:
    """Whether the files are frames: the first of them is a single image.

    Raises
    ------
    IsocenterError
        As `isocenter.io.read_image`.
    """
    return "t" not in io.read_image(min(files, key=natural), **how).axes


def opened(folder: Path, files: Sequence[Path], how: Mapping[str, Any]) -> Case:
    """The film, its frames read when asked for; ``times.csv`` or ``times.txt`` holds a line of seconds a frame.

    Raises
    ------
    GeometryError
        A frame lies on another grid than the first (names it).
    TableError
        The times do not fit the frames, or do not rise.
    IsocenterError
        As `isocenter.io.read_image`.
    """
    image = stacked([io.read_image(path, **how) for path in sorted(files, key=natural)], "t")
    beside = next((folder / name for name in TIMES if (folder / name).is_file()), None)
    if beside is not None:
        image = image.replaced(image.load, times=times(beside, len(files)))
    return Case(folder.name, {"image": image})


def times(path: Path, count: int) -> tuple[float, ...]:
    """The seconds of `count` frames: the last cell of each line, below a heading if there is one; raises TableError."""
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    cells = [re.split(r"[,;\t ]+", line.strip())[-1] for line in lines]
    if cells and number(cells[0]) is None:
        cells = cells[1:]
    known = [v for v in map(number, cells) if v is not None]
    if len(known) != len(cells) or len(cells) != count or any(b <= a for a, b in pairwise(known)):
        raise TableError("the times do not fit the frames", where=str(path), got=f"{len(cells)} lines",
                         wanted=f"{count} rising numbers of seconds")
    return tuple(known)
