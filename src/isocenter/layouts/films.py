"""The truth of track: a file of tracks about a film (CSV, TrackMate, GeoJSON), or label maps numbered by track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from isocenter import io
from isocenter.data import Image, Tracks
from isocenter.errors import LabelError
from isocenter.io import trackmate_reading, tracks, tracks_geojson
from isocenter.layouts.cells import located, number
from isocenter.layouts.grids import aligned

# Between the cells of a film's rows, which are read together.
LINES = "\n"
# Suffixes of tables and documents of tracks.
FILES = (".csv", ".xml", ".geojson")


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
    suffixes: tuple[str, ...] = (*FILES, "")

    def about(self, names: Sequence[str]) -> Films:
        """The reader of one film, whose frames have these names in the table."""
        values = [number(n) for n in names]
        known = {v: i for i, v in enumerate(values) if v is not None}
        return replace(self, frames=known if len(known) == len(names) else {})

    def read(self, path: str, image: Image) -> Tracks:
        """A table or document of tracks, or a folder of the Cell Tracking Challenge.

        Raises
        ------
        IsocenterError
            As `isocenter.io.tracks`, `isocenter.io.trackmate_reading` and `isocenter.io.tracks_geojson`.
        """
        if Path(path).is_dir():
            return tracks.read_folder(path, geometry=image.geometry, times=image.times)
        length, end = image.length("t"), Path(path).suffix.lower()
        if end == ".xml":
            return self._within(trackmate_reading.read(path, geometry=image.geometry), image)
        if end == ".geojson":
            return self._within(tracks_geojson.read(path, image.geometry), image)
        return tracks.read_csv(path, image.geometry, frames=self.frames or length, times=image.times)

    def _within(self, found: Tracks, image: Image) -> Tracks:
        """The points of the film's own frames, as the table names them; kin of which both are there."""
        length = image.length("t")
        places = {int(f): i for f, i in self.frames.items()} if self.frames else {i: i for i in range(length)}
        kept = found.chosen(np.flatnonzero(np.isin(found.frames, list(places))))
        made = Tracks.of(np.asarray([places[int(t)] for t in kept.frames], np.int64), kept.numbers, kept.positions,
                         image.geometry, length=length, times=image.times, objects=kept.objects)
        known = set(made.tracks.tolist())
        return replace(made, parents=tuple(p for p in found.parents if known.issuperset(p)),
                       merges=tuple(m for m in found.merges if known.issuperset(m)))

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
        if single or cells[0].lower().endswith(FILES) or Path(located(base, cells[0])).is_dir():
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
