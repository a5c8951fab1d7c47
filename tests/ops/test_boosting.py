"""Boosted trees against scikit-learn's and against plain loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss as measured_loss

from isocenter.errors import BundleError, InputError
from isocenter.ops import boosting as b
from isocenter.ops.logistic import log_loss


def simulated(n: int, seed: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Waves, products and steps of eight features, with the noise of a drawn class."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 8))
    waves = 2 * np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.7 * (x[:, 3] > 0)
    z = np.stack([np.zeros(n), waves, 2 * x[:, 4]][:classes])
    p = np.exp(z) / np.exp(z).sum(axis=0)
    return x, np.eye(classes)[(rng.random(n) < np.cumsum(p, axis=0)).argmax(axis=0)]


@pytest.mark.parametrize("classes", [2, 3])
def test_log_loss_agrees_with_scikit_learn(classes: int) -> None:
    train, valid, test = (simulated(n, seed, classes) for n, seed in ((1200, 0), (500, 1), (2000, 2)))
    # As many rounds without stopping: the same fit of train but for ties and bins.
    fixed, history = b.boosted(train, valid, b.Growth(rounds=40, patience=99))
    theirs = HistGradientBoostingClassifier(max_iter=40, early_stopping=False).fit(train[0], train[1].argmax(1))
    known = measured_loss(train[1].argmax(1), theirs.predict_proba(train[0]))
    assert history[-1]["train_log_loss"] == pytest.approx(known, rel=0.05)
    # Stopped on val: no worse on unseen cases than theirs, stopped on the same val, but for the noise of 2000 cases.
    stopped, _ = b.boosted(train, valid, b.Growth())
    theirs = HistGradientBoostingClassifier(early_stopping=True, max_iter=500, n_iter_no_change=20, tol=0)
    theirs.fit(train[0], train[1].argmax(1), X_val=valid[0], y_val=valid[1].argmax(1))
    apart = _losses(stopped.logits(test[0]), test[1]) - _losses(np.log(theirs.predict_proba(test[0])), test[1])
    assert apart.mean() < 2 * apart.std() / np.sqrt(len(apart))
    assert fixed.rounds <= 40 and stopped.rounds < 100


def _losses(logits: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray([log_loss(z[None], t[None]) for z, t in zip(logits, y, strict=True)])


def test_the_first_split_is_the_best_of_all() -> None:
    """Against trying every threshold of every feature."""
    x, y = simulated(120, 3)
    g, h = (a[:, 1] for a in b._derivatives(np.tile(b._priors(y, False), (len(x), 1)), y, False))
    trees, _ = b.boosted((x, y), (x, y), b.Growth(rounds=1, leaves=2, smallest=5))

    def gain(left: np.ndarray) -> float:
        sides = [g[s].sum() ** 2 / h[s].sum() for s in (left, ~left) if s.sum() >= 5]
        return sum(sides) - g.sum() ** 2 / h.sum() if len(sides) == 2 else 0.0

    best = max(gain(x[:, f] <= t) for f in range(8) for t in np.unique(x[:, f]))
    left = x[:, trees.features[0]] <= trees.thresholds[0]
    assert gain(left) == pytest.approx(best)
    values = trees.values[[trees.left[0], trees.right[0]]]
    assert np.allclose(values, [-0.1 * g[s].sum() / h[s].sum() for s in (left, ~left)])
    assert np.allclose(trees.logits(x)[:, 1], trees.start[1] + np.where(left, *values))


def test_trees_keep_their_limits() -> None:
    x, y = simulated(300, 4)
    trees, history = b.boosted((x, y), (x, y), b.Growth(rounds=5, leaves=4, smallest=30))
    assert len(history) == 5 and trees.rounds == 5
    begins = trees.roots[:, 1].tolist()
    for begin, end in zip(begins, [*begins[1:], len(trees.features)], strict=True):
        assert (trees.features[begin:end] < 0).sum() <= 4
    assert (trees.roots[:, 0] == -1).all(), "of two exclusive classes one has trees"
    losses = [h["train_log_loss"] for h in history]
    assert losses == sorted(losses, reverse=True)


def test_several_labels_have_trees_of_their_own() -> None:
    x, _ = simulated(400, 5)
    y = np.stack([x[:, 0] > 0, x[:, 1] > 0.5], axis=1).astype(float)
    trees, _ = b.boosted((x, y), (x, y), b.Growth(rounds=30), several=True)
    assert ((trees.logits(x) > 0) == y).mean() > 0.97
    assert trees.start[1] == pytest.approx(np.log(y[:, 1].mean() / (1 - y[:, 1].mean())))


def test_it_ends_after_the_best_round_on_val_and_where_nothing_can_be_split() -> None:
    train, valid = simulated(200, 6), simulated(200, 7)
    trees, history = b.boosted(train, valid, b.Growth(patience=5))
    losses = [h["valid_log_loss"] for h in history]
    assert trees.rounds == int(np.argmin(losses)) + 1 == len(losses) - 5
    said: list[float] = []
    flat = np.ones((20, 3)), np.eye(2)[np.arange(20) % 2]
    alone, history = b.boosted(flat, flat, b.Growth(), report=lambda share, loss: said.append(share))
    assert alone.rounds == 0 and len(history) == len(said) == 1
    assert np.allclose(alone.logits(flat[0]), 0.0)


def test_bins_lie_between_values() -> None:
    x = np.column_stack([np.arange(10.0) % 3, np.random.default_rng(0).normal(size=10)])
    limits = b.edges(x)
    assert limits[0].tolist() == [0.5, 1.5] and len(limits[1]) == 9
    assert np.array_equal(b.binned(x, limits)[0], x[:, 0])
    many = np.random.default_rng(0).normal(size=(5000, 1))
    fine = b.edges(many)
    assert len(fine[0]) == b.BINS - 1
    counts = np.bincount(b.binned(many, fine)[0])
    assert counts.min() > 10 and counts.max() < 30


def test_the_same_data_give_the_same_trees() -> None:
    data = simulated(200, 8)
    one, two = (b.boosted(data, data, b.Growth(rounds=5))[0] for _ in range(2))
    assert all(np.array_equal(getattr(one, k), getattr(two, k)) for k in vars(one))


def test_arrays_that_are_no_trees_are_refused() -> None:
    data = simulated(100, 9)
    trees, _ = b.boosted(data, data, b.Growth(rounds=2))
    # A child that is its own parent would be walked for ever; one beyond the end would read what is not ours.
    for left in (np.zeros_like(trees.left), trees.left + 10_000):
        with pytest.raises(BundleError, match="no trees"):
            replace(trees, left=left)
    with pytest.raises(BundleError):
        replace(trees, values=trees.values[:-1])
    with pytest.raises(BundleError):
        replace(trees, roots=trees.roots + 10_000)
    with pytest.raises(InputError, match="too few features"):
        trees.logits(np.zeros((3, 1)))


def test_data_that_cannot_be_learnt_from_are_refused() -> None:
    x, y = simulated(50, 10)
    for bad in ((x[:-1], y), (np.where(x > 2, np.nan, x), y), (x, np.column_stack([np.ones(50), np.zeros(50)]))):
        with pytest.raises(InputError, match="finite features"):
            b.boosted(bad, (x, y), b.Growth())
