"""Ridge regression against its normal equations."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.ops.ridge import ridge


@pytest.mark.parametrize(("n", "d"), [(40, 5), (5, 40)])
def test_it_solves_the_normal_equations(n: int, d: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(2, 1, (n, d)), rng.normal(50, 9, n)
    penalties = [1e-3, 0.1, 10.0]
    w, b = ridge(x, y, penalties=penalties)
    assert w.shape == (3, d) and b.shape == (3,)
    centred = x - x.mean(0)
    for row, shift, penalty in zip(w, b, penalties, strict=True):
        plain = np.linalg.solve(centred.T @ centred + n * penalty * np.eye(d), centred.T @ (y - y.mean()))
        assert row == pytest.approx(plain, abs=1e-8)
        # The intercept is free, so that what is left has no mean.
        assert (y - x @ row - shift).mean() == pytest.approx(0, abs=1e-9)


def test_a_large_penalty_leaves_the_mean() -> None:
    x, y = np.random.default_rng(0).normal(size=(10, 3)), np.arange(10.0)
    w, b = ridge(x, y, penalties=[1e12])
    assert np.abs(w).max() < 1e-9 and b[0] == pytest.approx(4.5)


def test_what_cannot_be_solved_is_refused() -> None:
    x = np.ones((4, 2))
    for bad_x, bad_y in ((x, np.ones(3)), (x * np.nan, np.ones(4)), (x, np.full(4, np.inf)), (x[:0], np.ones(0))):
        with pytest.raises(InputError, match="finite features"):
            ridge(bad_x, bad_y, penalties=[1.0])
    for penalties in ([], [1.0, 0.0]):
        with pytest.raises(InputError, match="above 0"):
            ridge(x, np.ones(4), penalties=penalties)
