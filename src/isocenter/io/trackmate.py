"""TrackMate's XML written: spots, the edges between them, and tracks with splits and merges (Fiji; TrackMate 7).

Positions are physical: pixel index by size of a pixel, the centre of the first pixel being 0; outlines are relative to
their spot. Source: Ershov et al., Nature Methods 2022; Tinevez et al., Methods 2017.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from isocenter.data import Image, Instances, Tracks
from isocenter.data.film import intensities
from isocenter.io.annotations.polygons import outlined
from isocenter.ops.array import Array

VERSION = "7.11.1"
AXES = "XYZ"
# Feature: name, dimension, whether it is a whole number; as TrackMate declares them.
SPOT = {
    "QUALITY": ("Quality", "QUALITY", False), "POSITION_X": ("X", "POSITION", False),
    "POSITION_Y": ("Y", "POSITION", False), "POSITION_Z": ("Z", "POSITION", False),
    "POSITION_T": ("T", "TIME", False), "FRAME": ("Frame", "NONE", True), "RADIUS": ("Radius", "LENGTH", False),
    "VISIBILITY": ("Visibility", "NONE", True),
}  # fmt: skip
EDGE = {
    "SPOT_SOURCE_ID": ("Source spot ID", "NONE", True), "SPOT_TARGET_ID": ("Target spot ID", "NONE", True),
    "LINK_COST": ("Edge cost", "COST", False),
}  # fmt: skip
TRACK = {
    "TRACK_INDEX": ("Track index", "NONE", True), "TRACK_ID": ("Track ID", "NONE", True),
    "NUMBER_SPOTS": ("Number of spots in track", "NONE", True),
}  # fmt: skip
Edge = tuple[int, int]


def write(path: Path, tracks: Tracks, film: Image | None = None) -> None:
    """Writes the tracks: masks as outlines (of a flat film, the largest part, without holes), boxes as circles.

    Parameters
    ----------
    path
        Of the file.
    tracks
        In mm and seconds where the spacing and the times are known, else in pixels and frames.
    film
        Where it is given, the mean intensities of each spot are written too.
    """
    root = ElementTree.Element("TrackMate", version=VERSION)
    ElementTree.SubElement(root, "Log")
    time = "frame" if tracks.times is None else "sec"
    model = ElementTree.SubElement(root, "Model", spatialunits="mm" if tracks.unit == "mm" else "pixel", timeunits=time)
    values = intensities(tracks, film) if film is not None else np.zeros((len(tracks), 0))
    more = {f"MEAN_INTENSITY_CH{c + 1}": (f"Mean intensity ch{c + 1}", "INTENSITY", False)
            for c in range(values.shape[1])}
    _declared(model, more)
    _spots(model, tracks, dict(zip(more, values.T, strict=True)))
    _linked(model, tracks)
    _settings(root, tracks, film)
    ElementTree.SubElement(root, "GUIState", state="ConfigureViews")
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)


def _declared(model: ElementTree.Element, more: Mapping[str, tuple[str, str, bool]]) -> None:
    told = ElementTree.SubElement(model, "FeatureDeclarations")
    for kind, features in (("Spot", SPOT | dict(more)), ("Edge", EDGE), ("Track", TRACK)):
        group = ElementTree.SubElement(told, f"{kind}Features")
        for key, (name, dimension, whole) in features.items():
            ElementTree.SubElement(group, "Feature", feature=key, name=name, shortname=name, dimension=dimension,
                                   isint="true" if whole else "false")


def _spots(model: ElementTree.Element, tracks: Tracks, values: Mapping[str, Array]) -> None:
    every = ElementTree.SubElement(model, "AllSpots", nspots=str(len(tracks)))
    points, seconds, radii = tracks.points[:, ::-1], tracks.seconds, _radii(tracks)
    for t in np.unique(tracks.frames):
        group = ElementTree.SubElement(every, "SpotsInFrame", frame=str(int(t)))
        for i in np.flatnonzero(tracks.frames == t).tolist():
            place = [*points[i].tolist(), 0.0][:3]
            said = {f"POSITION_{a}": repr(float(v)) for a, v in zip(AXES, place, strict=True)}
            said |= {"POSITION_T": repr(float(seconds[i])), "FRAME": str(int(t)), "RADIUS": repr(float(radii[i]))}
            said |= {name: repr(float(v[i])) for name, v in values.items() if np.isfinite(v[i])}
            score = 1.0 if tracks.objects is None or tracks.objects.scores is None else tracks.objects.scores[i]
            spot = ElementTree.SubElement(
                group, "Spot", {"ID": str(i), "name": f"ID{i}", "QUALITY": repr(float(score)), "VISIBILITY": "1"} | said
            )
            ring = _ring(tracks, i)
            if ring is not None:
                spot.set("ROI_N_POINTS", str(len(ring)))
                spot.text = " ".join(repr(float(v)) for v in ring.ravel())


def _radii(tracks: Tracks) -> Array:
    """Of the circle, or ball, of the same size, in the unit of the points."""
    size = tracks.geometry.pixel_volume or 1.0
    if isinstance(tracks.objects, Instances):
        content = tracks.objects.areas * size
    elif tracks.objects is not None:
        content = tracks.objects.sizes.prod(axis=1) * size
    else:
        content = np.full(len(tracks), size)
    return np.asarray(np.sqrt(content / np.pi) if tracks.geometry.ndim == 2 else np.cbrt(content * 3 / (4 * np.pi)))


def _ring(tracks: Tracks, i: int) -> Array | None:
    """The outline of one mask of a flat film about its spot, x and y."""
    if not isinstance(tracks.objects, Instances) or tracks.geometry.ndim != 2:
        return None
    parts = outlined((tracks.objects.starts[i], tracks.objects.masks[i]))
    ring = max((part[0] for part in parts), key=_area)
    scale = np.asarray(tracks.geometry.spacing or (1.0, 1.0))[::-1]
    return np.asarray((ring - 0.5 - tracks.positions[i][::-1]) * scale)


def _area(ring: Array) -> float:
    x, y = ring.T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))


def _edges(tracks: Tracks) -> Iterator[Edge]:
    """Successive points of a track; then the kin: from the last of one to the first that follows of another."""
    first = np.flatnonzero(tracks.numbers[1:] == tracks.numbers[:-1])
    yield from ((int(i), int(i) + 1) for i in first)
    starts, ends = (np.searchsorted(tracks.numbers, tracks.tracks, side=s) for s in ("left", "right"))
    at = {int(n): (int(a), int(b)) for n, a, b in zip(tracks.tracks, starts, ends, strict=True)}
    yield from ((at[parent][1] - 1, at[child][0]) for child, parent in tracks.parents)
    for ended, into in tracks.merges:
        last, later = at[ended][1] - 1, np.arange(*at[into])
        later = later[tracks.frames[later] > tracks.frames[last]]
        if len(later):
            yield last, int(later[0])


def _linked(model: ElementTree.Element, tracks: Tracks) -> None:
    edges = list(_edges(tracks))
    every = ElementTree.SubElement(model, "AllTracks")
    shown = ElementTree.SubElement(model, "FilteredTracks")
    if not edges:
        return
    lines = _lines(edges, len(tracks))
    groups: dict[int, list[Edge]] = {}
    for a, b in edges:
        groups.setdefault(int(lines[a]), []).append((a, b))
    for k, (line, group) in enumerate(groups.items()):
        track = ElementTree.SubElement(every, "Track", name=f"Track_{k}", TRACK_ID=str(k), TRACK_INDEX=str(k),
                                       NUMBER_SPOTS=str(int((lines == line).sum())))
        for a, b in group:
            ElementTree.SubElement(track, "Edge", SPOT_SOURCE_ID=str(a), SPOT_TARGET_ID=str(b), LINK_COST="-1.0")
        ElementTree.SubElement(shown, "TrackID", TRACK_ID=str(k))


def _lines(edges: Sequence[Edge], n: int) -> Array:
    """What is joined by edges, however far: the number of its group for each spot."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, columns = np.asarray(edges).T
    return np.asarray(connected_components(coo_array((np.ones(len(rows)), (rows, columns)), (n, n)), directed=False)[1])


def _settings(root: ElementTree.Element, tracks: Tracks, film: Image | None) -> None:
    shape, spacing = tracks.geometry.shape, tracks.geometry.spacing or (1.0,) * tracks.geometry.ndim
    deep = tracks.geometry.ndim == 3
    step = float(np.median(np.diff(tracks.times))) if tracks.times is not None and tracks.length > 1 else 1.0
    settings = ElementTree.SubElement(root, "Settings")
    # Nothing was filtered out; programs that read the file expect to be told.
    ElementTree.SubElement(settings, "InitialSpotFilter", feature="QUALITY", value="0.0", isabove="true")
    ElementTree.SubElement(settings, "SpotFilterCollection")
    ElementTree.SubElement(settings, "TrackFilterCollection")
    # The film's name says what it is about; where it lies is nobody's business.
    ElementTree.SubElement(
        settings, "ImageData", filename=Path(film.name).name if film is not None and film.source.files else "",
        folder="", width=str(shape[-1]), height=str(shape[-2]), nslices=str(shape[0] if deep else 1),
        nframes=str(tracks.length), pixelwidth=repr(float(spacing[-1])), pixelheight=repr(float(spacing[-2])),
        voxeldepth=repr(float(spacing[0] if deep else 1.0)), timeinterval=repr(step),
    )
