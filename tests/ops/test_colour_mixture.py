from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.colour_mixture import TABLE, log_density, mixture


def density(found, x: np.ndarray) -> np.ndarray:
    """The oracle: the sum of the components' densities, written out."""
    total = np.zeros(len(x))
    for weight, mean, covariance in zip(*found, strict=True):
        away = x - mean
        squared = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
        total += weight * np.exp(-squared / 2) / np.sqrt(np.linalg.det(2 * np.pi * covariance))
    return np.log(total)


def test_two_colours_are_found(rng: np.random.Generator) -> None:
    red = rng.normal((200, 40, 30), (9, 5, 4), (3000, 3))
    blue = rng.normal((40, 50, 180), (6, 6, 12), (1000, 3))
    found = mixture(np.concatenate([red, blue]), 2, rounds=20)
    order = np.argsort(found.mean[:, 0])
    assert np.allclose(found.mean[order], [[40, 50, 180], [200, 40, 30]], atol=1.5)
    assert np.allclose(found.weight[order], [0.25, 0.75], atol=0.01)
    assert np.allclose(np.sqrt(np.diagonal(found.covariance[order[1]])), (9, 5, 4), rtol=0.25)


def test_scikit_learn_explains_the_points_no_better(rng: np.random.Generator) -> None:
    sklearn = pytest.importorskip("sklearn.mixture")
    x = np.concatenate([rng.normal(0, 1, (800, 2)), rng.normal((5, 2), (0.5, 2), (400, 2))])
    peer = sklearn.GaussianMixture(2, random_state=0).fit(x)
    ours = density(mixture(x, 2, rounds=50), x).mean()
    assert ours > peer.score(x) - 0.02


@pytest.mark.parametrize("shape", [(2, 9, 7), (1, 9, 7), (3, 4, 5, 6)])
def test_the_density_is_that_of_the_components(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    features = rng.normal(size=shape)
    found = mixture(features.reshape(shape[0], -1).T, 3)
    wanted = density(found, features.reshape(shape[0], -1).T).reshape(shape[1:])
    assert np.allclose(log_density(found, features), wanted, atol=1e-3)


def test_one_channel_is_tabulated(rng: np.random.Generator) -> None:
    features = rng.normal(size=(1, 80, 90))
    assert features.size > TABLE
    found = mixture(features.reshape(1, -1).T, 3)
    wanted = density(found, features.reshape(-1, 1)).reshape(80, 90)
    assert np.abs(log_density(found, features) - wanted).max() < 0.01


def test_few_and_equal_points() -> None:
    for points in (np.zeros((1, 3)), np.full((50, 1), 7.0), np.array([[0.0], [1.0]])):
        found = mixture(points, 5)
        assert np.isfinite(found.mean).all() and found.weight.sum() == pytest.approx(1)
        assert np.isfinite(log_density(found, points.T[:, None])).all()


def test_the_same_points_the_other_way_round_give_the_same_model(rng: np.random.Generator) -> None:
    x = rng.normal(size=(300, 2))
    a, b = mixture(x, 3), mixture(x[::-1], 3)
    assert np.allclose(a.mean, b.mean, atol=1e-6)
