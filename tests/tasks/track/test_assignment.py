"""From pixels to tracks."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import (
    Boxes,
    Case,
    Cases,
    Entry,
    Geometry,
    Image,
    Instances,
    NotEvaluated,
    Segmentation,
    Tracks,
    Values,
    build,
)
from isocenter.errors import BundleError, GeometryError, InputError, LabelError, RecipeError
from isocenter.metrics import records
from isocenter.simulate.film import Course, drawn, film
from isocenter.tasks.instances.watershed_split import WatershedSplit
from isocenter.tasks.segment.threshold import Threshold
from isocenter.tasks.track.assignment import Assignment, single

SETTLED = WatershedSplit(rule="otsu", bright=True, diameter=12.0, prominence=0.1, smallest=0.2, channel="mean")


def films(n: int = 1, frames: int = 8, dividing: float = 0.0) -> Cases:
    """Simulated films of their own groups: train, val, test."""
    entries = []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        image, truth = drawn(film((96, 120), rng, Course(10, frames, 2.0, dividing=dividing)), rng)
        split = ("train", "val", "test")[seed % 3]
        case = Case(f"film{seed}", {"image": image}, subject=f"s{seed}", split=split, load_truth=lambda t=truth: t,
                    load_given=lambda name, t=truth: t)
        entries.append(Entry(case.id, lambda c=case: c, case.subject, case.subject, split))
    return Cases(tuple(entries), "films", "track", ("object",))


def values(answer: Tracks | NotEvaluated, truth: Any) -> dict[str, float]:
    return {k: r["values"]["object"] for k, r in records(catalog.task("track"), answer, truth).items()}


@pytest.mark.parametrize("detector", [SETTLED, Threshold(at=80.0)])
def test_objects_are_found_and_followed(detector: Any) -> None:
    [case] = films()
    found = Assignment(detector=detector).predict(case)
    assert isinstance(found, Tracks) and isinstance(found.objects, Instances)
    assert found.geometry.same_grid(case.image().geometry) and found.length == 8
    scores = values(found, case.truth())
    assert scores["f1_8px"] > 0.85 and scores["idf1"] > 0.7 and scores["seg"] > 0.6
    again = Assignment(detector=detector).predict(case)
    assert np.array_equal(again.numbers, found.numbers) and again.parents == found.parents


@dataclass(frozen=True)
class Boxed:
    """A detector that answers the true boxes, some of them unsure."""

    tracks: Tracks

    def predict(self, case: Case) -> Boxes:
        boxes = self.tracks.frame(int(case.id.rpartition("#frame")[2])).boxes()
        return replace(boxes, scores=np.linspace(1.0, 0.3, len(boxes)))


def test_boxes_that_are_not_sure_are_left_out() -> None:
    [case] = films()
    found = Assignment(detector=Boxed(case.truth())).predict(case)
    assert isinstance(found.objects, Boxes) and found.objects.scores.min() >= 0.5 and len(found) < len(case.truth())


def test_points_that_were_given_are_linked_anew() -> None:
    [case] = films(dividing=0.2)
    found = Assignment(given="reader").predict(case)
    assert values(found, case.truth())["link_recall"] > 0.9 and len(found) == len(case.truth())
    bare = replace(case, load_given=lambda name: replace(case.truth(), objects=None))
    points = Assignment(given="reader", divide=False).predict(bare)
    assert points.objects is None and len(points) == len(found)
    nothing = Assignment(given="reader").predict(replace(case, load_given=None))
    assert isinstance(nothing, NotEvaluated)


def test_the_share_of_right_links_of_a_simulated_film() -> None:
    tracks = film((1000, 1000), np.random.default_rng(1), Course(250, 20, 3.0, dropped=0.03, dividing=0.02))
    case = Case.of(Image.from_array(np.zeros((20, 1000, 1000), np.uint8), axes="tyx"))
    assert values(Assignment().linked(tracks, case), tracks)["link_recall"] >= 0.985


class Blind:
    """Answers no frame but the third."""

    def __init__(self, seen: int) -> None:
        self.seen = seen

    def predict(self, case: Case) -> Instances | NotEvaluated:
        image = case.image()
        if case.id.endswith(f"#frame{self.seen}"):
            return Instances.from_label_map(np.pad([[1]], 2), image.geometry)
        return NotEvaluated("too dark")


def test_a_frame_without_an_answer_is_an_empty_one() -> None:
    case = Case.of(Image.from_array(np.zeros((4, 5, 5)), axes="tyx"))
    found = Assignment(detector=Blind(2)).predict(case)
    assert found.frames.tolist() == [2] and found.length == 4
    nothing = Assignment(detector=Blind(9)).predict(case)
    assert isinstance(nothing, NotEvaluated) and nothing.reason == "too dark"


def test_time_stamps_are_respected() -> None:
    """After a pause an object may have gone farther."""
    image = Image.from_array(np.zeros((4, 9, 60)), axes="tyx")
    places = np.array([[4.0, 5], [4, 6], [4, 7], [4, 13]])
    points = Tracks.of(np.arange(4), np.ones(4), places, image.geometry, length=4)
    for times, count in (((0.0, 1.0, 2.0, 3.0), 2), ((0.0, 1.0, 2.0, 12.0), 1), (None, 2)):
        case = Case.of(image.replaced(image.load, times=times))
        found = Assignment(motion="nearest", reach=3.0, gap=0).linked(points, case)
        assert len(found.tracks) == count and found.times == times
    with pytest.raises(InputError, match="do not rise"):
        Assignment().linked(points, Case.of(image.replaced(image.load, times=(0.0, 2.0, 1.0, 3.0))))


def test_volumes_over_time() -> None:
    rng = np.random.default_rng(0)
    image, truth = drawn(film((24, 64, 72), rng, Course(4, 4, 1.5)), rng)
    case = Case("v", {"image": image}, load_truth=lambda: truth)
    found = Assignment(detector=SETTLED).predict(case)
    assert image.axes == "tzyx" and values(found, truth)["f1_8px"] > 0.7


def test_what_finds_nothing_is_refused() -> None:
    [case] = films()
    for method in (Assignment(), Assignment(detector=object())):
        with pytest.raises(RecipeError, match="nothing finds"):
            method.predict(case)
    with pytest.raises(RecipeError, match="nothing finds"):
        Assignment().fit(films(), films())
    with pytest.raises(InputError, match="single image"):
        Assignment(detector=SETTLED).predict(Case.of(Image.from_array(np.zeros((9, 9)))))

    class Number:
        def predict(self, case: Case) -> Values:
            return Values({})

    with pytest.raises(LabelError, match="finds no objects"):
        Assignment(detector=Number()).predict(case)
    with pytest.raises(LabelError, match="another kind"):
        Assignment(given="x").predict(replace(case, load_given=lambda name: Boxes.none(("a",), Geometry((9, 9)))))
    with pytest.raises(RecipeError, match="motion"):
        build(Assignment, {"motion": "fast"})


def test_an_empty_film_has_no_tracks() -> None:
    case = Case.of(Image.from_array(np.zeros((3, 32, 32), np.uint8), axes="tyx"))
    found = Assignment(detector=SETTLED).predict(case)
    assert isinstance(found, Tracks) and len(found) == 0 and found.length == 3


def test_a_detector_that_learns_is_trained_on_the_frames_of_train() -> None:
    cases = films(3, frames=4)
    learnt = Assignment(detector=replace(SETTLED, smallest=None), gap=1).fit(cases.split("train"), cases.split("val"))
    assert learnt.detector.smallest is not None and learnt.gap == 1
    test = cases.split("test")[0]
    assert values(learnt.predict(test), test.truth())["f1_8px"] > 0.85
    about = json.loads(json.dumps(learnt.about))
    again = Assignment.from_state(about, learnt.state())
    assert again == learnt and np.array_equal(again.predict(test).numbers, learnt.predict(test).numbers)
    # What was fitted stays as it is.
    assert learnt.fit(cases.split("train"), cases.split("val")).detector is learnt.detector
    with pytest.raises(BundleError, match="no method"):
        Assignment.from_state({**about, "detector": {"class": "os:system", "about": {}}}, {})


def test_what_was_given_needs_no_study() -> None:
    cases = films(2, frames=3)
    learnt = Assignment(given="reader", reach=9.0).fit(cases, cases)
    assert learnt.state() == {} and learnt.reach == 9.0
    again = Assignment.from_state(json.loads(json.dumps(learnt.about)), {})
    assert again == learnt and np.array_equal(again.predict(cases[0]).numbers, learnt.predict(cases[0]).numbers)


@pytest.mark.parametrize(("task", "kind"), [("instances", Instances), ("detect", Boxes), ("segment", Segmentation)])
def test_frames_are_cases_with_the_truth_of_the_task(task: str, kind: type) -> None:
    cases = films(2, frames=3)
    frames = single(cases, task)
    assert len(frames) == 6 and frames.task == task and [e.id for e in frames.entries][:2] == [
        "film0#frame0", "film0#frame1"]
    assert set(frames.groups) == {"s0", "s1"}
    truth = frames[1].truth()
    assert isinstance(truth, kind) and truth.geometry.shape == (96, 120)
    count = truth.labels.max() if isinstance(truth, Segmentation) else len(truth)
    assert count == (1 if task == "segment" else len(cases[0].truth().frame(1)))
    assert "t" not in frames[1].image().axes


def test_points_alone_teach_no_detector() -> None:
    cases = films(1, frames=2)
    bare = replace(cases[0], load_truth=lambda: replace(cases[0].truth(), objects=None))
    with pytest.raises(LabelError, match="nothing that a detector could learn"):
        single(replace(cases, entries=(replace(cases.entries[0], open=lambda: bare),)), "instances")[0].truth()
    none = replace(cases[0], load_truth=None)
    with pytest.raises(LabelError, match="no tracks"):
        single(replace(cases, entries=(replace(cases.entries[0], open=lambda: none),)), "detect")[0].truth()


class Squares:
    """Finds bright regions; where a frame is all dark it says so."""

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        image = case.image()
        pixels = image.pixels()
        if not pixels.any():
            return NotEvaluated("dark")
        return Segmentation((pixels > 100).astype(np.uint8), ("background", "foreground"), image.geometry)


def walking(length: int = 5) -> Image:
    film = np.zeros((length, 40, 60), np.uint8)
    for t in range(length):
        film[t, 10:16, 4 + 5 * t : 10 + 5 * t], film[t, 30:36, 40:46] = 200, 150
    return Image.from_array(film, axes="tyx")


def test_a_stream_follows_as_the_whole_film_does_and_says_its_pace() -> None:
    image = walking()
    method = Assignment(detector=Squares())
    stream = method.stream(image.geometry)
    for t, pixels in enumerate(image.pixels()):
        assert stream.step(Image.from_array(pixels)).tolist() == [1, 2]
        early = stream.tracks()
        assert isinstance(early, Tracks) and early.length == t + 1
    whole = method.predict(Case.of(image))
    assert np.array_equal(whole.positions, stream.tracks().positions)
    pace = stream.evidence()
    assert pace["frame"].tolist() == [0, 1, 2, 3, 4] and pace["objects"].tolist() == [2] * 5
    assert (pace["detect_ms"] > 0).all() and (pace["link_ms"] > 0).all()
    assert np.array_equal(method.followed(Case.of(image)).evidence()["objects"], pace["objects"])
    assert all(len(column) == 0 for column in method.stream(image.geometry).evidence().values())


def test_dark_frames_are_gone_through_and_a_dark_film_is_not_evaluated() -> None:
    image = walking()
    pixels = image.pixels().copy()
    pixels[2] = 0
    found = Assignment(detector=Squares()).predict(Case.of(Image.from_array(pixels, axes="tyx")))
    assert found.spans() == {1: (0, 4), 2: (0, 4)} and len(found) == 8
    dark = Assignment(detector=Squares()).predict(Case.of(Image.from_array(0 * pixels, axes="tyx")))
    assert isinstance(dark, NotEvaluated) and dark.reason == "dark"


def test_objects_that_touch_are_one_until_they_part() -> None:
    """Two squares meet for two frames: merging on request ends one in the other, and what parts again divides."""
    film = np.zeros((7, 30, 60), np.uint8)
    for t, gap in enumerate((8, 4, 2, 0, 0, 2, 6)):
        film[t, 10:18, 20 - gap : 28 - gap], film[t, 10:18, 28 + gap : 36 + gap] = 200, 200
    image = Image.from_array(film, axes="tyx")
    found = Assignment(detector=Squares(), merge=True, reach=12.0).predict(Case.of(image))
    assert np.bincount(found.frames).tolist() == [2, 2, 2, 1, 1, 2, 2]
    assert len(found.merges) == 1 and len(found.children()) == 1
    [(mother, daughters)] = found.children().items()
    assert mother == found.merges[0][1] and all(found.spans()[d] == (5, 6) for d in daughters)


def test_frames_of_different_size_are_refused_in_a_stream() -> None:
    stream = Assignment(detector=Squares()).stream(walking().geometry)
    with pytest.raises(GeometryError, match="different grids"):
        stream.step(Image.from_array(np.full((9, 9), 200, np.uint8)))


def test_a_missing_frame_is_a_longer_step() -> None:
    """The frame at 2 s is missing: by its velocity the object is where it should be, twice a step away."""
    image = walking(6)
    kept = [0, 1, 3, 4, 5]
    told = Image.from_array(image.pixels()[kept], axes="tyx")
    timed = told.replaced(told.load, times=tuple(float(t) for t in kept))
    method = Assignment(detector=Squares(), reach=6.0)
    assert method.predict(Case.of(timed)).spans() == {1: (0, 4), 2: (0, 4)}
