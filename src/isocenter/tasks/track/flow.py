"""Flow: the points of a region carried by dense optical flow, as tissue moves and is stretched."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isocenter.data import IGNORE, Case, Image, Instances, NotEvaluated, Segmentation, Tracks, knob
from isocenter.errors import InputError, RecipeError
from isocenter.infer.preparing import unusable
from isocenter.ops.array import Array
from isocenter.ops.tissue import Tissue
from isocenter.tasks.track._follower import clock, frame_case, frames_of, objects_of
from isocenter.tasks.track._target import Named, pixels_of


@dataclass(eq=False)
class Carried:
    """Points of tissue on a stream of frames: `step` says of each frame where they are.

    Parameters
    ----------
    first
        The first frame.
    points
        int64 (n, axes): pixels of the first frame that are followed.
    tissue
        What carries them.
    """

    first: Image
    points: Array
    tissue: Tissue
    places: list[Array] = field(default_factory=list)
    seen: list[Array] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keep(self.tissue.moved, np.ones_like(self.tissue.sure), 0.0)

    def step(self, frame: Image) -> tuple[Array, Array]:
        """Places float64 (n, axes) of the points in the next frame, and bool (n,) which of them are believed.

        Raises
        ------
        InputError
            The frame lies on another grid.
        """
        if not frame.geometry.same_grid(self.first.geometry):
            raise InputError("frames of one film lie on different grids", where=frame.name,
                             got=str(frame.geometry.shape), wanted=str(self.first.geometry.shape))
        started = time.perf_counter()
        moved, sure = self.tissue.step(pixels_of(frame)[0])
        return self._keep(moved, sure, 1000 * (time.perf_counter() - started))

    def _keep(self, moved: Array, sure: Array, spent: float) -> tuple[Array, Array]:
        at = tuple(self.points.T)
        self.places.append(self.points + moved[(slice(None), *at)].T.astype(np.float64))
        self.seen.append(sure[at])
        self.milliseconds.append(spent)
        return self.places[-1], self.seen[-1]

    def tracks(self, times: tuple[float, ...] | None = None) -> Tracks:
        """A track for each point; it lacks the frames in which the point is not believed."""
        seen = np.stack(self.seen)
        frames, numbers = np.nonzero(seen)
        return Tracks.of(frames, numbers + 1, np.stack(self.places)[seen], self.first.geometry,
                         length=len(self.places), times=times)

    def evidence(self) -> dict[str, Array]:
        """Columns with one row for each frame: ``frame``, ``seen`` (share of points) and ``ms``."""
        return {"frame": np.arange(len(self.seen)), "seen": np.asarray([s.mean() for s in self.seen]),
                "ms": np.asarray(self.milliseconds)}


@dataclass(frozen=True)
class Flow:
    """Tissue followed point by point: dense optical flow from frame to frame, aligned with the first frame.

    A point that the flow does not bring back to where it came from, or where the frames are not alike, leaves until the
    first frame is found again. Channels are averaged. Displacement and strain over time: `inspect.deforming`.

    Sources: Lucas and Kanade, IJCAI 1981; Le Besnerais and Champagnat, ICIP 2005; Kalal, Mikolajczyk and Matas, ICPR
    2010.
    """

    at: tuple[Any, ...] | None = knob(
        None, "the region in the first frame: a box (y0, x0, y1, x1) in array order, or a list of them; None: all of it"
    )
    detector: Any = knob(None, 'in place of it: what finds the region in the first frame, {"use": "x.bundle"}')
    spacing: int = knob(8, "distance of the points that are followed", unit="pixels", low=1, high=1024)
    window: float = knob(
        5.0, "SD of the window that moves as one", unit="pixels", low=1.0, high=100.0, tunable=True
    )
    least: float = knob(
        0.5, "correlation in that window below which a point is lost", low=0.0, high=1.0, tunable=True
    )
    back: float = knob(
        1.0, "largest forward-backward error of one step", unit="pixels", low=0.01, high=100.0, tunable=True
    )

    def predict(self, case: Case) -> Tracks | NotEvaluated:
        """The track of each point; raises as `followed`."""
        found = self.followed(case)
        return found if isinstance(found, NotEvaluated) else found.tracks(case.image().times)

    def followed(self, case: Case) -> Carried | NotEvaluated:
        """The same with the evidence; NotEvaluated where there is no region or nothing in it but even pixels.

        Raises
        ------
        RecipeError
            Both `at` and `detector`, or what is no box of the film's axes.
        InputError
            Not a film, or times that do not rise.
        LabelError
            The detector finds no region.
        """
        clock(case.image())
        frames = frames_of(case.image())
        first = next(frames)
        lack = unusable(first.channels_first())
        region = self._region(case, first) if lack is None else lack
        if isinstance(region, NotEvaluated):
            return region
        found = self._begun(first, region)
        if isinstance(found, Carried):
            for frame in frames:
                found.step(frame)
        return found

    def stream(self, first: Image) -> Carried:
        """The points of a film that comes frame by frame; RecipeError where there is nothing to follow."""
        region = self._region(Case.of(first), first)
        found = region if isinstance(region, NotEvaluated) else self._begun(first, region)
        if isinstance(found, NotEvaluated):
            raise RecipeError(found.reason, where="at", got=found.measured, wanted=found.limit)
        return found

    def _begun(self, first: Image, region: Array) -> Carried | NotEvaluated:
        tissue = Tissue(pixels_of(first)[0], self.window, self.least, self.back)
        comb = np.zeros(region.shape, bool)
        comb[tuple(slice((n - 1) % self.spacing // 2, None, self.spacing) for n in region.shape)] = True
        points = np.argwhere(comb & region & tissue.pattern)
        if not len(points):
            return NotEvaluated("the region is even in the first frame, or too small: there is no point to follow",
                                f"{int(region.sum())} pixels", f"a pattern, points {self.spacing} pixels apart")
        return Carried(first, points, tissue)

    def _region(self, case: Case, first: Image) -> Array | NotEvaluated:
        shape = first.geometry.shape
        if self.at is None and self.detector is None:
            return np.ones(shape, bool)
        if self.detector is not None and self.at is None:
            found = getattr(self.detector, "predict", _absent)(frame_case(case, first, 0))
            if isinstance(found, NotEvaluated):
                return found
            if isinstance(found, Segmentation):
                return np.asarray((found.labels != 0) & (found.labels != IGNORE))
            objects = objects_of(found, first.geometry)
            if isinstance(objects, Instances):
                return np.asarray(objects.label_map() > 0)
            return _filled(objects.edges, shape)
        edges = Named(self.at, self.detector, None, None).edges(case, first)
        return edges if isinstance(edges, NotEvaluated) else _filled(edges, shape)


def _absent(case: Case) -> NotEvaluated:
    raise RecipeError("the detector does not answer", where=case.id, remedy="Train it first and name its bundle")


def _filled(edges: Array, shape: Sequence[int]) -> Array:
    """bool (*shape): the pixels whose centres lie in a box."""
    out = np.zeros(tuple(shape), bool)
    for low, high in np.clip(np.ceil(edges), 0, None).astype(int):
        out[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return out
