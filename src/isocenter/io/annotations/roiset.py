"""ImageJ's ROI manager: a zip of .roi files, corners in pixels counted from the image's corner.

The format is that of ``ij.io.RoiEncoder`` (public domain); class and score are properties of a ROI.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from isocenter.data import OBJECT, Boxes, Instances
from isocenter.errors import OutputError, ResourceError, UnreadableError
from isocenter.io import limits
from isocenter.io.annotations.marks import flat
from isocenter.io.annotations.outlines import Outline, Outlines
from isocenter.io.annotations.polygons import outlined
from isocenter.ops.array import Array

MAGIC, VERSION, HEADER, HEADER2 = b"Iout", 228, 64, 64
POLYGON, RECTANGLE, OVAL, FREEHAND, TRACED = 0, 1, 2, 7, 8
SUBPIXEL = 128
# Segments of a composite shape, and how many points each brings (java.awt.geom.PathIterator).
MOVE, LINE, CLOSE = 0, 1, 4
POINTS = {0: 1, 1: 1, 2: 2, 3: 3, 4: 0}
# A set of outlines, unpacked; more is no annotation.
LARGEST = 1 << 30
CORNERS = 65535


def claims(path: Path) -> bool:
    """Whether the name is that of a RoiSet or one ROI."""
    return path.suffix.lower() in (".zip", ".roi")


def read(path: str | Path) -> Outlines:
    """The areas of a RoiSet or of one ROI: polygons, freehand and traced outlines, rectangles, ovals, composites.

    Raises
    ------
    UnreadableError
        Not a RoiSet, or a ROI that is no area (a line, points).
    ResourceError
        It swells to more than any set of outlines.
    """
    path = Path(path)
    with limits.typed(path, "ImageJ ROI"):
        if path.suffix.lower() == ".roi":
            parts = [path.read_bytes()]
        else:
            with zipfile.ZipFile(path) as archive:
                items = [i for i in archive.infolist() if i.filename.lower().endswith(".roi")]
                if sum(i.file_size for i in items) > LARGEST:
                    raise ResourceError("a set that swells beyond any outlines", where=str(path))
                parts = [archive.read(i) for i in items]
        found = [_roi(str(path), i, data) for i, data in enumerate(parts)]
    return Outlines.of(str(path), found, format="an ImageJ RoiSet", item="ROI")


def _roi(path: str, i: int, data: bytes) -> Outline:
    if data[:4] != MAGIC or len(data) < HEADER:
        raise UnreadableError(f"ROI {i + 1} is none", where=path, got=repr(data[:4]), wanted=repr(MAGIC))
    kind = data[6]
    top, left, bottom, right, count = struct.unpack(">hhhhH", data[8:18])
    shape_size, options = struct.unpack(">i", data[36:40])[0], struct.unpack(">H", data[50:52])[0]
    said = _properties(data)
    score = said.get("score")
    name = said.get("class") or OBJECT
    if shape_size > 0:
        rings = _composite(struct.unpack(f">{shape_size}f", data[HEADER : HEADER + 4 * shape_size]))
    elif kind in (POLYGON, FREEHAND, TRACED):
        # Beyond 65535 corners the count stands elsewhere; nobody outlines an object so.
        x = np.frombuffer(data, ">i2", count, HEADER).astype(np.float64) + left
        y = np.frombuffer(data, ">i2", count, HEADER + 2 * count).astype(np.float64) + top
        if options & SUBPIXEL:
            x, y = (np.frombuffer(data, ">f4", count, HEADER + (4 + 4 * k) * count).astype(np.float64) for k in (0, 1))
        rings = (np.stack([x, y], axis=1),)
    elif kind in (RECTANGLE, OVAL):
        if options & SUBPIXEL:
            left, top, width, height = struct.unpack(">4f", data[18:34])
            right, bottom = left + width, top + height
        rings = (_rectangle(left, top, right, bottom) if kind == RECTANGLE else _oval(left, top, right, bottom),)
    else:
        raise UnreadableError(f"ROI {i + 1} is no area", where=path, got=f"type {kind}", wanted="an outline")
    return name, rings, None if score is None else float(score)


def _rectangle(left: float, top: float, right: float, bottom: float) -> Array:
    return np.asarray([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)


def _oval(left: float, top: float, right: float, bottom: float) -> Array:
    turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    x = (left + right) / 2 + (right - left) / 2 * np.cos(turn)
    return np.stack([x, (top + bottom) / 2 + (bottom - top) / 2 * np.sin(turn)], axis=1)


def _composite(numbers: Sequence[float]) -> tuple[Array, ...]:
    rings: list[list[tuple[float, float]]] = []
    at = 0
    while at < len(numbers):
        kind = int(numbers[at])
        if kind not in POINTS:
            raise UnreadableError("a composite shape that breaks off", got=f"segment {kind}")
        points = numbers[at + 1 : at + 1 + 2 * POINTS[kind]]
        if kind == MOVE:
            rings.append([])
        # Of a curve its end; ImageJ's own combinations of outlines have straight segments.
        if points:
            rings[-1].append((points[-2], points[-1]))
        at += 1 + 2 * POINTS[kind]
    return tuple(np.asarray(r, np.float64) for r in rings if len(r) >= 3)


def _properties(data: bytes) -> dict[str, str]:
    """The ``key: value`` lines of a ROI."""
    start = struct.unpack(">i", data[60:64])[0]
    if start <= 0 or start + 48 > len(data):
        return {}
    at, length = struct.unpack(">ii", data[start + 40 : start + 48])
    text = data[at : at + 2 * length].decode("utf-16-be", "replace") if at > 0 else ""
    return dict(re.findall(r"^(\w+): (.*)$", text, re.MULTILINE))


def roi(parts: Sequence[Sequence[Array]], name: str, properties: str = "") -> bytes:
    """One ROI: a polygon, or where an object has holes or several parts a composite.

    Parameters
    ----------
    parts
        As `polygons.outlined` gives them, whole numbers.
    name
        As the ROI manager shows it.
    properties
        Lines of ``key: value``.

    Raises
    ------
    OutputError
        A corner beyond 32767, where the format ends.
    """
    rings = [ring for part in parts for ring in part]
    points = np.concatenate(rings)
    low, high = points.min(0), points.max(0)
    if high.max() > 32767 or low.min() < -32768:
        raise OutputError("ImageJ's outlines end at 32767 pixels", got=f"{high.max():g}", remedy="Write .geojson")
    body = b""
    single = len(rings) == 1 and len(rings[0]) <= CORNERS and bool((points == np.round(points)).all())
    numbers = [] if single else [v for ring in rings for v in _path(ring)]
    if single:
        relative = (points - low).astype(">i2")
        body = relative[:, 0].tobytes() + relative[:, 1].tobytes()
    else:
        body = struct.pack(f">{len(numbers)}f", *numbers)
    left, top = (int(np.floor(v)) for v in low)
    right, bottom = (int(np.ceil(v)) for v in high)
    head = struct.pack(
        ">4sHBBhhhhH16sHiIIHHBBHII", MAGIC, VERSION, POLYGON if single else RECTANGLE, 0, top, left, bottom, right,
        len(points) if single else 0, b"", 0, len(numbers), 0, 0, 0, 0, 0, 0, 0, 0, HEADER + len(body),
    )  # fmt: skip
    return head + body + _header2(HEADER + len(body), name, properties)


def _path(ring: Array) -> list[float]:
    out: list[float] = []
    for i, (x, y) in enumerate(ring.tolist()):
        out += [LINE if i else MOVE, x, y]
    return [*out, CLOSE]


def _header2(start: int, name: str, properties: str) -> bytes:
    texts = [name.encode("utf-16-be"), properties.encode("utf-16-be")]
    first = start + HEADER2
    second = first + len(texts[0])
    fields = bytearray(HEADER2)
    struct.pack_into(">ii", fields, 16, first, len(texts[0]) // 2)
    struct.pack_into(">ii", fields, 40, second if texts[1] else 0, len(texts[1]) // 2)
    return bytes(fields) + b"".join(texts)


def write(path: Path, value: Boxes | Instances, image: str = "") -> None:
    """Writes a RoiSet; class and score are properties of each ROI, its name is its number with its class.

    Raises
    ------
    OutputError
        A volume, or an image beyond ImageJ's outlines.
    """
    flat(value, "an ImageJ RoiSet")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(len(value)):
            kind = value.classes[int(value.labels[i])]
            said = f"class: {kind}\n" + ("" if value.scores is None else f"score: {float(value.scores[i])!r}\n")
            parts = outlined((value.starts[i], value.masks[i])) if isinstance(value, Instances) else [
                [_box(value.edges[i])]
            ]  # fmt: skip
            name = f"{i + 1:05d}-{re.sub(r'[^0-9A-Za-z_. -]', '_', kind)}"
            # A fixed date, so that a set is written twice alike.
            entry = zipfile.ZipInfo(f"{name}.roi", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, roi(parts, name, said))
    path.write_bytes(out.getvalue())


def _box(edges: Array) -> Array:
    (y0, x0), (y1, x1) = np.asarray(edges) + 0.5
    return _rectangle(x0, y0, x1, y1)
