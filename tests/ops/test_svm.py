"""The support vector machine against scikit-learn's, and the rotation against the voxels themselves."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from isocenter.errors import InputError
from isocenter.ops.logistic import logistic
from isocenter.ops.svm import rotated, svm


def data(n: int = 80, d: int = 5, classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % classes
    return rng.normal(size=(n, d)) + 1.2 * np.eye(classes, d)[label], np.eye(classes)[label]


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_coefficients_agree_with_liblinear(penalty: float) -> None:
    x, y = data()
    # Its intercept is penalised; a large scaling makes that penalty small.
    theirs = LinearSVC(C=1 / (2 * len(x) * penalty / 2), dual=False, tol=1e-9, intercept_scaling=1e4, max_iter=100_000)
    theirs.fit(x, y[:, 1])
    w, b = svm(x, y, penalty=penalty)
    assert np.allclose(w[1], theirs.coef_[0], atol=1e-3) and b[1] == pytest.approx(theirs.intercept_[0], abs=1e-3)
    assert (w[0] == 0).all() and b[0] == 0


def test_three_classes_are_each_against_the_rest_and_labels_stand_alone() -> None:
    x, y = data(150, classes=3)
    w, b = svm(x, y, penalty=0.01)
    assert ((x @ w.T + b).argmax(1) == y.argmax(1)).mean() > 0.6
    one, shift = svm(x, np.column_stack([1 - y[:, 2], y[:, 2]]), penalty=0.01)
    assert np.allclose(w[2], one[1], atol=1e-3) and b[2] == pytest.approx(shift[1], abs=1e-3)
    both = svm(x, y[:, :2], penalty=0.01, several=True)
    assert np.allclose(both[0], w[:2], atol=1e-3)


def test_the_loss_is_at_its_least() -> None:
    x, y = data(60, seed=3)
    w, b = svm(x, y, penalty=0.1)
    sign = 2 * y[:, 1] - 1

    def loss(w_: np.ndarray, b_: float) -> float:
        return float((np.maximum(0, 1 - sign * (x @ w_ + b_)) ** 2).mean() + 0.05 * w_ @ w_)

    best = loss(w[1], b[1])
    rng = np.random.default_rng(0)
    assert all(loss(w[1] + 0.01 * rng.normal(size=5), b[1] + 0.01 * rng.normal()) >= best for _ in range(50))
    again = svm(x, y, penalty=0.1, start=(w, b))
    assert np.allclose(again[0], w, atol=1e-4)


@pytest.mark.parametrize("fit", [svm, logistic])
@pytest.mark.parametrize("d", [8, 500])
def test_cases_in_their_own_coordinates_are_answered_alike(fit, d: int) -> None:
    x, y = data(40, d=d)
    mean = x.mean(axis=0)
    x, new = x - mean, data(20, d=d, seed=9)[0] - mean
    z, basis = rotated(x)
    assert z.shape[1] <= min(len(x), d) and np.allclose(z @ z.T, x @ x.T)
    w, b = fit(z, y, penalty=0.5)
    straight, shift = fit(x, y, penalty=0.5)
    assert np.allclose((basis @ w.T).T @ x, straight, atol=2e-3)
    assert np.allclose(new @ x.T @ basis @ w.T + b, new @ straight.T + shift, atol=5e-3)


def test_cases_that_are_alike_have_no_coordinates_of_their_own() -> None:
    x = np.repeat(np.eye(3, 6), 4, axis=0)
    assert rotated(x - x.mean(axis=0))[0].shape == (12, 2)
    assert rotated(np.zeros((4, 7)))[0].shape == (4, 0)


def test_data_that_cannot_be_learnt_from_are_refused() -> None:
    x, y = data()
    with pytest.raises(InputError, match="no case"):
        svm(x, np.column_stack([np.ones(80), np.zeros(80)]), penalty=1.0)
    x[0, 0] = np.nan
    with pytest.raises(InputError, match="finite"):
        svm(x, y, penalty=1.0)
