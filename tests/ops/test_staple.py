from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.ops.staple import SILENT, staple

# Sensitivity and specificity of simulated raters.
RATERS = [(0.95, 0.99), (0.9, 0.97), (0.6, 0.995), (0.85, 0.8)]


def rated(truth: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    return [
        np.where(truth == 1, rng.random(truth.shape) < p, rng.random(truth.shape) >= q).astype(np.uint8)
        for p, q in RATERS
    ]


@pytest.fixture
def truth() -> np.ndarray:
    out = np.zeros((200, 200), np.uint8)
    out[60:140, 50:150] = 1
    return out


def plain(labels: list[np.ndarray], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The paper's equations for two classes, pixel by pixel: belief, and (sensitivity, specificity) per rater."""
    said = np.stack([one.ravel() for one in labels]).astype(float)
    prior = said.mean()
    p, q = np.full((len(said), 1), 0.99), np.full((len(said), 1), 0.99)
    for _ in range(steps):
        a = prior * np.where(said == 1, p, 1 - p).prod(0)
        b = (1 - prior) * np.where(said == 0, q, 1 - q).prod(0)
        w = a / (a + b)
        p = ((said * w).sum(1) / w.sum())[:, None]
        q = (((1 - said) * (1 - w)).sum(1) / (1 - w).sum())[:, None]
    a = prior * np.where(said == 1, p, 1 - p).prod(0)
    b = (1 - prior) * np.where(said == 0, q, 1 - q).prod(0)
    return a / (a + b), np.stack([p[:, 0], q[:, 0]], 1)


def test_it_is_the_papers_iteration(truth: np.ndarray, rng: np.random.Generator) -> None:
    labels = rated(truth, rng)
    found = staple(labels, 2, most=12, tolerance=0.0)
    belief, performance = plain(labels, 12)
    assert found.steps == 12
    assert np.allclose(found.scores[1].ravel(), belief, atol=1e-6)
    assert np.allclose(found.performance[:, 1, 1], performance[:, 0], atol=1e-9)
    assert np.allclose(found.performance[:, 0, 0], performance[:, 1], atol=1e-9)


def test_it_finds_the_raters_performance_and_beats_the_majority(truth: np.ndarray, rng: np.random.Generator) -> None:
    labels = rated(truth, rng)
    found = staple(labels, 2)
    assert found.steps < 100
    for i, (p, q) in enumerate(RATERS):
        assert found.performance[i, 1, 1] == pytest.approx(p, abs=0.02)
        assert found.performance[i, 0, 0] == pytest.approx(q, abs=0.02)
    agreed = found.scores.argmax(0)
    majority = np.sum(labels, axis=0) > 2
    assert (agreed != truth).mean() < (majority != truth).mean()
    assert np.allclose(found.scores.sum(0), 1, atol=1e-6)


def test_several_classes_and_three_axes(rng: np.random.Generator) -> None:
    truth = np.zeros((10, 30, 30), np.uint8)
    truth[2:8, 5:15, 5:25] = 1
    truth[2:8, 17:27, 5:25] = 2
    labels = []
    for right in (0.95, 0.9, 0.85):
        wrong = rng.integers(0, 3, truth.shape)
        labels.append(np.where(rng.random(truth.shape) < right, truth, wrong).astype(np.uint8))
    # One rater takes every 2 for a 1.
    labels.append(np.where(truth == 2, 1, truth).astype(np.uint8))
    found = staple(labels, 3)
    assert (found.scores.argmax(0) == truth).mean() > 0.98
    assert found.performance[3, 1, 2] == pytest.approx(1.0, abs=0.02)
    assert np.allclose(found.performance.sum(1), 1, atol=1e-9)


def test_who_says_nothing_changes_nothing(truth: np.ndarray, rng: np.random.Generator) -> None:
    labels = rated(truth, rng)
    silent = np.full(truth.shape, SILENT, np.uint8)
    with_silent, without = staple([*labels, silent], 2), staple(labels, 2)
    assert np.allclose(with_silent.scores, without.scores, atol=1e-5)
    half = labels[0].copy()
    half[:100] = SILENT
    found = staple([half, *labels[1:]], 2)
    assert found.performance[0, 1, 1] == pytest.approx(RATERS[0][0], abs=0.03)


def test_raters_who_agree_are_believed() -> None:
    one = np.zeros((6, 6), np.uint8)
    one[2:4] = 1
    for labels in ([one], [one, one, one]):
        assert np.array_equal(staple(labels, 2).scores.argmax(0), one)
    empty = np.zeros((6, 6), np.uint8)
    found = staple([empty, empty], 3)
    assert np.array_equal(found.scores.argmax(0), empty)
    assert np.isfinite(found.performance).all()


def test_many_raters_do_not_overflow(truth: np.ndarray, rng: np.random.Generator) -> None:
    labels = [one for _ in range(12) for one in rated(truth, rng)]
    assert np.array_equal(staple(labels, 2).scores.argmax(0), truth)


def test_what_cannot_be_joined_is_refused() -> None:
    one = np.zeros((4, 4), np.uint8)
    with pytest.raises(InputError, match="nobody"):
        staple([], 2)
    with pytest.raises(InputError, match="different grids"):
        staple([one, one[:2]], 2)
    with pytest.raises(InputError, match="beyond the classes"):
        staple([one + 2], 2)
