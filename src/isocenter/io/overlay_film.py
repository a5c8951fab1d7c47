"""Films for people: every track in its colour with its number and the path of its last frames, as GIF, MP4 or AVI."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isocenter import files
from isocenter.data import Image, Instances, Tracks
from isocenter.data.film import frames_of
from isocenter.errors import GeometryError, MissingExtraError, OutputError
from isocenter.io.overlay import PALETTE, outlines
from isocenter.ops.array import Array

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

# Longest side of a picture; frames of which a path shows the last; frames for which a division is marked.
SIDE, TAIL, MARKED = 512, 12, 5
# More objects than this are not numbered, since nobody could read it; more frames than this are thinned in a GIF, which
# is held in memory while it is written.
NUMBERED, FRAMES = 60, 200
# Pictures a second where the film does not say, and between which bounds a film is shown at its own speed.
USUAL, SLOWEST, FASTEST = 8.0, 4.0, 25.0
# Of a video, by its suffix.
CODES = {".mp4": "mp4v", ".avi": "MJPG"}
ENDS = (".gif", *CODES)


@dataclass(frozen=True)
class Trails:
    """What is drawn over the frames of a film.

    Parameters
    ----------
    tracks
        Of the film.
    tail
        Frames of which a path shows the last.
    side
        Longest side of a picture in pixels: a larger frame is scaled down to it, a small one enlarged as a whole.

    A volume is shown as its brightest values along z.
    """

    tracks: Tracks
    tail: int = TAIL
    side: int = SIDE

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a picture."""
        shape = self.tracks.geometry.shape[-2:]
        scale = self.side / max(shape)
        factor = round(scale) if scale >= 1 else scale
        high, wide = (max(1, round(s * factor)) for s in shape)
        return high, wide

    @cached_property
    def paths(self) -> tuple[Array, Array, Array]:
        """Where each step starts and ends (k, 2, 2) as x and y in the picture, by rising frame; its frame; its track.

        The first step of a daughter starts where her mother was seen last.
        """
        tracks, places = self.tracks, self.places
        first = np.flatnonzero(tracks.numbers[1:] == tracks.numbers[:-1])
        ends, starts = (np.searchsorted(tracks.numbers, tracks.tracks, side=s) for s in ("right", "left"))
        at = {int(n): (int(a), int(b) - 1) for n, a, b in zip(tracks.tracks, starts, ends, strict=True)}
        kin = [(at[parent][1], at[child][0]) for child, parent in tracks.parents]
        pairs = np.concatenate([np.stack([first, first + 1], 1), np.asarray(kin, np.int64).reshape(-1, 2)])
        pairs = pairs[np.argsort(tracks.frames[pairs[:, 1]], kind="stable")]
        return places[pairs], tracks.frames[pairs[:, 1]], tracks.numbers[pairs[:, 1]]

    @cached_property
    def places(self) -> Array:
        """float64 (n, 2): x and y of each point in the picture."""
        scale = np.asarray(self.size) / self.tracks.geometry.shape[-2:]
        return np.asarray(((self.tracks.positions[:, -2:] + 0.5) * scale)[:, ::-1])

    @cached_property
    def started(self) -> dict[int, tuple[int, int]]:
        """First frame and mother of each daughter."""
        spans = self.tracks.spans()
        return {child: (spans[child][0], parent) for child, parent in self.tracks.parents}

    def drawn(self, frame: Array, t: int, caption: str = "") -> Array:
        """A frame (c, [z,] y, x) of uint8 with the tracks up to it, (y, x, 3) uint8."""
        import PIL.Image
        import PIL.ImageDraw

        flat = frame.max(axis=1) if frame.ndim == 4 else frame
        flat = flat[:3] if len(flat) >= 3 else flat[:1]
        rows = np.ascontiguousarray(np.broadcast_to(np.moveaxis(flat, 0, -1), (*flat.shape[1:], 3)))
        high, wide = self.size
        way = PIL.Image.Resampling.BOX if high < flat.shape[1] else PIL.Image.Resampling.NEAREST
        picture = PIL.Image.fromarray(rows).resize((wide, high), way)
        here = np.flatnonzero(self.tracks.frames == t)
        if isinstance(self.tracks.objects, Instances) and len(here):
            picture = PIL.Image.fromarray(self._outlined(np.asarray(picture).copy(), here))
        pen = PIL.ImageDraw.Draw(picture)
        self._walk(pen, t)
        self._mark(pen, here, t)
        pen.text((4, 2), caption or f"frame {t}", fill=(255, 255, 255), stroke_width=1, stroke_fill=(0, 0, 0))
        return np.asarray(picture)

    def _outlined(self, picture: Array, here: Array) -> Array:
        """The outlines of the masks of a frame; of a volume what is seen along z."""
        objects = self.tracks.objects
        assert isinstance(objects, Instances)
        shape = self.tracks.geometry.shape
        labels = np.zeros(shape[-2:], np.int32)
        for i in here:
            mask, where = objects.masks[i], objects.where(int(i))[-2:]
            labels[where][mask.any(axis=0) if mask.ndim == 3 else mask] = self.tracks.numbers[i]
        y, x = (np.arange(n) * s // n for n, s in zip(self.size, shape[-2:], strict=True))
        lines = outlines(labels[y][:, x])
        on = lines > 0
        picture[on] = np.asarray(PALETTE, np.uint8)[lines[on] % len(PALETTE)]
        return picture

    def _walk(self, pen: ImageDraw, t: int) -> None:
        ends, when, numbers = self.paths
        first, last = np.searchsorted(when, t - self.tail, side="right"), np.searchsorted(when, t, side="right")
        for i in range(int(first), int(last)):
            # The older half of a path is thinner.
            width = 2 if when[i] > t - self.tail / 2 else 1
            pen.line([tuple(p) for p in ends[i].tolist()], fill=colour(int(numbers[i])), width=width)

    def _mark(self, pen: ImageDraw, here: Array, t: int) -> None:
        boxes = self.tracks.boxes() if not isinstance(self.tracks.objects, Instances) else None
        scale = np.asarray(self.size) / self.tracks.geometry.shape[-2:]
        fresh: dict[int, list[tuple[float, float]]] = {}
        for i in here:
            number, (x, y) = int(self.tracks.numbers[i]), self.places[i].tolist()
            pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour(number))
            if boxes is not None:
                (y0, x0), (y1, x1) = ((boxes.edges[i][:, -2:] + 0.5) * scale).tolist()
                pen.rectangle((x0, y0, x1, y1), outline=colour(number))
            if len(here) <= NUMBERED:
                pen.text((x + 4, y - 11), str(number), fill=colour(number), stroke_width=1, stroke_fill=(0, 0, 0))
            since, mother = self.started.get(number, (-MARKED, 0))
            if t - since < MARKED:
                fresh.setdefault(mother, []).append((x, y))
        for daughters in fresh.values():
            # White: a ring round each daughter, and what joins them.
            pen.line(daughters, fill=(255, 255, 255))
            for x, y in daughters:
                pen.ellipse((x - 7, y - 7, x + 7, y + 7), outline=(255, 255, 255))


def colour(number: int) -> tuple[int, int, int]:
    """The colour of a track."""
    return PALETTE[number % len(PALETTE)]


def pictures(
    image: Image, tracks: Tracks, *, tail: int = TAIL, side: int = SIDE, only: Container[int] | None = None
) -> Iterator[Array]:  # fmt: skip
    """The frames of a film (or some of them `only`) with the tracks, (y, x, 3) uint8 each, read one at a time.

    Values of 8 bits are shown as they are; of others the 0.5 to 99.5 percentile of the frames so far is black to white.

    Raises
    ------
    GeometryError
        Film and tracks do not belong together.
    InputError
        Not a film.
    """
    if image.geometry.shape != tracks.geometry.shape or image.length("t") != tracks.length:
        raise GeometryError("film and tracks do not belong together", where=image.name,
                            got=f"{image.length('t')} frames of {image.geometry.shape}",
                            wanted=f"{tracks.length} frames of {tracks.geometry.shape}")
    trails, low, high = Trails(tracks, tail, side), np.inf, -np.inf
    for t, frame in enumerate(frames_of(image)):
        if only is not None and t not in only:
            continue
        pixels = frame.channels_first()
        if pixels.dtype != np.uint8:
            values = np.where(np.isfinite(pixels), pixels, 0).astype(np.float32)
            ends = np.percentile(values, (0.5, 99.5))
            low, high = min(low, float(ends[0])), max(high, float(ends[1]))
            pixels = np.asarray(np.clip((values - low) / max(high - low, 1e-12), 0, 1) * 255, np.uint8)
        seconds = f"  {tracks.times[t]:.6g} s" if tracks.times is not None else ""
        yield trails.drawn(pixels, t, f"frame {t}{seconds}")


def write_film(image: Image, tracks: Tracks, path: str | Path, *, tail: int = TAIL, overwrite: bool = False) -> Path:
    """Writes the film with its tracks drawn over it: each in its colour, numbered, with its last `tail` steps.

    Parameters
    ----------
    image
        The film; it is read frame by frame.
    tracks
        Of it.
    path
        ``.gif`` (Pillow; a long film is thinned to 200 pictures), ``.mp4`` (MPEG-4 part 2) or ``.avi`` (Motion JPEG),
        which take the extra `video`.
    tail
        Frames of which a path shows the last.
    overwrite
        Replace an existing file.

    Raises
    ------
    OutputError
        Another suffix, or the file exists.
    MissingExtraError
        A video without OpenCV.
    GeometryError, InputError
        As `pictures`.
    """
    path = Path(path)
    end = path.suffix.lower()
    if end not in ENDS:
        raise OutputError("a film is written as GIF, MP4 or AVI", where=str(path), got=end, wanted=", ".join(ENDS))
    with files.written(path, overwrite=overwrite) as part:
        drawn = pictures(image, tracks, tail=tail)
        if end == ".gif":
            _gif(part, drawn, tracks, grey=image.length("c") < 3)
        else:
            _video(part, drawn, pace(tracks), CODES[end])
    return path


def pace(tracks: Tracks) -> float:
    """Pictures a second: the film's own speed where it can be watched, else 8."""
    if tracks.times is None or len(tracks.times) < 2:
        return USUAL
    own = 1.0 / float(np.median(np.diff(tracks.times)))
    return own if SLOWEST <= own <= FASTEST else USUAL


def _gif(path: Path, drawn: Iterator[Array], tracks: Tracks, *, grey: bool) -> None:
    import PIL.Image

    every = max(1, math.ceil(tracks.length / FRAMES))
    # One palette for the whole film: greys, and the colours that are drawn.
    colours = [(0, 0, 0), (255, 255, 255), *PALETTE]
    ramp = np.linspace(0, 255, 256 - len(colours)).astype(np.uint8)
    table = PIL.Image.new("P", (1, 1))
    table.putpalette(np.concatenate([np.asarray(colours, np.uint8), ramp[:, None].repeat(3, 1)]).ravel().tolist())

    def reduced() -> Iterator[Any]:
        for t, picture in enumerate(drawn):
            if t % every == 0:
                full = PIL.Image.fromarray(picture)
                yield full.quantize(palette=table, dither=PIL.Image.Dither.NONE) if grey else full.quantize(
                    256, method=PIL.Image.Quantize.FASTOCTREE, dither=PIL.Image.Dither.NONE)

    following = reduced()
    next(following).save(path, "GIF", save_all=True, append_images=following, duration=round(1000 / pace(tracks)),
                         loop=0)


def _video(path: Path, drawn: Iterator[Array], rate: float, code: str) -> None:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("writing videos", "video") from error
    first = next(drawn)
    # Its chroma is coarser than its grey: sides are even.
    high, wide = (n + n % 2 for n in first.shape[:2])
    film = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), rate, (wide, high))
    if not film.isOpened():
        raise OutputError("this OpenCV cannot write such a video", where=path.name, got=code, remedy="Write .gif")
    try:
        for picture in chain([first], drawn):
            padded = np.zeros((high, wide, 3), np.uint8)
            padded[: first.shape[0], : first.shape[1]] = picture[:, :, ::-1]
            film.write(padded)
    finally:
        film.release()
