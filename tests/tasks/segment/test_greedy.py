"""Greedy active contours as a method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image, NotEvaluated
from isocenter.errors import InputError, RecipeError
from isocenter.tasks.segment._start import Start
from isocenter.tasks.segment.greedy import Greedy, edges
from isocenter.tasks.segment.histogram import Histogram
from isocenter.verbs.load import load


def picture(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:70, :80]
    truth = ((y - rng.integers(30, 40)) / 14) ** 2 + ((x - rng.integers(34, 46)) / 19) ** 2 <= 1
    return 50.0 * truth + rng.normal(100, 8, truth.shape), truth.astype(np.uint8)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def predicted(array: np.ndarray, method: Greedy, **image) -> np.ndarray:
    return method.predict(Case.of(Image.from_array(array, **image))).labels == 1


def test_from_a_ball_to_the_edge() -> None:
    image, truth = picture()
    found = predicted(image, Greedy(start=Start(how="place", bright=True, radius=11.0)))
    assert overlap(found, truth == 1) > 0.93


def test_from_a_seed_and_from_a_given_region() -> None:
    image, truth = picture()
    centre = tuple(int(i) for i in np.argwhere(truth).mean(axis=0))
    assert overlap(predicted(image, Greedy(start=Start(seeds=(centre,), radius=8.0))), truth == 1) > 0.93
    region = Greedy(start=Start(region=Histogram(target=1, levels=2), radius=11.0))
    assert overlap(predicted(image, region), truth == 1) > 0.93
    with pytest.raises(InputError, match=r"seed 0 lies outside.*\(70, 1\)"):
        predicted(image, Greedy(start=Start(seeds=((70, 1),))))


def test_a_stiff_line_is_smoother_than_what_it_begins_with() -> None:
    image, truth = picture()
    ragged = image.copy()
    ragged[(np.random.default_rng(1).random(truth.shape) < 0.2) & (truth == 1)] = 100
    start = Start(how="threshold", bright=True, radius=11.0)
    begin = predicted(ragged, Greedy(start=start, rounds=1, weights=(0.0, 0.0, 0.0, 0.0)))
    found = predicted(ragged, Greedy(start=start))
    assert overlap(found, truth == 1) >= overlap(begin, truth == 1) - 0.01
    assert overlap(found, truth == 1) > 0.9


def test_every_part_of_a_threshold_gets_its_contour() -> None:
    y, x = np.mgrid[:60, :120]
    truth = ((y - 30) ** 2 + (x - 30) ** 2 <= 144) | ((y - 30) ** 2 + (x - 90) ** 2 <= 144)
    image = 60.0 * truth + np.random.default_rng(0).normal(0, 5, truth.shape)
    found = predicted(image, Greedy(start=Start(how="threshold", bright=True, radius=12.0)))
    assert overlap(found, truth) > 0.95


def test_a_volume_is_answered_slice_by_slice() -> None:
    z, y, x = np.mgrid[:7, :40, :40]
    truth = ((z - 3) * 4.0) ** 2 + (y - 20) ** 2 + (x - 19) ** 2 <= 121
    image = 60.0 * truth + np.random.default_rng(0).normal(0, 5, truth.shape)
    found = predicted(image, Greedy(start=Start(how="threshold", bright=True, radius=10.0)), spacing=(4.0, 1.0, 1.0))
    assert overlap(found, truth) > 0.9
    assert [bool(s.any()) for s in found] == [bool(s.any()) for s in truth]


def test_fit_learns_side_start_and_weights() -> None:
    drawn = [picture(s) for s in range(4)]
    train = Cases.from_arrays([-d[0] for d in drawn], [d[1] for d in drawn], task="segment", classes=("lumen",))
    found = Greedy(rounds=60).fit(train, train)
    assert (found.name, found.start.bright, found.rounds) == ("lumen", False, 60)
    assert found.weights is not None and len(found.weights) == 4
    assert overlap(predicted(-picture(9)[0], found), picture(9)[1] == 1) > 0.93
    fixed = replace(found, weights=(1.0, 1.0, 1.0, 1.0))
    assert fixed.fit(train, train).weights == (1.0, 1.0, 1.0, 1.0)


def test_on_a_network_it_is_the_same_code(disc_bundle: Path) -> None:
    y, x = np.mgrid[:50, :60]
    truth = (y - 25) ** 2 + (x - 28) ** 2 <= 144
    image = np.where(truth, 150, 60).astype(np.uint8)
    assert overlap(predicted(image, Greedy(on=load(disc_bundle), start=Start(radius=9.0))), truth) > 0.93


def test_edges_are_measured_against_the_strongest() -> None:
    image, truth = picture()
    found = edges(image)
    assert found.min() >= 0 and found.max() == 1
    rim = truth.astype(bool) ^ np.roll(truth, 2, axis=0).astype(bool)
    assert found[rim].mean() > 3 * np.median(found)
    assert not edges(np.zeros((4, 4))).any()


def test_another_number_of_weights_is_refused() -> None:
    with pytest.raises(RecipeError, match="continuity, curvature, edge, region"):
        Greedy(weights=(1.0, 1.0))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 3), (2, 3, 4)])
def test_tiny_images(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=float).reshape(shape)
    found = Greedy().predict(Case.of(Image.from_array(array)))
    assert isinstance(found, NotEvaluated) or found.labels.shape == shape
    assert isinstance(Greedy().predict(Case.of(Image.from_array(np.zeros(shape)))), NotEvaluated)
