"""The lesions of one subject followed over examinations: measured on their own grids, matched in one world.

Sizes are read off each examination's own grid, so no registration and no resampling changes them; a registration only
decides which lesion is which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from isocenter.data import Image, Instances, Transform
from isocenter.data.findings.followed import Examined, Followed, Lesion, Sighting, Sized
from isocenter.data.findings.transform import to_index, to_world
from isocenter.data.geometry import Geometry
from isocenter.ops.array import Array
from isocenter.ops.calipers import calipers
from isocenter.ops.lesions import Links, linked
from isocenter.ops.size_error import diameter_error, size_error

# Points of a lesion that are carried over; more say nothing new.
MOST = 100_000
# Parts along an axis into which a thick pixel is cut so that no small lesion slips between the points.
FINEST = 4


@dataclass(frozen=True, eq=False)
class Exam:
    """One examination.

    Parameters
    ----------
    name
        Of its labels.
    found
        Its lesions.
    image
        On their grid; None where there is none.
    day
        Days after the first; None where no dates are known.
    """

    name: str
    found: Instances
    image: Image | None = None
    day: float | None = None


@dataclass(frozen=True)
class Rules:
    """How lesions are followed.

    Parameters
    ----------
    reach
        Largest distance in mm (px where the spacing is unknown) between the middles of a lesion at two examinations
        where they do not overlap.
    border
        Standard deviation in mm of where a border is seen; None: anywhere within half a pixel.
    repeatability
        Within-subject coefficient of variation in percent, of ``"size"`` and ``"diameter"``, from measurements made
        twice; where given it stands in place of the error of grid and border.
    nodes
        Classes that are lymph nodes.
    least
        Longest diameter below which an object is no lesion, in mm or px.
    """

    reach: float = 10.0
    border: float | None = None
    repeatability: Mapping[str, float] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()
    least: float = 0.0


@dataclass(frozen=True, eq=False)
class Lesions:
    """The objects of one examination, measured: one value an object in each tuple."""

    exam: Exam
    size: tuple[Sized, ...]
    longest: tuple[Sized, ...]
    short: tuple[Sized, ...]
    middles: Array
    numbers: Array


def axial(geometry: Geometry) -> int:
    """The array axis that slices are numbered along: the one nearest to head and feet, else the first."""
    codes = geometry.orientation or ""
    return next((i for i, c in enumerate(codes) if c in "SI"), 0) if geometry.ndim == 3 else 0


def measured(exam: Exam, rules: Rules) -> Lesions:
    """Every object of an examination with its sizes, those below the least diameter left out."""
    found, grid = exam.found, exam.found.geometry
    steps = grid.spacing or (1.0,) * grid.ndim
    first = axial(grid)
    order = (first, *(a for a in range(grid.ndim) if a != first)) if grid.ndim == 3 else (0, 1)
    turned = tuple(steps[a] for a in order)
    pixel = grid.pixel_volume or 1.0
    rows = []
    for i, mask in enumerate(found.masks):
        own = calipers(np.transpose(mask, order), turned)
        if own.longest < rules.least:
            continue
        volume = float(mask.sum()) * pixel
        size = _sized(volume, size_error(mask, steps, rules.border), rules, "size")
        both = [_sized(v, diameter_error(v, turned, rules.border), rules, "diameter") for v in (own.longest, own.short)]
        rows.append((i, size, *both, found.starts[i] + np.argwhere(mask).mean(0)))
    kept = found.chosen(np.asarray([r[0] for r in rows], np.int64))
    made = Exam(exam.name, kept, exam.image, exam.day)
    middles = np.asarray([r[4] for r in rows], float).reshape(-1, grid.ndim)
    sizes, longest, short = (tuple(r[k] for r in rows) for k in (1, 2, 3))
    return Lesions(made, sizes, longest, short, middles, kept.label_map())


@dataclass(frozen=True, eq=False)
class Outlined:
    """A lesion in one slice: its index along the axial axis, bool (y, x) of the whole slice, and both diameters' ends
    (4, 2) as `isocenter.ops.calipers.Calipers` has them."""

    plane: int
    mask: Array
    ends: Array


def outlined(found: Instances, parts: Sequence[int]) -> Outlined:
    """Objects of an examination in the slice in which the largest of them is longest."""
    grid, first = found.geometry, axial(found.geometry)
    order = (first, *(a for a in range(grid.ndim) if a != first)) if grid.ndim == 3 else (0, 1)
    largest = max(parts, key=lambda p: int(found.masks[p].sum()))
    steps = grid.spacing or (1.0,) * grid.ndim
    held = calipers(np.transpose(found.masks[largest], order), [steps[a] for a in order])
    start = found.starts[largest][list(order)]
    plane = int(held.plane + start[0]) if grid.ndim == 3 else 0
    whole = np.transpose(found.chosen(np.asarray(parts, np.int64)).label_map() > 0, order)
    return Outlined(plane, whole[plane] if grid.ndim == 3 else whole, held.ends + start[-2:])


def large_enough(exam: Exam, rules: Rules) -> Exam:
    """The examination without objects below the least diameter."""
    return exam if rules.least <= 0 else measured(exam, rules).exam


def _sized(value: float, errors: tuple[float, float], rules: Rules, what: str) -> Sized:
    if what in rules.repeatability:
        return Sized(value, value * rules.repeatability[what] / 100.0)
    return Sized(value, *errors)


@dataclass
class _Track:
    """A lesion while it is followed: what was seen of it, and where last (None once it joined another)."""

    kind: str
    seen: list[Sighting | None]
    last: tuple[int, tuple[int, ...]] | None = None


def followed(
    exams: Sequence[Exam], transforms: Sequence[Transform], rules: Rules, *, subject: str = "",
    aligned: Sequence[str] = (), numbers: Sequence[Mapping[str, float | None]] = (),
) -> Followed:
    """The lesions of one subject over time.

    Parameters
    ----------
    exams
        In order of time, the baseline first.
    transforms
        From the baseline's world to each examination's, the identity first.
    rules
        How.
    subject
        Identifier, or "".
    aligned, numbers
        How each was brought to the baseline, and what was measured of that; one an examination.

    Returns
    -------
    Followed
        Without sums of diameters, which `isocenter.inspect.recist.summed` adds.
    """
    all_lesions = [measured(exam, rules) for exam in exams]
    tracks: list[_Track] = []
    residuals: list[float | None] = []
    for k in range(len(all_lesions)):
        residuals.append(_next(tracks, all_lesions, k, transforms, rules))
    grid = exams[0].found.geometry
    unit = "px" if grid.affine is None else "mm3" if grid.ndim == 3 else "mm2"
    words = aligned or [""] * len(exams)
    facts = numbers or [{}] * len(exams)
    told = tuple(
        Examined(lesions.exam.name, lesions.exam.day, len(lesions.size), sum(lesions.size, Sized(0.0)), words[k],
                 residuals[k], tuple(facts[k].items()))
        for k, lesions in enumerate(all_lesions)
    )
    made = tuple(
        Lesion(f"L{i + 1}", t.kind, tuple(t.seen), t.kind in rules.nodes) for i, t in enumerate(tracks)
    )
    return Followed(subject, told, made, unit=unit)


def _next(tracks: list[_Track], exams: Sequence[Lesions], k: int, transforms: Sequence[Transform], rules: Rules
          ) -> float | None:
    """Goes on to the next examination; gives the median distance from where lesions were expected."""
    here = exams[k]
    alive = [t for t in tracks if t.last is not None]
    links, expected, share, apart = _matched(alive, exams, k, transforms, rules)
    pieces = {i: [j for a, j in links.pieces.tolist() if a == i] for i in range(len(alive))}
    owners = {int(j): int(i) for i, j in links.same}
    joined = {int(i): owners[int(j)] for i, j in links.joined if int(j) in owners}
    names = {id(t): f"L{n + 1}" for n, t in enumerate(tracks)}
    for i, track in enumerate(alive):
        own = [int(j) for a, j in links.same if a == i] + pieces[i]
        if own:
            taken = tuple(names[id(alive[a])] for a, b in joined.items() if b == i)
            at = _sighting(here, own, _state(track, own, taken, k), share[i, own[0]], apart[i, own[0]], taken)
            track.last = (k, tuple(own))
        elif i in joined:
            at = Sighting("joined", centre=tuple(expected[i]), into=(names[id(alive[joined[i]])],))
            track.last = None
        else:
            at = Sighting("gone", centre=tuple(expected[i]))
        track.seen.append(at)
    for track in tracks:
        if len(track.seen) == k:
            track.seen.append(Sighting("joined", into=track.seen[-1].into if track.seen[-1] else ()))
    _started(tracks, here, k, {*owners, *(int(j) for _, j in links.pieces)})
    return float(np.median([apart[i, j] for i, j in links.same])) if len(links.same) else None


def _state(track: _Track, own: Sequence[int], taken: tuple[str, ...], k: int) -> str:
    before = track.seen[-1]
    if before is not None and before.state == "gone":
        return "back"
    if taken:
        return "merged"
    return "split" if before is not None and len(own) > max(len(before.parts), 1) else "kept"


def _sighting(
    here: Lesions, own: Sequence[int], state: str, overlap: float | None = None, shift: float | None = None,
    into: tuple[str, ...] = (),
) -> Sighting:
    def total(values: Sequence[Sized]) -> Sized:
        return sum((values[j] for j in own[1:]), values[own[0]])

    largest = max(own, key=lambda j: here.size[j].value)
    return Sighting(
        state, tuple(own), total(here.size), total(here.longest), total(here.short),
        tuple(float(v) for v in here.middles[largest]), None if overlap is None else float(overlap),
        None if shift is None else float(shift), into,
    )


def _started(tracks: list[_Track], here: Lesions, k: int, known: set[int]) -> None:
    """Begins a lesion for each object that is none of those before, the largest first."""
    fresh = sorted(set(range(len(here.size))) - known, key=lambda j: -here.size[j].value)
    found = here.exam.found
    for j in fresh:
        at = _sighting(here, [j], "new" if k else "first")
        tracks.append(_Track(found.classes[int(found.labels[j])], [*[None] * k, at], (k, (j,))))


def _matched(
    alive: Sequence[_Track], exams: Sequence[Lesions], k: int, transforms: Sequence[Transform], rules: Rules
) -> tuple[Links, Array, Array, Array]:
    """Links, where each lesion is expected (index), shares of overlap and distances."""
    here = exams[k]
    grid, m = here.exam.found.geometry, len(here.size)
    there = to_world(grid, here.middles)
    after = np.asarray([s.value for s in here.size])
    before = np.zeros(len(alive))
    shared, distances = np.zeros((len(alive), m)), np.full((len(alive), m), np.inf)
    expected = np.full((len(alive), grid.ndim), np.nan)
    for i, track in enumerate(alive):
        assert track.last is not None
        j, parts = track.last
        points = _carried(exams[j].exam.found, parts, (transforms[j], transforms[k]), finest=grid.spacing)
        before[i] = sum(exams[j].size[p].value for p in parts)
        known = np.isfinite(points).all(axis=1)
        if not known.any():
            continue
        shared[i] = before[i] * _hits(here, points[known]) / len(points)
        middle = points[known].mean(axis=0)
        expected[i] = to_index(grid, middle[None])[0]
        kinds = np.asarray(here.exam.found.classes, object)[here.exam.found.labels] if m else np.zeros(0, object)
        alike = kinds == track.kind
        distances[i, alike] = np.linalg.norm(there[alike] - middle, axis=1)
    links = linked(shared, before, after, distances, reach=rules.reach)
    smaller = np.maximum(np.minimum(before[:, None], after[None]), 1e-12)
    return links, expected, np.clip(shared / smaller, 0, 1), distances


def _carried(
    found: Instances, parts: Sequence[int], ways: tuple[Transform, Transform], *, finest: tuple[float, ...] | None
) -> Array:
    """World points (n, w) of a lesion in another examination's world."""
    grid = found.geometry
    at = np.concatenate([np.argwhere(found.masks[p]) + found.starts[p] for p in parts]).astype(float)
    cuts = [1] * grid.ndim
    if grid.spacing and finest and len(at) < MOST:
        cuts = [int(min(FINEST, max(1, np.ceil(s / min(finest))))) for s in grid.spacing]
    inner = np.stack(np.meshgrid(*[(np.arange(c) + 0.5) / c - 0.5 for c in cuts], indexing="ij"), -1)
    at = (at[:, None] + inner.reshape(1, -1, grid.ndim)).reshape(-1, grid.ndim)
    at = at[:: max(1, len(at) // MOST)]
    return ways[1].points(ways[0].inverse().points(to_world(grid, at)))


def _hits(here: Lesions, points: Array) -> Array:
    """Of world points, how many lie in each object of an examination."""
    grid = here.exam.found.geometry
    at = np.rint(to_index(grid, points)).astype(int)
    inside = ((at >= 0) & (at < np.asarray(grid.shape))).all(axis=1)
    numbers = here.numbers[tuple(at[inside].T)]
    return np.bincount(numbers, minlength=len(here.size) + 1)[1:].astype(float)
