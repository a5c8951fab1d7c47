"""Many images placed at once from what each two of them share: least squares over the whole graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.transforms import apply_matrix

KINDS = ("translation", "rigid", "similarity", "affine")
ROUNDS = 30


@dataclass(frozen=True, eq=False)
class Tie:
    """Points of two images that are the same.

    Parameters
    ----------
    first, second
        Numbers of the images.
    here, there
        float64 (n, w): the points in the coordinates of the first and of the second.
    weight
        Of each pair of points, > 0.
    """

    first: int
    second: int
    here: Array
    there: Array
    weight: float = 1.0


def generators(kind: str, rank: int) -> Array:
    """float64 (p, w + 1, w + 1): the small changes that a kind of map may make to a point (x, y[, z], 1).

    >>> [len(generators(kind, 2)) for kind in KINDS], [len(generators(kind, 3)) for kind in KINDS]
    ([2, 3, 4, 6], [3, 6, 7, 12])
    """
    found = []
    for axis in range(rank):
        found.append(_unit(rank, (axis, rank)))
    pairs = [(a, b) for a in range(rank) for b in range(a + 1, rank)]
    if kind in ("rigid", "similarity"):
        found += [_unit(rank, (b, a)) - _unit(rank, (a, b)) for a, b in pairs]
    if kind == "similarity":
        found.append(sum((_unit(rank, (a, a)) for a in range(rank)), np.zeros((rank + 1, rank + 1))))
    if kind == "affine":
        found += [_unit(rank, (a, b)) for a in range(rank) for b in range(rank)]
    return np.stack(found)


def _unit(rank: int, at: tuple[int, int]) -> Array:
    out = np.zeros((rank + 1, rank + 1))
    out[at] = 1.0
    return out


def changed(change: Array, basis: Array) -> Array:
    """The map (w + 1, w + 1) of a change (p,) along the generators: their exponential, so that a turn stays a turn."""
    from scipy.linalg import expm

    return np.asarray(expm(np.tensordot(change, basis, 1)))


def adjusted(ties: Sequence[Tie], start: Array, *, kind: str, fixed: int) -> Array:
    """The maps from each image to common coordinates under which tied points lie nearest to each other.

    Gauss and Newton's method over all maps at once (bundle adjustment: Triggs et al., LNCS 1883 (2000) 298; of
    mosaics: Brown and Lowe, IJCV 74 (2007) 59). Errors are measured in common coordinates; `fixed` keeps its map, so
    that nothing shrinks.

    Parameters
    ----------
    ties
        Of images that are joined to `fixed`, directly or over others.
    start
        float64 (n, w + 1, w + 1): first guess of each image's map.
    kind
        One of `KINDS`.
    fixed
        Number of the image that stays.

    Returns
    -------
    float64 (n, w + 1, w + 1); images without a tie keep `start`.
    """
    maps = np.array(start, float)
    rank = maps.shape[1] - 1
    used = sorted({i for t in ties for i in (t.first, t.second)} - {fixed})
    if not used:
        return maps
    scale = max(float(np.ptp(np.concatenate([t.here for t in ties]), axis=0).max()), 1e-9)
    # Turns are in units in which the images are as large as 1, shifts as well: one matrix holds both.
    units = np.eye(rank + 1)
    units[:rank, :rank] /= scale
    maps = units @ maps @ np.linalg.inv(units)
    scaled = [Tie(t.first, t.second, t.here / scale, t.there / scale, t.weight) for t in ties]
    basis, place = generators(kind, rank), {image: k for k, image in enumerate(used)}
    for _ in range(ROUNDS):
        step = _step(scaled, maps, basis, place).reshape(len(used), -1)
        for image, k in place.items():
            maps[image] = changed(step[k], basis) @ maps[image]
        if np.abs(step).max() < 1e-10:
            break
    return np.asarray(np.linalg.inv(units) @ maps @ units)


def _step(ties: Sequence[Tie], maps: Array, basis: Array, place: dict[int, int]) -> Array:
    p = len(basis)
    normal, right = np.zeros((len(place) * p,) * 2), np.zeros(len(place) * p)
    for tie in ties:
        sides = [apply_matrix(maps[i], x) for i, x in ((tie.first, tie.here), (tie.second, tie.there))]
        error = (sides[0] - sides[1]).ravel()
        parts = [(place[i], sign * _slopes(x, basis)) for i, x, sign in
                 ((tie.first, sides[0], 1.0), (tie.second, sides[1], -1.0)) if i in place]  # fmt: skip
        for i, a in parts:
            right[i * p : (i + 1) * p] -= tie.weight * a.T @ error
            for j, b in parts:
                normal[i * p : (i + 1) * p, j * p : (j + 1) * p] += tie.weight * a.T @ b
    return np.asarray(np.linalg.lstsq(normal, right, rcond=1e-12)[0])


def _slopes(points: Array, basis: Array) -> Array:
    """float64 (n * w, p): how each coordinate of a point answers to each change."""
    rank = points.shape[1]
    one = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    return np.asarray(np.einsum("kab,nb->nak", basis[:, :rank], one).reshape(-1, len(basis)))


def residuals(ties: Sequence[Tie], maps: Array) -> Array:
    """float64 (ties,): root mean square distance of each tie's points in common coordinates."""
    away = [apply_matrix(maps[t.first], t.here) - apply_matrix(maps[t.second], t.there) for t in ties]
    return np.array([float(np.sqrt((a**2).sum(axis=1).mean())) for a in away])


def reached(pairs: Sequence[tuple[int, int]], start: int) -> set[int]:
    """The images that can be reached from one over pairs, itself included.

    >>> sorted(reached([(0, 1), (2, 1), (3, 4)], 2))
    [0, 1, 2]
    """
    found, open_ = {start}, [start]
    while open_:
        at = open_.pop()
        new = {b if a == at else a for a, b in pairs if at in (a, b)} - found
        found |= new
        open_ += sorted(new)
    return found


def chained(pairs: Sequence[tuple[int, int]], maps: Sequence[Array], *, fixed: int, images: int) -> Array:
    """First guesses for `adjusted`: maps of pairs, the surest first, put one after the other from `fixed` on.

    Parameters
    ----------
    pairs
        (first, second) by falling sureness.
    maps
        (w + 1, w + 1) from the first image's coordinates to the second's, one a pair.
    fixed, images
        The image that stays, and how many there are.

    Returns
    -------
    float64 (images, w + 1, w + 1); the identity for what is not reached.
    """
    out = np.stack([np.eye(len(maps[0]))] * images)
    done = {fixed}
    while True:
        # Prim's tree: of the pairs that lead out of what is placed, the surest.
        found = next((k for k, (a, b) in enumerate(pairs) if (a in done) != (b in done)), None)
        if found is None:
            return out
        a, b = pairs[found]
        if a in done:
            out[b] = out[a] @ np.linalg.inv(maps[found])
        else:
            out[a] = out[b] @ maps[found]
        done |= {a, b}
