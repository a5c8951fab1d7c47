"""Graph cuts as a method."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Cases, Image
from isocenter.errors import InputError
from isocenter.tasks.segment._start import Start
from isocenter.tasks.segment.graph_cut import GraphCut, _borders, _scaled


def noisy(seed: int = 0, *, noise: float = 25.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:60, :70]
    truth = ((y - rng.integers(24, 36)) / 12) ** 2 + ((x - rng.integers(28, 42)) / 16) ** 2 <= 1
    return 40.0 * truth + rng.normal(100, noise, truth.shape), truth.astype(np.uint8)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def predicted(array: np.ndarray, method: GraphCut, **image) -> np.ndarray:
    return method.predict(Case.of(Image.from_array(array, **image))).labels == 1


def test_noise_that_no_threshold_survives() -> None:
    image, truth = noisy()
    found = predicted(image, GraphCut(start=Start(bright=True, how="place", radius=12.0)))
    assert overlap(found, truth == 1) > 0.9
    assert max(overlap(image > t, truth == 1) for t in np.linspace(80, 160, 40)) < 0.7


def test_a_higher_price_gives_a_shorter_border() -> None:
    image, _ = noisy()
    lengths = []
    for price in (0.0, 1.0, 10.0):
        found = predicted(image, GraphCut(smoothness=price, rounds=1, after=After(fill=False)))
        lengths.append(sum(np.count_nonzero(np.diff(found.astype(int), axis=a)) for a in (0, 1)))
    assert lengths[0] > lengths[1] > lengths[2]


def test_colours_are_told_apart_that_are_equally_bright() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:50, :60]
    truth = (y - 25) ** 2 + (x - 28) ** 2 <= 196
    colours = np.where(truth, np.array([160, 60, 80])[:, None, None], np.array([60, 160, 80])[:, None, None])
    image = (colours + rng.normal(0, 15, colours.shape)).clip(0, 255).astype(np.uint8)
    case = Case.of(Image.from_array(image, axes="cyx", channels=("red", "green", "blue")))
    seeds = Start(seeds=((25, 28),), radius=8.0)
    assert overlap(GraphCut(start=seeds).predict(case).labels == 1, truth) > 0.97
    grey = GraphCut(start=seeds, before=Before(channel="mean")).predict(case)
    assert overlap(grey.labels == 1, truth) < 0.9


def test_seeds_stay_in_it_and_outside_the_image_are_refused() -> None:
    image, truth = noisy()
    outside = tuple(int(i) for i in np.argwhere(truth == 0)[5])
    centre = tuple(int(i) for i in np.argwhere(truth).mean(axis=0))
    found = predicted(image, GraphCut(start=Start(seeds=(centre, outside), radius=6.0)))
    assert found[centre] and found[outside]
    with pytest.raises(InputError, match=r"seed 1 lies outside.*\(0, 70\)"):
        predicted(image, GraphCut(start=Start(seeds=(centre, (0, 70)))))


def test_a_border_along_an_edge_is_cheap_and_by_its_length() -> None:
    planes = np.zeros((1, 4, 5), np.float32)
    planes[:, :, 3:] = 1.0
    down, across = _borders(planes, (2.0, 1.0), 10.0)
    assert across[0, 2] < 0.1 * across[0, 0]
    assert across[0, 0] == 2560 and down[0, 0] == 1280, "farther apart, fewer of them along a border of one length"
    flat = _borders(np.zeros((1, 2, 2), np.float32), (1.0, 1.0), 10.0)
    assert (flat[0] == 2560).all()


def test_the_unit_of_the_image_does_not_matter() -> None:
    image, _ = noisy()
    method = GraphCut(start=Start(bright=True, radius=12.0))
    assert np.array_equal(predicted(image, method), predicted(4 * image - 1024, method))
    assert _scaled(np.full((1, 3, 3), 7.0, np.float32)).max() == 0


def test_fit_learns_side_start_and_price() -> None:
    drawn = [noisy(s) for s in range(4)]
    train = Cases.from_arrays([d[0] for d in drawn], [d[1] for d in drawn], task="segment", classes=("organ",))
    found = GraphCut(rounds=2).fit(train, train)
    assert (found.name, found.start.bright, found.rounds) == ("organ", True, 2)
    assert found.smoothness is not None
    assert overlap(predicted(noisy(9)[0], found), noisy(9)[1] == 1) > 0.9
    assert GraphCut.from_state(json.loads(json.dumps(found.about)), found.state()) == found


def test_a_volume() -> None:
    z, y, x = np.mgrid[:8, :30, :30]
    truth = ((z - 4) * 3.0) ** 2 + (y - 15) ** 2 + (x - 14) ** 2 <= 64
    image = 50.0 * truth + np.random.default_rng(0).normal(0, 20, truth.shape)
    found = predicted(image, GraphCut(start=Start(radius=8.0, bright=True, how="place")), spacing=(3.0, 1.0, 1.0))
    assert overlap(found, truth) > 0.85


def test_a_picture_of_512_pixels_is_cut_within_seconds() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:512, :512]
    truth = (y - 250) ** 2 + (x - 260) ** 2 <= 120**2
    image = 40.0 * truth + rng.normal(100, 20, truth.shape)
    method = GraphCut(start=Start(bright=True))
    predicted(image[:32, :32], method)
    start = time.process_time()
    assert overlap(predicted(image, method), truth) > 0.97
    assert time.process_time() - start < 4.0
