"""The truth of track: a file of tracks about a film, or a label map a frame with one number a track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from isocenter import io
from isocenter.data import Image, Tracks
from isocenter.errors import LabelError
from isocenter.io import tracks
from isocenter.layouts.cells import located, number
from isocenter.layouts.grids import aligned

# Between the cells of a film's rows, which are read together.
LINES = "\n"


@dataclass(frozen=True)
class Films:
    """Reads the tracks of one set.

    Parameters
    ----------
    repair
        Whether the set allows labels to be put on their image's grid.
    frames
        What the table calls the frames of the film, to their place in it; empty: counted from 0.
    """

    repair: bool = False
    frames: Mapping[float, int] = field(default_factory=dict)
    suffixes: tuple[str, ...] = (".csv", "")

    def about(self, names: Sequence[str]) -> Films:
        """The reader of one film, whose frames have these names in the table."""
        values = [number(n) for n in names]
        known = {v: i for i, v in enumerate(values) if v is not None}
        return replace(self, frames=known if len(known) == len(names) else {})

    def read(self, path: str, image: Image) -> Tracks:
        """A CSV table of tracks, or a folder of the Cell Tracking Challenge; raises as `isocenter.io.tracks`."""
        if Path(path).is_dir():
            return tracks.read_folder(path, geometry=image.geometry, times=image.times)
        length = image.length("t")
        return tracks.read_csv(path, image.geometry, frames=self.frames or length, times=image.times)

    def cell(self, base: Path, text: str, image: Image) -> Tracks:
        """The tracks that the cells of a film's rows name, one a line: one file for all, or a label map each.

        Raises
        ------
        LabelError
            A frame has no label map.
        GeometryError
            A label map lies on another grid than the frames.
        """
        cells = text.split(LINES)
        single = len(set(cells)) == 1 and (len(cells) > 1 or "t" in image.axes)
        if single or cells[0].lower().endswith(".csv") or Path(located(base, cells[0])).is_dir():
            return self.read(located(base, cells[0]), image)
        if len(cells) != image.length("t") or not all(cells):
            raise LabelError("a frame has no label map", where=image.name, got=f"{sum(map(bool, cells))} label maps",
                             wanted=f"{image.length('t')}, one a frame")
        maps = []
        for t, cell in enumerate(cells):
            path = located(base, cell)
            labels, geometry = io.read_labels(path)
            maps.append((t, np.asarray(aligned(labels, geometry, image.geometry, where=path, allowed=self.repair))))
        return tracks.joined(maps, image.geometry, length=len(cells), times=image.times)
