"""YOLO: one text file an image, a line an object: class number, then middle and size as shares of the image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isocenter.data import Boxes, Instances
from isocenter.errors import UnreadableError
from isocenter.io import limits
from isocenter.io.annotations.marks import Crop, Marks, boxed, corners, flat, plane, stacked
from isocenter.io.annotations.polygons import bounds, filled
from isocenter.ops.array import Array

# Files that list class names beside the labels or above them, one a line.
LISTS = ("classes.txt", "obj.names", "labels.txt")


@dataclass(frozen=True, eq=False)
class Yolo:
    """The lines of a file: `read` makes it.

    Parameters
    ----------
    lines
        (class name, numbers) of each object.
    path
        For messages.
    """

    lines: tuple[tuple[str, tuple[float, ...]], ...]
    path: str = ""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names that its lines use."""
        return tuple(sorted({name for name, _ in self.lines}))

    def size(self, image: str) -> tuple[int, ...] | None:
        """Not stated."""
        return None

    def marks(self, image: str, shape: tuple[int, ...]) -> Marks:
        """Its objects on a grid; four numbers are a box, five a box with its score, more the corners of an outline.

        Raises
        ------
        LabelError
            A volume.
        """
        height, width = plane(shape, "YOLO")
        scale = np.asarray([width, height], np.float64)
        edges: list[Array] = []
        rings: list[Array | None] = []
        scores: list[float] = []
        for _, numbers in self.lines:
            if len(numbers) >= 6:
                ring = np.asarray(numbers).reshape(-1, 2) * scale
                rings.append(ring)
                edges.append(bounds([ring]))
                continue
            middle, side = np.asarray(numbers[:2]) * scale, np.asarray(numbers[2:4]) * scale
            rings.append(None)
            edges.append(corners(tuple(middle - side / 2), tuple(middle + side / 2)))
            scores += numbers[4:5]
        names = tuple(name for name, _ in self.lines)

        def crop(i: int) -> Crop:
            ring = rings[i]
            found = None if ring is None else filled([ring], (height, width))
            if found is None:
                raise UnreadableError("an object without an outline in the image", where=self.path, got=f"line {i + 1}")
            return found

        drawn = bool(rings) and all(r is not None for r in rings)
        scored = np.asarray(scores) if scores and len(scores) == len(names) else None
        return Marks(names, stacked(edges, 2), crop if drawn else None, scored)


def claims(path: Path) -> bool:
    """Whether the name is that of a text file."""
    return path.suffix.lower() == ".txt"


def read(path: str | Path, names: Sequence[str] | None = None) -> Yolo:
    """The objects of a file.

    Parameters
    ----------
    names
        Class names by number; default those of `names_beside`, else the numbers themselves.

    Raises
    ------
    UnreadableError
        A line that is no object, or a class beyond the names.
    """
    path = Path(path)
    known = names_beside(path.parent) if names is None else tuple(names)
    with limits.typed(path, "YOLO"):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    return Yolo(tuple(_line(path, i, line, known) for i, line in enumerate(lines) if line.strip()), str(path))


def _line(path: Path, i: int, line: str, known: tuple[str, ...]) -> tuple[str, tuple[float, ...]]:
    try:
        number, *rest = line.split()
        kind, numbers = int(number), tuple(map(float, rest))
    except ValueError as error:
        raise UnreadableError(f"line {i + 1} is no YOLO object", where=str(path), got=line[:60]) from error
    if len(numbers) not in (4, 5) and (len(numbers) < 6 or len(numbers) % 2):
        raise UnreadableError(
            f"line {i + 1} is no YOLO object", where=str(path), got=f"{len(numbers)} numbers after the class",
            wanted="4 (a box), 5 (with its score), or corners of an outline",
        )
    if len(numbers) == 5 and not 0 <= numbers[4] <= 1:
        raise UnreadableError(f"line {i + 1} has a score that is no probability", where=str(path), got=line[:60])
    if kind < 0 or (known and kind >= len(known)):
        raise UnreadableError(
            f"line {i + 1} holds a class beyond the names", where=str(path), got=number,
            wanted=", ".join(f"{k} {n}" for k, n in enumerate(known[:12])),
            remedy="Add its name to the list of classes, or correct the line",
        )
    return (known[kind] if known else str(kind)), numbers


def names_beside(folder: Path) -> tuple[str, ...]:
    """Class names of a label folder: a list or ``data.yaml`` in it or in up to three folders above; else ()."""
    for place in (folder, *list(folder.absolute().parents)[:3]):
        for name in LISTS:
            if (place / name).is_file():
                text = (place / name).read_text(encoding="utf-8-sig")
                return tuple(line.strip() for line in text.splitlines() if line.strip())
        for path in (place / "data.yaml", place / "dataset.yaml"):
            if path.is_file():
                return yaml_names(path.read_text(encoding="utf-8-sig"))
    return ()


def yaml_names(text: str) -> tuple[str, ...]:
    """The class names of a ``data.yaml``: a list in brackets, a list of dashes, or numbered lines.

    >>> yaml_names("nc: 2\\nnames: ['a', b]"), yaml_names("names:\\n  0: a\\n  1: b\\n"), yaml_names("names:\\n- a\\n")
    (('a', 'b'), ('a', 'b'), ('a',))
    """
    found = re.search(r"^names:[ \t]*(.*(?:\n(?:[ \t]+|-|\]).*)*)", text, re.MULTILINE)
    if not found:
        return ()
    body = found[1].strip()
    if body.startswith("["):
        return tuple(p.strip().strip("'\"") for p in body.strip("[]").replace("\n", " ").split(",") if p.strip())
    lines = [re.sub(r"\s+#.*", "", line).strip() for line in body.strip("{}").replace(",", "\n").splitlines()]
    items = [re.sub(r"^(-|\d+:)\s*", "", line).strip("'\" ") for line in lines if line]
    order = [re.match(r"(\d+):", line) for line in lines if line]
    if items and all(order):
        numbers = [int(m[1]) for m in order if m]
        if sorted(numbers) == list(range(len(numbers))):
            return tuple(items[numbers.index(i)] for i in range(len(numbers)))
    return tuple(items)


def write(path: Path, value: Boxes | Instances, image: str = "") -> None:
    """Writes boxes as YOLO, a score as the last number; class numbers follow `classes`, whose names `names` writes.

    Raises
    ------
    OutputError
        A volume.
    """
    height, width = flat(value, "YOLO")
    found = boxed(value)
    lines = []
    for i, (low, high) in enumerate(found.edges):
        middle, side = (low + high + 1) / 2 / (height, width), (high - low) / (height, width)
        numbers = [middle[1], middle[0], side[1], side[0]]
        numbers += [] if found.scores is None else [found.scores[i]]
        lines.append(" ".join([str(int(found.labels[i])), *(f"{float(v):.10g}" for v in numbers)]))
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
