"""Targets on a stream of frames: where they are, by how much that may be off, and when they are gone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isocenter.errors import InputError
from isocenter.ops.correlation import normalised_correlation
from isocenter.ops.following import Chase, Pursuit, aligned, patch
from isocenter.ops.warping import grid_points, sampled


def texture(shape: tuple[int, ...], seed: int) -> np.ndarray:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.5)
    return np.asarray(field / field.std())


TARGET = texture((60, 60), 1)


def scene(places: list[tuple[float, float] | None], *, noise: float = 0.2, shape: tuple[int, int] = (96, 112),
          turn: float = 0.0) -> list[np.ndarray]:  # fmt: skip
    """A textured disc before a textured ground; None: it is hidden. `turn` in degrees a frame."""
    rng, ground, grid = np.random.default_rng(3), texture(shape, 2), grid_points(shape)
    frames = []
    for t, place in enumerate(places):
        frame = ground.copy()
        if place is not None:
            off = grid - np.asarray(place)
            angle = np.deg2rad(turn * t)
            way = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            inside = (off**2).sum(-1) < 14**2
            frame[inside] = sampled(TARGET, off @ way + 29.5, order=3)[inside]
        frames.append((100 + 30 * (frame + noise * rng.normal(size=shape)))[None].astype(np.float32))
    return frames


def wave(n: int) -> list[tuple[float, float] | None]:
    return [(48 + 20 * np.sin(t / 5), 56 + 24 * np.cos(t / 7) - 24) for t in range(n)]


def followed(frames: list[np.ndarray], start: tuple[float, float], **rules: object) -> list:
    pursuit = Pursuit(frames[0], np.array(start), (21, 21), Chase(**rules))
    return [pursuit.step(f) for f in frames[1:]]


def test_a_patch_is_the_image_at_whole_places_and_a_spline_between() -> None:
    image = texture((2, 20, 24), 0).astype(np.float32)
    assert np.allclose(patch(image, np.array([9.0, 10.0]), (5, 7)), image[:, 7:12, 7:14], atol=1e-4)
    between = patch(image, np.array([9.3, 10.6]), (5, 7))
    at = np.stack(np.meshgrid(np.arange(5) + 7.3, np.arange(7) + 7.6, indexing="ij"))
    for one, plane in zip(between, image, strict=True):
        assert np.abs(one - ndimage.map_coordinates(plane, at, order=3, mode="mirror")).max() < 0.01
    volume = texture((10, 12, 14), 0)[None].astype(np.float32)
    assert np.allclose(patch(volume, np.array([5.0, 5, 6]), (3, 5, 3)), volume[:, 4:7, 3:8, 5:8], atol=1e-4)
    corner = patch(image, np.array([0.0, 0.0]), (5, 5))
    assert corner.shape == (2, 5, 5) and np.isfinite(corner).all()


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.35, -0.6), (-1.2, 0.8)])
def test_alignment_finds_fractions_of_a_pixel(shift: tuple[float, float]) -> None:
    image = texture((1, 48, 48), 4)
    template = 3 * patch(image, np.array([24.0, 23.0]) + shift, (15, 15)) - 40
    place, score = aligned(image, template, np.array([24.0, 23.0]))
    assert np.abs(place - np.array([24.0, 23.0]) - shift).max() < 0.01 and score > 0.9999


def test_alignment_stays_where_nothing_can_be_known() -> None:
    start = np.array([10.0, 10.0])
    place, score = aligned(np.zeros((1, 20, 20)), texture((1, 7, 7), 0), start)
    assert np.array_equal(place, start) and score == -1
    assert aligned(texture((1, 20, 20), 0), np.ones((1, 7, 7)), start)[1] == -1
    place, _ = aligned(texture((1, 40, 40), 0), texture((1, 7, 7), 5), np.array([20.0, 20.0]))
    assert np.linalg.norm(place - 20) <= 2
    ramp = np.tile(np.arange(20.0), (1, 20, 1))
    assert np.isfinite(aligned(ramp, ramp[:, :7, 3:10], start)[0]).all()


def test_a_target_is_followed_to_fractions_of_a_pixel() -> None:
    places = wave(40)
    seen = followed(scene(places), places[0])
    errors = [np.linalg.norm(s.place - p) for s, p in zip(seen, places[1:], strict=True)]
    assert max(errors) < 0.25 and np.mean(errors) < 0.08
    assert min(s.score for s in seen) > 0.8 and max(s.error for s in seen) < 0.5


def test_small_errors_do_not_add_up() -> None:
    """With the first template as anchor the place after 120 frames is as good as after 10."""
    places = [(48 + 0.37 * np.sin(t), 40 + 0.2 * t) for t in range(120)]
    seen = followed(scene(places, noise=0.4), places[0])
    off = np.array([s.place - p for s, p in zip(seen, places[1:], strict=True)])
    assert np.abs(off[-10:].mean(axis=0)).max() < 0.1


def test_a_target_that_turns_is_followed_by_the_template_of_the_present() -> None:
    places = [(48.0, 40 + 0.5 * t) for t in range(40)]
    seen = followed(scene(places, turn=0.7), places[0])
    assert all(s.place is not None for s in seen)
    assert max(np.linalg.norm(s.place - p) for s, p in zip(seen, places[1:], strict=True)) < 2.0


def test_a_hidden_target_is_lost_and_comes_back_where_it_is() -> None:
    places = wave(40)
    shown = [p if not 12 <= t < 20 else None for t, p in enumerate(places)]
    seen = followed(scene(shown), places[0])
    for t, sight in enumerate(seen, start=1):
        if shown[t] is None:
            assert sight.place is None
        elif sight.place is not None:
            assert np.linalg.norm(sight.place - places[t]) < 0.5
    assert sum(s.place is not None for s in seen[19:]) >= 18


def test_a_target_that_leaves_the_image_is_lost() -> None:
    places = [(48.0, 80 + 2.0 * t) for t in range(30)]
    seen = followed(scene(places), places[0])
    assert all(s.place is None for s in seen[17:])
    assert all(np.linalg.norm(s.place - p) < 1 for s, p in zip(seen[:10], places[1:], strict=False))


def test_frames_without_anything_and_without_numbers_are_said() -> None:
    places = wave(12)
    frames = scene(places)
    frames[4] = np.full_like(frames[4], 7)
    frames[7] = np.full_like(frames[7], np.nan)
    seen = followed(frames, places[0])
    assert [t for t, s in enumerate(seen, start=1) if s.place is None] == [4, 7]
    assert seen[6].score == 0 and np.isnan(seen[6].anchor) and np.isinf(seen[6].error)


def test_after_a_pause_it_may_have_gone_farther() -> None:
    frames = scene([(48.0, 30.0), (48.0, 46.0)])
    for lasted, there in ((1.0, False), (2.0, True)):
        pursuit = Pursuit(frames[0], np.array([48.0, 30.0]), (21, 21), Chase(reach=10.0))
        assert (pursuit.step(frames[1], lasted).place is not None) is there


def test_speed_foretells_the_place() -> None:
    places = [(48.0, 20 + 0.75 * t + 0.25 * t**2) for t in range(16)]
    frames = scene(places)
    near, far = (followed(frames, places[0], motion=m, reach=6.0) for m in ("nearest", "velocity"))
    assert sum(s.place is not None for s in far) == 15 > sum(s.place is not None for s in near)


def test_a_look_alike_far_away_is_not_taken_for_a_target_that_is_gone() -> None:
    """Two of a kind in the first frame: while one is hidden the other is not it."""
    one, other = scene([(30.0, 30.0)], noise=0)[0], scene([(66.0, 80.0)], noise=0)[0]
    both = np.where(np.abs(other - scene([None], noise=0)[0]) > 0, other, one)
    pursuit = Pursuit(both, np.array([30.0, 30.0]), (21, 21))
    assert pursuit.elsewhere(5.0) < 0.3 and pursuit.elsewhere(80.0) > 0.98
    assert all(pursuit.step(other).place is None for _ in range(12))
    back = pursuit.step(both)
    assert back.place is None or np.linalg.norm(back.place - 30) < 1


def test_volumes() -> None:
    volume = texture((24, 28, 30), 6)[None]
    moved = ndimage.shift(volume, (0, 1.0, -2.3, 1.6), order=3, mode="nearest")
    sight = Pursuit(volume, np.array([12.0, 14, 15]), (7, 9, 9)).step(moved)
    assert np.abs(sight.place - [13.0, 11.7, 16.6]).max() < 0.1


def test_what_cannot_be_followed_is_refused() -> None:
    frame = texture((1, 40, 40), 0)
    for place in ((-1.0, 5.0), (5.0, 39.6)):
        with pytest.raises(InputError, match="outside the image"):
            Pursuit(frame, np.array(place), (9, 9))
    pursuit = Pursuit(frame, np.array([20.0, 20.0]), (9, 9))
    with pytest.raises(InputError, match="differ in size"):
        pursuit.step(frame[:, :30])
    assert not pursuit.flat and Pursuit(np.full((1, 40, 40), 5.0), np.array([20.0, 20.0]), (9, 9)).flat
    tiny = Pursuit(texture((1, 5, 5), 0), np.array([2.0, 2.0]), (9, 9))
    assert tiny.elsewhere(9.0) == 0 and tiny.step(texture((1, 5, 5), 1)).place is None


def test_the_best_place_is_that_of_the_correlation() -> None:
    image = texture((1, 60, 60), 8).astype(np.float32)
    moved = np.roll(image, (3, -4), axis=(1, 2))
    surface = normalised_correlation(moved, patch(image, np.array([30.0, 30.0]), (11, 11)))
    peak = np.array(np.unravel_index(surface.argmax(), surface.shape)) + 5
    sight = Pursuit(image, np.array([30.0, 30.0]), (11, 11)).step(moved)
    assert np.abs(sight.place - peak).max() < 0.02 and np.array_equal(peak, [33, 26])
