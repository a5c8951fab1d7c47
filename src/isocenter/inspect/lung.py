"""Read-outs of a lung ultrasound: pleural line, A- and B-lines and sliding, frame by frame, and how steady they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from isocenter.data import Image
from isocenter.errors import InputError
from isocenter.inspect.readout import Readout
from isocenter.ops.array import Array
from isocenter.ops.beams import PROBES, Beams, beams
from isocenter.ops.lung import SMALLEST, LungFrame, lung_frame
from isocenter.ops.pleura import irregularity
from isocenter.ops.sliding import sliding

__all__ = ["PROBES", "lung_frames", "lung_summary"]

# Columns that say which frame a row is of; the others are measures.
WHICH = ("frame", "time_s")
# What a summary says of each measure.
SUMMARY = ("measure", "unit", "frames", "mean", "sd", "median", "least", "most")
# Ends of column names and the units that they name, the longest first.
UNITS = (
    ("_px_per_frame", "px/frame"), ("_mm_per_s", "mm/s"), ("_px", "px"), ("_mm", "mm"), ("_share", "share"),
    ("correlation", ""), ("breaks", "count"), ("_lines", "count"),
)  # fmt: skip


def lung_frames(image: Image, *, probe: str = "auto") -> tuple[Readout, str]:
    """A row a frame.

    Depth is that of the pleural line (its median) below the face of the probe or, where the picture is cut off above
    it, below the cut; thickness its width at half of its height in the grey levels shown; irregularity the root mean
    square of its course about its smooth course; ``pleura_share`` the share of the beams that show it,
    ``pleura_breaks`` the gaps between them. ``sliding`` is the motion along the line between this frame and the one
    before, against the tissue above it. Lengths are in px (of the finest spacing) and, where the spacing is known, in
    mm.

    Parameters
    ----------
    image
        Axes y and x, beside them c and t at most. The beams are found in the brightest values of all frames.
    probe
        ``"auto"``, ``"linear"`` or ``"convex"``.

    Returns
    -------
    table, probe
        The rows, and ``"linear"`` or ``"convex"``.

    Raises
    ------
    InputError
        A volume, fewer than 16 pixels along a side, nothing but one value, or no fan where one was asked for.
    """
    frames = list(_frames(image))
    brightest = np.max(np.stack(frames), axis=0)
    if min(brightest.shape) < SMALLEST or brightest.min() == brightest.max():
        got = f"{brightest.shape[1]} x {brightest.shape[0]} pixels" + (
            "" if brightest.min() < brightest.max() else " of one value"
        )
        raise InputError("no lung ultrasound", where=image.name, got=got, wanted=f"{SMALLEST} pixels a side or more")
    found = beams(brightest, image.geometry.spacing or (1.0, 1.0), probe=probe)
    if found is None:
        raise InputError("no fan of beams is found", where=image.name, wanted="two straight sides that part downwards",
                         remedy="Pass probe='linear', or 'auto' to let the picture decide")
    mm = found.step if image.geometry.spacing else None
    rows: list[dict[str, Any]] = []
    before: LungFrame | None = None
    for i, frame in enumerate(frames):
        here = lung_frame(frame, found)
        step = image.times[i] - image.times[i - 1] if image.times and i else None
        rows.append({"frame": i, "time_s": image.times[i] if image.times else None, **_row(here, mm)}
                    | _slid(before, here, found, mm, step))
        before = here
    header = tuple(dict.fromkeys(k for row in rows for k in row))
    still = len(frames) == 1
    header = tuple(k for k in header if not (still and (k in WHICH or k.startswith("sliding"))))
    table = Readout.of({name: [row.get(name) for row in rows] for name in header})
    return table, "linear" if found.apex is None else "convex"


def lung_summary(frames: Readout) -> Readout:
    """A row a measure over the frames of a film: mean, SD (n - 1), median, least and most.

    The SD over the frames of one film is how steady the read-out is together with what moves; it is no interval.
    """
    rows: list[list[Any]] = []
    for name in frames.header:
        if name in WHICH:
            continue
        values = np.array(frames.column(name), np.float64)
        n = len(values)
        told: list[Any] = [None] * 5
        if n:
            told = [values.mean(), values.std(ddof=1) if n > 1 else None, np.median(values), values.min(), values.max()]
        rows.append([name, _unit(name), n, *told])
    return Readout.of({title: [row[i] for row in rows] for i, title in enumerate(SUMMARY)})


def _unit(name: str) -> str:
    return next((unit for end, unit in UNITS if name.endswith(end)), "")


def _frames(image: Image) -> Iterator[Array]:
    """float32 (y, x): the mean of the channels (alpha left out) of each frame."""
    if "z" in image.axes:
        raise InputError("a volume where a picture or a film was needed", where=image.name, got=image.axes)
    pixels = image.pixels()
    film = pixels if "t" in image.axes else pixels[None]
    kept = [i for i, name in enumerate(image.channels) if name != "alpha"] or slice(None)
    for frame in film:
        grey = frame[kept].mean(axis=0, dtype=np.float32) if "c" in image.axes else frame.astype(np.float32)
        yield np.nan_to_num(grey, nan=0.0, posinf=0.0, neginf=0.0)


def _row(found: LungFrame | None, mm: float | None) -> dict[str, Any]:
    line = None if found is None else found.line
    lengths = {
        "depth": None if line is None else float(np.median(line.rows[line.seen])),
        "thickness": None if found is None else found.thickness,
        "irregularity": None if line is None else irregularity(line),
    }
    row: dict[str, Any] = {}
    for name, length in lengths.items():
        row[f"pleura_{name}_px"] = length
        if mm is not None:
            row[f"pleura_{name}_mm"] = None if length is None else length * mm
    return row | {
        "pleura_breaks": None if line is None else line.breaks,
        "pleura_share": 0.0 if line is None else line.share,
        "a_lines": None if found is None else len(found.repeats),
        "b_lines": None if found is None else len(found.bands.runs),
        "b_lines_share": None if found is None else found.bands.share,
    }


def _slid(
    before: LungFrame | None, here: LungFrame | None, found: Beams, mm: float | None, seconds: float | None
) -> dict[str, Any]:
    """Columns of the motion since the frame before."""
    slid = None if before is None or here is None else sliding(before.values, here.values, before.line)
    motion = None
    if slid is not None and before is not None and slid.motion is not None:
        motion = abs(slid.motion) * found.width(float(np.median(before.line.rows)))
    row = {"sliding_px_per_frame": motion}
    if mm is not None:
        row["sliding_mm_per_s"] = motion * mm / seconds if motion is not None and seconds else None
    return row | {
        "sliding_correlation": None if slid is None else slid.correlation,
        "sliding_decorrelation": None if slid is None else slid.decorrelation,
    }
