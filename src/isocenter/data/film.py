"""Films frame by frame: what is read of a long one at a time is one frame, and when each was taken."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from isocenter.data.cut import take
from isocenter.data.findings.instances import Instances
from isocenter.data.findings.tracks import Tracks
from isocenter.data.image import Image
from isocenter.errors import GeometryError, InputError
from isocenter.ops.array import Array


def frames_of(image: Image) -> Iterator[Image]:
    """The frames of a film one after the other.

    A loader that has ``each(axis)`` (an iterator over the pixels) or ``piece(axis, index)``, either None along another
    axis, is never asked for the whole film; any other is asked once.

    Raises
    ------
    InputError
        Not a film.
    """
    if "t" not in image.axes:
        raise InputError("a single image where a film was needed", where=image.name, got=image.axes,
                         remedy='Say "frame": COLUMN in cases.json, or give a film as one file')
    following = image.load.each("t") if hasattr(image.load, "each") else None
    if following is None and not hasattr(image.load, "piece"):
        pixels = image.pixels()
        image = image.replaced(lambda: pixels)
    for t in range(image.length("t")):
        frame = take(image, "t", t)
        yield frame if following is None else _held(frame, next(following, None))


def _held(frame: Image, pixels: Array | None) -> Image:
    if pixels is None:
        raise InputError("the film ends before its last frame", where=frame.name, remedy="Copy or export it again")
    return frame.replaced(lambda: pixels)


def clock(image: Image) -> Array:
    """float64 (t,): when each frame was taken, the usual distance of two being 1; InputError where times do not rise.

    A frame that is missing shows as a distance of 2.
    """
    if image.times is None or len(image.times) < 2:
        return np.arange(image.length("t"), dtype=np.float64)
    seconds = np.asarray(image.times, np.float64)
    usual = float(np.median(np.diff(seconds)))
    if not usual > 0 or (np.diff(seconds) <= 0).any():
        raise InputError("the times of the frames do not rise", where=image.name, got=str(image.times[:5]))
    return np.asarray((seconds - seconds[0]) / usual)


def intensities(tracks: Tracks, image: Image) -> Array:
    """float64 (n, channels): the mean of the film's pixels at each point, read frame by frame.

    Of the mask where there is one, else of the box, else of the pixel under the point; NaN beyond the image.

    Raises
    ------
    GeometryError
        The film lies on another grid, or has another number of frames.
    """
    if image.geometry.shape != tracks.geometry.shape or image.length("t") != tracks.length:
        raise GeometryError("film and tracks do not belong together", where=image.name,
                            got=f"{image.length('t')} frames of {image.geometry.shape}",
                            wanted=f"{tracks.length} frames of {tracks.geometry.shape}")
    out = np.full((len(tracks), image.length("c")), np.nan)
    for t, frame in enumerate(frames_of(image)):
        here = np.flatnonzero(tracks.frames == t)
        if not len(here):
            continue
        pixels = frame.channels_first()
        for i in here:
            where, mask = _region(tracks, int(i))
            part = pixels[(slice(None), *where)]
            if part.size:
                out[i] = part[:, mask].mean(axis=1) if mask is not None else part.reshape(len(part), -1).mean(axis=1)
    return out


def _region(tracks: Tracks, i: int) -> tuple[tuple[slice, ...], Array | None]:
    """Where one point's object lies, and which pixels of that are its own."""
    if isinstance(tracks.objects, Instances):
        return tracks.objects.where(i), tracks.objects.masks[i]
    shape = tracks.geometry.shape
    if tracks.objects is None:
        at = np.rint(tracks.positions[i]).astype(int)
        # What lies beyond the image has no pixel; a negative index would be one from the other end.
        inside = bool(((at >= 0) & (at < shape)).all())
        return tuple(slice(int(a), int(a) + 1) if inside else slice(0, 0) for a in at), None
    low, high = tracks.objects.edges[i]
    first = np.clip(np.ceil(low), 0, shape).astype(int)
    last = np.clip(np.floor(high) + 1, first, shape).astype(int)
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True)), None
