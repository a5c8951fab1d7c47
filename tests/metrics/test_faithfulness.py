"""Curves whose areas are known, and maps that must lose against chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from isocenter.data import Attribution, Case, Geometry, Image, NotEvaluated, Probabilities
from isocenter.metrics.asked import asked
from isocenter.metrics.faithfulness import (
    ORDERS,
    STEPS,
    blobs,
    checked,
    deletion,
    emptied,
    insertion,
    order_of,
    rank_correlation,
)


@dataclass(frozen=True)
class Spot:
    """Ill as far as a spot of 4 x 4 pixels is brighter than the rest; counts what it is asked."""

    asked: list[int]

    def predict(self, case: Case) -> Probabilities:
        self.asked.append(1)
        pixels = case.image().channels_first().astype(float)
        p = float(np.clip((pixels[..., 2:6, 2:6].mean() - np.median(pixels)) / 100, 0, 1))
        return Probabilities(("ill", "well"), (p, 1 - p))


def spotted() -> Case:
    pixels = np.zeros((16, 16), np.float32)
    pixels[2:6, 2:6] = 100.0
    return Case.of(Image.from_array(pixels))


def right() -> np.ndarray:
    return spotted().image().pixels().astype(np.float32)


def test_the_right_map_beats_chance_and_its_opposite_loses():
    question, case = asked(Spot([]), spotted()), spotted()
    for curve, sign in ((deletion, -1), (insertion, 1)):
        good, bad = curve(question, case, right()), curve(question, case, -right())
        assert sign * (good.area - good.area_random) > 0.1
        assert sign * (bad.area - bad.area_random) < -0.1
        assert good.area_random == bad.area_random
        assert good.answers[0] == bad.answers[0] and good.answers[-1] == bad.answers[-1]


def test_the_area_is_that_of_the_steps_written_out():
    """16 of 256 pixels hold the spot: after the first of 16 steps all of it is gone."""
    curve = deletion(asked(Spot([]), spotted()), spotted(), right(), steps=16)
    assert np.array_equal(curve.shares, np.arange(17) / 16)
    assert curve.answers[0] == pytest.approx(1.0) and np.allclose(curve.answers[1:], 0.0625, atol=0.07)
    by_hand = sum((a + b) / 2 / 16 for a, b in zip(curve.answers, curve.answers[1:], strict=False))
    assert curve.area == pytest.approx(by_hand)


def test_ends_are_the_whole_and_the_empty_image_and_are_asked_once():
    asked_for: list[int] = []
    question = asked(Spot(asked_for), spotted())
    asked_for.clear()
    curve = insertion(question, spotted(), right())
    assert curve.answers[-1] == curve.random[-1] == pytest.approx(1.0)
    assert curve.answers[0] == curve.random[0] < 0.6
    assert len(asked_for) == 2 + (1 + ORDERS) * (STEPS - 1)


def test_what_stands_in_the_checks():
    found = Attribution(right(), Geometry((16, 16)), "ill", "x")
    made = checked(None, Spot([]), spotted(), found)
    assert set(made.found.checks) == {"answer", "deletion", "deletion_random", "insertion", "insertion_random"}
    assert made.found.checks["answer"] == pytest.approx(1.0)
    assert made.found.checks["deletion"] == made.curves["deletion"].area
    assert made.found.checks["insertion_random"] == made.curves["insertion"].area_random
    assert np.array_equal(made.found.values, found.values)


def test_weights_are_drawn_anew_where_there_is_a_network():
    class Network(Spot):
        def opened(self):
            raise AssertionError("not here")

    @dataclass(frozen=True)
    class Explains:
        answer: object

        def redrawn(self, target, *, seed):
            assert target == "ill" and seed in range(3)
            return self

        def predict(self, case):
            return self.answer

    found = Attribution(right(), Geometry((16, 16)), "ill", "x")
    network = Network([])
    assert checked(Explains(found), network, spotted(), found).found.checks["randomised"] == pytest.approx(1.0)
    opposite = Attribution(-right(), Geometry((16, 16)), "ill", "x")
    assert checked(Explains(opposite), network, spotted(), found).found.checks["randomised"] == pytest.approx(-1.0)
    assert checked(Explains(NotEvaluated("none")), network, spotted(), found).found.checks["randomised"] == 0.0
    flat = Attribution(0 * right(), Geometry((16, 16)), "ill", "x")
    assert checked(Explains(flat), network, spotted(), found).found.checks["randomised"] == 0.0
    assert "randomised" not in checked(Explains(found), Spot([]), spotted(), found).found.checks


def test_images_without_structure():
    rng = np.random.default_rng(0)
    pixels = rng.integers(20, 200, (3, 32, 24)).astype(np.uint8)
    assert np.allclose(emptied(pixels, 2, "mean"), pixels.mean(axis=(1, 2), keepdims=True) + np.zeros(pixels.shape))
    assert np.array_equal(emptied(pixels, 2, "black")[1], np.full((32, 24), pixels[1].min()))
    blurred = emptied(pixels, 2, "blur")
    assert blurred.std() < 0.2 * pixels.std()
    assert np.allclose(blurred.mean(axis=(1, 2)), pixels.mean(axis=(1, 2)), atol=3)
    assert emptied(pixels, 3, "mean").std() == 0


def test_rank_correlation_is_scipys():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(30, 20)), rng.integers(0, 5, (30, 20))
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic, abs=1e-12)
    assert rank_correlation(a, np.exp(a)) == pytest.approx(1.0)
    assert rank_correlation(a, np.zeros((30, 20))) == 0.0
    large = rng.normal(size=(600, 600))
    assert rank_correlation(large, large) == pytest.approx(1.0)


def test_orders():
    values = np.array([[0.0, 3.0], [np.nan, 2.0]])
    assert list(order_of(values)[:2]) == [1, 3] and np.array_equal(order_of(values), order_of(values))
    # Equal pixels in no order of place.
    assert not np.array_equal(order_of(np.zeros((8, 8))), np.arange(64))
    soft = blobs((32, 32), 1)
    assert np.array_equal(soft, blobs((32, 32), 1)) and not np.array_equal(soft, blobs((32, 32), 2))
    assert np.corrcoef(soft[:, :-1].ravel(), soft[:, 1:].ravel())[0, 1] > 0.9
