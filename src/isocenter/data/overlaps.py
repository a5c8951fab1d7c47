"""Which of several images show part of the same, and how one lies to the other: pairs found, made exact, and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import ndimage

from isocenter.data.image import Image
from isocenter.data.plane import coordinates, placed
from isocenter.errors import GeometryError
from isocenter.ops.adjustment import Tie
from isocenter.ops.array import Array
from isocenter.ops.consensus import agreed
from isocenter.ops.exposure import Shared
from isocenter.ops.keypoints import KeyPoints, apart, evened, found, likeness, matched
from isocenter.ops.offset import offset
from isocenter.ops.polishing import polished
from isocenter.ops.resample import resize
from isocenter.ops.transforms import apply_matrix
from isocenter.ops.warping import grid_points, sampled

# Longest side in pixels at which flat images, and volumes, are compared; at which every shift is tried.
SIDES, TRIED = {2: 1200, 3: 256}, {2: 192, 3: 64}
# Side at which key points are looked for, and as in register/landmarks: the ratio test, the width of agreement in
# diagonals, and log10 of the maps that chance may give.
SIDE, RATIO, WIDTH, CHANCE = 640, 0.85, 0.004, -3.0
# Least correlation of an overlap that is believed; and, where correlation alone speaks, least product of its Fisher's z
# and the root of the share that overlaps: a corner is alike by chance.
ALIKE, ALONE = 0.5, 0.4
# Spreads in pixels of the Gaussians under which a pair is made exact; key points need no first one. Of volumes a few
# slices overlap, which a wide one would mix with what is not there.
SMOOTHED = {2: (8.0, 4.0, 1.5), 3: (4.0, 1.5, 0.7)}
# How far in mm a header may be wrong.
REACH = 30.0
# Points an axis at which two images are tied.
KNOTS = 6
# Pixels across of which one value is the mean by which exposures are compared, and the fewest such values.
BROAD, FEWEST = 4, 50


@dataclass(frozen=True, eq=False)
class Tile:
    """One image as it is compared.

    Parameters
    ----------
    image
        The image itself, unread.
    grey
        float32 (*grid): the mean of its channels, of a flat image evened out; perhaps smaller than the image.
    points
        Key points on the image's own grid; None for a volume.
    broad
        float32 (c, *coarse): its channels as means over some pixels, by which exposures are compared.
    clipped
        bool (c, *coarse): where one of these pixels is at an end of its type's range, or not finite.
    """

    image: Image
    grey: Array
    points: KeyPoints | None
    broad: Array
    clipped: Array

    @property
    def spacing(self) -> Array:
        """Length (axes,) of a pixel of `grey`, in mm or in the image's own pixels."""
        return _grid(self.image, self.grey.shape)[0]

    @property
    def corner(self) -> Array:
        """Coordinates (x, y[, z]) of pixel 0 of `grey`."""
        return _grid(self.image, self.grey.shape)[1][::-1]

    @property
    def extent(self) -> Array:
        """float64 (2, axes): coordinates of the centres of the first and of the last pixel."""
        ends = np.array([[0] * self.image.ndim, [n - 1 for n in self.image.geometry.shape]])
        return coordinates(self.image.geometry, ends)


@dataclass(frozen=True, eq=False)
class Overlap:
    """Two images that show part of the same.

    Parameters
    ----------
    first, second
        Their numbers.
    matrix
        (w + 1, w + 1) from the coordinates of the first to those of the second: lengths along their own axes
        (x, y[, z]), mm or pixels.
    how
        ``"key points"``, ``"correlation"`` or ``"headers"``: what brought them near each other.
    pairs
        Key points that agree; 0 without.
    likeness
        Correlation coefficient of what overlaps.
    share
        Of the first image that overlaps.
    residual
        Root mean square distance, in mm or pixels, by which the places of all images together differ from `matrix`.
    steps
        Difference of brightness in the overlap as a share of its mean: as the files are, and as they were joined.
    used
        False where it contradicted the others and was left out.
    """

    first: int
    second: int
    matrix: Array
    how: str
    pairs: int
    likeness: float
    share: float
    residual: float = 0.0
    steps: tuple[float, float] = (0.0, 0.0)
    used: bool = True


def tile(image: Image) -> Tile:
    """An image read and made ready to be compared; NaN becomes its lowest value."""
    values = image.channels_first()
    means = _means(values)
    kept = [i for i in range(len(values)) if not image.channels or image.channels[i] != "alpha"] or [0]
    grey = values[kept].mean(axis=0, dtype=np.float32)
    finite = np.isfinite(grey)
    if not finite.all():
        grey = np.where(finite, grey, grey[finite].min(initial=0.0))
    if image.ndim == 3:
        low, high = np.quantile(grey.ravel()[:: max(1, grey.size // 100_000)], (0.005, 0.995))
        return Tile(image, _smaller(np.clip(grey, low, high), SIDES[3]), None, *means)
    even = evened(grey)
    return Tile(image, _smaller(even, SIDES[2]), found(even, "sift", side=SIDE), *means)


def _means(values: Array) -> tuple[Array, Array]:
    """`Tile.broad` and `Tile.clipped`."""
    kind, shape = values.dtype, [max(round(n / BROAD), 1) for n in values.shape[1:]]
    lost = ~np.isfinite(values)
    if kind.kind in "ui":
        ends = np.iinfo(kind)
        lost = (values <= ends.min) | (values >= ends.max)
    known = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    # Smooth, so that values between two of them are as spread as they are.
    smooth = ndimage.gaussian_filter(resize(known, shape), (0, *[1.0] * len(shape)), mode="nearest")
    return smooth, resize(lost.astype(np.float32), shape) > 0


def _smaller(grey: Array, side: int) -> Array:
    factor = max(grey.shape) / side
    if factor <= 1:
        return np.asarray(grey, np.float32)
    return np.asarray(resize(grey[None], [max(round(n / factor), 1) for n in grey.shape])[0])


def overlaps(tiles: Sequence[Tile], *, kind: str, headers: bool) -> list[Overlap]:
    """Every pair that shows part of the same.

    Parameters
    ----------
    tiles
        Of one rank.
    kind
        One of `isocenter.ops.adjustment.KINDS`.
    headers
        Whether the positions in the headers are right to about 3 cm; else nothing is known of where images lie.
    """
    pairs = list(combinations(range(len(tiles)), 2))
    if headers:
        return [o for a, b in pairs if (o := _by_headers(tiles, a, b, kind)) is not None]
    near = [o for a, b in pairs if (o := _by_points(tiles, a, b, kind)) is not None]
    joined = {i for o in near for i in (o.first, o.second)}
    # Shifts are tried for what no key point joins alone: they cost more and prove less.
    rest = [p for p in pairs if not set(p) <= joined]
    return sorted(near + [o for a, b in rest if (o := _by_shifts(tiles, a, b, kind)) is not None],
                  key=lambda o: (o.first, o.second))  # fmt: skip


def _by_points(tiles: Sequence[Tile], a: int, b: int, kind: str) -> Overlap | None:
    first, second = tiles[a], tiles[b]
    if first.points is None or second.points is None:
        return None
    pairs = matched(likeness(first.points, second.points), RATIO)
    sides = first.points.at[pairs[:, 0]], second.points.at[pairs[:, 1]]
    kept = apart(*sides)
    source, target = (coordinates(t.image.geometry, at[kept]) for t, at in zip((first, second), sides, strict=True))
    grid = second.image.geometry
    area = float(np.prod(np.ptp(second.extent, axis=0)))
    most = agreed(source, target, kind, threshold=WIDTH * grid.diagonal, area=area)
    if most is None or most.chance > CHANCE:
        return None
    near = Overlap(a, b, most.matrix, "key points", int(most.inliers.sum()), 0.0, 0.0)
    return _exact(tiles, near, kind)


def _by_shifts(tiles: Sequence[Tile], a: int, b: int, kind: str) -> Overlap | None:
    return _shifted(tiles, a, b, kind, start=None)


def _by_headers(tiles: Sequence[Tile], a: int, b: int, kind: str) -> Overlap | None:
    first, second = tiles[a], tiles[b]
    start = np.linalg.inv(placed(second.image.geometry)) @ placed(first.image.geometry)
    # Of slices in space what lies in their plane.
    kept = [*range(first.image.ndim), len(start) - 1]
    start = start[np.ix_(kept, kept)]
    if np.abs(start[:-1, :-1] - np.eye(len(start) - 1)).max() > 1e-3:
        raise GeometryError(
            "the axes of two tiles run in different directions", where=second.image.name,
            got=str(second.image.geometry.orientation),
            wanted=f"{first.image.geometry.orientation}, as {first.image.name}",
            remedy="Resample them to one orientation, or join them by content (headers=False)",
        )  # fmt: skip
    moved = apply_matrix(start, first.extent)
    gap = np.maximum(moved[0] - second.extent[1], second.extent[0] - moved[1])
    return None if (gap > REACH).any() else _shifted(tiles, a, b, kind, start=start)


def _shifted(tiles: Sequence[Tile], a: int, b: int, kind: str, *, start: Array | None) -> Overlap | None:
    """By the best of all shifts, of a header only near it; both are looked at on coarse grids of one spacing."""
    first, second = tiles[a], tiles[b]
    rank = first.image.ndim
    step = np.maximum(first.spacing, second.spacing)
    longest = max(float((t.spacing * t.grey.shape / step).max()) for t in (first, second))
    step = step * max(longest / TRIED[rank], 1.0)
    grids = [resize(t.grey[None], np.maximum(np.round(t.spacing * t.grey.shape / step), 1).astype(int))[0]
             for t in (first, second)]  # fmt: skip
    near = None if start is None else -start[:-1, -1][::-1] / step
    best = offset(*grids, near=near, reach=np.inf if near is None else float(np.max(REACH / step)))
    if best is None:
        return None
    # A coarse pixel j lies at (j + 1/2) step - 1/2 own pixel; both images' halves cancel but for their own pixels.
    own = [np.asarray(t.image.geometry.spacing or (1.0,) * rank) for t in (first, second)]
    matrix = np.eye(rank + 1)
    matrix[:rank, rank] = (-best.shift * step + 0.5 * (own[0] - own[1]))[::-1]
    how = "correlation" if start is None else "headers"
    coarse = Overlap(a, b, matrix, how, 0, best.likeness, best.share)
    return _exact(tiles, coarse, kind)


def _exact(tiles: Sequence[Tile], near: Overlap, kind: str) -> Overlap | None:
    """The pair made exact from its pixels, coarse to fine; None where it is not alike enough to be believed."""
    first, second = tiles[near.first], tiles[near.second]
    rank = first.image.ndim
    here, there = np.eye(rank + 1), np.eye(rank + 1)
    here[:rank, rank], there[:rank, rank] = first.corner, second.corner
    matrix = np.linalg.inv(there) @ near.matrix @ here
    best, spacing = None, (first.spacing, second.spacing)
    for sigma in SMOOTHED[rank][near.how == "key points" :]:
        refined = polished(first.grey, second.grey, matrix, kind=kind, spacing=spacing, sigma=sigma)
        if refined is None:
            continue
        best, matrix = refined, refined.matrix
    if best is None or best.likeness < ALIKE:
        return None
    if near.how == "correlation" and np.arctanh(min(best.likeness, 0.999)) * np.sqrt(best.share) < ALONE:
        return None
    return replace(near, matrix=there @ matrix @ np.linalg.inv(here), likeness=best.likeness, share=best.share)


def tied(tiles: Sequence[Tile], found: Overlap) -> Tie | None:
    """Points evenly over the overlap in the coordinates of both, weighed by the evidence; None where none is inside."""
    first, second = tiles[found.first], tiles[found.second]
    rank = first.image.ndim
    low, high = first.extent
    back = apply_matrix(np.linalg.inv(found.matrix), _corners(*second.extent))
    low, high = np.maximum(low, back.min(axis=0)), np.minimum(high, back.max(axis=0))
    if (high <= low).any():
        return None
    axes = [np.linspace(a, b, KNOTS) for a, b in zip(low, high, strict=True)]
    here = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, rank)
    there = apply_matrix(found.matrix, here)
    inside = ((there >= second.extent[0] - 1e-6) & (there <= second.extent[1] + 1e-6)).all(axis=1)
    weight = max(found.share, 1e-3) * float(np.arctanh(np.clip(found.likeness, 0.1, 0.99)))
    return Tie(found.first, found.second, here[inside], there[inside], weight) if inside.any() else None


def shared(tiles: Sequence[Tile], found: Overlap) -> Shared | None:
    """Values of both images at the same places; None where there are too few."""
    first, second = tiles[found.first], tiles[found.second]
    (step, corner), (other_step, other) = (_grid(t.image, t.broad.shape[1:]) for t in (first, second))
    at = grid_points(first.broad.shape[1:]).reshape(-1, first.image.ndim)
    places = (apply_matrix(found.matrix, (at * step + corner)[:, ::-1])[:, ::-1] - other) / other_step
    inside = ((places >= 0) & (places <= np.asarray(second.broad.shape[1:]) - 1)).all(axis=1)
    if inside.sum() < FEWEST:
        return None
    here, there = first.broad[:, *at[inside].astype(int).T].T, sampled(second.broad, places[inside], outside=None).T
    lost = first.clipped[:, *at[inside].astype(int).T].T | sampled(second.clipped, places[inside], order=0).T
    return Shared(found.first, found.second, here.astype(float), there.astype(float), ~lost)


def _grid(image: Image, shape: Sequence[int]) -> tuple[Array, Array]:
    """Length of a pixel (axes,) of another grid over the same box, and where its pixel 0 lies, in array order."""
    own = np.asarray(image.geometry.spacing or (1.0,) * image.ndim)
    spacing = own * np.asarray(image.geometry.shape) / np.asarray(shape)
    return spacing, 0.5 * (spacing - own)


def _corners(low: Array, high: Array) -> Array:
    return np.stack(np.meshgrid(*np.stack([low, high], 1), indexing="ij"), -1).reshape(-1, len(low))
