"""Targets named in the first frame, and the stream of frames that follows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from isocenter.data import Boxes, Case, Geometry, Image, NotEvaluated, Segmentation, Tracks
from isocenter.errors import InputError, LabelError, RecipeError
from isocenter.ops.following import Chase
from isocenter.simulate.noise import smooth
from isocenter.tasks.track._target import Following, Named, followed, pixels_of, plain

FRAME = Image.from_array(smooth((40, 48), np.random.default_rng(0), grain=1.5) * 20 + 100)
CASE = Case.of(FRAME)


def named(**said: object) -> Named:
    return Named(**{"at": None, "detector": None, "given": None, "size": None, **said})


def film(frames: int = 4, axes: str = "tyx", **fields: object) -> Case:
    """The frame, one pixel farther right each time."""
    pixels = np.stack([np.roll(FRAME.pixels(), t, axis=1) for t in range(frames)])
    if "c" in axes:
        pixels = np.stack([pixels, 0 * pixels], axis=1)
    image = Image.from_array(pixels, axes=axes)
    return Case.of(image.replaced(image.load, **fields))


@dataclass(frozen=True)
class Finds:
    """A detector that answers what it holds."""

    answer: object

    def predict(self, case: Case) -> object:
        assert "t" not in case.image().axes and case.id.endswith("#frame0")
        return self.answer


def test_centres_and_boxes_in_array_order() -> None:
    one = named(at=(20, 24), size=10).edges(CASE, FRAME)
    assert one.tolist() == [[[15.0, 19.0], [25.0, 29.0]]]
    both = named(at=([20, 24], [10.0, 12.0, 16.0, 20.0]), size=4).edges(CASE, FRAME)
    assert both.tolist() == [[[18.0, 22.0], [22.0, 26.0]], [[10.0, 12.0], [16.0, 20.0]]]
    assert np.ptp(named(at=(20, 24)).edges(CASE, FRAME), axis=1).tolist() == [[9.0, 9.0]]
    wide = Image.from_array(np.zeros((200, 300)))
    assert np.ptp(named(at=(20, 24)).edges(Case.of(wide), wide), axis=1).tolist() == [[25.0, 25.0]]


@pytest.mark.parametrize("at", [(), (1,), (1, 2, 3), ((1, 2), "x"), (np.nan, 2), ("a", "b"), ((3, 4, 1, 2),)])
def test_what_is_neither_a_centre_nor_a_box_is_refused(at: tuple) -> None:
    with pytest.raises(RecipeError, match=r"neither centres nor boxes|no extent"):
        named(at=at).edges(CASE, FRAME)


def test_one_way_to_name_them() -> None:
    for said in ({}, {"at": (1, 2), "given": "x"}):
        with pytest.raises(RecipeError, match="what is to be followed"):
            named(**said)
    with pytest.raises(RecipeError, match="does not answer"):
        named(detector="x").edges(CASE, FRAME)


def test_a_target_outside_is_not_evaluated() -> None:
    for at in ((-2, 5), (39.6, 5), ((20, 20), (5, 60))):
        found = named(at=at).edges(CASE, FRAME)
        assert isinstance(found, NotEvaluated) and "outside" in found.reason and found.limit == "(40, 48)"


def test_a_detector_names_them() -> None:
    labels = np.zeros((40, 48), np.uint8)
    labels[4:10, 6:16], labels[20:26, 30:33] = 1, 1
    parts = Segmentation(labels, ("background", "foreground"), FRAME.geometry)
    assert named(detector=Finds(parts)).edges(CASE, FRAME).tolist() == [
        [[3.5, 5.5], [9.5, 15.5]], [[19.5, 29.5], [25.5, 32.5]]]  # fmt: skip
    boxes = Boxes(np.array([[[1.0, 1], [9, 9]], [[11, 11], [19, 19]]]), np.zeros(2, int), ("object",), FRAME.geometry,
                  np.array([0.9, 0.2]))
    assert named(detector=Finds(boxes)).edges(CASE, FRAME).tolist() == [[[1.0, 1.0], [9.0, 9.0]]]
    nothing = named(detector=Finds(boxes.chosen(np.array([False, False])))).edges(CASE, FRAME)
    assert isinstance(nothing, NotEvaluated) and "no target" in nothing.reason
    dark = NotEvaluated("too dark")
    assert named(detector=Finds(dark)).edges(CASE, FRAME) is dark


def test_given_tracks_name_them() -> None:
    places = np.array([[10.0, 12], [11, 12], [30, 31]])
    tracks = Tracks.of(np.array([0, 1, 0]), np.array([1, 1, 2]), places, FRAME.geometry, length=2)
    case = replace(CASE, load_given=lambda name: tracks)
    assert named(given="x", size=6).edges(case, FRAME).mean(axis=1).tolist() == [[10.0, 12.0], [30.0, 31.0]]
    edges = np.stack([places - 2, places + 3], axis=1)
    boxed = replace(tracks, objects=Boxes(edges, np.zeros(3, int), ("object",), FRAME.geometry))
    assert named(given="x").edges(replace(case, load_given=lambda n: boxed), FRAME).tolist() == edges[[0, 2]].tolist()
    assert isinstance(named(given="x").edges(CASE, FRAME), NotEvaluated)
    with pytest.raises(LabelError, match="another kind"):
        named(given="x").edges(replace(case, load_given=lambda n: boxed.objects), FRAME)


def coarse(frame: Image) -> tuple[np.ndarray, np.ndarray]:
    """Means of two by two pixels: a look coarser than the frame."""
    pixels = frame.pixels()
    return np.asarray(pixels.reshape(20, 2, 24, 2).mean(axis=(1, 3))[None]), np.full(2, 0.5)


@pytest.mark.parametrize(("look", "within"), [(plain, 0.05), (coarse, 0.3)])
def test_places_are_in_pixels_of_the_frame_however_coarse_the_look(look: object, within: float) -> None:
    found = followed(film(), named(at=(20, 20), size=16), look, Chase())
    tracks = found.tracks()
    assert tracks.frames.tolist() == [0, 1, 2, 3] and tracks.length == 4
    assert np.abs(tracks.positions - [[20, 20 + t] for t in range(4)]).max() < within
    assert np.ptp(tracks.objects.edges, axis=1).tolist() == [[16.0, 16.0]] * 4


def test_the_evidence_has_a_row_for_each_frame_and_target() -> None:
    found = followed(film(), named(at=((20, 20), (12, 30)), size=11), plain, Chase())
    table = found.evidence()
    assert table["frame"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and table["track"].tolist() == [1, 2] * 4
    assert table["seen"].all() and (table["score"] > 0.95).all() and (table["error_px"] < 0.1).all()
    assert (table["ms"] > 0).all() and np.isfinite(table["anchor"]).all()


def test_times_and_lost_frames() -> None:
    case = film(6, times=(0.0, 0.04, 0.08, 0.2, 0.24, 0.28))
    pixels = case.image().pixels().copy()
    pixels[2] = 5
    dark = Case.of(case.image().replaced(lambda: pixels))
    found = followed(dark, named(at=(20, 20), size=15), plain, Chase())
    tracks = found.tracks(case.image().times)
    assert tracks.frames.tolist() == [0, 1, 3, 4, 5] and tracks.seconds[2] == 0.2
    assert found.evidence()["seen"].tolist() == [True, True, False, True, True, True]


def test_what_cannot_be_followed_is_not_evaluated() -> None:
    rules = Chase()
    even = Case.of(Image.from_array(np.full((3, 20, 20), 7.0), axes="tyx"))
    assert "even" in followed(even, named(at=(9, 9)), plain, rules).reason
    bad = Case.of(Image.from_array(np.full((3, 20, 20), np.nan), axes="tyx"))
    assert "NaN" in followed(bad, named(at=(9, 9)), plain, rules).reason
    assert "outside" in followed(film(), named(at=(99, 9)), plain, rules).reason
    with pytest.raises(InputError, match="single image"):
        followed(CASE, named(at=(9, 9)), plain, rules)
    with pytest.raises(InputError, match="do not rise"):
        followed(film(times=(0.0, 0.0, 1.0, 2.0)), named(at=(9, 9)), plain, rules)


def test_a_film_of_one_frame_is_its_targets() -> None:
    found = followed(film(1), named(at=((20, 20), (12, 30)), size=11), plain, Chase())
    assert found.tracks().positions.tolist() == [[20, 20], [12, 30]] and found.tracks().length == 1


def test_frames_on_another_grid_are_refused() -> None:
    found = Following(FRAME, named(at=(20, 20)).edges(CASE, FRAME), plain)
    with pytest.raises(InputError, match="different grids"):
        found.step(Image.from_array(np.zeros((40, 40))))
    other = Geometry.from_spacing((40, 48), (2.0, 2.0))
    with pytest.raises(InputError, match="different grids"):
        found.step(FRAME.replaced(FRAME.load, geometry=other))


def test_channels_are_averaged() -> None:
    image = Image.from_array(np.stack([np.full((4, 5), 2, np.uint8), np.full((4, 5), 6, np.uint8)]), axes="cyx")
    assert pixels_of(image).tolist() == np.full((1, 4, 5), 4.0).tolist() and pixels_of(image).dtype == np.float32
