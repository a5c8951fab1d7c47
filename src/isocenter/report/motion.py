"""Tracks as charts: how many objects there are, how fast they go, how far they get, and who came from whom."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from isocenter.data import Tracks
from isocenter.ops.array import Array
from isocenter.report.svg import Drawing, Frame, padded, series_class

# Most tracks that a family tree shows, and the height of a row; most frames apart of a displacement.
ROWS, ROW, MOST = 150, 14.0, 50


def motion_chart(tracks: Tracks, *, width: int = 1080) -> Drawing:
    """Three panels: objects over time, speed over time (median, with the middle half), mean square displacement."""
    drawing = Drawing(width, 300, "Objects, speed and mean square displacement over time")
    room = width / 3
    boxes = [(room * k + 60, 34.0, room * (k + 1) - 20, 250.0) for k in range(3)]
    times = np.arange(tracks.length) if tracks.times is None else np.asarray(tracks.times)
    when = "Frame" if tracks.times is None else "Time (s)"
    span = (float(times[0]), float(times[-1])) if tracks.length > 1 else (0.0, 1.0)
    counts = np.bincount(tracks.frames, minlength=tracks.length).astype(float)
    frame = Frame(drawing, boxes[0], span, padded(counts, floor=0.0))
    frame.x_axis(when)
    frame.y_axis("Objects")
    frame.line(times, counts, series_class(0))
    _speeds(drawing, boxes[1], tracks, times)
    _spread(drawing, boxes[2], tracks)
    return drawing


def speeds_over_time(tracks: Tracks) -> Array:
    """float64 (3, frames): lower quartile, median and upper quartile of the steps that end in each frame; NaN: none."""
    found = tracks.steps()
    at, out = tracks.frames[found.first + 1], np.full((3, tracks.length), np.nan)
    order = np.argsort(at, kind="stable")
    for values in np.split(order, np.flatnonzero(np.diff(at[order])) + 1) if len(order) else ():
        out[:, at[values[0]]] = np.percentile(found.speeds[values], (25, 50, 75))
    return out


def _speeds(drawing: Drawing, box: tuple[float, float, float, float], tracks: Tracks, times: Array) -> None:
    low, middle, high = speeds_over_time(tracks)
    span = (float(times[0]), float(times[-1])) if tracks.length > 1 else (0.0, 1.0)
    frame = Frame(drawing, box, span, padded(np.concatenate([low, high]), floor=0.0))
    frame.x_axis("Frame" if tracks.times is None else "Time (s)")
    frame.y_axis(f"Speed ({tracks.unit} per {tracks.time_unit})")
    known = np.flatnonzero(np.isfinite(middle))
    if len(known):
        frame.band(times[known].tolist(), low[known].tolist(), high[known].tolist(), series_class(1))
    frame.line(times, middle, series_class(1))


def _spread(drawing: Drawing, box: tuple[float, float, float, float], tracks: Tracks) -> None:
    # Longer distances than a quarter of the film have few, dependent pairs.
    most = max(1, min(MOST, tracks.length // 4))
    means, _ = tracks.mean_square_displacement(most)
    step = float(np.median(np.diff(tracks.times))) if tracks.times is not None and tracks.length > 1 else 1.0
    lags = np.arange(most + 1) * step
    values = np.concatenate([[0.0], means])
    frame = Frame(drawing, box, (0.0, float(lags[-1])), padded(values, floor=0.0))
    frame.x_axis("Frames apart" if tracks.times is None else "Time apart (s)")
    frame.y_axis(f"Mean square displacement ({tracks.unit}\N{SUPERSCRIPT TWO})")
    frame.line(lags, values, series_class(2))


def lineage_chart(tracks: Tracks, *, width: int = 900) -> Drawing:
    """The family tree: a line a track over its frames, each child branching off where its mother ends; merging dashed.

    Families that divide come first, then long tracks; of more than 150 tracks the rest is counted below.
    """
    order = list(_families(tracks))
    shown, spans = order[:ROWS], tracks.spans()
    place = {number: row for row, number in enumerate(shown)}
    bottom = 30 + ROW * max(len(shown), 1)
    drawing = Drawing(width, bottom + 62, "Tracks over time, and who came from whom")
    frame = Frame(drawing, (54, 24, width - 40, bottom), (0.0, float(max(tracks.length - 1, 1))), (0.0, 1.0))
    frame.x_axis("Frame")
    heights = {number: 30 + ROW * (row + 0.5) for number, row in place.items()}
    for number in shown:
        (first, last), y = spans[number], heights[number]
        class_ = f"curve {series_class(number)}"
        drawing.line((frame.px(first), y), (frame.px(last), y), class_)
        drawing.add("circle", cx=frame.px(first), cy=y, r="2.5", class_=f"mark {series_class(number)}")
        drawing.text((frame.px(last) + 5, y + 4), number, "small")
    for child, parent in tracks.parents:
        if child in place and parent in place:
            a, b = (frame.px(spans[parent][1]), heights[parent]), (frame.px(spans[child][0]), heights[child])
            drawing.path([a, (a[0], b[1]), b], f"curve thin {series_class(child)}")
    for ended, into in tracks.merges:
        if ended in place and into in place:
            x = frame.px(spans[ended][1])
            drawing.line((x, heights[ended]), (x, heights[into]), "rule")
    if len(order) > len(shown):
        drawing.text((54, bottom + 56), f"{len(order) - len(shown)} more tracks are not shown", "small")
    return drawing


def _families(tracks: Tracks) -> Iterator[int]:
    """The tracks, families together: half of the children, the mother, the other children."""
    children, above, spans = tracks.children(), dict(tracks.parents), tracks.spans()
    firsts = [n for n in spans if n not in above]
    # Each line is walked without recursion, since lines may be deep.
    for root in sorted(firsts, key=lambda n: (n not in children, spans[n][0] - spans[n][1], n)):
        stack: list[tuple[int, bool]] = [(root, False)]
        while stack:
            number, opened = stack.pop()
            own = children.get(number, ())
            if opened or not own:
                yield number
                continue
            half = (len(own) + 1) // 2
            stack += [(n, False) for n in reversed(own[half:])]
            stack.append((number, True))
            stack += [(n, False) for n in reversed(own[:half])]
