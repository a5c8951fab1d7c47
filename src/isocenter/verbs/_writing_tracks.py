"""The files of tracks: tables, the film with its tracks, charts, and what other programs read."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from isocenter.data import Case, Image, Tracks
from isocenter.files import write_bytes, write_text
from isocenter.io import write
from isocenter.io.overlay_film import SIDE
from isocenter.io.tracks import write_folder
from isocenter.io.tracks_table import as_csv, by_track, channel_means, displacements
from isocenter.report import png
from isocenter.report.motion import lineage_chart, motion_chart
from isocenter.report.style import chart_style
from isocenter.report.view import RESEARCH
from isocenter.verbs._track_pictures import strip

# What is always written, by kind; and what is on request, by the name that a person types.
FILES = {
    "answer": ".csv", "by_track": "_by_track.csv", "displacements": "_msd.csv", "film": "_tracks.gif",
    "strip": "_strip.png", "motion": "_motion.svg", "lineage": "_lineage.svg",
}  # fmt: skip
FORMATS = {
    "ctc": "_ctc/res_track.txt", "trackmate": "_trackmate.xml", "geojson": "_tracks.geojson", "mp4": "_tracks.mp4",
    "avi": "_tracks.avi",
}  # fmt: skip
# Frames of a strip, and its widest.
SHOWN, WIDEST = 5, 2000


def written_tracks(found: Tracks, image: Image, *, folder: Path, files: Mapping[str, str]) -> list[str]:
    """Writes the files that are planned and gives their names; raises as `isocenter.io.write`."""
    texts = {}
    if {"answer", "by_track"} <= set(files):
        # One reading of the film for both tables.
        means = channel_means(found, image)
        texts = {"answer": as_csv(found, means), "by_track": by_track(found, means),
                 "displacements": displacements(found)}
    for kind, name in files.items():
        path = folder / name
        if kind in texts:
            write_text(path, texts[kind], overwrite=True)
        elif kind == "ctc":
            _challenge(found, path.parent)
        elif kind == "strip":
            write_bytes(path, png(strip(found, Case.of(image), count=SHOWN, side=SIDE), side=WIDEST), overwrite=True)
        elif kind in ("motion", "lineage"):
            drawn = motion_chart(found) if kind == "motion" else lineage_chart(found)
            write_text(path, drawn.file(chart_style(), RESEARCH), overwrite=True)
        else:
            write(found, path, like=image, overwrite=True)
    return list(files.values())


def _challenge(found: Tracks, folder: Path) -> None:
    there = folder.exists()
    try:
        write_folder(found, folder, overwrite=True)
    except BaseException:
        if not there:
            shutil.rmtree(folder, ignore_errors=True)
        raise
