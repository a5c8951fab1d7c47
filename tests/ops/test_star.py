from __future__ import annotations

import itertools

import numpy as np
import pytest

from isocenter.ops.star import BEYOND, FEWEST, INSIDE, MOST, OUTSIDE, PRICE, TURN, _path, scales, star_outlines

RADII = 2.0 * 1.12 ** np.arange(26)


def ellipse(shape: tuple[int, int], centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    y, x = np.indices(shape, float)
    return ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 <= 1


def test_an_image_is_smoothed_with_its_radius() -> None:
    noise = np.random.default_rng(0).normal(size=(40, 50))
    planes = scales(noise, RADII)
    assert planes.shape == (26, 40, 50)
    assert planes.dtype == np.float32
    spread = planes.std(axis=(1, 2))
    assert spread[-1] < 0.3 * spread[0]
    assert np.allclose(scales(np.full((9, 9), 4.0), RADII), 4.0)


@pytest.mark.parametrize(("radii", "sign"), [((12.0, 12.0), 1), ((9.0, 15.0), 1), ((5.0, 5.0), 1), ((12.0, 12.0), -1)])
def test_the_edge_of_a_dark_ellipse_is_found_in_every_direction(radii: tuple[float, float], sign: int) -> None:
    shape = (80, 96)
    image = -1.4 * sign * ellipse(shape, (40, 48), radii)
    weights = np.ones(32, np.float32)
    chosen, contrasts = star_outlines(scales(image, RADII), RADII, np.array([[40.0, 48.0]]), weights)
    if sign < 0:
        assert contrasts.mean() <= 0.01
        return
    angle = 2 * np.pi * np.arange(32) / 32
    truth = 1 / np.hypot(np.sin(angle) / radii[0], np.cos(angle) / radii[1])
    found = RADII[chosen[0]]
    assert np.abs(found / truth - 1).max() < 0.2
    assert abs(np.mean(found / truth) - 1) < 0.1
    assert contrasts.min() > 0.6


def test_of_all_centres_the_middle_has_the_most_contrast() -> None:
    image = -1.4 * ellipse((80, 96), (36, 50), (10, 12)) + np.random.default_rng(0).normal(0, 0.2, (80, 96))
    centres = np.stack(np.meshgrid(np.arange(12.0, 70, 6), np.arange(12.0, 86, 6), indexing="ij"), -1).reshape(-1, 2)
    _, contrasts = star_outlines(scales(image, RADII), RADII, centres, np.ones(32, np.float32))
    best = centres[contrasts.mean(axis=1).argmax()]
    assert np.hypot(*(best - (36, 50))) < 8


def test_contrast_is_bounded_and_what_leaves_the_image_has_its_own_price() -> None:
    image = -50.0 * ellipse((60, 60), (30, 30), (10, 10))
    _, contrasts = star_outlines(scales(image, RADII), RADII, np.array([[30.0, 30.0]]), np.ones(16, np.float32))
    assert np.allclose(contrasts, MOST)
    _, contrasts = star_outlines(scales(image, RADII), RADII, np.array([[2.0, 2.0]]), np.ones(16, np.float32))
    assert contrasts.min() >= FEWEST
    up, left = contrasts[0, 12], contrasts[0, 8]
    assert up <= BEYOND
    assert left <= BEYOND


def test_bias_draws_the_outline() -> None:
    image = -1.0 * ellipse((90, 90), (45, 45), (8, 8)) - 1.0 * ellipse((90, 90), (45, 45), (20, 20))
    planes, centre, weights = scales(image, RADII), np.array([[45.0, 45.0]]), np.ones(32, np.float32)
    for wanted in (8.0, 20.0):
        bias = -0.05 * np.square(np.log(RADII / wanted) / np.log(1.12)) * np.ones((32, 1))
        chosen, contrasts = star_outlines(planes, RADII, centre, weights, bias=bias)
        assert abs(RADII[chosen].mean() / wanted - 1) < 0.1
        # The bias is no contrast.
        assert contrasts.mean() > 0.4


def test_directions_without_weight_follow_their_neighbours() -> None:
    image = -1.4 * ellipse((80, 80), (40, 40), (12, 12))
    image[40:, 28:53] = -1.4
    weights = np.where(np.sin(2 * np.pi * np.arange(32) / 32) > 0.5, np.float32(0), np.float32(1))
    chosen, _ = star_outlines(scales(image, RADII), RADII, np.array([[40.0, 40.0]]), weights)
    assert np.abs(RADII[chosen[0]] / 12 - 1).max() < 0.25


@pytest.mark.parametrize("seed", range(4))
def test_the_path_is_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    states, directions = 4, 5
    gains = rng.normal(size=(directions, INSIDE + states + OUTSIDE)).astype(np.float32)
    weights = rng.uniform(0.5, 1, directions).astype(np.float32)

    def worth(path: tuple[int, ...]) -> float:
        steps = [b - a for a, b in itertools.pairwise((path[-1], *path))]
        if max(map(abs, steps)) > TURN:
            return -np.inf
        return sum(weights[a] * gains[a, k] for a, k in enumerate(path)) - PRICE * sum(s * s for s in steps)

    every = list(itertools.product(range(INSIDE, INSIDE + states), repeat=directions))
    for start in range(INSIDE, INSIDE + states):
        best = max((p for p in every if p[-1] == start), key=worth)
        found = _path(gains, weights, start)
        assert found[0] == found[-1] == start
        assert tuple(int(k) for k in found[1:]) == best
    twice = _path(gains, weights, -1)
    assert len(twice) == 2 * directions + 1
    assert np.abs(np.diff(twice)).max() <= TURN


def test_too_few_radii_and_no_centres() -> None:
    planes = np.zeros((9, 20, 20), np.float32)
    chosen, contrasts = star_outlines(planes, np.arange(1.0, 10), np.array([[9.0, 9.0]]), np.ones(8, np.float32))
    assert chosen.shape == contrasts.shape == (1, 8)
    assert (contrasts == FEWEST).all()
    chosen, contrasts = star_outlines(
        scales(np.zeros((20, 20)), RADII), RADII, np.zeros((0, 2)), np.ones(8, np.float32)
    )
    assert chosen.shape == contrasts.shape == (0, 8)
