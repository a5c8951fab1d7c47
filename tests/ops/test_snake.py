from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.snake import _moved, _step, area, contour, enclosed_by, likeness, resampled, settled


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def test_a_contour_encloses_its_mask() -> None:
    mask = disc((60, 70), (30, 32), 17)
    points = contour(mask)
    assert points.dtype == np.int64 and area(points) > 0
    assert 2 < np.hypot(*np.diff(points, axis=0).T).mean() < 4
    assert overlap(enclosed_by(points, mask.shape), mask) > 0.97
    assert overlap(enclosed_by(contour(~mask), mask.shape), np.ones_like(mask)) > 0.97, "the longest: the image's edge"


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 30)])
def test_what_is_too_small_has_no_contour(shape: tuple[int, int]) -> None:
    assert len(contour(np.zeros(shape, bool))) == 0
    assert len(contour(np.ones((2, 2), bool))) == 0
    found = contour(np.ones(shape, bool))
    assert len(found) == 0 or (found >= 0).all()


def test_points_run_the_same_way_whatever_way_they_came() -> None:
    square = np.array([[5, 5], [5, 40], [40, 40], [40, 5]])
    one, other = resampled(square, (50, 50)), resampled(square[::-1], (50, 50))
    assert area(one) > 0 and area(other) > 0
    assert resampled(square * 10, (50, 50)).max() == 49, "kept inside the image"


def test_a_step_goes_where_the_sum_of_the_four_terms_is_least(rng: np.random.Generator) -> None:
    """Every point against the paper's formula, the nine places written out."""
    edge, region = rng.random((40, 40)).astype(np.float32), rng.uniform(-1, 1, (40, 40)).astype(np.float32)
    for trial in range(30):
        points = contour(disc((40, 40), (20, 20), 9 + trial % 7))
        i = trial % len(points)
        weights = np.array([*rng.uniform(0, 2, 4), 3.0])
        before, here, after = points[i - 1], points[i].copy(), points[(i + 1) % len(points)]
        places = here + np.array([(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
        normal = np.array([(after - before)[1], -(after - before)[0]]) / np.hypot(*(after - before))
        continuity = np.abs(3.0 - np.hypot(*(places - before).T))
        curvature = ((before - 2 * places + after) ** 2).sum(axis=1)
        strength = -edge[tuple(places.T)]
        strength = (strength - strength.min()) / max(np.ptp(strength), 0.02)
        outwards = -region[tuple(places.T)] * ((places - here) @ normal)
        terms = [continuity / max(continuity.max(), 1e-9), curvature / max(curvature.max(), 1e-9), strength, outwards]
        cost = weights[:4] @ np.array(terms)
        _step(points, i, edge, region, weights)
        assert cost[(places == points[i]).all(axis=1)][0] <= cost.min() + 1e-9


def test_compiled_and_plain_move_alike(rng: np.random.Generator) -> None:
    edge, region = rng.random((30, 30)).astype(np.float32), rng.uniform(-1, 1, (30, 30)).astype(np.float32)
    one = contour(disc((30, 30), (14, 15), 10))
    other = one.copy()
    weights = np.array([1.0, 1.0, 1.2, 0.5])
    assert _moved(one, edge, region, weights, 3) == _moved.py_func(other, edge, region, weights, 3)
    assert np.array_equal(one, other)


@pytest.mark.parametrize(("radius", "what"), [(10, "grows"), (27, "shrinks")])
def test_it_grows_and_shrinks_to_the_edge(rng: np.random.Generator, radius: int, what: str) -> None:
    truth = disc((80, 90), (40, 45), 19)
    image = (50 * truth + rng.normal(0, 4, truth.shape)).astype(np.float32)
    gradient = np.hypot(*np.gradient(image)).astype(np.float32)
    edge = np.clip(gradient / gradient.max(), 0, 1)
    begin = disc(truth.shape, (41, 44), radius)
    end = settled(contour(begin), image, edge, weights=(1.0, 1.0, 1.2, 2.0), rounds=200)
    assert overlap(enclosed_by(end, truth.shape), truth) > 0.95 > overlap(begin, truth), what


def test_the_region_pulls_by_what_is_more_alike() -> None:
    values = np.array([[0.0, 10.0, 4.0, 5.0]], np.float32)
    mask = np.array([[False, True, False, False]])
    found = likeness(values, mask)
    assert found[0, 1] == 1 and found[0, 0] < 0 and found[0, 2] < 0
    assert not likeness(np.ones((3, 3), np.float32), np.eye(3, dtype=bool)).any()
    assert not likeness(values, np.ones_like(mask)).any()
