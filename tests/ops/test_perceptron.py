"""The perceptron against numeric derivatives and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from isocenter.errors import InputError
from isocenter.ops import perceptron as p
from isocenter.ops.logistic import log_loss


def rings(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What no straight line divides."""
    x = np.random.default_rng(seed).normal(size=(n, 3))
    return x, np.eye(2)[((x[:, :2] ** 2).sum(axis=1) > 1.4).astype(int)]


@pytest.mark.parametrize("several", [False, True])
def test_gradients_are_those_of_the_loss(several: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 4)), np.eye(3)[rng.integers(0, 3, 7)]
    layers = p._fresh([4, 5, 6, 3], rng)
    found = p._gradients(layers, x, y, several=several, dropout=0.5, rng=None)
    for depth, pair in enumerate(layers):
        for values, slopes in zip(pair, found[depth], strict=True):
            at = tuple(rng.integers(0, s) for s in values.shape)
            kept, losses = values[at], []
            for shift in (1e-6, -1e-6):
                values[at] = kept + shift
                losses.append(log_loss(p.forward(layers, x), y, several=several))
            values[at] = kept
            assert slopes[at] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-7)


def test_it_learns_what_is_not_linear_as_well_as_another_implementation() -> None:
    train, valid, test = rings(500, 0), rings(300, 1), rings(1000, 2)
    how = p.Schooling(widths=(32,), rate=1e-2, decay=0.0, dropout=0.0, epochs=60)
    layers, history = p.schooled(train, valid, how)
    accuracy = (p.forward(layers, test[0]).argmax(1) == test[1].argmax(1)).mean()
    theirs = MLPClassifier((32,), batch_size=32, learning_rate_init=1e-2, alpha=0, max_iter=60, early_stopping=True,
                           validation_fraction=0.3, n_iter_no_change=60, random_state=0, tol=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        theirs.fit(*(np.concatenate([a, b]) for a, b in ((train[0], valid[0]), (train[1][:, 1], valid[1][:, 1]))))
    assert accuracy > 0.95 and accuracy > theirs.score(test[0], test[1][:, 1]) - 0.02
    assert history[0]["valid_log_loss"] > 2 * min(h["valid_log_loss"] for h in history)


def test_the_best_epoch_on_val_is_kept() -> None:
    rng = np.random.default_rng(0)
    noise, more = ((rng.normal(size=(n, 30)), np.eye(2)[rng.integers(0, 2, n)]) for n in (40, 50))
    layers, history = p.schooled(noise, more, p.Schooling(patience=4, dropout=0.0))
    losses = [h["valid_log_loss"] for h in history]
    assert len(losses) == int(np.argmin(losses)) + 5
    assert len(layers) == 2


def test_the_seed_decides_everything() -> None:
    train, valid = rings(60, 0), rings(30, 1)
    one, two, other = (p.schooled(train, valid, p.Schooling(epochs=3), seed=s)[0] for s in (5, 5, 6))
    assert all(np.array_equal(a, b) for m, n in zip(one, two, strict=True) for a, b in zip(m, n, strict=True))
    assert not np.array_equal(one[0][0], other[0][0])


def test_without_hidden_layers_it_is_a_regression_and_several_labels_are_sigmoids() -> None:
    x = np.random.default_rng(0).normal(size=(300, 4))
    y = np.stack([x[:, 0] > 0, x[:, 1] > 0], axis=1).astype(float)
    said: list[float] = []
    how = p.Schooling(widths=(), rate=1e-2, epochs=40)
    layers, _ = p.schooled((x, y), (x, y), how, several=True, report=lambda share, loss: said.append(share))
    assert len(layers) == 1 and ((p.forward(layers, x) > 0) == y).mean() > 0.95
    assert said[-1] == pytest.approx(1.0)


def test_more_decay_means_smaller_weights() -> None:
    train, valid = rings(200, 0), rings(100, 1)
    learnt = [p.schooled(train, valid, p.Schooling(decay=d, epochs=20))[0] for d in (0.0, 50.0)]
    sizes = [float((layers[0][0] ** 2).sum()) for layers in learnt]
    assert sizes[1] < 0.7 * sizes[0]


def test_features_that_are_no_numbers_are_refused() -> None:
    x, y = rings(10, 0)
    x[0, 0] = np.inf
    with pytest.raises(InputError, match="finite"):
        p.schooled((x, y), (x, y), p.Schooling())
