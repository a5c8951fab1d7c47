"""Pictures of cases: windowed pixels as small PNG or JPEG data, outlines as lines, areas and heat maps as layers."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isocenter.data import IGNORE
from isocenter.errors import InputError
from isocenter.ops.array import Array
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.run import Explanation, Picture
from isocenter.report.svg import Point, path_of

if TYPE_CHECKING:
    from PIL.Image import Image as Pillow

# Okabe and Ito (2008), colours that stay apart for colour-blind eyes; also on grey and on reddish pictures.
TRUTH, ANSWER, AGREED, SWAPPED, IGNORED = (
    (86, 180, 233),
    (240, 160, 0),
    (245, 245, 245),
    (204, 121, 167),
    (120, 120, 120),
)
FOR, AGAINST = (230, 120, 0), (60, 150, 230)
# A region whose mean width on the screen is below this many pixels is shown as an area: outlines would hide it.
THIN = 5.0
LIMIT = 90_000


@dataclass(frozen=True)
class Canvas:
    """Where a picture of `shape` pixels (y, x) lies: `width` x `height` user units, in which pixels may be oblong."""

    shape: tuple[int, int]
    width: float
    height: float

    @classmethod
    def of(cls, shape: tuple[int, ...], spacing: tuple[float, float] | None, side: float) -> Canvas:
        """The canvas whose longer side is `side`; slim pictures keep at least an eighth of it."""
        sy, sx = spacing or (1.0, 1.0)
        high, wide = shape[0] * sy, shape[1] * sx
        scale = side / max(high, wide)
        return cls((shape[0], shape[1]), max(wide * scale, side / 8), max(high * scale, side / 8))

    def points(self, rows_columns: Array) -> list[Point]:
        """Pixel positions (k, 2), centre of the first pixel at 0, as points of the canvas."""
        y = (rows_columns[:, 0] + 0.5) * self.height / self.shape[0]
        x = (rows_columns[:, 1] + 0.5) * self.width / self.shape[1]
        return list(zip(np.round(x, 1).tolist(), np.round(y, 1).tolist(), strict=True))

    def image(self, data: str, class_: str = "") -> Markup:
        """A raster stretched over the canvas."""
        return tag(
            "image",
            href=data,
            x="0",
            y="0",
            width=float(self.width),
            height=float(self.height),
            preserveAspectRatio="none",
            class_=class_ or None,
        )


def pick_slice(image: Array, truth: Array | None = None, prediction: Array | None = None) -> int:
    """The slice of a volume that shows most: most truth, else most answer, else the greatest spread of values.

    Parameters
    ----------
    image
        (z, y, x) or (z, y, x, 3).
    truth, prediction
        (z, y, x) label maps, 0 background, 255 ignored.
    """
    for labels in (truth, prediction):
        if labels is not None:
            counts = ((labels > 0) & (labels != IGNORE)).reshape(labels.shape[0], -1).sum(axis=1)
            if counts.any():
                return int(np.argmax(counts))
    spread = np.nan_to_num(np.asarray(image, np.float64)).reshape(image.shape[0], -1).std(axis=1)
    return int(np.argmax(spread))


def windowed(image: Array, low: float = 0.5, high: float = 99.5) -> Array:
    """Values as uint8, from the lower to the upper percentile; colours (y, x, 3) of uint8 stay as they are.

    Raises
    ------
    InputError
        Neither (y, x) nor (y, x, 3).
    """
    image = np.asarray(image)
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or 0 in image.shape:
        raise InputError("not a picture", got=str(image.shape), wanted="(y, x) or (y, x, 3)")
    if image.ndim == 3 and image.dtype == np.uint8:
        return image
    values = image.astype(np.float64)
    finite = values[np.isfinite(values)]
    bottom, top = np.percentile(finite, [low, high]) if finite.size else (0.0, 1.0)
    if top <= bottom:
        bottom, top = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    scaled = (np.nan_to_num(values, nan=bottom, posinf=top, neginf=bottom) - bottom) / ((top - bottom) or 1.0)
    return np.asarray(np.round(np.clip(scaled, 0.0, 1.0) * 255.0), np.uint8)


def png(pixels: Array, *, side: int | None = None) -> bytes:
    """PNG of uint8 pixels: (y, x) grey, (y, x, 3) colours or (y, x, 4) with transparency, no larger than `side`."""
    return _saved(_resized(pixels, side), "PNG", compress_level=6)


def jpeg(pixels: Array, *, side: int | None = None, quality: int = 85) -> bytes:
    """JPEG of uint8 pixels, (y, x) or (y, x, 3), no larger than `side`."""
    return _saved(_resized(pixels, side), "JPEG", quality=quality, subsampling=0)


def _resized(pixels: Array, side: int | None) -> Pillow:
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if not side or max(picture.size) <= side:
        return picture
    share = side / max(picture.size)
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    # Lanczos rings at the hard edges of a layer.
    return picture.resize(size, Image.Resampling.BOX if picture.mode == "RGBA" else Image.Resampling.LANCZOS)


def _saved(picture: Pillow, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def data_uri(pixels: Array, *, side: int, limit: int = LIMIT) -> str:
    """uint8 pixels as a ``data:`` address: PNG where it stays below `limit` bytes, else JPEG of falling quality."""
    picture = _resized(pixels, side)
    solid = picture.mode != "RGBA"
    data, kind = b"", "jpeg"
    # No photograph shrinks twelvefold as PNG, which takes long to find out.
    if not solid or picture.width * picture.height * len(picture.getbands()) < 12 * limit:
        data, kind = _saved(picture, "PNG", compress_level=6), "png"
    for quality in (90, 80, 65, 50) if solid else ():
        if 0 < len(data) <= limit:
            break
        data, kind = _saved(picture, "JPEG", quality=quality, subsampling=0), "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def outline(mask: Array, canvas: Canvas) -> str:
    """Path data around the true pixels of a mask (y, x); "" where there are none."""
    from skimage.measure import approximate_polygon, find_contours

    step = max(1, int(max(mask.shape) / (2 * max(canvas.width, canvas.height))))
    small = mask[::step, ::step]
    if not small.any():
        return ""
    # A rim of zeros closes the lines of regions that touch the edge.
    lines = [(line - 1) * step + (step - 1) / 2 for line in find_contours(np.pad(small, 1).astype(np.float32), 0.5)]
    unit = canvas.shape[0] / canvas.height
    paths = []
    for line in lines:
        shorter = approximate_polygon(line, 0.3 * unit)
        paths.append(path_of(canvas.points(shorter if len(shorter) > 3 else line), closed=True))
    return "".join(paths)


def mean_width(mask: Array, canvas: Canvas) -> float:
    """Mean width of a region in user units: twice its area over its rim; infinite when empty."""
    from scipy.ndimage import binary_erosion

    rim = int((mask & ~binary_erosion(mask)).sum())
    return 2.0 * int(mask.sum()) / rim * canvas.width / canvas.shape[1] if rim else float("inf")


def areas(truth: Array, prediction: Array) -> Array:
    """(y, x, 4) uint8: agreement light, missed blue, extra orange, another class purple; ignored pixels grey."""
    ignored = (truth == IGNORE) | (prediction == IGNORE)
    t, p = np.where(ignored, 0, truth), np.where(ignored, 0, prediction)
    out = np.zeros((*truth.shape, 4), np.uint8)
    for where, colour, alpha in (
        ((t > 0) & (t == p), AGREED, 170),
        ((t > 0) & (p == 0), TRUTH, 235),
        ((t == 0) & (p > 0), ANSWER, 235),
        ((t > 0) & (p > 0) & (t != p), SWAPPED, 235),
        (ignored, IGNORED, 120),
    ):
        out[where] = (*colour, alpha)
    return out


def regions(drawn: list[tuple[str, Array]], names: tuple[str, ...], canvas: Canvas) -> list[Markup]:
    """The outlines of label maps, each under its class; dark lines below all of them make them show anywhere."""
    casings, rims = [], []
    for class_, labels in drawn:
        values = [int(v) for v in np.unique(labels) if v not in (0, IGNORE)]
        paths = [(v, path) for v in values if (path := outline(labels == v, canvas))]
        titles = [tag("title", names[v] if v < len(names) else v) for v, _ in paths]
        casings.append(tag("g", *(tag("path", d=d, class_="casing") for _, d in paths), class_=class_))
        rims.append(
            tag(
                "g",
                *(tag("path", t, d=d, class_="rim") for t, (_, d) in zip(titles, paths, strict=True)),
                class_=class_,
            )
        )
    return casings + rims


def heat(values: Array) -> Array:
    """(y, x, 4) uint8 layer of signed numbers: orange for, blue against; the 99.5th percentile is full strength."""
    values = np.nan_to_num(np.asarray(values, np.float64), posinf=0.0, neginf=0.0)
    top = float(np.percentile(np.abs(values), 99.5)) or float(np.abs(values).max()) or 1.0
    strength = np.clip(np.abs(values) / top, 0.0, 1.0)
    out = np.zeros((*values.shape, 4), np.uint8)
    out[..., :3] = np.where((values >= 0)[..., None], FOR, AGAINST)
    out[..., 3] = np.round(215 * strength**0.8)
    return out


def layers(picture: Picture, *, side: int = 320, detail: float = 2.0, label: str = "") -> Markup:
    """A case as one SVG element: pixels, then truth and answer as outlines, or as areas where regions are thin.

    Parameters
    ----------
    picture
        Pixels, label maps, names and spacing.
    side
        Longer side in user units.
    detail
        Raster pixels per user unit.
    label
        What it shows, for people who cannot see it.

    Raises
    ------
    InputError
        Truth or prediction lie on another grid than the picture.
    """
    image, truth, prediction = picture.image, picture.truth, picture.prediction
    canvas, raster = Canvas.of(image.shape, picture.spacing, side), int(detail * side)
    for labels in (truth, prediction):
        if labels is not None and labels.shape != image.shape[:2]:
            raise InputError("labels lie on another grid", got=str(labels.shape), wanted=str(image.shape[:2]))
    parts = [canvas.image(data_uri(windowed(image), side=raster))]
    if truth is not None and prediction is not None and mean_width((truth > 0) & (truth != IGNORE), canvas) < THIN:
        parts.append(canvas.image(data_uri(areas(truth, prediction), side=raster), "areas"))
    elif truth is None and prediction is not None and mean_width(prediction > 0, canvas) < THIN:
        parts.append(canvas.image(data_uri(areas(np.zeros_like(prediction), prediction), side=raster), "areas"))
    else:
        pairs = (("truth", truth), ("answer", prediction))
        parts += regions([(class_, labels) for class_, labels in pairs if labels is not None], picture.names, canvas)
    return framed(canvas, parts, label)


def explained(explanation: Explanation, *, side: int = 320, detail: float = 2.0, label: str = "") -> Markup:
    """A picture under the heat map of what an answer rests on; arguments as in `layers`.

    Raises
    ------
    InputError
        The map lies on another grid than the picture.
    """
    image, values = explanation.image, explanation.values
    if values.shape != image.shape[:2]:
        raise InputError("the map lies on another grid", got=str(values.shape), wanted=str(image.shape[:2]))
    canvas, raster = Canvas.of(image.shape, explanation.spacing, side), int(detail * side)
    ground = canvas.image(data_uri(windowed(image), side=raster))
    return framed(canvas, [ground, canvas.image(data_uri(heat(values), side=raster), "heat")], label)


def framed(canvas: Canvas, parts: list[Markup], label: str) -> Markup:
    """Layers as one SVG element of the canvas' size."""
    return tag(
        "svg",
        joined(parts),
        class_="pic",
        role="img",
        aria_label=label or None,
        viewBox=f"0 0 {canvas.width:.1f} {canvas.height:.1f}",
        width=float(canvas.width),
        height=float(canvas.height),
    )
