from __future__ import annotations

import numpy as np
import pytest

from isocenter.tasks.attack._windows import bump, moved, tiled


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("sides", [(8, 8), (5, 5), (2, 3), (1, 1), (1, 6), (6, 6, 6)])
def test_a_bump_has_norm_1_and_two_halves_of_opposite_sign(sides: tuple[int, ...], rng: np.random.Generator) -> None:
    found = bump(sides, rng)
    assert found.shape == sides and np.linalg.norm(found) == pytest.approx(1) and np.all(found != 0)
    if all(n % 2 == 0 for n in sides):
        assert found.sum() == pytest.approx(0, abs=1e-12)


def test_it_rises_as_the_paper_says(rng: np.random.Generator) -> None:
    # Halves of 3 x 6: n = 1, so the border has 1 / 4 and the middle row 1 / 4 + 1.
    found = np.abs(bump((6, 6), rng))
    assert set(np.round(found.ravel() / found.min(), 6)) == {1.0, 5.0}
    assert (found.ravel() / found.min() > 2).sum() == 8, "four inner pixels in each half"


def test_axis_and_sign_are_drawn(rng: np.random.Generator) -> None:
    seen = {np.sign(bump((4, 4), rng)).tobytes() for _ in range(40)}
    assert len(seen) == 4


@pytest.mark.parametrize("shape", [(1, 20, 20), (3, 7, 11), (1, 3, 2), (1, 6, 10, 10)])
def test_a_start_spends_the_budget_everywhere(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    found = tiled(shape, 3.0, rng)
    assert found.shape == shape and np.linalg.norm(found) == pytest.approx(3) and np.all(found != 0)


def test_the_budget_moves_and_is_never_exceeded(rng: np.random.Generator) -> None:
    change = tiled((2, 24, 24), 5.0, rng)
    for side in (12, 6, 3, 1) * 20:
        new = moved(change, 5.0, (side, side), rng)
        assert np.linalg.norm(new) <= 5.0 * (1 + 1e-9)
        # One pixel may be drawn as it is.
        assert side == 1 or np.any(new != change)
        changed = (new != change).any(0)
        assert changed.sum() <= 2 * side * side
        change = new
    assert np.linalg.norm(change) > 3


def test_what_the_budget_still_had_is_spent(rng: np.random.Generator) -> None:
    change = np.zeros((1, 16, 16))
    new = moved(change, 2.0, (4, 4), rng)
    assert np.linalg.norm(new) == pytest.approx(2.0) and (new != 0).sum() == 16
    assert np.array_equal(change, np.zeros((1, 16, 16))), "the change that was given stays as it is"


def test_the_same_seed_is_the_same() -> None:
    one, two = (moved(tiled((1, 9, 9), 1.0, np.random.default_rng(4)), 1.0, (3, 3), np.random.default_rng(5))
                for _ in range(2))  # fmt: skip
    assert np.array_equal(one, two)
