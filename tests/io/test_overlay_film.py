"""Films with their tracks drawn over them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import isocenter.io.overlay_film as overlay_film
from isocenter.data import Boxes, Geometry, Image, Instances, Tracks
from isocenter.data.film import frames_of
from isocenter.errors import GeometryError, MissingExtraError, OutputError
from isocenter.io.overlay_film import Trails, colour, pace, pictures, write_film
from isocenter.simulate.film import Course, drawn, film

GRID = Geometry((256, 256))


def moving(length: int = 4) -> Tracks:
    """One object that moves 20 pixels to the right in every frame."""
    places = np.stack([np.full(length, 100.0), 40.0 + 20 * np.arange(length)], 1)
    return Tracks.of(np.arange(length), np.full(length, 3), places, GRID, length=length)


def black(length: int = 4, shape: tuple[int, ...] = (256, 256), axes: str = "tyx") -> Image:
    return Image.from_array(np.zeros((length, *shape), np.uint8), axes=axes)


def at(picture: np.ndarray, y: float, x: float, size: int = 3) -> set[tuple[int, ...]]:
    """The colours round a place of the film, which is shown twice as large."""
    y, x = round(2 * y + 1), round(2 * x + 1)
    return set(map(tuple, picture[y - size : y + size + 1, x - size : x + size + 1].reshape(-1, 3).tolist()))


def test_a_track_has_its_colour_and_the_path_of_its_last_frames() -> None:
    shown = list(pictures(black(8), moving(8), tail=3))
    assert len(shown) == 8 and shown[0].shape == (512, 512, 3)
    assert colour(3) in at(shown[0], 100, 40) and colour(3) not in at(shown[0], 100, 60)
    for x, there in ((180, True), (150, True), (130, True), (110, False), (50, False)):
        assert (colour(3) in at(shown[7], 100, x, 1)) == there, x


def test_a_division_is_marked_and_the_paths_of_daughters_start_at_the_mother() -> None:
    frames, numbers = np.asarray([0, 1, 2, 2, 3, 3]), np.asarray([1, 1, 2, 3, 2, 3])
    places = np.asarray([(50, 50), (50, 54), (30, 60), (70, 60), (28, 60), (72, 60)], float)
    tracks = replace(Tracks.of(frames, numbers, places, GRID, length=4), parents=((2, 1), (3, 1)))
    shown = list(pictures(black(), tracks))
    assert not ((shown[1][60:] == 255).all(-1)).any()
    # What joins the daughters is white, the branch has the daughter's colour.
    assert (255, 255, 255) in at(shown[2], 50, 60) and (255, 255, 255) in at(shown[3], 50, 60)
    assert colour(2) in at(shown[2], 40, 57) and colour(3) in at(shown[2], 62, 57)


def test_masks_are_outlined_and_boxes_framed() -> None:
    mask = np.ones((21, 21), bool)
    tracks = moving(1)
    objects = Instances(np.asarray([[90, 30]]), (mask,), np.zeros(1, int), ("o",), GRID)
    shown = next(pictures(black(1), replace(tracks, objects=objects)))
    assert colour(3) in at(shown, 90, 40, 2) and at(shown, 96, 40, 1) == {(0, 0, 0)}
    boxes = Boxes(np.asarray([[[89.5, 29.5], [110.5, 50.5]]]), np.zeros(1, int), ("o",), GRID)
    shown = next(pictures(black(1), replace(tracks, objects=boxes)))
    assert colour(3) in at(shown, 89.5, 40, 2) and at(shown, 96, 36, 1) == {(0, 0, 0)}


def test_large_frames_are_scaled_down_and_volumes_shown_along_z() -> None:
    large = Geometry((3000, 1000))
    tracks = Tracks.of(np.zeros(1), np.ones(1), np.asarray([[1500.0, 500.0]]), large, length=1)
    assert next(pictures(black(1, (3000, 1000)), tracks)).shape == (512, 171, 3)
    deep = Geometry((5, 256, 256))
    pixels = np.zeros((1, 5, 256, 256), np.uint16)
    pixels[0, 3, 200:210, 200:210] = 900
    image = Image.from_array(pixels, axes="tzyx")
    ball = Instances(np.asarray([[1, 90, 90]]), (np.ones((3, 21, 21), bool),), np.zeros(1, int), ("o",), deep)
    tracks = Tracks.of(np.zeros(1), np.ones(1), np.asarray([[2.0, 100.0, 100.0]]), deep, length=1, objects=ball)
    shown = next(pictures(image, tracks))
    assert at(shown, 205, 205) == {(255, 255, 255)} and colour(1) in at(shown, 90, 100, 2)


def test_many_objects_are_not_numbered_and_an_empty_film_is_only_shown() -> None:
    rng = np.random.default_rng(0)
    n = overlay_film.NUMBERED + 1
    tracks = Tracks.of(np.zeros(n), np.arange(1, n + 1), rng.uniform(30, 220, (n, 2)), GRID, length=1)
    crowded = next(pictures(black(1), tracks))
    few = next(pictures(black(1), tracks.chosen(np.arange(n - 1))))
    assert np.count_nonzero(crowded) < np.count_nonzero(few)
    nothing = next(pictures(black(1), Tracks.none(GRID, 1)))
    assert not nothing[40:].any() and nothing[:40].any()
    assert Trails(Tracks.none(GRID, 1)).paths[0].shape == (0, 2, 2)


@pytest.mark.parametrize("end", [".gif", ".mp4", ".avi"])
def test_what_was_written_is_a_film_with_the_tracks(end: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    image, tracks = drawn(film((101, 151), rng, Course(5, 6, 2.0, dividing=0.2)), rng)
    path = write_film(image, tracks, tmp_path / f"a{end}") if end == ".gif" or has_cv2() else None
    if path is None:
        pytest.skip("the extra video is not installed: pip install 'isocenter[video]'")
    wanted = np.stack(list(pictures(image, tracks)))
    if end == ".gif":
        with PIL.Image.open(path) as found:
            assert found.n_frames == 6 and found.info["duration"] == 120
            frames = []
            for t in range(6):
                found.seek(t)
                frames.append(np.asarray(found.convert("RGB")))
        shown = np.stack(frames)
        assert tuple(shown.shape) == wanted.shape and np.abs(shown.astype(int) - wanted).mean() < 2
    else:
        from isocenter.io import read_image

        again = read_image(path)
        high, wide = wanted.shape[1:3]
        assert again.shape == (6, 3, high + high % 2, wide + wide % 2)
        shown = np.moveaxis(again.pixels(), 1, -1)[:, :high, :wide]
        assert np.abs(shown.astype(int) - wanted).mean() < 10
    with pytest.raises(OutputError, match="exists"):
        write_film(image, tracks, path)


def has_cv2() -> bool:
    import importlib.util

    return importlib.util.find_spec("cv2") is not None


def test_a_long_film_is_thinned_in_a_gif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay_film, "FRAMES", 3)
    write_film(black(8), moving(8), tmp_path / "a.gif")
    with PIL.Image.open(tmp_path / "a.gif") as found:
        assert found.n_frames == 3


def test_colours_of_a_colour_film_stay(tmp_path: Path) -> None:
    pixels = np.zeros((2, 3, 256, 256), np.uint8)
    pixels[:, 0, 128:] = 220
    write_film(Image.from_array(pixels, axes="tcyx"), moving(2), tmp_path / "a.gif")
    with PIL.Image.open(tmp_path / "a.gif") as found:
        red, green, _ = found.convert("RGB").getpixel((400, 400))
    assert red > 200 and green < 30


def test_the_pace_is_the_films_own_where_it_can_be_watched() -> None:
    assert pace(moving()) == 8.0
    for step, wanted in ((0.1, 10.0), (600.0, 8.0), (0.001, 8.0)):
        assert pace(replace(moving(), times=tuple(step * i for i in range(4)))) == pytest.approx(wanted)


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match="GIF, MP4 or AVI"):
        write_film(black(), moving(), tmp_path / "a.webm")
    with pytest.raises(GeometryError, match="do not belong together"):
        write_film(black(3), moving(4), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"isocenter\[video\]"):
        write_film(black(), moving(), tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_values_of_any_range_are_shown_with_one_scale_for_the_film() -> None:
    pixels = np.stack([np.full((256, 256), v, np.float32) for v in (0.0, 1.0, 0.5)])
    pixels[:, :128] = 0
    image = Image.from_array(pixels, axes="tyx")
    shown = [p[500, 500, 0] for p in pictures(image, Tracks.none(GRID, 3))]
    assert shown[0] == 0 and shown[1] == 255 and 120 <= shown[2] <= 135
    assert len(list(frames_of(image))) == 3
