"""Two images of a registration as pictures: checkerboard, difference, blink, and the pairs of points between them."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array
from isocenter.report.figures import AGAINST, FOR, Canvas, data_uri, framed, windowed
from isocenter.report.markup import Markup, tag
from isocenter.report.run import Picture
from isocenter.report.svg import path_of

# Fields of a checkerboard along the longer side.
FIELDS = 8
# Pairs of points of either kind that are drawn; more would hide the picture.
DRAWN = 60
# Milliseconds that each picture of a blink is shown.
BLINK = 700
GAP = 0.03


@dataclass(frozen=True, eq=False)
class Links:
    """Pairs of points between the fixed and the moving image, as they are drawn.

    Parameters
    ----------
    moving
        (y, x) numbers or (y, x, 3) colours: the moving image on its own grid.
    spacing
        Of its pixels (y, x), or None.
    fixed_points, moving_points
        float (n, 2): (y, x) pixels of the picture of the fixed image, and of this one.
    inliers
        bool (n,).
    """

    moving: Array
    spacing: tuple[float, float] | None
    fixed_points: Array
    moving_points: Array
    inliers: Array


@dataclass(frozen=True, eq=False)
class Overlaid(Picture):
    """One pair of images, brought together: `image` is the fixed one.

    Parameters
    ----------
    before, after
        As `image`: the moving image on the fixed grid where it was, and where it was brought to; `after` is None where
        there is no answer.
    seen_before, seen_after
        bool (y, x): where it reaches; None: everywhere.
    links
        The pairs of points that the map rests on; None where it rests on none, or of volumes.
    """

    before: Array | None = None
    after: Array | None = None
    seen_before: Array | None = None
    seen_after: Array | None = None
    links: Links | None = None


def checkerboard(first: Array, second: Array, *, fields: int = FIELDS) -> Array:
    """Fields of one picture and of another in turn, (y, x[, 3]) uint8; each is windowed by itself.

    >>> checkerboard(np.arange(16.0).reshape(4, 4), np.zeros((4, 4)), fields=2).shape
    (4, 4)
    """
    a, b = _alike(first, second)
    size = max(a.shape[0], a.shape[1]) / fields
    rows, columns = (np.floor(np.arange(n) / size).astype(int) for n in a.shape[:2])
    odd = (rows[:, None] + columns) % 2 == 1
    return np.asarray(np.where(odd if a.ndim == 2 else odd[..., None], b, a))


def difference(first: Array, second: Array, seen: Array | None = None) -> Array:
    """Where one picture is brighter (orange) or darker (blue) than the other, (y, x, 3) uint8; black: alike.

    Each is brought to mean 0 and standard deviation 1 where both are known; the hue is full at two of these.
    """
    a, b = _grey(first), _grey(second)
    known = np.ones(a.shape, bool) if seen is None else seen
    change = (_standard(a, known) - _standard(b, known)) / 2.0
    share = np.clip(np.where(known, change, 0.0), -1, 1)[..., None]
    colour = np.where(share > 0, np.asarray(FOR, float), np.asarray(AGAINST, float)) * np.abs(share)
    return np.asarray(np.round(np.where(known[..., None], colour, 40.0)), np.uint8)


def blink_gif(first: Array, second: Array, *, side: int = 640) -> bytes:
    """An animated GIF that shows one picture and the other in turn, for ever; no larger than `side`."""
    from PIL import Image

    frames = []
    for pixels in _alike(first, second):
        frame = Image.fromarray(pixels)
        share = min(1.0, side / max(frame.size))
        size = (max(1, round(frame.width * share)), max(1, round(frame.height * share)))
        frames.append(frame.resize(size, Image.Resampling.LANCZOS))
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=BLINK, loop=0, disposal=1)
    return out.getvalue()


def panels(shown: Overlaid, *, side: int = 320, detail: float = 2.0, label: str = "") -> list[tuple[str, Markup]]:
    """A caption and an SVG element for each picture that can be drawn of a pair.

    Arguments are as in `isocenter.report.figures.layers`.
    """
    canvas, raster = Canvas.of(shown.image.shape, shown.spacing, side), int(detail * side)

    def made(words: str, *pixels: tuple[Array, str]) -> tuple[str, Markup]:
        layers = [canvas.image(data_uri(p, side=raster), class_) for p, class_ in pixels]
        return words, framed(canvas, layers, f"{label}: {words}" if label else words)

    out = []
    if shown.before is not None and shown.after is None:
        out.append(made("as they are: checkerboard", (checkerboard(shown.image, shown.before), "")))
    if shown.before is not None:
        out.append(made("before: difference", (difference(shown.image, shown.before, shown.seen_before), "")))
    if shown.after is not None:
        a, b = _alike(shown.image, shown.after)
        out.append(made("after: difference", (difference(shown.image, shown.after, shown.seen_after), "")))
        out.append(made("after: checkerboard", (checkerboard(shown.image, shown.after), "")))
        out.append(made("after: the two in turn", (a, ""), (b, "blink")))
    if shown.links is not None:
        out.append((_counted(shown.links), _linked(shown, shown.links, side=2 * side, detail=detail, label=label)))
    return out


def _linked(shown: Overlaid, links: Links, *, side: int, detail: float, label: str) -> Markup:
    """Both images side by side with lines between what was taken for the same: agreeing ones solid and green."""
    half = side / (2 + GAP)
    own, other = Canvas.of(shown.image.shape, shown.spacing, half), Canvas.of(links.moving.shape, links.spacing, half)
    shift, raster = own.width + GAP * half, int(detail * half)
    right = other.image(data_uri(windowed(links.moving), side=raster))
    grounds = [own.image(data_uri(windowed(shown.image), side=raster)),
               tag("g", right, transform=f"translate({shift:.1f} 0)")]
    lines: list[Markup] = []
    for kind, chosen in (("stray", ~links.inliers), ("agree", links.inliers)):
        some = _some(np.flatnonzero(chosen))
        ends = zip(own.points(links.fixed_points[some]), other.points(links.moving_points[some]), strict=True)
        paths = [path_of([a, (b[0] + shift, b[1])]) for a, b in ends]
        lines.append(tag("g", *(tag("path", d=d, class_="tie") for d in paths), class_=kind))
    whole = Canvas((1, 1), shift + other.width, max(own.height, other.height))
    return framed(whole, [*grounds, *lines], f"{label}: pairs of points")


def _counted(links: Links) -> str:
    kept, n = int(links.inliers.sum()), len(links.inliers)
    part = f"; {DRAWN} of either kind drawn" if max(kept, n - kept) > DRAWN else ""
    return f"pairs of points: {kept} of {n} agree (solid, green), {n - kept} do not (dashed, red){part}"


def _some(which: Array) -> Array:
    if len(which) <= DRAWN:
        return which
    return np.asarray(which[np.round(np.linspace(0, len(which) - 1, DRAWN)).astype(int)])


def _alike(first: Array, second: Array) -> tuple[Array, Array]:
    """Both windowed by themselves; grey where one of them is."""
    a, b = windowed(first), windowed(second)
    if a.ndim != b.ndim:
        a, b = (np.asarray(np.round(_grey(v)), np.uint8) for v in (a, b))
    return a, b


def _grey(pixels: Array) -> Array:
    return np.asarray(pixels.mean(axis=2) if pixels.ndim == 3 else pixels, np.float64)


def _standard(values: Array, known: Array) -> Array:
    held = values[known]
    if not held.size or held.std() < 1e-12:
        return np.zeros_like(values)
    return np.asarray((values - held.mean()) / held.std())
