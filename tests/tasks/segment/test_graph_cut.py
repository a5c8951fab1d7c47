"""Graph cuts as a method."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Cases, Image, NotEvaluated, Watch, build, merged
from isocenter.errors import InputError, RecipeError
from isocenter.tasks.segment._start import Start
from isocenter.tasks.segment.graph_cut import GraphCut, _borders, _scaled
from isocenter.tasks.segment.unet import UNet
from isocenter.verbs._method import resolve
from isocenter.verbs._recipe import settings_of
from isocenter.verbs.load import load


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


def test_the_deep_form_is_the_same_code_on_a_fitted_network() -> None:
    """A network learns which of two equally bright squares is textured; the cut then works on what it says."""
    rng = np.random.default_rng(0)
    x, y = [], []
    for _ in range(10):
        mask = np.zeros((32, 32), np.uint8)
        a, b = rng.integers(4, 16, 2)
        mask[a : a + 12, b : b + 10] = 1
        x.append(np.round(mask * 90 + 60 + rng.normal(0, 12, mask.shape)).clip(0, 255).astype(np.uint8))
        y.append(mask)
    cases = Cases.from_arrays(x, y, task="segment", classes=["block"], splits=["train"] * 7 + ["val"] * 3)
    quick = {"study.epochs": 4, "study.steps": 5, "study.batch_size": 4, "study.learning_rate": 0.01, "width": 6}
    network = merged(UNet(), quick).fit(cases.split("train"), cases.split("val"), watch=Watch())
    found = GraphCut(on=network, rounds=1).fit(cases.split("train"), cases.split("val"))
    scores = [overlap(found.predict(c).labels == 1, c.truth().labels == 1) for c in cases.split("val")]
    assert min(scores) > 0.8 and found.name == "block"
    again = GraphCut.from_state(json.loads(json.dumps(found.about)), found.state())
    for case in cases.split("val"):
        assert np.array_equal(again.predict(case).labels, found.predict(case).labels)


def test_a_part_is_named_in_a_recipe(disc_bundle: Path) -> None:
    found = resolve("segment/graph_cut", settings=settings_of({"on": {"use": str(disc_bundle)}}))
    assert type(found.object.on) is type(load(disc_bundle))
    image = np.pad(np.full((20, 20), 150, np.uint8), 15, constant_values=60)
    assert overlap(predicted(image, found.object), image > 100) > 0.95


def test_what_cannot_be_honoured_is_refused() -> None:
    with pytest.raises(RecipeError, match="on is neither"):
        GraphCut(on="depth")
    with pytest.raises(RecipeError, match="smoothness is out of range"):
        build(GraphCut, {"smoothness": -1})


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3, 4), (1, 1, 2)])
def test_tiny_images(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=float).reshape(shape)
    found = GraphCut().predict(Case.of(Image.from_array(array)))
    assert isinstance(found, NotEvaluated) or found.labels.shape == shape
    assert isinstance(GraphCut().predict(Case.of(Image.from_array(np.zeros(shape)))), NotEvaluated)
