"""TrackMate's XML read, of any version that has spots in frames and edges in tracks; no entity is ever expanded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.parsers import expat

import numpy as np

from isocenter.data import OBJECT, Boxes, Geometry, Instances, Tracks
from isocenter.errors import GeometryError, UnreadableError
from isocenter.io import limits
from isocenter.io.annotations.polygons import filled
from isocenter.io.tiff import MILLIMETRES, SECONDS
from isocenter.io.trackmate import AXES, Edge
from isocenter.ops.array import Array

# Bytes that a byte of XML may become in memory.
SWELLING = 10
# Most frames of a film, pixels of a side, and whole numbers that a float holds.
FRAMES, SIDE, WHOLE = 1 << 24, 1 << 20, 1 << 53


@dataclass
class _Said:
    """What stands in a file."""

    path: str
    model: dict[str, str] = field(default_factory=dict)
    image: dict[str, str] = field(default_factory=dict)
    spots: list[dict[str, str]] = field(default_factory=list)
    edges: list[tuple[str, int, int]] = field(default_factory=list)
    shown: set[str] | None = None
    _track: str = ""
    _text: list[str] | None = None
    _root: str = ""

    def start(self, name: str, said: dict[str, str]) -> None:
        if not self._root:
            self._root = name
            if name != "TrackMate":
                raise UnreadableError("not a TrackMate file", where=self.path, got=f"<{name}>", wanted="<TrackMate>")
        if name == "Spot":
            self.spots.append(said)
            self._text = []
        elif name == "Edge":
            self.edges.append((self._track, _whole(self.path, said, "SPOT_SOURCE_ID"),
                               _whole(self.path, said, "SPOT_TARGET_ID")))
        elif name == "Track":
            self._track = said.get("TRACK_ID", "")
        elif name == "TrackID":
            self.shown = (self.shown or set()) | {said.get("TRACK_ID", "")}
        elif name == "FilteredTracks":
            self.shown = self.shown or set()
        elif name in ("Model", "ImageData"):
            setattr(self, "model" if name == "Model" else "image", said)

    def end(self, name: str) -> None:
        if name == "Spot" and self._text is not None:
            self.spots[-1]["#text"] = "".join(self._text)
            self._text = None

    def text(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def doctype(self, *_: object) -> None:
        # Entities are the way to make a parser swell or fetch; TrackMate writes none.
        raise UnreadableError("XML with entities of its own", where=self.path, wanted="plain elements")


def _whole(path: str, said: Mapping[str, str], name: str) -> int:
    value = _real(path, said, name)
    if abs(value) > WHOLE:
        raise UnreadableError(f"an impossible number in {name}", where=path, got=said[name][:40])
    return int(value)


def _real(path: str, said: Mapping[str, str], name: str, default: float | None = None) -> float:
    try:
        value = float(said[name]) if name in said or default is None else default
    except (KeyError, ValueError) as error:
        raise UnreadableError(f"no number in {name}", where=path, got=said.get(name, "")[:40]) from error
    if not np.isfinite(value):
        raise UnreadableError(f"no finite number in {name}", where=path, got=said[name][:40])
    return value


def _parsed(path: Path) -> _Said:
    limits.present(path)
    limits.fits(path, path.stat().st_size * SWELLING)
    said = _Said(str(path))
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = said.start, said.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = said.text, said.doctype
    with limits.typed(path, "TrackMate"), path.open("rb") as file:
        try:
            parser.ParseFile(file)
        except expat.ExpatError as error:
            raise UnreadableError("not XML, or cut short", where=str(path), got=str(error)) from error
    return said


def read(
    path: str | Path, *, geometry: Geometry | None = None, length: int | None = None,
    times: tuple[float, ...] | None = None,
) -> Tracks:  # fmt: skip
    """The tracks that the file shows, numbered by their first frame; a visible spot without a track is one of its own.

    A spot with several successors ends its track, and each successor starts a child; one with several predecessors goes
    on from the first that the file names, and the others merge into it. A mother with one child alone goes on in it,
    since the format tells no difference. Outlines become masks, else radii become boxes.

    Parameters
    ----------
    path
        Of the file.
    geometry
        Of a frame; None: as the file describes its image.
    length
        Frames; None: as the file says.
    times
        Seconds of each frame; None: by the spots' times where the file counts in a unit of time.

    Raises
    ------
    UnreadableError
        Not TrackMate, damaged, cut short, with entities, or with spots and edges that contradict each other.
    GeometryError
        The file does not describe its image, and no geometry is given.
    LabelError
        A spot lies beyond the film.
    """
    path = Path(path)
    said = _parsed(path)
    sizes = _sizes(said)
    geometry = _grid(said, sizes) if geometry is None else geometry
    kept, links = _shown(said)
    frames = np.asarray([_whole(said.path, s, "FRAME") for s in kept], np.int64)
    places = np.asarray([[_real(said.path, s, f"POSITION_{a}", 0.0) for a in AXES] for s in kept]).reshape(-1, 3)
    positions = (places / sizes)[:, : geometry.ndim][:, ::-1]
    if len(frames) and not 0 <= frames.min() <= frames.max() < FRAMES:
        raise UnreadableError("a spot in an impossible frame", where=said.path, got=str(int(frames.max())),
                              wanted=f"0 to {FRAMES - 1}")
    if length is None:
        length = max(_declared(said), int(frames.max(initial=-1)) + 1)
    numbers, parents, merges = _numbered(said.path, frames, links)
    if times is None:
        times = _times(said, kept, frames, length)
    found = Tracks.of(frames, numbers, positions, geometry, length=length, times=times,
                      objects=_objects(said.path, kept, places, sizes, geometry))
    return replace(found, parents=parents, merges=merges)


def _declared(said: _Said) -> int:
    """Frames of the film as the file says, 0 where it does not."""
    return min(max(int(_real(said.path, said.image, "nframes", 0)), 0), FRAMES)


def _sizes(said: _Said) -> Array:
    """Size of a pixel along x, y and z in the file's unit."""
    names = ("pixelwidth", "pixelheight", "voxeldepth")
    sizes = np.asarray([_real(said.path, said.image, name, 1.0) for name in names])
    return np.where(sizes > 0, sizes, 1.0)


def _grid(said: _Said, sizes: Array) -> Geometry:
    shape = [int(_real(said.path, said.image, name, 0)) for name in ("nslices", "height", "width")]
    if min(shape[1:]) < 1 or max(shape) > SIDE:
        raise GeometryError("the file does not describe its image", where=said.path, wanted="<ImageData width height>",
                            remedy="Pass geometry=, or give the film beside it")
    unit = MILLIMETRES.get(said.model.get("spatialunits", "").lower())
    ndim = 3 if shape[0] > 1 else 2
    return Geometry.from_spacing(shape[-ndim:], None if unit is None else (sizes * unit)[:ndim][::-1].tolist())


def _shown(said: _Said) -> tuple[list[dict[str, str]], list[Edge]]:
    """The spots that are part of the result, and the edges between them as positions in that list."""
    edges = [e for e in said.edges if said.shown is None or e[0] in said.shown]
    hidden = {i for e in said.edges for i in e[1:]} - {i for e in edges for i in e[1:]}
    kept = [s for s in said.spots if _whole(said.path, s, "ID") not in hidden and s.get("VISIBILITY", "1") != "0"]
    kept.sort(key=lambda s: (_whole(said.path, s, "FRAME"), _whole(said.path, s, "ID")))
    place = {_whole(said.path, s, "ID"): i for i, s in enumerate(kept)}
    if len(place) < len(kept):
        raise UnreadableError("two spots have one ID", where=said.path)
    for _, a, b in edges:
        if a not in place or b not in place:
            raise UnreadableError("an edge without its spot", where=said.path, got=f"{a} to {b}")
    return kept, [(place[a], place[b]) for _, a, b in edges]


def _numbered(path: str, frames: Array, links: Sequence[Edge]) -> tuple[Array, tuple[Edge, ...], tuple[Edge, ...]]:
    """The track of each spot (spots lie by rising frame), who came from whom, and who merged into whom."""
    after: dict[int, list[int]] = {}
    before: dict[int, list[int]] = {}
    for a, b in links:
        if frames[a] == frames[b]:
            raise UnreadableError("an edge within one frame", where=path, got=f"frame {int(frames[a])}")
        a, b = (a, b) if frames[a] < frames[b] else (b, a)
        after.setdefault(a, []).append(b)
        before.setdefault(b, []).append(a)
    numbers, parents, merges = np.zeros(len(frames), np.int64), list[Edge](), list[Edge]()
    following = 1
    for i in range(len(frames)):
        main, *others = before.get(i, [-1])
        if main >= 0 and len(after[main]) == 1:
            numbers[i] = numbers[main]
        else:
            numbers[i], following = following, following + 1
            if main >= 0:
                parents.append((int(numbers[i]), int(numbers[main])))
        merges += [(int(numbers[o]), int(numbers[i])) for o in others]
    return numbers, tuple(parents), tuple(merges)


def _times(said: _Said, spots: Sequence[dict[str, str]], frames: Array, length: int) -> tuple[float, ...] | None:
    """Seconds of each frame, where the unit is one of time: those of its spots, else by the interval."""
    unit = SECONDS.get(said.model.get("timeunits", "").lower())
    if unit is None:
        return None
    step = _real(said.path, said.image, "timeinterval", 1.0)
    usual = np.arange(length) * (step if step > 0 else 1.0)
    found = usual.copy()
    for spot, t in zip(spots, frames, strict=True):
        if 0 <= t < length:
            found[t] = _real(said.path, spot, "POSITION_T", float(usual[t]))
    return tuple((unit * (found if (np.diff(found) > 0).all() else usual)).tolist())


def _objects(
    path: str, spots: Sequence[dict[str, str]], places: Array, sizes: Array, geometry: Geometry
) -> Instances | Boxes | None:
    """The masks where every spot has an outline, else boxes where every spot has a radius."""
    labels, ndim = np.zeros(len(spots), np.int64), geometry.ndim
    if spots and ndim == 2 and all("ROI_N_POINTS" in s for s in spots):
        grid = (geometry.shape[0], geometry.shape[1])
        rings = [(_outline(path, s) + p[:2]) / sizes[:2] + 0.5 for s, p in zip(spots, places, strict=True)]
        for ring in rings:
            # Filling takes memory for the box around an outline.
            limits.fits(path, 16 * int(np.prod(np.minimum(np.ptp(ring, axis=0) + 2, max(grid)))))
        crops = [filled([ring], grid) for ring in rings]
        if all(c is not None for c in crops):
            kept = [c for c in crops if c is not None]
            return Instances(np.stack([c[0] for c in kept]), tuple(c[1] for c in kept), labels, (OBJECT,), geometry)
    if not spots or not all("RADIUS" in s for s in spots):
        return None
    radii = np.asarray([_real(path, s, "RADIUS") for s in spots])[:, None] / sizes[None, :ndim]
    if not (radii > 0).all():
        return None
    middle = (places / sizes)[:, :ndim]
    edges = np.stack([middle - radii, middle + radii], axis=1)[:, :, ::-1]
    return Boxes(edges, labels, (OBJECT,), geometry)


def _outline(path: str, spot: Mapping[str, str]) -> Array:
    try:
        values = np.asarray([float(v) for v in spot["#text"].split()]).reshape(-1, 2)
    except ValueError as error:
        raise UnreadableError("an outline that is none", where=path, got=spot["#text"][:40]) from error
    if len(values) != int(_real(path, spot, "ROI_N_POINTS")) or len(values) < 3:
        raise UnreadableError("an outline of another length", where=path, got=str(len(values)),
                              wanted=spot["ROI_N_POINTS"])
    return values
