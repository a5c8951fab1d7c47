"""3D Slicer's segmentation (.seg.nrrd): a segment an object, overlaps in layers, in its place in the patient."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isocenter.data import Geometry, Instances
from isocenter.errors import LabelError, UnreadableError
from isocenter.io import limits
from isocenter.io.annotations.marks import Crop, Marks, cropped, edges_of, stacked
from isocenter.io.grid import located
from isocenter.io.overlay import PALETTE
from isocenter.ops.array import Array

MAGIC = b"NRRD000"
TYPES = {
    "uchar": "u1", "unsigned char": "u1", "uint8": "u1", "uint8_t": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "unsigned short": "u2", "uint16": "u2", "uint16_t": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "unsigned int": "u4", "signed char": "i1", "int8": "i1",
}  # fmt: skip
# Signs of the world axes against LPS.
SPACES = {
    "left-posterior-superior": (1, 1, 1), "right-anterior-superior": (-1, -1, 1), "lps": (1, 1, 1), "ras": (-1, -1, 1),
}  # fmt: skip
# Our key among a segment's tags, and among those of the file: the format knows no unknown spacing.
SCORE, SPACING, UNKNOWN = "isocenter.score", "isocenter.spacing", "unknown"
ENDS = (b"\n\n", b"\r\n\r\n")


@dataclass(frozen=True, eq=False)
class SegNrrd:
    """An opened file (Slicer's developer guide, "Segmentation file (.seg.nrrd)"): `read` makes it.

    Parameters
    ----------
    path
        For messages.
    names
        Name of each segment.
    values
        (layer, number) of each segment.
    layers
        (layers, z, y, x) numbers.
    geometry
        Of the volume.
    scores
        From the tags of each segment, where we wrote one.
    """

    path: str
    names: tuple[str, ...]
    values: tuple[tuple[int, int], ...]
    layers: Array
    geometry: Geometry
    scores: tuple[float | None, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the segments, sorted."""
        return tuple(sorted(set(self.names)))

    def size(self, image: str) -> tuple[int, ...] | None:
        """Grid of the volume."""
        return self.geometry.shape

    def marks(self, image: str, shape: tuple[int, ...]) -> Marks:
        """Its segments, those without a voxel as boxes without area; LabelError for another grid."""
        layers = self.layers[:, 0] if len(shape) == 2 and self.layers.shape[1] == 1 else self.layers
        if layers.shape[1:] != tuple(shape):
            raise LabelError("segments on another grid", where=self.path, got=str(layers.shape[1:]), wanted=str(shape))
        nothing: Crop = (np.zeros(len(shape), np.int64), np.zeros((0,) * len(shape), bool))
        crops = [cropped(layers[layer] == number) or nothing for layer, number in self.values]
        edges = stacked([edges_of(c) for c in crops], len(shape))
        given = [s for s in self.scores if s is not None]
        scored = np.asarray(given) if given and len(given) == len(self.names) else None
        return Marks(self.names, edges, lambda i: crops[i], scored)


def claims(path: Path) -> bool:
    """Whether the name is that of a NRRD."""
    return path.suffix.lower() == ".nrrd"


def read(path: str | Path) -> SegNrrd:
    """The segments of a file; a NRRD without segment names gives one segment a number.

    Raises
    ------
    UnreadableError
        Not a NRRD with its data in it (raw or gzip), or cut short.
    GeometryError
        Impossible axes.
    """
    with limits.typed(path, "NRRD"):
        data = Path(path).read_bytes()
        ends = [(at, len(e)) for e in ENDS if (at := data.find(e)) > 0]
        if not data.startswith(MAGIC) or not ends:
            raise UnreadableError("not a NRRD", where=str(path), got=repr(data[:8]))
        at, width = min(ends)
        fields = _fields(data[:at].decode("utf-8", "replace"))
        sizes = [int(v) for v in fields["sizes"].split()]
        layered = len(sizes) == 4
        if len(sizes) not in (3, 4) or fields["type"].lower() not in TYPES:
            raise UnreadableError("not a label volume", where=str(path), got=f"{fields['type']}, sizes {sizes}")
        little = fields.get("endian", "little").strip() == "little"
        dtype = np.dtype(("<" if little else ">") + TYPES[fields["type"].lower()])
        raw = _raw(str(path), data[at + width :], fields.get("encoding", "raw"), int(np.prod(sizes)) * dtype.itemsize)
        array = np.frombuffer(raw, dtype, int(np.prod(sizes))).reshape(sizes[::-1])
        array = np.moveaxis(array, -1, 0) if layered else array[None]
        return _with_segments(str(path), fields, array.astype(dtype.newbyteorder("=")))


def _fields(head: str) -> dict[str, str]:
    """Fields and key/value pairs of the header, comments left out."""
    found: dict[str, str] = {}
    for line in head.splitlines()[1:]:
        if line.startswith("#"):
            continue
        key, sign, value = line.partition(":=") if ":=" in line else line.partition(":")
        if sign:
            found[key.strip()] = value.strip()
    return found


def _raw(path: str, data: bytes, encoding: str, needed: int) -> bytes:
    if encoding in ("gzip", "gz"):
        limits.inflated(path, needed, len(data))
    limits.fits(path, needed)
    if encoding in ("gzip", "gz"):
        data = zlib.decompressobj(31).decompress(data, needed)
    elif encoding != "raw":
        raise UnreadableError("an encoding that nobody here reads", where=path, got=encoding, wanted="raw or gzip")
    limits.stored(path, needed, len(data))
    return data


def _with_segments(path: str, fields: dict[str, str], layers: Array) -> SegNrrd:
    numbers = sorted({int(m[1]) for key in fields if (m := re.fullmatch(r"Segment(\d+)_\w+", key))})
    if numbers:
        names = tuple(fields.get(f"Segment{i}_Name", f"Segment_{i + 1}") for i in numbers)
        values = tuple(
            (int(fields.get(f"Segment{i}_Layer", 0)), int(fields.get(f"Segment{i}_LabelValue", 1))) for i in numbers
        )
    else:
        found = [int(v) for v in np.unique(layers) if v]
        names, values = tuple(map(str, found)), tuple((0, v) for v in found)
    tags = [re.search(rf"{SCORE}:([0-9.e+-]+)", fields.get(f"Segment{i}_Tags", "")) for i in numbers]
    scores = tuple(float(t[1]) if t else None for t in tags)
    return SegNrrd(path, names, values, layers, _geometry(path, fields, layers.shape[1:]), scores)


def _geometry(path: str, fields: dict[str, str], shape: tuple[int, ...]) -> Geometry:
    columns = re.findall(r"\(([^)]*)\)", fields.get("space directions", ""))
    signs = SPACES.get(fields.get("space", "").lower())
    if len(columns) != 3 or signs is None or fields.get(SPACING) == UNKNOWN:
        return Geometry(shape)
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray([[float(v) for v in c.split(",")] for c in columns[::-1]]).T
    origin = re.findall(r"\(([^)]*)\)", fields.get("space origin", ""))
    matrix[:3, 3] = [float(v) for v in origin[0].split(",")] if origin else 0.0
    matrix[:3] *= np.asarray(signs)[:, None]
    return located(path, shape, matrix)


def layered(value: Instances) -> tuple[Array, list[tuple[int, int]]]:
    """Numbers in as few layers as overlaps need, (layers, *grid), and each object's (layer, number)."""
    layers: list[Array] = []
    counts: list[int] = []
    places = []
    dtype = np.uint8 if len(value) < 256 else np.uint16 if len(value) < 65536 else np.uint32
    for i in range(len(value)):
        mask = value.masks[i]
        at = next((k for k, a in enumerate(layers) if not a[value.where(i)][mask].any()), len(layers))
        if at == len(layers):
            layers.append(np.zeros(value.geometry.shape, dtype))
            counts.append(0)
        counts[at] += 1
        layers[at][value.where(i)][mask] = counts[at]
        places.append((at, counts[at]))
    return np.stack(layers) if layers else np.zeros((1, *value.geometry.shape), dtype), places


def write(path: Path, value: Instances, image: str = "") -> None:
    """Writes objects for 3D Slicer: gzip, LPS, a plane as a volume of one slice because Slicer has no planes.

    A segment's name is its object's class; a score stands in its tags. Where the spacing is unknown, other programs see
    1 mm, and `read` sees that it is unknown.
    """
    layers, places = layered(value)
    array = layers if value.geometry.ndim == 3 else layers[:, None]
    several = len(array) > 1
    sizes = [*([len(array)] if several else []), *array.shape[:0:-1]]
    stored = np.ascontiguousarray(np.moveaxis(array, 0, -1) if several else array[0])
    matrix = _matrix(value.geometry)
    head = {
        "type": {1: "unsigned char", 2: "unsigned short", 4: "unsigned int"}[stored.dtype.itemsize],
        "dimension": str(len(sizes)), "space": "left-posterior-superior", "sizes": " ".join(map(str, sizes)),
        "space directions": " ".join([*(["none"] if several else []), *(_vector(matrix[:3, k]) for k in (2, 1, 0))]),
        "kinds": ("list " if several else "") + "domain domain domain", "endian": "little", "encoding": "gzip",
        "space origin": _vector(matrix[:3, 3]),
    }  # fmt: skip
    lines = ["NRRD0004", *(f"{k}: {v}" for k, v in head.items()), *_tags(value, places)]
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    body = packer.compress(stored.astype(stored.dtype.newbyteorder("<")).tobytes()) + packer.flush()
    path.write_bytes("\n".join(lines).encode("utf-8") + b"\n\n" + body)


def _tags(value: Instances, places: list[tuple[int, int]]) -> list[str]:
    out = ["Segmentation_MasterRepresentation:=Binary labelmap"]
    out += [] if value.geometry.affine else [f"{SPACING}:={UNKNOWN}"]
    for i, (layer, number) in enumerate(places):
        kind = int(value.labels[i])
        color = " ".join(f"{c / 255:.6g}" for c in PALETTE[i % len(PALETTE)])
        at = value.where(i) if value.geometry.ndim == 3 else (slice(0, 1), *value.where(i))
        extent = " ".join(f"{s.start} {s.stop - 1}" for s in at[::-1])
        tags = "" if value.scores is None else f"{SCORE}:{float(value.scores[i])!r}|"
        out += [
            f"Segment{i}_ID:=Segment_{i + 1}", f"Segment{i}_Name:={value.classes[kind]}", f"Segment{i}_Color:={color}",
            f"Segment{i}_LabelValue:={number}", f"Segment{i}_Layer:={layer}", f"Segment{i}_Extent:={extent}",
            f"Segment{i}_Tags:={tags}",
        ]  # fmt: skip
    return out


def _matrix(geometry: Geometry) -> Array:
    """The affine (4, 4) of a volume; a plane lies in its world or at z = 0, and unknown spacings are ones."""
    known = geometry if geometry.affine else Geometry.from_spacing(geometry.shape, (1.0,) * geometry.ndim)
    m = np.asarray(known.affine, float)
    if geometry.ndim == 3:
        return m
    out = np.zeros((4, 4))
    out[3, 3] = 1.0
    out[: len(m) - 1, 1:3], out[: len(m) - 1, 3] = m[:-1, :2], m[:-1, 2]
    normal = np.cross(out[:3, 2], out[:3, 1])
    out[:3, 0] = normal / np.linalg.norm(normal)
    return out


def _vector(values: Array) -> str:
    return "(" + ",".join(f"{float(v):.17g}" for v in values) + ")"
