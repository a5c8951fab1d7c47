"""Where things go: the points of every object over the frames of a film, and who came from whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from isocenter.data.findings.boxes import Boxes
from isocenter.data.findings.instances import Instances
from isocenter.data.geometry import Geometry
from isocenter.errors import LabelError
from isocenter.ops.array import Array
from isocenter.ops.motion import Steps, mean_square_displacement, steps

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Tracks:
    """Tracks on the grid of one film. Points lie by rising number, then by rising frame; `Tracks.of` sorts them.

    Parameters
    ----------
    frames
        int64 (n,): the frame of each point, from 0.
    numbers
        int64 (n,): the track of each point, 1 and more. A track may miss frames.
    positions
        float64 (n, axes): centre of each point as an index, array order.
    geometry
        Of one frame.
    length
        Frames of the film.
    times
        Seconds of each frame, rising; None where they are unknown.
    parents
        (child, parent) of each track that came from another by division.
    merges
        (ended, into) of each track that became part of another.
    objects
        The object or box at each point, in their order; None where there are points alone.

    Raises
    ------
    LabelError
        Numbers or order do not fit, a track stands twice in one frame, or a child starts before its parent ends.
    """

    frames: Array
    numbers: Array
    positions: Array
    geometry: Geometry
    length: int
    times: tuple[float, ...] | None = None
    parents: Pairs = ()
    merges: Pairs = ()
    objects: Instances | Boxes | None = None

    def __post_init__(self) -> None:
        n = len(self.frames)
        if self.numbers.shape != (n,) or self.positions.shape != (n, len(self.geometry.shape)):
            raise LabelError(
                "frames, numbers and positions do not fit", got=f"{self.numbers.shape} and {self.positions.shape}",
                wanted=f"({n},) and ({n}, {len(self.geometry.shape)})",
            )  # fmt: skip
        if n and (self.frames.min() < 0 or self.frames.max() >= self.length):
            raise LabelError("a point lies outside the film", got=f"frame {int(self.frames.max())}",
                             wanted=f"0 to {self.length - 1}")
        if n and (self.numbers.min() < 1 or not np.isfinite(self.positions).all()):
            raise LabelError("a point has no number or no place", wanted="numbers from 1 and finite positions")
        rising = (np.diff(self.numbers) > 0) | ((np.diff(self.numbers) == 0) & (np.diff(self.frames) > 0))
        if not rising.all():
            where = int(np.flatnonzero(~rising)[0])
            raise LabelError("the points are not in order, or a track stands twice in one frame",
                             got=f"track {int(self.numbers[where])}, frame {int(self.frames[where])}",
                             wanted="rising number, then rising frame")
        self._check_film()
        self._check_kin()

    def _check_film(self) -> None:
        if self.times is not None and (len(self.times) != self.length or (np.diff(self.times) <= 0).any()):
            raise LabelError("the times do not fit", got=str(len(self.times)), wanted=f"{self.length} rising seconds")
        if self.objects is not None and len(self.objects) != len(self):
            raise LabelError("objects and points differ in number", got=str(len(self.objects)), wanted=str(len(self)))

    def _check_kin(self) -> None:
        spans = self.spans()
        for child, parent in self.parents:
            if child not in spans or parent not in spans or spans[child][0] <= spans[parent][1]:
                raise LabelError("a child does not follow its parent", got=f"{child} from {parent}",
                                 wanted="two tracks, the child after the parent's last frame")
        if len({child for child, _ in self.parents}) < len(self.parents):
            raise LabelError("a track has two parents", got=str(self.parents)[:80])
        if any(a not in spans or b not in spans for a, b in self.merges):
            raise LabelError("a merged track is not there", got=str(self.merges)[:80])

    @classmethod
    def of(
        cls,
        frames: Array,
        numbers: Array,
        positions: Array,
        geometry: Geometry,
        *,
        length: int,
        times: tuple[float, ...] | None = None,
        objects: Instances | Boxes | None = None,
    ) -> Tracks:
        """Tracks of points in any order, without kin (`dataclasses.replace` adds it); raises as `Tracks`."""
        frames, numbers = np.asarray(frames, np.int64), np.asarray(numbers, np.int64)
        order = np.lexsort((frames, numbers))
        places = np.asarray(positions, np.float64).reshape(len(frames), len(geometry.shape))[order]
        held = None if objects is None else objects.chosen(order)
        return cls(frames[order], numbers[order], places, geometry, length, times, objects=held)

    @classmethod
    def none(cls, geometry: Geometry, length: int, times: tuple[float, ...] | None = None) -> Tracks:
        """No track at all: a valid answer and a valid truth."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, nothing, np.zeros((0, len(geometry.shape))), geometry, length, times)

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def tracks(self) -> Array:
        """int64 (k,): the numbers there are, rising."""
        return np.unique(self.numbers)

    @property
    def unit(self) -> str:
        """Of `points`: ``"mm"`` where the spacing is known, else ``"px"``."""
        return self.geometry.unit

    @property
    def time_unit(self) -> str:
        """Of `seconds`: ``"s"`` where the times are known, else ``"frame"``."""
        return "frame" if self.times is None else "s"

    @property
    def points(self) -> Array:
        """float64 (n, axes): positions in `unit` along the array's axes, from the centre of the first pixel."""
        return np.asarray(self.positions * np.asarray(self.geometry.spacing or (1.0,) * self.geometry.ndim))

    @property
    def seconds(self) -> Array:
        """float64 (n,): time of each point in `time_unit`."""
        return np.asarray(self.frames if self.times is None else np.asarray(self.times)[self.frames], np.float64)

    def spans(self) -> dict[int, tuple[int, int]]:
        """First and last frame of each track, by number."""
        firsts = np.searchsorted(self.numbers, self.tracks)
        lasts = np.searchsorted(self.numbers, self.tracks, side="right") - 1
        return {int(t): (int(self.frames[a]), int(self.frames[b]))
                for t, a, b in zip(self.tracks, firsts, lasts, strict=True)}

    def track(self, number: int) -> Tracks:
        """One track by itself, without kin."""
        return self.chosen(self.numbers == number)

    def frame(self, index: int) -> Tracks:
        """The points of one frame, without kin."""
        return self.chosen(self.frames == index)

    def chosen(self, which: Array) -> Tracks:
        """The points at these rising positions, or where a bool array (n,) holds, without kin."""
        at = np.flatnonzero(which) if which.dtype == np.bool_ else which
        objects = None if self.objects is None else self.objects.chosen(at)
        return replace(self, frames=self.frames[at], numbers=self.numbers[at], positions=self.positions[at],
                       objects=objects, parents=(), merges=())

    def boxes(self) -> Boxes | None:
        """The box at each point; None where there are points alone."""
        return self.objects.boxes() if isinstance(self.objects, Instances) else self.objects

    def steps(self) -> Steps:
        """The steps between successive points, in `unit` and `time_unit`; over gaps they last longer."""
        return steps(self.points, self.seconds, self.numbers)

    def path_lengths(self) -> Array:
        """float64 (k,): length of the path of each of `tracks` in `unit`; 0 for a single point."""
        found = self.steps()
        place = np.searchsorted(self.tracks, self.numbers[found.first])
        return np.bincount(place, found.lengths, len(self.tracks)).astype(np.float64)

    def displacements(self) -> Array:
        """float64 (k, axes): from the first to the last point of each of `tracks`, in `unit`."""
        first = np.searchsorted(self.numbers, self.tracks)
        last = np.searchsorted(self.numbers, self.tracks, side="right") - 1
        points = self.points
        return np.asarray(points[last] - points[first])

    def mean_speeds(self) -> Array:
        """float64 (k,): path by time of each of `tracks`, in `unit` per `time_unit`; NaN for a single point."""
        found = self.steps()
        place = np.searchsorted(self.tracks, self.numbers[found.first])
        lasted = np.bincount(place, found.lasted, len(self.tracks))
        out = np.full(len(lasted), np.nan)
        return np.asarray(np.divide(self.path_lengths(), lasted, out=out, where=lasted > 0))

    def directions(self) -> Array:
        """float64 (k, axes): unit vector of each track's displacement along the array's axes; NaN where it is 0."""
        moved = self.displacements()
        size = np.linalg.norm(moved, axis=1, keepdims=True)
        return np.asarray(np.divide(moved, size, out=np.full(moved.shape, np.nan), where=size > 0))

    def mean_square_displacement(self, most: int = 10) -> tuple[Array, Array]:
        """Mean square displacement in `unit` squared for 1 to `most` frames apart, and the number of pairs of each."""
        return mean_square_displacement(self.points, self.frames, self.numbers, most=most)

    def children(self) -> Mapping[int, tuple[int, ...]]:
        """The children of each track that has any."""
        found: dict[int, tuple[int, ...]] = {}
        for child, parent in self.parents:
            found[parent] = (*found.get(parent, ()), child)
        return found

    def generations(self) -> dict[int, int]:
        """How many divisions lie between each track and the first of its line."""
        above = dict(self.parents)
        found: dict[int, int] = {}
        # By first frame, so that a parent is known before its children.
        for number, _ in sorted(self.spans().items(), key=lambda item: item[1]):
            found[number] = found[above[number]] + 1 if number in above else 0
        return found
