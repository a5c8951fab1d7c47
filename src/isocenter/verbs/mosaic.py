"""Overlapping images joined into one panorama, with what was joined and how well."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np

from isocenter.data import Image, Progress
from isocenter.data.mosaic import Mosaic
from isocenter.data.mosaic import mosaic as joined
from isocenter.errors import OutputError, UsageError
from isocenter.files import write_text
from isocenter.io import as_image, write
from isocenter.verbs._csv import write_rows
from isocenter.verbs._inputs import inputs_of
from isocenter.verbs._mosaic_picture import drawn
from isocenter.verbs._options import checked
from isocenter.verbs._places import usable
from isocenter.verbs._text import counted, number, table, typed

RECORD, PICTURE = "mosaic.json", "overview.png"
TILES = ("tile", "file", "placed", "x", "y", "z", "turn", "scale", "gain", "offset")
PAIRS = ("first", "second", "how", "key_points", "likeness", "share", "residual", "step_before", "step_after", "used")
# Options that say how to join.
CHOICES = ("kind", "headers", "exposure", "blend", "report")
# Rows of a table that are printed; all stand in the file.
PRINTED = 24


class Joining(TypedDict, total=False):
    """Options of `mosaic`.

    Parameters
    ----------
    kind, headers, exposure, blend
        As in `isocenter.data.mosaic.mosaic`.
    series, axes, spacing
        What files leave unsaid, as in `isocenter.read`.
    seed, threads
        Taken by every verb; nothing here is random.
    report
        Receives progress.
    """

    kind: str | None
    headers: bool | None
    exposure: str
    blend: str
    series: str | int | None
    axes: str | None
    spacing: Sequence[float] | None
    seed: int
    threads: int | None
    report: Callable[[Progress], None]


@dataclass(frozen=True, eq=False)
class Joined:
    """What was joined, and how well.

    Parameters
    ----------
    made
        Panorama, transforms, overlaps, exposures.
    names
        Of the tiles.
    sources
        Their files.
    files
        What was written.
    """

    made: Mosaic
    names: tuple[str, ...]
    sources: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def panorama(self) -> Image:
        """The image."""
        return self.made.panorama

    @property
    def exit_code(self) -> int:
        """3 when some tiles could not be placed."""
        return 3 if self.lost else 0

    @property
    def lost(self) -> tuple[str, ...]:
        """Tiles that matched no other."""
        return tuple(n for n, t in zip(self.names, self.made.transforms, strict=True) if t is None)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        grid = self.panorama.geometry
        return {
            "format": 1, "shape": list(self.panorama.shape), "axes": self.panorama.axes,
            "spacing": None if grid.spacing is None else list(grid.spacing), "unit": grid.unit,
            "anchor": self.names[self.made.anchor], "tiles": self.tiles(), "overlaps": self.pairs(),
            "not_placed": list(self.lost), "files": [str(f) for f in self.files],
        }  # fmt: skip

    def tiles(self) -> list[dict[str, Any]]:
        """A row a tile: where its middle lies in the panorama, how it is turned, what its values were changed by."""
        rows = []
        for i, (name, transform) in enumerate(zip(self.names, self.made.transforms, strict=True)):
            row: dict[str, Any] = {"tile": name, "file": self.sources[i] if self.sources else None}
            row["placed"] = transform is not None
            if transform is not None:
                middle = (np.asarray(transform.moving.shape) - 1.0) / 2
                back = transform.inverse()
                at = back.indices(np.stack([middle, middle + np.eye(len(middle))[-1]]))
                step = ((at[1] - at[0]) * np.asarray(transform.fixed.spacing or 1.0))[::-1]
                own = (transform.moving.spacing or (1.0,))[-1]
                row |= {a: round(float(v), 3) for a, v in zip("xyz", at[0][::-1], strict=False)}
                row |= {"turn": round(float(np.degrees(np.arctan2(step[1], step[0]))), 4),
                        "scale": round(float(np.linalg.norm(step) / own), 6)}  # fmt: skip
                row |= {"gain": round(float(self.made.exposures.gains[i].mean()), 5),
                        "offset": round(float(self.made.exposures.offsets[i].mean()), 4)}  # fmt: skip
            rows.append(row)
        return rows

    def pairs(self) -> list[dict[str, Any]]:
        """A row an overlap."""
        return [
            {"first": self.names[o.first], "second": self.names[o.second], "how": o.how, "key_points": o.pairs,
             "likeness": round(o.likeness, 4), "share": round(o.share, 4), "residual": round(o.residual, 4),
             "step_before": round(o.steps[0], 5), "step_after": round(o.steps[1], 5), "used": o.used}
            for o in self.made.overlaps
        ]  # fmt: skip

    def lines(self) -> list[str]:
        """What was joined, tile by tile and overlap by overlap, what was not, and where it lies."""
        grid = self.panorama.geometry
        size = " x ".join(map(str, grid.shape))
        spacing = " x ".join(f"{s:.3g}" for s in grid.spacing) + " mm" if grid.spacing else "spacing unknown"
        placed = len(self.names) - len(self.lost)
        lines = [f"{placed} of {counted(len(self.names), 'image')} joined: {size} px, {spacing}, on the grid of "
                 f"{self.names[self.made.anchor]}", ""]  # fmt: skip
        lines += [*_tile_lines([r for r in self.tiles() if r["placed"]]), "", *_pair_lines(self.pairs(), grid.unit)]
        used = [o for o in self.made.overlaps if o.used]
        lines += ["", f"places of overlaps agree to {number(max(o.residual for o in used))} {grid.unit}, brightness to "
                  f"{100 * max(o.steps[1] for o in used):.2f} % "
                  f"({100 * max(o.steps[0] for o in used):.1f} % before)"]  # fmt: skip
        lines += [f"left out: {self.names[o.first]} with {self.names[o.second]} contradicts the others"
                  for o in self.made.overlaps if not o.used]  # fmt: skip
        lines += [f"not placed: {name} shows nothing that the others show" for name in self.lost]
        lines += [f"written: {f}" for f in self.files]
        return [*lines, f"next: isocenter look {typed(self.files[0])}"] if self.files else lines


def _tile_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    axes = [a for a in "xyz" if a in rows[0]]
    head = ("tile", *(f"{a}, px" for a in axes), "turn, deg", "scale", "gain", "offset")
    cells = [(r["tile"], *(f"{r[a]:.1f}" for a in axes), f"{r['turn']:.2f}", f"{r['scale']:.4f}", f"{r['gain']:.3f}",
              f"{r['offset']:.1f}") for r in rows[:PRINTED]]  # fmt: skip
    more = [f"... {len(rows) - PRINTED} more"] if len(rows) > PRINTED else []
    return [*table(head, cells, right=range(1, len(head))), *more]


def _pair_lines(rows: Sequence[Mapping[str, Any]], unit: str) -> list[str]:
    head = ("overlap", "found by", "alike", "share", f"off, {unit}", "step before", "after")
    cells = [(f"{r['first']} - {r['second']}", r["how"], f"{r['likeness']:.3f}", f"{100 * r['share']:.0f} %",
              number(r["residual"]), f"{100 * r['step_before']:.1f} %", f"{100 * r['step_after']:.2f} %")
             for r in rows[:PRINTED]]  # fmt: skip
    more = [f"... {len(rows) - PRINTED} more"] if len(rows) > PRINTED else []
    return [*table(head, cells, right=range(2, len(head))), *more]


def mosaic(
    *images: Any, out: str | Path | None = None, overwrite: bool = False, **options: Unpack[Joining]
) -> Joined:
    """Joins overlapping images into one panorama: a whole-leg X-ray, the fields of a slide, the bed positions of a CT.

    Their order does not matter. A tile that shows nothing of the others is told, not placed.

    Parameters
    ----------
    images
        Files, series folders, a folder of images, or arrays and images in memory.
    out
        A folder for the panorama (TIFF, of volumes NIfTI), a picture of what was joined, tables, and a transform a
        tile; or one file for the panorama alone.
    overwrite
        Replace what is there.

    Raises
    ------
    UsageError, InputError, GeometryError, ResourceError
        As `isocenter.data.mosaic.mosaic`.
    OutputError
        Something lies there already.
    """
    checked(options, Joining)
    how: dict[str, Any] = {n: options.get(n) for n in ("series", "axes", "spacing") if options.get(n) is not None}
    if "spacing" in how:
        how["spacing"] = tuple(float(s) for s in how["spacing"])
    target = None if out is None else Path(out)
    if target is not None:
        _vacant(target, overwrite)
    names, sources, tiles = _opened(images, how)
    chosen: dict[str, Any] = {n: v for n, v in options.items() if n in CHOICES}
    result = Joined(joined(tiles, **chosen), names, sources)
    if target is None:
        return result
    return Joined(result.made, names, sources, _written(result, tiles, target, overwrite))


def _opened(images: Sequence[Any], how: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...], list[Image]]:
    given = images[0] if len(images) == 1 and isinstance(images[0], list | tuple) else images
    if given and all(isinstance(i, str | Path) for i in given):
        found = inputs_of(given, how=how)
        return tuple(f.name for f in found), tuple(f.source for f in found), [f.open().image() for f in found]
    if any(isinstance(i, str | Path) for i in given):
        raise UsageError("files and images in memory cannot be mixed", wanted="paths, or images")
    shape = {k: v for k, v in how.items() if k != "series"}
    return tuple(f"tile{i}" for i in range(len(given))), (), [as_image(i, **shape) for i in given]


def _vacant(target: Path, overwrite: bool) -> None:
    usable(target.parent if target.suffix else target)
    there = target if target.suffix else target / RECORD
    if there.exists() and not overwrite:
        raise OutputError("the file exists", where=str(there), remedy="Pass --overwrite or name another")


def _written(result: Joined, tiles: Sequence[Image], target: Path, overwrite: bool) -> tuple[Path, ...]:
    if target.suffix:
        return (write(result.panorama, target, overwrite=overwrite),)
    end = ".nii.gz" if result.panorama.ndim == 3 else ".tif"
    files = [write(result.panorama, target / f"panorama{end}", overwrite=True)]
    files.append(drawn(result.made, result.names, target / PICTURE))
    files.append(write_rows(target / "tiles.csv", TILES, rows=result.tiles(), overwrite=True))
    files.append(write_rows(target / "overlaps.csv", PAIRS, rows=result.pairs(), overwrite=True))
    for name, transform in zip(result.names, result.made.transforms, strict=True):
        if transform is not None:
            write(transform, target / "transforms" / f"{name}.tfm", overwrite=True)
    # Last: where it stands, all else does.
    document = Joined(result.made, result.names, result.sources, tuple(files)).as_json()
    write_text(target / RECORD, json.dumps(document, indent=1) + "\n", overwrite=True)
    return tuple(files)
