"""TIFF: ImageJ and OME axes, 8 to 64 bits, channels, frames. Axes that nobody stated are asked for."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Geometry, Image, Problem, Source
from isocenter.errors import AmbiguousError, NotFoundError, UnreadableError
from isocenter.io import limits, tiles
from isocenter.io.encoded import Block
from isocenter.io.grid import OURS, Note, ordered, respaced, silent, stated, unstated
from isocenter.ops.array import Array

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MILLIMETRES = {
    "nm": 1e-6, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "\\u00b5m": 1e-3, "micron": 1e-3, "microns": 1e-3, "mm": 1.0,
    "cm": 10.0, "m": 1000.0, "inch": 25.4, "å": 1e-7,
}
SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "µs": 1e-6, "min": 60.0, "h": 3600.0}
COLOURS = ("red", "green", "blue", "alpha")
# Compressions that tifffile opens without imagecodecs: none, deflate (two codes), packbits, LZMA.
PLAIN = (1, 8, 32946, 32773, 34925)


@dataclass(frozen=True)
class Said:
    """What the file says beside its pixels: size of a pixel in mm per axis letter, times, channel names."""

    sizes: dict[str, float]
    times: tuple[float, ...] | None = None
    channels: tuple[str, ...] = ()


def claims(path: Path, head: bytes) -> bool:
    """Whether the first bytes are those of a TIFF or BigTIFF."""
    return head[:4] in MAGICS


def read(
    path: Path, *, axes: str | None = None, spacing: tuple[float, ...] | None = None, note: Note = silent,
    series: str | int | None = None,
) -> Image:
    """An image whose header is read now and whose pixels are read by `pixels()`.

    Parameters
    ----------
    axes
        Letters of "tczyx" in the file's own order (pages first, samples last), where the file does not name them.
    series
        Number of the wanted image where the file holds several.

    Raises
    ------
    AmbiguousError
        Several pages and no word on what they are, or several images.
    UnreadableError, ResourceError
        Damaged, of no known kind, or a decompression bomb.
    """
    with _opened(path) as tif:
        number = _chosen(path, tif, series)
        found = tif.series[number]
        page = found.keyframe
        shape = tuple(int(s) for s in found.shape)
        size = int(np.prod(shape, dtype=object)) * found.dtype.itemsize
        limits.picture(path, size, path.stat().st_size, held=0)
        named, shape = _named(path, found.axes, shape, axes)
        limits.fits(path, size // dict(zip(named, shape, strict=True)).get("t", 1))
        if found.dtype.kind not in "buif":
            raise UnreadableError("values that are no image", where=str(path), got=str(found.dtype))
        said = _said(tif, number, dict(zip(named, shape, strict=True)), note, path)
        _tell(path, page, note)
        dtype = np.dtype(np.uint8) if found.dtype.kind == "b" else found.dtype.newbyteorder("=")
        colour = found.axes.endswith("S") and named.endswith("c")
    legal = "".join(a for a in OURS if a in named)
    ours = tuple(shape[named.index(a)] for a in legal)
    count = ours[legal.index("c")] if "c" in legal else 0
    channels = COLOURS[:count] if colour and count in (3, 4) else said.channels if len(said.channels) == count else ()
    return Image(
        Pixels(str(path), number, named, shape), ours, legal, dtype.name,
        respaced(path, _geometry(path, legal, ours, said, note), spacing), channels,
        said.times if "t" in legal else None, source=Source((str(path),), "tiff"),
    )


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    import logging

    import tifffile

    with limits.typed(path, "TIFF"):
        # A damaged tag is told by what we raise, not by lines in somebody's log.
        logging.getLogger("tifffile").setLevel(logging.CRITICAL)
        with tifffile.TiffFile(path) as tif:
            if not tif.series:
                raise UnreadableError("holds no image", where=str(path))
            yield tif


def _chosen(path: Path, tif: Any, series: str | int | None) -> int:
    known = [f"{i}: {s.name or 'unnamed'} {tuple(s.shape)}" for i, s in enumerate(tif.series)]
    if series is None:
        if len(known) > 1:
            raise AmbiguousError(
                "several images in one file", where=str(path), got="; ".join(known), remedy="Pass series=0 or the like"
            )
        return 0
    names = [str(i) for i in range(len(known))]
    wanted = names.index(str(series)) if str(series) in names else None
    if wanted is None:
        raise NotFoundError(f"no image {series!r} in the file", where=str(path), got="; ".join(known))
    return wanted


def _named(path: Path, theirs: str, shape: tuple[int, ...], axes: str | None) -> tuple[str, tuple[int, ...]]:
    """Our letters for the file's axes, in the file's order, and the lengths without those that are one long."""
    if axes is not None:
        return stated(path, axes, shape), shape
    kept = [(a, s) for a, s in zip(theirs, shape, strict=True) if s > 1 or a in "YX"]
    letters = "".join(a for a, _ in kept).replace("S", "C").lower()
    if not set(letters) <= set(OURS) or len(set(letters)) != len(letters):
        free = [a for a in "ztc" if a not in letters]
        readings = ["".join(a if a in OURS else f for a in letters) for f in free]
        raise unstated(path, shape, [r for r in readings if len(set(r)) == len(r)] or ("tczyx",))
    return letters, tuple(s for _, s in kept)


def _geometry(path: Path, legal: str, shape: tuple[int, ...], said: Said, note: Note) -> Geometry:
    spatial = [a for a in legal if a in "zyx"]
    grid = tuple(shape[legal.index(a)] for a in spatial)
    sizes = [said.sizes.get(a) for a in spatial]
    if any(s is None for s in sizes):
        if any(s is not None for s in sizes):
            note(Problem(
                "spacing-unknown", "warning", "the size of a pixel is stated along some axes only", str(path),
                got=", ".join(f"{a} {s}" for a, s in zip(spatial, sizes, strict=True)), remedy="Pass spacing=",
            ))
        return Geometry(grid)
    return respaced(path, Geometry(grid), [float(s) for s in sizes if s is not None])


def _said(tif: Any, number: int, lengths: dict[str, int], note: Note, path: Path) -> Said:
    if tif.is_ome:
        return _ome(tif.ome_metadata, number, lengths.get("t", 1))
    page = tif.series[number].keyframe
    x, y = _resolution(page, "XResolution"), _resolution(page, "YResolution")
    if tif.is_imagej:
        meta = tif.imagej_metadata or {}
        unit = MILLIMETRES.get(str(meta.get("unit", "")).strip().lower())
        step = float(meta.get("finterval", 0) or 0)
        frames = lengths.get("t", 1)
        times = tuple(i * step for i in range(frames)) if step > 0 else None
        if unit is None or not x or not y:
            return Said({}, times)
        sizes = {"x": unit / x, "y": unit / y}
        depth = float(meta.get("spacing", 0) or 0)
        return Said(sizes | ({"z": depth * unit} if depth > 0 else {}), times, _labels(meta, lengths.get("c", 1)))
    unit_tag = page.tags.get("ResolutionUnit")
    unit_code = int(unit_tag.value) if unit_tag is not None else 0
    if unit_code == 3 and x and y:
        return Said({"x": 10.0 / x, "y": 10.0 / y})
    if unit_code == 2 and x:
        note(Problem(
            "print-resolution", "note", "dots per inch say how to print, not how large a pixel is; not used", str(path),
            got=f"{x:.4g} per inch", remedy="Pass spacing= if you know it",
        ))
    return Said({})


def _labels(meta: dict[str, Any], channels: int) -> tuple[str, ...]:
    labels = meta.get("Labels") or []
    return tuple(str(v) for v in labels) if channels > 1 and len(labels) == channels else ()


def _resolution(page: Any, name: str) -> float | None:
    tag = page.tags.get(name)
    if tag is None:
        return None
    top, bottom = tag.value
    return top / bottom if top and bottom else None


def _ome(text: str, number: int, frames: int) -> Said:
    """Sizes, times and channel names from OME-XML (schema 2016-06)."""
    root = ElementTree.fromstring(text)
    bare = "{*}"
    images = root.findall(f"{bare}Image")
    node = images[min(number, len(images) - 1)].find(f"{bare}Pixels") if images else None
    if node is None:
        return Said({})
    sizes = {}
    for axis in "xyz":
        size = float(node.get(f"PhysicalSize{axis.upper()}", 0) or 0)
        unit = MILLIMETRES.get(node.get(f"PhysicalSize{axis.upper()}Unit", "µm").lower())
        if size > 0 and unit is not None:
            sizes[axis] = size * unit
    channels = tuple(c.get("Name", "") for c in node.findall(f"{bare}Channel"))
    return Said(sizes, _times(node, frames), channels if all(channels) else ())


def _times(node: ElementTree.Element, frames: int) -> tuple[float, ...] | None:
    stamps: dict[int, float] = {}
    for plane in node.findall("{*}Plane"):
        delta, unit = plane.get("DeltaT"), SECONDS.get(plane.get("DeltaTUnit", "s"))
        if delta is not None and unit is not None:
            stamps.setdefault(int(plane.get("TheT", 0)), float(delta) * unit)
    if len(stamps) == frames:
        return tuple(stamps[i] for i in sorted(stamps))
    step, unit = float(node.get("TimeIncrement", 0) or 0), SECONDS.get(node.get("TimeIncrementUnit", "s"))
    return tuple(i * step * unit for i in range(frames)) if step > 0 and unit is not None else None


def _tell(path: Path, page: Any, note: Note) -> None:
    if page.photometric == 0:
        note(Problem(
            "white-is-zero", "warning", "the file shows 0 as white; its numbers are read as stored", str(path),
            got="PhotometricInterpretation 0",
        ))
    if page.photometric == 3:
        note(Problem("palette", "warning", "a palette: its indices are read, not its colours", str(path)))


@dataclass(frozen=True)
class Pixels:
    """The numbers of one image of a file in our order of axes: all, the frames in turn, or one frame.

    Parameters
    ----------
    path, number
        Of the file, and of the image in it.
    axes, shape
        In the file's order.
    """

    path: str
    number: int
    axes: str
    shape: tuple[int, ...]

    def __call__(self) -> Array:
        """All of them; typed errors as in `read`."""
        with _opened(self.path) as tif:
            found = tif.series[self.number]
            limits.fits(self.path, int(np.prod(self.shape, dtype=object)) * found.dtype.itemsize)
            kind = int(found.keyframe.compression)
            array = found.asarray() if kind in PLAIN else _decoded(self.path, tif, found, range(len(found.pages)))
            return ordered(self.axes, _native(np.asarray(array).reshape(self.shape)))

    def each(self, axis: str) -> Iterator[Array] | None:
        """The frames one after the other, the file opened once; None along another axis."""
        return self._frames(range(self.shape[self.axes.index("t")])) if axis == "t" and "t" in self.axes else None

    def piece(self, axis: str, index: int) -> Array | None:
        """One frame by itself; None along another axis."""
        return next(self._frames([index])) if axis == "t" and "t" in self.axes else None

    def _frames(self, wanted: Sequence[int]) -> Iterator[Array]:
        at = self.axes.index("t")
        rest, shape = self.axes.replace("t", ""), (*self.shape[:at], *self.shape[at + 1 :])
        with _opened(self.path) as tif:
            found = tif.series[self.number]
            page = int(np.prod(found.keyframe.shape))
            lead = next((i for i in range(len(self.shape) + 1) if np.prod(self.shape[i:]) == page), 0)
            if at >= lead:
                # Frames that lie within a page cannot be read apart.
                limits.fits(self.path, int(np.prod(found.shape, dtype=object)) * found.dtype.itemsize)
                whole = np.moveaxis(_native(found.asarray().reshape(self.shape)), at, 0)
                yield from (ordered(rest, np.ascontiguousarray(whole[i])) for i in wanted)
                return
            places = np.arange(int(np.prod(self.shape[:lead]))).reshape(self.shape[:lead])
            for i in wanted:
                pages = places.take(i, axis=at).ravel().tolist()
                yield ordered(rest, _native(_decoded(self.path, tif, found, pages).reshape(shape)))


def _native(array: Array) -> Array:
    dtype = np.dtype(np.uint8) if array.dtype == bool else array.dtype.newbyteorder("=")
    return array.astype(dtype, copy=False)


def _decoded(path: str, tif: Any, found: Any, pages: Sequence[int]) -> Array:
    """Some pages of an image, one after the other: (pages, *page)."""
    kind, page = int(found.keyframe.compression), found.keyframe.shape
    if kind in PLAIN and found.dataoffset is not None:
        # Uncompressed and in one piece; ImageJ states but the first page of such a stack.
        out = np.empty((len(pages), *page), found.dtype.newbyteorder(tif.byteorder))
        size = out[:1].nbytes
        for i, at in enumerate(pages):
            tif.filehandle.seek(found.dataoffset + at * size)
            data = tif.filehandle.read(size)
            limits.stored(path, size, len(data))
            out[i] = np.frombuffer(data, out.dtype).reshape(page)
        return out
    if kind in PLAIN:
        return np.stack([found.pages[at].asarray() for at in pages])
    if kind == tiles.JPEG and found.dtype == np.uint8:
        return np.stack([tiles.page(path, _page(tif, found.pages[at])) for at in pages])
    return _by_pillow(path, found, pages)


def _page(tif: Any, page: Any) -> Any:
    """A page with all its tags; tifffile shares the key page's tags among frames alike."""
    return tif.pages[page.index] if not hasattr(page, "jpegtables") else page


def _by_pillow(path: str, found: Any, pages: Sequence[int]) -> Array:
    """Pages in compressions that tifffile alone cannot open (LZW, JPEG, fax), by libtiff in Pillow."""
    import PIL.Image

    out = np.empty((len(pages), *found.keyframe.shape), found.dtype)
    with PIL.Image.open(path, formats=["TIFF"]) as image:
        for i, at in enumerate(pages):
            image.seek(found.pages[at].index)
            plane = np.array(image)
            if plane.shape != out.shape[1:] or plane.dtype.itemsize < found.dtype.itemsize:
                raise UnreadableError(
                    "a compression that nobody here reads whole", where=path, got=f"{found.keyframe.compression.name}",
                    remedy="Store it uncompressed or with deflate",
                )
            out[i] = plane
    return out


def write(path: Path, block: Block, like: Image | None = None) -> None:
    """Writes an ImageJ TIFF, or an OME-TIFF where the name ends in .ome.tif or ImageJ lacks the type of number.

    Spacing in mm, channel names and frame times are kept; directions in the patient are not, since TIFF has none.
    """
    import tifffile

    array = block.array.astype(np.uint8) if block.array.dtype == bool else block.array
    spacing = block.geometry.spacing
    sizes = dict(zip([a for a in block.axes if a in "zyx"], spacing, strict=True)) if spacing else {}
    imagej = array.dtype in (np.uint8, np.uint16, np.float32) and ".ome.tif" not in path.name.lower()
    steps = np.diff(block.times) if block.times is not None else np.zeros(0)
    if imagej and (len(steps) == 0 or np.allclose(steps, steps[0], rtol=1e-6)):
        _as_imagej(tifffile, path, array, block, sizes, float(steps[0]) if len(steps) else 0.0)
    else:
        _as_ome(tifffile, path, array, block, sizes)


def _as_imagej(
    tifffile: Any, path: Path, array: Array, block: Block, sizes: dict[str, float], step: float
) -> None:
    theirs = [a for a in "tzcyx" if a in block.axes]
    array = array.transpose([block.axes.index(a) for a in theirs])
    meta: dict[str, Any] = {"axes": "".join(theirs).upper()}
    if sizes:
        meta |= {"unit": "mm"} | ({"spacing": sizes["z"]} if "z" in sizes else {})
    if step > 0:
        meta["finterval"] = step
    if block.kind == "pixels" and block.names and block.axes == "cyx":
        meta["Labels"] = list(block.names)
    tifffile.imwrite(
        path, np.ascontiguousarray(array), imagej=True, metadata=meta, photometric="minisblack",
        resolution=(1 / sizes["x"], 1 / sizes["y"]) if sizes else None, resolutionunit=1 if sizes else None,
    )


def _as_ome(tifffile: Any, path: Path, array: Array, block: Block, sizes: dict[str, float]) -> None:
    meta: dict[str, Any] = {"axes": block.axes.upper()}
    for axis, size in sizes.items():
        meta |= {f"PhysicalSize{axis.upper()}": size, f"PhysicalSize{axis.upper()}Unit": "mm"}
    if block.kind == "pixels" and block.names:
        meta["Channel"] = {"Name": list(block.names)}
    if block.times is not None:
        per = int(np.prod([s for a, s in zip(block.axes, array.shape, strict=True) if a in "cz"], initial=1))
        meta["Plane"] = {"DeltaT": [t for t in block.times for _ in range(per)]}
    tifffile.imwrite(path, np.ascontiguousarray(array), ome=True, metadata=meta, photometric="minisblack")
