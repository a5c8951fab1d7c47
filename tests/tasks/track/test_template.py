"""A target followed by its own pixels, from a film and from a stream."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

import isocenter as iso
from isocenter import catalog
from isocenter.data import Boxes, Case, Image, NotEvaluated, Tracks, build
from isocenter.errors import InputError, RecipeError
from isocenter.ops.warping import grid_points, sampled
from isocenter.simulate.noise import smooth
from isocenter.tasks.segment.threshold import Threshold
from isocenter.tasks.track._follower import frames_of
from isocenter.tasks.track.template import Template

START = (60.0, 70.0)


def film(frames: int = 12, shape: tuple[int, ...] = (128, 144), axes: str = "tyx") -> tuple[Image, np.ndarray]:
    """Tissue that is moved as a whole, by whole and broken pixels, under noise; and where its start is."""
    rng = np.random.default_rng(0)
    tissue = smooth([n + 40 for n in shape], rng, grain=2.0)
    grid = grid_points(shape)
    moved = [np.array([7 * np.sin(t / 3), 9 * np.sin(t / 4), 0.3 * t][: len(shape)]) for t in range(frames)]
    pixels = np.stack([100 + 40 * sampled(tissue, grid + 20 - m, order=3) + 8 * rng.normal(size=shape) for m in moved])
    if "c" in axes:
        pixels = np.repeat(pixels[:, None], 3, axis=1)
    return Image.from_array(np.clip(pixels, 0, 255).astype(np.uint8), axes=axes), np.stack(moved)


def test_a_target_is_followed_through_a_film() -> None:
    image, moved = film()
    found = Template(at=START).predict(Case.of(image))
    assert isinstance(found, Tracks) and isinstance(found.objects, Boxes)
    assert found.frames.tolist() == list(range(12)) and found.geometry.same_grid(image.geometry)
    assert np.abs(found.positions - START - moved).max() < 0.2
    assert (found.objects.scores > 0.8).all()
    again = Template(at=START).predict(Case.of(image))
    assert np.array_equal(again.positions, found.positions)


def test_colour_and_volumes() -> None:
    image, moved = film(axes="tcyx")
    assert np.abs(Template(at=START).predict(Case.of(image)).positions - START - moved).max() < 0.2
    volume, moved = film(3, (24, 30, 34), "tzyx")
    found = Template(at=(12, 15, 16), size=9).predict(Case.of(volume))
    assert np.abs(found.positions - (12, 15, 16) - moved).max() < 0.2


def test_the_stream_says_the_same_as_the_film() -> None:
    image, _ = film(6)
    frames = list(frames_of(image))
    stream = Template(at=START).stream(frames[0])
    for frame in frames[1:]:
        [sight] = stream.step(frame)
        assert sight.place is not None and sight.error < 0.5
    assert np.array_equal(stream.tracks().positions, Template(at=START).predict(Case.of(image)).positions)


def test_a_method_that_finds_the_first_is_followed_further() -> None:
    image, moved = film(5)
    bright = image.pixels().copy()
    for t, m in enumerate(moved[:5]):
        inside = ((grid_points((128, 144)) - (60, 70) - m) ** 2).sum(-1) < 64
        bright[t][inside] = 255
    found = Template(detector=Threshold(at=254.0)).predict(Case.of(Image.from_array(bright, axes="tyx")))
    there = found.track(int(found.numbers[np.abs(found.positions - START).sum(axis=1).argmin()]))
    assert len(there) == 5 and np.abs(there.positions - there.positions[0] - moved[:5]).max() < 0.6


def test_a_recipe_says_where() -> None:
    made = build(Template, {"at": [60, 70], "size": 21, "least": 0.4})
    assert made.at == (60, 70) and made.rules().least == 0.4
    assert catalog.find("track", "template") is Template
    with pytest.raises(RecipeError, match="out of range"):
        build(Template, {"at": [-60, 70], "least": 2})
    image, _ = film(2)
    with pytest.raises(RecipeError, match="what is to be followed"):
        Template().predict(Case.of(image))


def test_the_verb_takes_it_by_name(tmp_path: Path) -> None:
    image, moved = film(4)
    found = iso.predict("track/template", image, settings={"at": [60, 70]})
    assert np.abs(found.positions - START - moved[:4]).max() < 0.2
    tifffile.imwrite(tmp_path / "film.tif", image.pixels(), imagej=True, metadata={"axes": "TYX"})
    iso.predict("track/template", tmp_path / "film.tif", out=tmp_path / "o", settings={"at": [60, 70]})
    tables = [p.read_text(encoding="utf-8") for p in (tmp_path / "o").rglob("film*.csv")]
    assert any(text.startswith("track,frame") and len(text.splitlines()) == 5 for text in tables)


def test_bad_films() -> None:
    image, _ = film(3)
    assert isinstance(Template(at=(500, 1)).predict(Case.of(image)), NotEvaluated)
    with pytest.raises(InputError, match="single image"):
        Template(at=START).predict(Case.of(next(frames_of(image))))
    first = next(frames_of(image))
    with pytest.raises(RecipeError, match="outside"):
        Template(at=(500, 1)).stream(first)
    with pytest.raises(InputError, match="different grids"):
        Template(at=START).stream(first).step(Image.from_array(np.zeros((9, 9))))


def test_a_film_keeps_its_pace() -> None:
    """25 frames a second at least, with much room: the benchmark says how fast it is on an idle core."""
    image, _ = film(20, (256, 256))
    frames = list(frames_of(image))
    stream = Template(at=(128, 128), size=31).stream(frames[0])
    started = time.process_time()
    for frame in frames[1:]:
        stream.step(frame)
    assert (time.process_time() - started) / 19 < 0.04
    assert len(stream.evidence()["ms"]) == 20
