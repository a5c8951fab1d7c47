"""Assignment: what a detector finds in each frame, linked by a motion model and the cheapest assignment of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np

from isocenter.data import (
    OBJECT,
    Boxes,
    Case,
    Cases,
    Entry,
    Finding,
    Geometry,
    Image,
    Instances,
    NotEvaluated,
    Segmentation,
    Tracks,
    Watch,
    as_settings,
    build,
    knob,
    silent,
)
from isocenter.data.cut import take
from isocenter.errors import BundleError, LabelError, RecipeError
from isocenter.ops.array import Array
from isocenter.ops.linking import NEAREST, VELOCITY, Rules
from isocenter.tasks._named import class_name, class_of, ours, under
from isocenter.tasks.track._follower import Follower, Stream, clock, frame_case, frames_of, objects_of

FINDERS = ("instances", "detect", "segment")
PART = "detector"


@dataclass(frozen=True)
class Assignment:
    """Objects found frame by frame and linked: gated motion model, global assignment, gaps, entry, exit, division.

    A detector that learns is trained by `fit` on the frames of train; any other serves as it is. Nothing is chosen for
    the linking: where no reach is said it follows from the film itself.

    Sources: Jaqaman et al., Nature Methods 2008; Bar-Shalom, Li and Kirubarajan, Estimation with Applications to
    Tracking and Navigation, 2001.
    """

    detector: Any = knob(
        None, 'what finds the objects of a frame: {"use": "x.bundle"} or {"use": "instances/watershed_split"}'
    )
    given: str | None = knob(
        None, "in place of a detector: a column or folder of tracks whose points are linked anew"
    )
    motion: str = knob(
        VELOCITY, "where an object is looked for: where it was, or where its velocity takes it (Kalman filter)",
        choices=(NEAREST, VELOCITY), tunable=True,
    )  # fmt: skip
    reach: float | None = knob(
        None, "how far from there after one frame; None: by the steps and the density of the film", unit="pixels",
        low=0.1, high=10000.0, tunable=True,
    )  # fmt: skip
    gap: int = knob(2, "frames in which an object may be missed", unit="frames", low=0, high=100, tunable=True)
    divide: bool = knob(True, "whether objects divide: both daughters get numbers of their own")
    merge: bool = knob(False, "whether objects merge: one track ends in the other")

    def rules(self) -> Rules:
        """How detections are linked."""
        return Rules(self.motion, self.reach, self.gap, self.divide, self.merge)

    def predict(self, case: Case) -> Tracks | NotEvaluated:
        """The tracks of a film on its own grid; NotEvaluated where the detector answers no frame.

        Raises
        ------
        RecipeError
            Nothing finds the objects, or it must be trained first.
        InputError
            Not a film, or times that do not rise.
        LabelError
            The detector finds no objects, or what was given are no tracks.
        """
        if self.given is not None:
            found = case.given(self.given)
            return found if isinstance(found, NotEvaluated) else self.linked(found, case)
        return self.followed(case).tracks(case.image().times)

    def followed(self, case: Case) -> Stream:
        """The same with the evidence: objects and milliseconds of each frame; raises as `predict`."""
        image = case.image()
        times, stream = clock(image), replace(self.stream(image.geometry), case=case)
        for t, frame in enumerate(frames_of(image)):
            stream.step(frame, float(times[t]))
        return stream

    def stream(self, geometry: Geometry) -> Stream:
        """A film that comes frame by frame, whose frames lie on this grid: `step` takes one after the other.

        Raises
        ------
        RecipeError
            Nothing finds the objects, or it must be trained first.
        """
        if not hasattr(self.detector, "predict"):
            raise RecipeError(
                "nothing finds the objects", where="assignment", got=type(self.detector).__name__,
                wanted="a method that answers",
                remedy='Set detector={"use": "x.bundle"} (isocenter train makes one), or given=COLUMN',
            )
        return Stream(self.detector, Follower(geometry, self.rules()))

    def linked(self, tracks: Finding, case: Case) -> Tracks:
        """The points of these tracks, linked anew; their numbers are not looked at. LabelError for another finding."""
        if not isinstance(tracks, Tracks):
            raise LabelError("another kind of finding was given", where=case.id, got=type(tracks).__name__,
                             wanted="Tracks")
        image = case.image()
        times, follower = clock(image), Follower(tracks.geometry, self.rules())
        for t in range(image.length("t")):
            follower.step(_points(tracks.frame(t)), float(times[t]))
        made = follower.tracks(image.times)
        return made if tracks.objects is not None else replace(made, objects=None)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedAssignment:
        """The same with a detector that was trained on the frames of train, where it learns.

        Raises
        ------
        RecipeError
            There is neither a detector nor something given.
        IsocenterError
            As the detector's own `fit`.
        """
        part = self.detector
        if part is None and self.given is None:
            raise RecipeError("nothing finds the objects", where="assignment", remedy='Set detector={"use": ...}')
        # What was fitted can be written down; a recipe that answers at once learns from train all the same.
        if hasattr(part, "fit") and not hasattr(part, "state"):
            match = next((t for t in FINDERS if ours(class_name(part), t)), FINDERS[0])
            part = part.fit(single(train, match), single(valid, match), watch=watch)
        return FittedAssignment(**{**_own(self), PART: part})

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedAssignment:
        """The tracker of a bundle; torch is not imported."""
        said = about[PART]
        if said is None:
            return FittedAssignment(**about["recipe"])
        task = next((t for t in FINDERS if ours(said["class"], t)), None)
        if task is None:
            raise BundleError("a part is no method of isocenter", got=str(said["class"]))
        part = class_of(said["class"], task).from_state(said["about"], under(PART, state))
        made: FittedAssignment = build(FittedAssignment, {**about["recipe"], PART: part})
        return made


@dataclass(frozen=True)
class FittedAssignment(Assignment):
    """The tracker with a detector that answers."""

    @property
    def about(self) -> dict[str, Any]:
        """The recipe, and the detector's class and own description."""
        recipe = as_settings(replace(self, detector=None))
        part = self.detector
        told = None if part is None else {"class": class_name(part), "about": dict(part.about)}
        return {"recipe": recipe, "classes": [OBJECT], PART: told}

    def state(self) -> dict[str, Array]:
        """The arrays of the detector."""
        return {} if self.detector is None else {f"{PART}.{k}": a for k, a in self.detector.state().items()}


def _own(method: Assignment) -> dict[str, Any]:
    return {name: getattr(method, name) for name in Assignment.__dataclass_fields__}


def _points(frame: Tracks) -> Boxes | Instances:
    """What lies in one frame; bare points as boxes of one pixel."""
    if frame.objects is not None:
        return objects_of(frame.objects, frame.geometry)
    edges = np.stack([frame.positions - 0.5, frame.positions + 0.5], axis=1)
    return Boxes(edges, np.zeros(len(frame), np.int64), (OBJECT,), frame.geometry)


def single(films: Cases, task: str) -> Cases:
    """The frames of films as cases of their own, with the truth that a task of objects learns from.

    Parameters
    ----------
    films
        Cases of track.
    task
        ``"instances"``, ``"detect"`` or ``"segment"`` (every object is foreground).
    """
    entries = tuple(e for film in films.entries for e in _frames(film, task))
    return replace(films, entries=entries, task=task, classes=("foreground",) if task == "segment" else (OBJECT,))


def _frames(film: Entry, task: str) -> Iterator[Entry]:
    case = film.open()
    group = film.group or film.subject or film.id

    @cache
    def tracks() -> Tracks:
        found = case.truth()
        if not isinstance(found, Tracks):
            raise LabelError("a training film has no tracks", where=case.id)
        return found

    def opened(t: int) -> Case:
        image: Image = take(case.image(), "t", t)
        made = frame_case(case, image, t)
        return replace(made, group=group, load_truth=lambda: _truth(tracks().frame(t), task, image.geometry))

    for t in range(case.image().length("t")):
        yield replace(film, id=f"{film.id}#frame{t}", group=group, open=partial(opened, t))


def _truth(frame: Tracks, task: str, geometry: Geometry) -> Finding:
    boxes = frame.boxes()
    if task == "detect" and boxes is not None:
        return Boxes(boxes.edges, np.zeros(len(boxes), np.int64), (OBJECT,), geometry)
    if not isinstance(frame.objects, Instances):
        raise LabelError("the tracks hold nothing that a detector could learn", got="points or boxes", wanted="masks")
    objects = replace(frame.objects, labels=np.zeros(len(frame), np.int64), classes=(OBJECT,), scores=None)
    if task == "segment":
        return Segmentation((objects.label_map() > 0).astype(np.uint8), ("background", "foreground"), geometry)
    return objects
