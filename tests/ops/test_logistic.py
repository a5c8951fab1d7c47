"""Logistic regression against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss as sklearn_log_loss

from isocenter.errors import InputError
from isocenter.ops.logistic import log_loss, logistic


def problem(classes: int, n: int = 120, d: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    label = np.argmax(x @ rng.normal(size=(d, classes)) + rng.gumbel(size=(n, classes)), axis=1)
    return x, label


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("penalty", [1.0, 1e-2])
def test_coefficients_are_those_of_scikit_learn(classes: int, penalty: float) -> None:
    x, label = problem(classes)
    coefficients, intercepts = logistic(x, np.eye(classes)[label], penalty=penalty)
    theirs = LogisticRegression(C=1 / (penalty * len(x)), tol=1e-10, max_iter=5000).fit(x, label)
    if classes == 2:
        assert np.allclose(coefficients[1], theirs.coef_[0], atol=1e-4)
        assert intercepts[1] == pytest.approx(theirs.intercept_[0], abs=1e-4)
        assert not coefficients[0].any()
    else:
        assert np.allclose(coefficients, theirs.coef_, atol=1e-4)
        # Intercepts of a softmax are known up to a constant.
        assert np.allclose(intercepts - intercepts.mean(), theirs.intercept_ - theirs.intercept_.mean(), atol=1e-4)


def test_several_labels_are_one_regression_each() -> None:
    x, label = problem(3)
    y = np.stack([label == 0, (label == 1) | (x[:, 0] > 0)], axis=1).astype(float)
    coefficients, intercepts = logistic(x, y, penalty=0.05, several=True)
    for k in range(2):
        theirs = LogisticRegression(C=1 / (0.05 * len(x)), tol=1e-10, max_iter=5000).fit(x, y[:, k])
        assert np.allclose(coefficients[k], theirs.coef_[0], atol=1e-4)
        assert intercepts[k] == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_more_features_than_cases_and_a_perfect_split() -> None:
    x, label = problem(2, n=30, d=80)
    coefficients, intercepts = logistic(x, np.eye(2)[label], penalty=1e-3)
    assert ((x @ coefficients[1] + intercepts[1] > 0) == label).all()
    assert np.isfinite(coefficients).all()


def test_the_same_data_give_the_same_bits_and_a_start_changes_little() -> None:
    x, label = problem(3)
    once, again = (logistic(x, np.eye(3)[label], penalty=0.1) for _ in range(2))
    assert np.array_equal(once[0], again[0])
    warm = logistic(x, np.eye(3)[label], penalty=0.1, start=logistic(x, np.eye(3)[label], penalty=1.0))
    assert np.allclose(warm[0], once[0], atol=1e-5)


def test_log_loss_is_that_of_scikit_learn() -> None:
    x, label = problem(3)
    logits = x[:, :3] * 2
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert log_loss(logits, np.eye(3)[label]) == pytest.approx(sklearn_log_loss(label, p))


def test_a_class_without_cases_is_refused() -> None:
    x, _ = problem(2)
    with pytest.raises(InputError, match="no case"):
        logistic(x, np.eye(3)[np.zeros(len(x), int)], penalty=1.0)
    with pytest.raises(InputError, match="no case"):
        logistic(x, np.ones((len(x), 1)), penalty=1.0, several=True)
    with pytest.raises(InputError, match="finite"):
        logistic(x * np.nan, np.eye(2)[np.arange(len(x)) % 2], penalty=1.0)
