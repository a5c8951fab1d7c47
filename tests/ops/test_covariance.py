from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.covariance import distances, shrunk, whitening

rng = np.random.default_rng(0)


def oracle(x: np.ndarray) -> np.ndarray:
    """Ledoit and Wolf's shrinkage case by case, as their section 3.3 writes it."""
    n, d = x.shape
    sample = sum(np.outer(row, row) for row in x) / n
    mu = np.trace(sample) / d
    delta = ((sample - mu * np.eye(d)) ** 2).sum() / d
    beta = min(sum(((np.outer(row, row) - sample) ** 2).sum() / d for row in x) / n**2, delta)
    return np.asarray(beta / delta * mu * np.eye(d) + (1 - beta / delta) * sample)


@pytest.mark.parametrize(("n", "d"), [(50, 4), (12, 30), (3, 5)])
def test_it_is_the_published_formula(n: int, d: int) -> None:
    x = rng.normal(size=(n, d)) @ rng.normal(size=(d, d))
    assert np.allclose(shrunk(x), oracle(x))


def test_it_is_nearer_to_the_truth_than_the_sample() -> None:
    true = np.diag(np.linspace(0.5, 2, 40))
    x = rng.normal(size=(30, 40)) @ np.sqrt(true)
    assert ((shrunk(x) - true) ** 2).sum() < 0.5 * ((x.T @ x / 30 - true) ** 2).sum()
    assert np.linalg.eigvalsh(shrunk(x)).min() > 0


def test_cases_that_are_all_the_same() -> None:
    assert not shrunk(np.zeros((4, 3))).any()


def test_distances_are_about_one_for_cases_like_those_before() -> None:
    mix = np.eye(6) + 0.2 * rng.normal(size=(6, 6))
    x = rng.normal(size=(4000, 6)) @ mix
    white = whitening(shrunk(x))
    assert np.allclose(white @ shrunk(x) @ white.T, np.eye(6))
    new = rng.normal(size=(2000, 6)) @ mix
    found = distances(new, white)
    assert np.mean(found**2) == pytest.approx(1, abs=0.05)
    exact = np.sqrt(np.einsum("ni,ij,nj->n", new, np.linalg.inv(shrunk(x)), new) / 6)
    assert np.allclose(found, exact)
