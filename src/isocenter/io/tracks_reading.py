"""What reads tracks from any file: the suffix decides."""

from __future__ import annotations

from pathlib import Path

from isocenter.data import Geometry, Image, Tracks
from isocenter.errors import GeometryError, UnreadableError
from isocenter.io import limits, trackmate_reading, tracks, tracks_geojson

KNOWN = (".csv", ".xml (TrackMate)", ".geojson", "a folder of the Cell Tracking Challenge")


def read_tracks(
    path: str | Path, film: Image | None = None, *, geometry: Geometry | None = None, length: int | None = None
) -> Tracks:
    """The tracks in a file or folder.

    Parameters
    ----------
    path
        CSV (as `write` makes it, or with the columns track, frame, x, y), TrackMate XML, GeoJSON, or a folder of the
        Cell Tracking Challenge.
    film
        That they are about: it gives the grid of a frame, the number of frames and their times.
    geometry, length
        Grid and frames where there is no film; CSV needs both, GeoJSON the grid, the others state them.

    Raises
    ------
    UnreadableError
        Another suffix, or damaged.
    GeometryError
        The file does not state the grid, and nobody else does.
    MissingFileError, LabelError, ResourceError
        As the readers of the formats.
    """
    path = limits.present(Path(path))
    times = None
    if film is not None:
        geometry, length, times = film.geometry, film.length("t"), film.times
    end = path.suffix.lower()
    if path.is_dir():
        return tracks.read_folder(path, geometry=geometry, times=times)
    if end == ".xml":
        return trackmate_reading.read(path, geometry=geometry, length=length, times=times)
    if end not in (".csv", ".geojson"):
        raise UnreadableError("no file of tracks", where=str(path), got=end or "no suffix", wanted=", ".join(KNOWN))
    if geometry is None or (end == ".csv" and length is None):
        raise GeometryError("the file does not state the grid of its film", where=str(path),
                            wanted="film=, or geometry= and length=")
    if end == ".geojson":
        return tracks_geojson.read(path, geometry, length=length, times=times)
    assert length is not None
    return tracks.read_csv(path, geometry, frames=length, times=times)
