"""Detections of one frame after the other, linked: what is found, where it is, and whose track it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np

from isocenter.data import IGNORE, OBJECT, Boxes, Case, Geometry, Image, Instances, NotEvaluated, Segmentation, Tracks
from isocenter.data.film import clock, frames_of
from isocenter.data.findings.boxes import OPERATING
from isocenter.errors import GeometryError, LabelError
from isocenter.ops.array import Array
from isocenter.ops.components import parts
from isocenter.ops.linking import Linker, Rules

__all__ = ["Follower", "Found", "Stream", "clock", "frame_case", "frames_of", "objects_of"]

Found = Boxes | Instances | Segmentation | NotEvaluated


@dataclass(eq=False)
class Follower:
    """Follows objects through a stream of frames; it holds what was found, and no pixels.

    Parameters
    ----------
    geometry
        Of a frame.
    rules
        How detections are linked; `reach` in pixels, where pixels are not square in those of the finest axis.
    """

    geometry: Geometry
    rules: Rules = Rules()
    _linker: Linker = field(default_factory=Linker)
    _numbers: list[Array] = field(default_factory=list)
    _objects: list[Boxes | Instances] = field(default_factory=list)
    _places: list[Array] = field(default_factory=list)
    _clock: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._linker = Linker(self.rules)
        spacing = np.asarray(self.geometry.spacing or (1.0,) * self.geometry.ndim)
        self._scale = spacing / spacing.min()

    def step(self, found: Found, time: float | None = None) -> Array:
        """The track of each object of the next frame: int64 (n,), in their order.

        They are what is known now: of a division of which one daughter is missed at first `tracks` knows more.

        Parameters
        ----------
        found
            Boxes (those that are sure enough to be acted upon), objects, or regions, whose connected parts are the
            objects. `NotEvaluated` is a frame in which nothing is seen.
        time
            Of the frame, in frames; None: one after the last.

        Raises
        ------
        GeometryError
            The frame lies on another grid than the first.
        """
        objects = objects_of(found, self.geometry)
        if not objects.geometry.same_grid(self.geometry):
            raise GeometryError("frames of one film lie on different grids", got=str(objects.geometry.shape),
                                wanted=str(self.geometry.shape))
        places, sizes = _measured(objects)
        when = float(len(self._numbers)) if time is None else time
        self._clock.append(when)
        numbers = self._linker.step(places * self._scale, when, sizes)
        self._numbers.append(numbers)
        self._objects.append(objects)
        self._places.append(places)
        return numbers

    def tracks(self, times: tuple[float, ...] | None = None) -> Tracks:
        """The tracks so far; `times` are the seconds of the frames."""
        length = len(self._numbers)
        if not sum(map(len, self._numbers)):
            return Tracks.none(self.geometry, length, times)
        frames = np.repeat(np.arange(length), [len(n) for n in self._numbers])
        numbers = np.concatenate(self._numbers)
        when = np.repeat(np.asarray(self._clock), [len(n) for n in self._numbers])
        for mother, since, child in self._linker.renamed:
            numbers[(numbers == mother) & (when >= since)] = child
        made = Tracks.of(frames, numbers, np.concatenate(self._places), self.geometry,
                         length=length, times=times, objects=_together(self._objects))
        return replace(made, parents=tuple(self._linker.parents), merges=tuple(self._linker.merges))


@dataclass(eq=False)
class Stream:
    """Finds and follows the objects of a film that comes frame by frame; it keeps no pixels.

    Parameters
    ----------
    detector
        What finds the objects of a frame.
    follower
        What links them.
    case
        The question that the frames belong to; None: each is a question of its own.
    """

    detector: Any
    follower: Follower
    case: Case | None = None
    unanswered: NotEvaluated | None = None
    answered: bool = False
    _pace: list[tuple[int, float, float]] = field(default_factory=list)

    def step(self, frame: Image, time: float | None = None) -> Array:
        """The track of each object of the next frame: int64 (n,), in the detector's order.

        Parameters
        ----------
        frame
            A single image on the grid of the first.
        time
            Of the frame, in frames; None: one after the last.

        Raises
        ------
        GeometryError
            It lies on another grid.
        LabelError
            The detector finds no objects.
        """
        start = perf_counter()
        asked = Case.of(frame) if self.case is None else frame_case(self.case, frame, len(self._pace))
        found = self.detector.predict(asked)
        between = perf_counter()
        if isinstance(found, NotEvaluated):
            self.unanswered = found
        else:
            self.answered = True
        numbers = self.follower.step(found, time)
        self._pace.append((len(numbers), 1e3 * (between - start), 1e3 * (perf_counter() - between)))
        return numbers

    def tracks(self, times: tuple[float, ...] | None = None) -> Tracks | NotEvaluated:
        """The tracks so far; why there are none where the detector answered no frame."""
        if self.unanswered is not None and not self.answered:
            return self.unanswered
        return self.follower.tracks(times)

    def evidence(self) -> dict[str, Array]:
        """Columns with one row a frame: ``frame``, ``objects``, and the milliseconds of reading and finding
        (``detect_ms``) and of linking (``link_ms``).
        """
        rows = np.asarray(self._pace, np.float64).reshape(-1, 3)
        return {"frame": np.arange(len(rows)), "objects": rows[:, 0].astype(np.int64), "detect_ms": rows[:, 1],
                "link_ms": rows[:, 2]}


def frame_case(case: Case, frame: Image, index: int) -> Case:
    """The question about one frame of a film; it knows no truth."""
    role = next(r for r, image in case.images.items() if image is case.image())
    return replace(case, id=f"{case.id}#frame{index}", images={role: frame}, lead=role, load_truth=None,
                   load_given=None)


def objects_of(found: Found, geometry: Geometry) -> Boxes | Instances:
    """What was found in one frame, as objects; raises LabelError for another kind of finding."""
    if isinstance(found, NotEvaluated):
        return Instances.none((OBJECT,), geometry, scored=False)
    if isinstance(found, Boxes):
        return found if found.scores is None else found.chosen(found.scores >= OPERATING)
    if isinstance(found, Instances):
        return found
    if isinstance(found, Segmentation):
        return Instances.from_label_map(parts((found.labels != 0) & (found.labels != IGNORE))[0], found.geometry)
    raise LabelError("the detector finds no objects", got=type(found).__name__, wanted="Boxes, Instances, Segmentation")


def _measured(objects: Boxes | Instances) -> tuple[Array, Array]:
    """Centres (n, axes) in pixels, and sizes (n,)."""
    if isinstance(objects, Boxes):
        return objects.edges.mean(axis=1), objects.sizes.prod(axis=1)
    middles = [s + _middle(m) for s, m in zip(objects.starts, objects.masks, strict=True)]
    return np.asarray(middles, np.float64).reshape(objects.starts.shape), objects.areas.astype(np.float64)


def _middle(mask: Array) -> Array:
    """Mean index of the pixels of a mask."""
    return np.asarray([places.sum() / len(places) for places in mask.nonzero()])


def _together(objects: list[Boxes | Instances]) -> Boxes | Instances:
    """The objects of all frames in one; scores and classes where all have them."""
    held = [o for o in objects if len(o)]
    alike = len({o.classes for o in held}) == 1
    labels = np.concatenate([o.labels if alike else np.zeros(len(o), np.int64) for o in held])
    classes = held[0].classes if alike else (OBJECT,)
    scores = [o.scores for o in held if o.scores is not None]
    sure = np.concatenate(scores) if len(scores) == len(held) else None
    boxes = [o if isinstance(o, Boxes) else o.boxes() for o in held]
    outlined = [o for o in held if isinstance(o, Instances)]
    if len(outlined) == len(held):
        masks = tuple(m for o in outlined for m in o.masks)
        starts = np.concatenate([o.starts for o in outlined])
        return Instances(starts, masks, labels, classes, held[0].geometry, sure)
    return Boxes(np.concatenate([b.edges for b in boxes]), labels, classes, held[0].geometry, sure)
