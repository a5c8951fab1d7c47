"""A film of objects that wander, divide and are now and then missed: points with boxes, and pixels where asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import Boxes, Geometry, Image, Instances, Tracks
from isocenter.ops.array import Array
from isocenter.simulate.noise import smooth

# Of the velocity of one frame, how much is that of the frame before.
PERSISTENCE = 0.8
# Radii in pixels; how far the daughters start from the mother's place, in her radii.
RADII, APART = (5.0, 8.0), 0.8


@dataclass(frozen=True)
class Course:
    """What happens in a film.

    Parameters
    ----------
    objects, frames
        How many at first; how long.
    step
        Root mean square step from frame to frame along each axis, in pixels.
    dropped
        Share of points that are missed, at random.
    dividing
        Share of the first objects that divide once.
    """

    objects: int = 1000
    frames: int = 50
    step: float = 3.0
    dropped: float = 0.0
    dividing: float = 0.0


def film(shape: Sequence[int], rng: np.random.Generator, course: Course = Course()) -> Tracks:
    """The tracks of a film, with the box of each point.

    Objects start anywhere, keep most of their velocity from frame to frame and turn back at the border. One that
    divides ends; its two daughters start on opposite sides of its place with half its area each.

    Parameters
    ----------
    shape
        Of a frame.
    rng
        Generator.
    course
        What happens.
    """
    n, size = course.objects, np.asarray(shape, float)
    place = rng.uniform(0, size - 1, (n, len(size)))
    speed = rng.normal(0, course.step, place.shape)
    radius, number = rng.uniform(*RADII, n), np.arange(1, n + 1)
    when = np.zeros(n, int)
    # Not at once and not at the very end, so that mother and daughters can be seen.
    dividers = rng.choice(n, round(course.dividing * n), replace=False)
    when[dividers] = rng.integers(3, max(4, course.frames - 2), len(dividers))
    seen: list[tuple[Array, Array, Array, Array]] = []
    parents: list[tuple[int, int]] = []
    for t in range(course.frames):
        if t:
            speed = PERSISTENCE * speed + np.sqrt(1 - PERSISTENCE**2) * rng.normal(0, course.step, place.shape)
            place, speed = _inside(place + speed, speed, size - 1)
        split = np.flatnonzero((when == t) & (t > 0))
        if len(split):
            first = int(number.max()) + 1
            daughters = np.arange(first, first + 2 * len(split))
            parents += [(int(d), int(m)) for d, m in zip(daughters, np.repeat(number[split], 2), strict=True)]
            way = rng.normal(size=(len(split), len(size)))
            way *= (APART * radius[split] / np.linalg.norm(way, axis=1))[:, None]
            both = np.stack([place[split] + way, place[split] - way], 1).reshape(-1, len(size))
            rest = np.setdiff1d(np.arange(len(number)), split)
            twice = np.repeat(split, 2)
            both, turned = _inside(both, speed[twice], size - 1)
            place, speed = np.concatenate([place[rest], both]), np.concatenate([speed[rest], turned])
            radius = np.concatenate([radius[rest], radius[twice] / 2 ** (1 / len(size))])
            number, when = np.concatenate([number[rest], daughters]), np.concatenate([when[rest], 0 * twice])
        there = rng.random(len(number)) >= course.dropped
        seen.append((np.full(int(there.sum()), t), number[there], place[there], radius[there]))
    frames, numbers, places, radii = (np.concatenate(part) for part in zip(*seen, strict=True))
    return _tracks(frames, numbers, places, radii, parents=parents, shape=shape, length=course.frames)


def _inside(place: Array, speed: Array, high: Array) -> tuple[Array, Array]:
    """Turned back at the border."""
    out = (place < 0) | (place > high)
    place = np.where(place < 0, -place, np.where(place > high, 2 * high - place, place))
    return np.clip(place, 0, high), np.where(out, -speed, speed)


def _tracks(
    frames: Array, numbers: Array, places: Array, radii: Array, *, parents: Sequence[tuple[int, int]],
    shape: Sequence[int], length: int,
) -> Tracks:  # fmt: skip
    geometry = Geometry(tuple(int(s) for s in shape))
    edges = np.stack([places - radii[:, None], places + radii[:, None]], axis=1)
    boxes = Boxes(edges, np.zeros(len(frames), np.int64), ("object",), geometry)
    found = Tracks.of(frames, numbers, places, geometry, length=length, objects=boxes)
    known = set(found.tracks.tolist())
    return replace(found, parents=tuple(pair for pair in parents if known.issuperset(pair)))


def drawn(tracks: Tracks, rng: np.random.Generator, *, noise: float = 0.05) -> tuple[Image, Tracks]:
    """The film as pixels, and its tracks with the mask of each point.

    Bright discs (balls) within their boxes on an uneven ground, under Gaussian noise. Where two overlap, the later
    number lies in front; what is hidden by more than half is not in the truth.

    Parameters
    ----------
    tracks
        Of `film`.
    rng
        Generator.
    noise
        Standard deviation, of a disc's brightness.
    """
    shape, boxes = tracks.geometry.shape, tracks.boxes()
    assert boxes is not None
    grid = np.stack(np.meshgrid(*[np.arange(s, dtype=float) for s in shape], indexing="ij"), -1)
    bright = dict(zip(tracks.tracks.tolist(), rng.uniform(0.6, 1.0, len(tracks.tracks)), strict=True))
    pixels, kept, labels = [], [], []
    for t in range(tracks.length):
        here = np.flatnonzero(tracks.frames == t)
        level, numbers = 0.15 + 0.05 * smooth(shape, rng, grain=min(shape) / 3), np.zeros(shape, np.int32)
        full = {}
        for i in here:
            radius = (boxes.edges[i, 1] - boxes.edges[i, 0]).min() / 2
            inside = ((grid - tracks.positions[i]) ** 2).sum(-1) <= radius**2
            level[inside], numbers[inside] = bright[int(tracks.numbers[i])], i + 1
            full[int(i)] = int(inside.sum())
        counts = np.bincount(numbers.ravel(), minlength=len(tracks) + 1)[1:]
        whole = [i for i in full if counts[i] > full[i] / 2]
        numbers[~np.isin(numbers, np.asarray(whole, int) + 1)] = 0
        kept += whole
        labels.append(Instances.from_label_map(numbers, tracks.geometry))
        pixels.append(level + rng.normal(0, noise, shape))
    array = np.clip(np.stack(pixels) * 200, 0, 255).astype(np.uint8)
    starts, masks = np.concatenate([o.starts for o in labels]), tuple(m for o in labels for m in o.masks)
    one = Instances(starts, masks, np.zeros(len(masks), np.int64), ("object",), tracks.geometry)
    at = np.asarray(kept, np.int64)
    found = Tracks.of(tracks.frames[at], tracks.numbers[at], tracks.positions[at], tracks.geometry,
                      length=tracks.length, objects=one)
    known = set(found.tracks.tolist())
    found = replace(found, parents=tuple(p for p in tracks.parents if known.issuperset(p)))
    return Image.from_array(array, axes="t" + "zyx"[-len(shape):], geometry=tracks.geometry), found
