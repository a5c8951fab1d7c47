"""Boxes in a CSV or TSV table, a row a box: corners in pixels counted from the image's corner, sizes in mm beside."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from isocenter.data import OBJECT, Boxes, Instances
from isocenter.errors import LabelError, UnreadableError
from isocenter.io import limits
from isocenter.io.annotations.marks import Marks, boxed, stacked
from isocenter.io.spreadsheet import restored, safe
from isocenter.ops.array import Array

IMAGES = ("image", "file", "filename", "file_name", "path")
CLASSES = ("class", "label", "name", "category")
SCORES = ("score", "confidence")
IGNORED = ("ignored", "ignore", "difficult", "iscrowd")
AXES = "zyx"
TRUE = ("1", "true", "yes")


@dataclass(frozen=True, eq=False)
class Table:
    """An opened table: `read` makes it.

    Parameters
    ----------
    path
        For messages.
    columns
        What a column is (``image``, ``class``, ``score``, ``ignored``, ``xmin`` ...) to its name in the file.
    rows
        With a box each, by the cell of the image ("" without such a column).
    named
        Every image that a row names, those without a box too.
    """

    path: str
    columns: Mapping[str, str]
    rows: Mapping[str, Sequence[tuple[int, Mapping[str, str]]]]
    named: frozenset[str] = frozenset()

    @property
    def classes(self) -> tuple[str, ...]:
        """The names, sorted."""
        return tuple(sorted({self._name(row) for rows in self.rows.values() for _, row in rows}))

    def size(self, image: str) -> tuple[int, ...] | None:
        """Not stated."""
        return None

    def knows(self, image: str) -> bool:
        """Whether a row names the image; an image that none names has no boxes."""
        return self._key(image) is not None

    def spare(self, images: Iterable[str]) -> list[str]:
        """Images that rows name and that are none of these (paths), sorted."""
        return sorted(self.named - {""} - {key for i in images if (key := self._key(i)) is not None})

    def marks(self, image: str, shape: tuple[int, ...]) -> Marks:
        """The boxes of an image; none where no row names it.

        Raises
        ------
        LabelError
            A corner that is no number, or a row without z on a volume.
        """
        key = self._key(image)
        rows = self.rows.get(key, ()) if key is not None else ()
        axes = AXES[-len(shape) :]
        if len(axes) == 3 and "zmin" not in self.columns:
            raise LabelError("boxes without z on a volume", where=self.path, wanted="columns zmin and zmax")
        edges = [
            np.asarray([[self._number(at, row, f"{a}{end}") - 0.5 for a in axes] for end in ("min", "max")])
            for at, row in rows
        ]
        names = tuple(self._name(row) for _, row in rows)
        scores = [row.get(self.columns.get("score", ""), "") for _, row in rows]
        ignored = [row.get(self.columns.get("ignored", ""), "").strip().lower() in TRUE for _, row in rows]
        scored = None
        if scores and all(scores):
            scored = np.asarray([self._number(at, row, "score") for at, row in rows])
        return Marks(names, stacked(edges, len(axes)), None, scored, np.asarray(ignored, bool))

    def _key(self, image: str) -> str | None:
        if "image" not in self.columns:
            return ""
        path = PurePosixPath(Path(image).as_posix())
        tails = [PurePosixPath(*path.parts[i:]).as_posix() for i in range(len(path.parts))]
        found = next((t for t in tails if t in self.named), None)
        if found is None:
            alike = [n for n in self.named if PurePosixPath(n).name in (path.name, path.stem)]
            found = alike[0] if len(alike) == 1 else None
        return found

    def _name(self, row: Mapping[str, str]) -> str:
        return row.get(self.columns.get("class", ""), "").strip() or OBJECT

    def _number(self, at: int, row: Mapping[str, str], what: str) -> float:
        text = row.get(self.columns[what], "")
        try:
            return float(text)
        except (TypeError, ValueError) as error:
            raise LabelError(f"row {at} has no number in {what}", where=self.path, got=repr(text)) from error


def claims(path: Path) -> bool:
    """Whether the name is that of a text table."""
    return path.suffix.lower() in (".csv", ".tsv")


def read(path: str | Path) -> Table:
    """The boxes of a table.

    Columns: ``xmin ymin xmax ymax`` (and ``zmin zmax``) in pixels, 0 at the image's corner, so that pixel i reaches
    from i to i + 1; a class, a score, whether it is ignored, and the image's path where the table is about several. A
    row with an image and no corners says that it has no boxes.

    Raises
    ------
    UnreadableError
        No such columns.
    """
    path = Path(path)
    with limits.typed(path, "CSV"):
        text = path.read_text(encoding="utf-8-sig")
        cells = list(csv.reader(StringIO(text, newline=""), delimiter="\t" if path.suffix.lower() == ".tsv" else ","))
    head = [c.strip() for c in cells[0]] if cells else []
    columns = _columns(head)
    if lacking := [c for c in ("xmin", "ymin", "xmax", "ymax") if c not in columns]:
        got = ", ".join(head)[:120]
        raise UnreadableError("not a table of boxes", where=str(path), got=got, wanted=", ".join(lacking))
    rows: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for at, line in enumerate(cells[1:], start=2):
        row = dict(zip(head, map(restored, line), strict=False))
        if not line:
            continue
        kept = rows.setdefault(row.get(columns.get("image", ""), "").strip().replace("\\", "/"), [])
        if any(row.get(columns[c], "").strip() for c in ("xmin", "ymin", "xmax", "ymax")):
            kept.append((at, row))
    return Table(str(path), columns, rows, frozenset(rows))


def _columns(head: Sequence[str]) -> dict[str, str]:
    lower = {c.lower(): c for c in reversed(head)}
    wanted = {"image": IMAGES, "class": CLASSES, "score": SCORES, "ignored": IGNORED}
    wanted |= {f"{a}{e}": (f"{a}{e}",) for a in AXES for e in ("min", "max")}
    return {what: lower[n] for what, names in wanted.items() if (n := next((x for x in names if x in lower), ""))}


def rows(value: Boxes | Instances) -> list[dict[str, Any]]:
    """A row an object: id, class, score, area of its pixels (instances), corners in px, size and middle in mm.

    Millimetres stand only where the spacing is known; the middle is a world point in LPS.
    """
    found = boxed(value)
    axes = AXES[-found.geometry.ndim :]
    spacing, matrix = found.geometry.spacing, found.geometry.matrix
    out = []
    for i, (low, high) in enumerate(found.edges):
        row: dict[str, Any] = {"id": i + 1, "class": found.classes[int(found.labels[i])]}
        if found.scores is not None:
            row["score"] = round(float(found.scores[i]), 6)
        if found.ignored is not None:
            row["ignored"] = int(found.ignored[i])
        if isinstance(value, Instances):
            row |= _extent(value, i)
        for end, edge in (("min", low), ("max", high)):
            row |= {f"{a}{end}": _short(edge[axes.index(a)] + 0.5) for a in axes[::-1]}
        if spacing is not None and matrix is not None:
            row |= {f"size_{a}_mm": _short((high - low)[k] * spacing[k]) for k, a in reversed(list(enumerate(axes)))}
            middle = matrix @ np.append((low + high) / 2, 1.0)
            row |= {f"middle_{a}_mm": _short(v) for a, v in zip("xyz", middle[:-1], strict=False)}
        out.append(row)
    return out


def _extent(value: Instances, i: int) -> dict[str, Any]:
    pixels = int(np.count_nonzero(value.masks[i]))
    name, unit = ("volume", "mm3") if value.geometry.ndim == 3 else ("area", "mm2")
    size = value.geometry.pixel_volume
    return {f"{name}_px": pixels} | ({f"{name}_{unit}": _short(pixels * size)} if size is not None else {})


def _short(number: float | Array) -> float:
    return float(f"{float(number):.10g}")


def header(value: Boxes | Instances) -> list[str]:
    """The columns of `rows`, those of a table without rows too."""
    grid = value.geometry
    axes = AXES[-grid.ndim :][::-1]
    out = ["id", "class", *(["score"] if value.scores is not None else [])]
    if isinstance(value, Boxes):
        out += ["ignored"] if value.ignored is not None else []
    else:
        name, unit = ("volume", "mm3") if grid.ndim == 3 else ("area", "mm2")
        out += [f"{name}_px", *([f"{name}_{unit}"] if grid.pixel_volume is not None else [])]
    out += [f"{a}{end}" for end in ("min", "max") for a in axes]
    if grid.spacing is not None and grid.matrix is not None:
        out += [f"size_{a}_mm" for a in axes] + [f"middle_{a}_mm" for a in "xyz"[: len(grid.matrix) - 1]]
    return out


def as_csv(value: Boxes | Instances) -> str:
    """The table as CSV; no name becomes a formula of a spreadsheet."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = header(value)
    writer.writerow(names)
    writer.writerows([safe(row[n]) for n in names] for row in rows(value))
    return out.getvalue()


def write(path: Path, value: Boxes | Instances, image: str = "") -> None:
    """Writes one image's boxes or objects as CSV, 2D and 3D."""
    path.write_text(as_csv(value), encoding="utf-8")
