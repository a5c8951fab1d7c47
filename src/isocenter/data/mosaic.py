"""Overlapping images joined into one panorama: placed all at once, exposures matched, seams blended, geometry kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocenter.data.findings.transform import Linear, Transform
from isocenter.data.geometry import Geometry
from isocenter.data.image import Image
from isocenter.data.overlaps import Overlap, Tile, overlaps, shared, tied, tile
from isocenter.data.plane import between, coordinates
from isocenter.data.protocols import Progress
from isocenter.errors import GeometryError, InputError, ResourceError
from isocenter.ops.adjustment import KINDS, Tie, adjusted, chained, reached, residuals
from isocenter.ops.array import Array
from isocenter.ops.blending import BLENDS, Piece, blended, inside
from isocenter.ops.exposure import Exposures, exposures, steps
from isocenter.ops.transforms import apply_matrix
from isocenter.ops.warping import grid_points, sampled

# A pair contradicts the others when its residual is beyond so many medians of all, and beyond so many pixels.
FAR, PIXELS = 5.0, 1.5
# Share of a pixel that a tile may lose at the edge: no row is added for a hundredth of one.
TRIMMED = 0.25
# A panorama many times larger than its tiles is a wild placement, not a picture.
LARGEST = 30
# Value of what no image shows: air in HU, else 0.
AIR = {"HU": -1000.0}
# Units in which values mean something by themselves: no exposure is matched.
MEASURED = ("HU", "SUV")


@dataclass(frozen=True, eq=False)
class Mosaic:
    """A panorama and how it was made.

    Parameters
    ----------
    panorama
        The image, on the anchor's axes and spacing.
    transforms
        From the panorama's world to each tile's, in the order of the tiles; None for a tile that matched no other.
    overlaps
        Every pair that was found, the contradicting ones included.
    exposures
        By tile and channel.
    anchor
        Number of the tile whose grid the panorama continues.
    """

    panorama: Image
    transforms: tuple[Transform | None, ...]
    overlaps: tuple[Overlap, ...]
    exposures: Exposures
    anchor: int


def mosaic(
    images: Sequence[Image], *, kind: str | None = None, headers: bool | None = None, exposure: str = "auto",
    blend: str = "bands", report: Callable[[Progress], None] = lambda progress: None,
) -> Mosaic:
    """Joins overlapping images; their order does not matter.

    Pairs are found by key points, else by correlation at every shift; made exact from their pixels; placed together by
    least squares over all overlaps, in which a pair that contradicts the others is left out.

    Parameters
    ----------
    images
        Two or more of one rank, with the same channels and type.
    kind
        How one tile may lie to another: one of `isocenter.ops.adjustment.KINDS`; None: rigid in the plane, a
        translation in space.
    headers
        Whether the positions in the headers are right to 3 cm; None: for volumes that lie in different places.
    exposure
        ``"auto"`` (gains, and offsets where they are needed; none for HU and SUV), ``"gain"``, ``"offset"`` (both) or
        ``"none"``.
    blend
        One of `isocenter.ops.blending.BLENDS`.

    Raises
    ------
    InputError
        One image alone, films, different ranks, channels or types; or no two show the same.
    GeometryError
        Some spacings are known and some are not, or positions contradict each other.
    ResourceError
        The panorama would be many times larger than its tiles.
    """
    if kind not in (None, *KINDS) or exposure not in ("auto", "gain", "offset", "none") or blend not in BLENDS:
        raise InputError("not a way to join images", got=f"{kind}, {exposure}, {blend}",
                         wanted=f"{', '.join(KINDS)}; auto, gain, offset, none; {', '.join(BLENDS)}")
    agreeing(images)
    rank = images[0].ndim
    if headers and images[0].geometry.affine is None:
        raise GeometryError("headers without a spacing say no positions", where=images[0].name,
                            remedy="State the spacing, or start from the content")
    kind = kind or ("rigid" if rank == 2 else "translation")
    tiles = []
    for i, image in enumerate(images):
        report(Progress("reading tiles", i / len(images)))
        tiles.append(tile(image))
    report(Progress("matching", 0.0))
    found = overlaps(tiles, kind=kind, headers=_stand_apart(images) if headers is None else headers)
    found, anchor, maps, placed = _placed(tiles, found, kind)
    grid, corner = _canvas(images, maps, anchor=anchor, placed=placed)
    transforms = tuple(
        between(Linear(np.linalg.inv(m) @ corner), grid, im.geometry, {}) if i in placed else None
        for i, (m, im) in enumerate(zip(maps, images, strict=True))
    )
    report(Progress("matching exposures", 0.5))
    joined = _exposed(tiles, found, exposure)
    found = [replace(o, steps=joined[1].get((o.first, o.second), (0.0, 0.0))) for o in found]
    report(Progress("blending", 0.7))
    panorama = _laid(images, transforms, joined[0], grid=grid, anchor=anchor, blend=blend)
    report(Progress("blending", 1.0))
    return Mosaic(panorama, transforms, tuple(found), joined[0], anchor)


def agreeing(images: Sequence[Image]) -> None:
    """Refuses what cannot be joined; the errors of `mosaic`."""
    if len(images) < 2:
        raise InputError("one image is no mosaic", got=f"{len(images)} image{'s' * (not images)}",
                         wanted="two or more that overlap")
    first = images[0]
    for image in images:
        image.still()
        for what, a, b in (
            ("axes", image.axes, first.axes), ("channels", image.length("c"), first.length("c")),
            ("channel names", image.channels, first.channels), ("pixel type", image.dtype, first.dtype),
            ("unit", image.unit, first.unit),
        ):  # fmt: skip
            if a != b:
                raise InputError(f"the images differ in {what}", where=image.name, got=str(a),
                                 wanted=f"{b}, as {first.name}", remedy="Convert them to one first")
        if image.geometry.unit != first.geometry.unit:
            raise GeometryError("the spacing of some images is known and of others not", where=image.name,
                                got=image.geometry.unit, wanted=f"{first.geometry.unit}, as {first.name}",
                                remedy="State it with spacing=")


def _stand_apart(images: Sequence[Image]) -> bool:
    """Whether volumes say where they lie: at least two in different places."""
    if images[0].ndim < 3 or images[0].geometry.affine is None:
        return False
    corners = np.array([i.geometry.to_world(np.zeros((1, 3)))[0] for i in images])
    return bool(np.ptp(corners, axis=0).max() > 1e-3)


def _placed(tiles: Sequence[Tile], found: list[Overlap], kind: str) -> tuple[list[Overlap], int, Array, set[int]]:
    """Overlaps with their residuals, the anchor, each tile's map to the anchor's coordinates, and who has one."""
    ties = {(o.first, o.second): t for o in found if (t := tied(tiles, o)) is not None}
    found = [o for o in found if (o.first, o.second) in ties]
    if not found:
        raise InputError(
            "no two of the images show the same", got=f"{len(tiles)} images, none like another in any overlap",
            wanted="overlaps of a tenth or more with something to be seen in them",
        )  # fmt: skip
    pixel = float(np.median([t.spacing.max() for t in tiles]))
    used = sorted(found, key=lambda o: (-o.pairs, -o.likeness * o.share**0.5))
    while True:
        anchor, group = _middle(used, len(tiles))
        inside = [o for o in used if o.first in group]
        held = [ties[o.first, o.second] for o in inside]
        start = chained([(o.first, o.second) for o in inside], [o.matrix for o in inside], fixed=anchor,
                        images=len(tiles))  # fmt: skip
        maps = _agreed(held, start, kind=kind, fixed=anchor, pixel=pixel)
        away = residuals(held, maps)
        worst = int(away.argmax())
        if away[worst] <= max(PIXELS * pixel, FAR * float(np.median(away))):
            break
        used.remove(inside[worst])
    # Without those that contradict, all count by their evidence again.
    maps = adjusted(held, maps, kind=kind, fixed=anchor)
    away = residuals(held, maps)
    lengths = {(o.first, o.second): float(r) for o, r in zip(inside, away, strict=True)}
    told = [replace(o, residual=lengths.get((o.first, o.second), _apart(ties[o.first, o.second], maps, group)),
                    used=o in used) for o in found]  # fmt: skip
    return told, anchor, maps, group


def _agreed(ties: Sequence[Tie], start: Array, *, kind: str, fixed: int, pixel: float) -> Array:
    """Maps that most ties agree on: those far off count ever less (Geman and McClure's weights, annealed)."""
    maps = adjusted(ties, start, kind=kind, fixed=fixed)
    away = residuals(ties, maps)
    width = float(away.max())
    while width > PIXELS * pixel:
        width = max(width / 2, PIXELS * pixel)
        weighed = [replace(t, weight=t.weight / (1 + (r / width) ** 2) ** 2) for t, r in zip(ties, away, strict=True)]
        maps = adjusted(weighed, maps, kind=kind, fixed=fixed)
        away = residuals(ties, maps)
    return maps


def _apart(tie: Tie, maps: Array, group: set[int]) -> float:
    return float(residuals([tie], maps)[0]) if {tie.first, tie.second} <= group else 0.0


def _middle(found: Sequence[Overlap], images: int) -> tuple[int, set[int]]:
    """The tile with the most neighbours in the largest group, and that group."""
    pairs = [(o.first, o.second) for o in found]
    groups = [reached(pairs, i) for i in range(images)]
    share = [sum(o.share for o in found if i in (o.first, o.second)) for i in range(images)]
    anchor = max(range(images), key=lambda i: (len(groups[i]), share[i], -i))
    return anchor, groups[anchor]


def _canvas(images: Sequence[Image], maps: Array, *, anchor: int, placed: set[int]) -> tuple[Geometry, Array]:
    """The anchor's grid, grown over all placed tiles, and the map from its own coordinates to the anchor's."""
    own = images[anchor].geometry
    spacing = np.asarray(own.spacing or (1.0,) * own.ndim)
    ends = []
    for i in placed:
        shape = np.asarray(images[i].geometry.shape)
        corners = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in shape], indexing="ij"), -1).reshape(-1, own.ndim)
        ends.append(apply_matrix(maps[i], coordinates(images[i].geometry, corners))[:, ::-1] / spacing)
    every = np.concatenate(ends)
    low = np.floor(every.min(axis=0) + 0.5 + TRIMMED).astype(int)
    shape = np.maximum(np.ceil(every.max(axis=0) + 0.5 - TRIMMED).astype(int) - low, 1)
    pixels = sum(float(np.prod(images[i].geometry.shape)) for i in placed)
    if float(np.prod(shape.astype(float))) > LARGEST * pixels:
        raise ResourceError("the panorama would be many times larger than its tiles", got=" x ".join(map(str, shape)),
                            wanted=f"at most {LARGEST} times their pixels", remedy="Leave out what does not belong")
    corner = np.eye(own.ndim + 1)
    corner[:-1, -1] = (low * spacing)[::-1]
    return own.cropped(low.tolist(), shape.tolist()), corner


def _exposed(
    tiles: Sequence[Tile], found: Sequence[Overlap], exposure: str
) -> tuple[Exposures, dict[tuple[int, int], tuple[float, float]]]:
    """Exposures of all tiles, and the steps of each pair before and after."""
    seen = [s for o in found if o.used and (s := shared(tiles, o)) is not None]
    plain = exposures([], len(tiles), channels=len(tiles[0].broad))
    wanted = "none" if exposure == "auto" and tiles[0].image.unit in MEASURED else exposure
    by = plain
    if wanted != "none" and seen:
        by = exposures(seen, len(tiles), offset={"auto": None, "gain": False, "offset": True}[wanted])
    return by, {(s.first, s.second): (steps(s, plain), steps(s, by)) for s in seen}


def _laid(
    images: Sequence[Image], transforms: Sequence[Transform | None], by: Exposures, *, grid: Geometry, anchor: int,
    blend: str,
) -> Image:
    """The panorama in the tiles' own pixel type."""
    model = images[anchor]
    channels = model.length("c")

    def pieces() -> Iterator[Piece]:
        for i, (image, transform) in enumerate(zip(images, transforms, strict=True)):
            if transform is not None:
                yield _piece(image, transform, by.gains[i], by.offsets[i])

    laid, covered = blended(pieces(), grid.shape, channels=channels, how=blend)
    kind = np.dtype(model.dtype)
    laid[:, ~covered] = AIR.get(model.unit, 0.0)
    if kind.kind in "ui":
        ends = np.iinfo(kind)
        laid = np.clip(np.rint(laid), ends.min, ends.max)
    out = laid.astype(kind) if "c" in model.axes else laid[0].astype(kind)
    return model.replaced(lambda: out, shape=out.shape, geometry=grid, source=replace(model.source, files=()))


def _piece(image: Image, transform: Transform, gain: Array, added: Array) -> Piece:
    """A tile on its part of the panorama's grid."""
    grid = transform.fixed
    shape = np.asarray(image.geometry.shape)
    corners = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in shape], indexing="ij"), -1).reshape(-1, image.ndim)
    ends = transform.inverse().indices(corners)
    low = np.clip(np.floor(ends.min(axis=0)), 0, np.asarray(grid.shape) - 1).astype(int)
    high = np.clip(np.ceil(ends.max(axis=0)) + 1, low + 1, grid.shape).astype(int)
    at = grid_points(tuple(high - low)) + low
    places = transform.indices(at.reshape(-1, image.ndim)).reshape(at.shape)
    values = image.channels_first().astype(np.float32)
    finite = np.asarray(np.isfinite(values).all(axis=0))
    weights = inside(places, image.geometry.shape)
    if not finite.all():
        weights = weights * (sampled(finite.astype(np.float32), places) > 0.999)
        values[:, ~finite] = 0.0
    spread = (-1, *[1] * image.ndim)
    seen = sampled(values, places, outside=None) * gain.reshape(spread) + added.reshape(spread)
    return Piece(tuple(int(v) for v in low), seen.astype(np.float32), weights)
