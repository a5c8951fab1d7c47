"""Targets that were named in the first frame and are followed: one part of the film each, no detector afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from isocenter.data import OBJECT, Boxes, Case, Image, NotEvaluated, Tracks
from isocenter.errors import InputError, LabelError, RecipeError
from isocenter.infer.preparing import unusable
from isocenter.ops.array import Array
from isocenter.ops.following import Chase, Pursuit, Sight
from isocenter.tasks.track._follower import clock, frame_case, frames_of, objects_of

# What is looked at of a frame: float (c, *grid), and its pixels by those of the frame along each axis, 1 or less.
Look = Callable[[Image], tuple[Array, Array]]
AT = "the targets in the first frame, in array order: centre (y, x), box (y0, x0, y1, x1), or a list of them"
DETECTOR = 'in place of it: what finds the targets in the first frame, {"use": "x.bundle"}'
GIVEN = "in place of it: a column or folder of tracks whose points in the first frame are the targets"
SIZE = "extent of a target of which the centre alone is known; None: an eighth of the frame's shortest side"
# The share of that side, and the least extent of any target in what is looked at.
SHARE, LEAST = 8, 3
# How far a target may go from frame to frame at least where nobody says it; least distances in what is looked at.
NEAR, COARSE = 8.0, 1.0


@dataclass(frozen=True)
class Named:
    """How the targets are named; one of the first three.

    Parameters
    ----------
    at
        Centres or boxes in array order, one or a list.
    detector
        What finds objects in a frame.
    given
        Column or folder of tracks.
    size
        Pixels of a target of which the centre alone is known.
    """

    at: tuple[Any, ...] | None
    detector: Any
    given: str | None
    size: int | None

    def __post_init__(self) -> None:
        if sum(x is not None for x in (self.at, self.detector, self.given)) != 1:
            raise RecipeError("nobody says what is to be followed", wanted="one of at, detector and given",
                              remedy="Name the centre in the first frame: --set at=ROW,COLUMN")

    def edges(self, case: Case, first: Image) -> Array | NotEvaluated:
        """Box edges (n, 2, axes) of the targets; NotEvaluated where there is none or one lies outside the frame.

        Raises
        ------
        RecipeError
            Neither centres nor boxes of the frame's axes, or a box without extent.
        LabelError
            The detector finds no objects, or what was given are no tracks.
        """
        shape = np.asarray(first.geometry.shape, float)
        found = self._found(case, first)
        if isinstance(found, NotEvaluated):
            return found
        middle = found.mean(axis=1)
        out = ((middle < -0.5) | (middle > shape - 0.5)).any(axis=1)
        if out.any():
            return NotEvaluated("a target lies outside the image", str(np.round(middle[out][0], 1).tolist()),
                                str(first.geometry.shape))
        return found if len(found) else NotEvaluated("there is no target in the first frame", "0", "1 or more")

    def _found(self, case: Case, first: Image) -> Array | NotEvaluated:
        if self.at is not None:
            return self._said(self.at, first)
        if self.given is not None:
            tracks = case.given(self.given)
            if isinstance(tracks, NotEvaluated):
                return tracks
            if not isinstance(tracks, Tracks):
                raise LabelError("another kind of finding was given", where=case.id, got=type(tracks).__name__,
                                 wanted="Tracks")
            there = tracks.frame(0)
            boxes = there.boxes()
            return self._about(there.positions, first) if boxes is None else boxes.edges
        if not hasattr(self.detector, "predict"):
            raise RecipeError("the detector does not answer", got=type(self.detector).__name__,
                              remedy="Train it first and name its bundle")
        found = self.detector.predict(frame_case(case, first, 0))
        if isinstance(found, NotEvaluated):
            return found
        objects = objects_of(found, first.geometry)
        return objects.edges if isinstance(objects, Boxes) else objects.boxes().edges

    def _said(self, at: Sequence[Any], first: Image) -> Array:
        axes = first.ndim
        rows = [at] if at and not isinstance(at[0], (list, tuple)) else list(at)
        try:
            numbers = [np.asarray(row, np.float64) for row in rows]
        except (TypeError, ValueError):
            numbers = []
        if not numbers or any(r.shape not in ((axes,), (2 * axes,)) or not np.isfinite(r).all() for r in numbers):
            raise RecipeError("the targets are neither centres nor boxes", where="at", got=str(at)[:80],
                              wanted=f"{axes} numbers for a centre, {2 * axes} for a box, in array order")
        boxes = [r.reshape(2, axes) if len(r) > axes else self._about(r[None], first)[0] for r in numbers]
        if any((b[1] <= b[0]).any() for b in boxes):
            raise RecipeError("a box has no extent", where="at", got=str(at)[:80], wanted="low corner, then high")
        return np.stack(boxes)

    def _about(self, centres: Array, first: Image) -> Array:
        size = self.size or max(9, min(first.geometry.shape) // SHARE | 1)
        return np.stack([centres - size / 2, centres + size / 2], axis=1)


@dataclass(eq=False)
class Following:
    """Targets on a stream of frames: `step` says of each frame where each of them is.

    Parameters
    ----------
    first
        The first frame.
    edges
        float (n, 2, axes): box of each target there, in pixels.
    look
        What is correlated: pixels, or what a network makes of them.
    rules
        How a target is followed; distances in pixels of the frame.
    """

    first: Image
    edges: Array
    look: Look
    rules: Chase = Chase()
    sights: list[tuple[Sight, ...]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        started = time.perf_counter()
        values, self.ratio = self.look(self.first)
        extent = self.edges[:, 1] - self.edges[:, 0]
        sizes = np.maximum(LEAST, np.round(extent * self.ratio)).astype(int)
        self.starts = self.edges.mean(axis=1)
        self.targets = tuple(
            Pursuit(values, (p + 0.5) * self.ratio - 0.5, tuple(map(int, n)), self._scaled(float(e.max())))
            for p, n, e in zip(self.starts, sizes, extent, strict=True)
        )
        self.sights.append(tuple(Sight(p, 1.0, 1.0, 0.0) for p in self.starts))
        self.milliseconds.append(1000 * (time.perf_counter() - started))

    def step(self, frame: Image, lasted: float = 1.0) -> tuple[Sight, ...]:
        """What is seen of each target in the next frame, in pixels of the frame.

        Parameters
        ----------
        frame
            On the grid of the first.
        lasted
            Time since the frame before, the usual distance of two being 1.

        Raises
        ------
        InputError
            The frame lies on another grid.
        """
        if not frame.geometry.same_grid(self.first.geometry):
            raise InputError("frames of one film lie on different grids", where=frame.name,
                             got=str(frame.geometry.shape), wanted=str(self.first.geometry.shape))
        started = time.perf_counter()
        values, _ = self.look(frame)
        seen = tuple(self._back(target.step(values, lasted)) for target in self.targets)
        self.sights.append(seen)
        self.milliseconds.append(1000 * (time.perf_counter() - started))
        return seen

    def _scaled(self, side: float) -> Chase:
        """The rules in pixels of what is looked at, for a target of this longest side."""
        reach, fine = self.rules.reach or max(NEAR, side / 2), float(self.ratio.mean())
        return replace(self.rules, reach=max(reach * fine, COARSE), back=max(self.rules.back * fine, COARSE / 2),
                       apart=max(self.rules.apart * fine, COARSE / 2))

    def _back(self, sight: Sight) -> Sight:
        place = None if sight.place is None else (sight.place + 0.5) / self.ratio - 0.5
        return Sight(place, sight.score, sight.anchor, sight.error / float(self.ratio.mean()))

    def tracks(self, times: tuple[float, ...] | None = None) -> Tracks:
        """The tracks so far with the box at each point, scored by the correlation; a lost target has no point.

        Parameters
        ----------
        times
            Seconds of the frames.
        """
        points = [(t, k, s) for t, row in enumerate(self.sights) for k, s in enumerate(row) if s.place is not None]
        places = np.asarray([s.place for _, _, s in points], np.float64)
        number = np.asarray([k for _, k, _ in points], np.int64)
        half = (self.edges[:, 1] - self.edges[:, 0])[number] / 2
        scores = np.clip([s.score for _, _, s in points], 0.0, 1.0)
        geometry = self.first.geometry
        boxes = Boxes(np.stack([places - half, places + half], axis=1), np.zeros(len(points), np.int64), (OBJECT,),
                      geometry, scores)
        return Tracks.of(np.asarray([t for t, _, _ in points]), number + 1, places, geometry,
                         length=len(self.sights), times=times, objects=boxes)

    def evidence(self) -> dict[str, Array]:
        """Columns with one row for each frame and target: ``frame``, ``track``, ``seen``, ``score`` and ``anchor``
        (correlation with the present and the first template), ``error_px`` (forward-backward) and ``ms`` of the frame.
        """
        rows = [(t, k + 1, s.place is not None, s.score, s.anchor, s.error, self.milliseconds[t])
                for t, row in enumerate(self.sights) for k, s in enumerate(row)]
        names = ("frame", "track", "seen", "score", "anchor", "error_px", "ms")
        return {name: np.asarray(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def pixels_of(frame: Image) -> Array:
    """float32 (1, *grid): the mean of the frame's channels."""
    return np.asarray(frame.channels_first().mean(axis=0, dtype=np.float32))[None]


def plain(frame: Image) -> tuple[Array, Array]:
    """The pixels themselves."""
    return pixels_of(frame), np.ones(frame.ndim)


def followed(case: Case, named: Named, look: Look, rules: Chase) -> Following | NotEvaluated:
    """All frames of a film; NotEvaluated where the first shows no target, or nothing that could be found again.

    Raises
    ------
    RecipeError, LabelError
        As `Named.edges`.
    InputError
        Not a film, or times that do not rise.
    """
    times, frames = clock(case.image()), frames_of(case.image())
    first = next(frames)
    lack = unusable(first.channels_first())
    edges = named.edges(case, first) if lack is None else lack
    if isinstance(edges, NotEvaluated):
        return edges
    found = Following(first, edges, look, rules)
    flat = [k + 1 for k, target in enumerate(found.targets) if target.flat]
    if flat:
        return NotEvaluated("the target is even in the first frame: nothing of it could be found again",
                            f"target {flat[0]}", "a pattern")
    for frame, lasted in zip(frames, np.diff(times), strict=True):
        found.step(frame, float(lasted))
    return found
