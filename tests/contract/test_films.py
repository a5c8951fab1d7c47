"""What every method that follows objects through a film keeps: over everything that the catalog finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Case, Cases, Entry, Image, NotEvaluated, Tracks, Watch, build
from isocenter.errors import InputError, IsocenterError, NotFoundError
from isocenter.simulate import cohort
from isocenter.simulate.film import Course, drawn, film

METHODS = catalog.methods("track")
SEEING = [m for m in METHODS if m != "given"]
STUDYING = [m for m in METHODS if hasattr(catalog.find("track", m), "fit")]
SHAPE, FRAMES = (72, 84), 5
SETTINGS: dict[str, dict[str, Any]] = {
    "given": {"column": "reader"},
    "assignment": {"detector": {"use": "instances/watershed_split"}},
    "template": {"at": (36, 42)},
    "flow": {"spacing": 12},
    "siamese": {"at": (36, 42), "on": {"use": "segment/unet"}},
}

each = pytest.mark.parametrize("method", METHODS)
each_seeing = pytest.mark.parametrize("method", SEEING)
each_studying = pytest.mark.parametrize("method", STUDYING)


def case_of(seed: int) -> Case:
    """Six cells that wander."""
    rng = np.random.default_rng(seed)
    image, truth = drawn(film(SHAPE, rng, Course(6, FRAMES, 1.5)), rng)
    return Case(f"film{seed}", {"image": image}, "image", subject=f"s{seed}", group=f"s{seed}",
                load_truth=lambda: truth, load_given=lambda name: truth)


@cache
def data() -> Cases:
    made = [case_of(i) for i in range(4)]
    splits = ("train", "train", "val", "test")
    entries = (Entry(c.id, lambda c=c: c, c.subject, c.group, s) for c, s in zip(made, splits, strict=True))
    return Cases(tuple(entries), "films", "track", ("object",))


@cache
def fitted(method: str) -> Any:
    """What answers: the method itself, or what it becomes by study."""
    settings = dict(SETTINGS.get(method, {}))
    if isinstance(settings.get("detector"), dict):
        task, name = settings["detector"]["use"].split("/")
        settings["detector"] = catalog.find(task, name)()
    if "on" in settings:
        settings["on"] = network()
    made = build(catalog.find("track", method), settings)
    cases = data()
    return made.fit(cases.split("train"), cases.split("val"), watch=Watch(threads=1)) if hasattr(made, "fit") else made


def network() -> Any:
    """A network that has seen next to nothing: enough for features."""
    brief = {"study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "width": 4}
    cells = cohort(4, seed=0, kind="cells", shape=(48, 56), task="segment")
    made = build(catalog.find("segment", "unet"), brief)
    return made.fit(cells.split("train"), cells.split("val"), watch=Watch(threads=1))


def alike(a: Any, b: Any) -> bool:
    if isinstance(a, NotEvaluated) or isinstance(b, NotEvaluated):
        return bool(a == b)
    return (np.array_equal(a.frames, b.frames) and np.array_equal(a.numbers, b.numbers)
            and np.array_equal(a.positions, b.positions) and a.parents == b.parents)


@each
def test_the_answer_is_of_the_cases_own_film(method: str) -> None:
    case = data()[3]
    found = fitted(method).predict(case)
    assert isinstance(found, Tracks), found
    assert found.geometry.same_grid(case.image().geometry) and found.length == FRAMES
    assert len(found) and np.isfinite(found.positions).all()
    assert found.frames.min() >= 0 and found.frames.max() < FRAMES


@each
def test_the_same_answer_twice_and_nothing_in_it_of_notes_or_truth(method: str) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("looked at what a method must not see")

    case = data()[3]
    first = fitted(method).predict(case)
    fitted(method).predict(data()[0])
    assert alike(first, fitted(method).predict(replace(case, load_truth=refuse, facts={}, subject="other")))


@each_seeing
def test_it_does_not_change_its_input(method: str) -> None:
    case = data()[3]
    pixels = case.image().pixels().copy()
    kept = pixels.copy()
    fitted(method).predict(replace(case, images={"image": case.image().replaced(lambda: pixels)}))
    assert np.array_equal(pixels, kept)


@each_seeing
def test_a_single_image_is_refused_in_words(method: str) -> None:
    still = Case.of(Image.from_array(np.zeros(SHAPE)))
    with pytest.raises(InputError, match="film"):
        fitted(method).predict(still)


@each_seeing
def test_a_missing_role_is_refused(method: str) -> None:
    image = data()[0].image()
    for images in ({}, {"a": image, "b": image}):
        with pytest.raises(NotFoundError):
            fitted(method).predict(Case("x", images))


BARE: dict[str, Callable[[], np.ndarray]] = {
    "one pixel": lambda: np.full((3, 1, 1), 7.0),
    "a row": lambda: np.tile(np.array([[1.0, 2.0, 3.0]]), (3, 1, 1)),
    "one frame": lambda: np.zeros((1, *SHAPE)),
    "constant": lambda: np.full((3, *SHAPE), 40.0),
    "nan": lambda: np.full((3, *SHAPE), np.nan),
    "inf": lambda: np.full((3, *SHAPE), np.inf),
}


@pytest.mark.parametrize("name", list(BARE))
@each_seeing
def test_where_nothing_moves_nothing_is_made_up(method: str, name: str) -> None:
    image = Image.from_array(BARE[name](), axes="tyx")
    try:
        found = fitted(method).predict(Case("x", {"image": image}, "image"))
    except IsocenterError as error:
        assert str(error)
        return
    if isinstance(found, NotEvaluated):
        assert found.reason
    else:
        assert np.isfinite(found.positions).all()
        apart = [np.ptp(found.positions[found.numbers == k], axis=0).max() for k in np.unique(found.numbers)]
        assert max(apart, default=0.0) < 1e-6


@each_seeing
def test_a_dark_frame_within_a_film_is_lived_through(method: str) -> None:
    case = data()[3]
    pixels = case.image().pixels().copy()
    pixels[2] = 0
    image = case.image().replaced(lambda: pixels)
    found = fitted(method).predict(replace(case, images={"image": image}))
    assert found, found
    assert np.isfinite(found.positions).all() and found.length == FRAMES


@each_studying
def test_it_comes_back_from_its_state(method: str) -> None:
    made = fitted(method)
    about = json.loads(json.dumps(made.about))
    again = catalog.find("track", method).from_state(about, {k: np.asarray(v) for k, v in made.state().items()})
    assert alike(made.predict(data()[3]), again.predict(data()[3]))
