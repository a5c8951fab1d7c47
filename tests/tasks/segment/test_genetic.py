"""The genetic algorithm as a method."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import After, Case, Cases, Image, NotEvaluated, Watch
from isocenter.errors import LabelError, RecipeError
from isocenter.tasks.segment.genetic import GENES, SHARES, Genetic, chain, compactness, fitness, shrunk
from isocenter.verbs.load import load

QUICK = {"population": 10, "generations": 8}
# No smoothing, all values, nothing cleaned.
PLAIN = dict.fromkeys(GENES, 0.0) | {"high": 1.0}


def picture(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A disc of middle grey near the middle of dark ground, with bright specks everywhere."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :72]
    truth = (y - rng.integers(26, 38)) ** 2 + (x - rng.integers(30, 42)) ** 2 <= 144
    image = 50.0 * truth + rng.normal(50, 5, truth.shape)
    image[rng.random(truth.shape) < 0.02] = 200
    return image, truth.astype(np.uint8)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def predicted(array: np.ndarray, method: Genetic) -> np.ndarray:
    return method.predict(Case.of(Image.from_array(array))).labels == 1


def genes(**said: float) -> np.ndarray:
    return np.array([*(PLAIN | {k.replace("_", " "): v for k, v in said.items()}).values()])


def test_untaught_it_finds_the_compact_region_that_separates_best() -> None:
    image, truth = picture()
    assert overlap(predicted(image, Genetic()), truth == 1) > 0.85


def test_the_same_image_gives_the_same_answer() -> None:
    image, _ = picture(3)
    assert np.array_equal(predicted(image, Genetic(**QUICK)), predicted(image, Genetic(**QUICK)))


def test_fit_chooses_by_dice_what_no_criterion_would() -> None:
    """What is asked for are single bright pixels: neither compact nor apart."""
    drawn = [picture(s)[0] for s in range(4)]
    masks = [(i > 150).astype(np.uint8) for i in drawn]
    train = Cases.from_arrays(drawn, masks, task="segment", classes=("speck",))
    said = []
    found = Genetic(generations=12).fit(train, train, watch=Watch(report=said.append, seed=1))
    assert found.name == "speck" and len(found.genes) == len(GENES)
    assert overlap(predicted(picture(9)[0], found), picture(9)[0] > 150) > 0.8
    assert [p.what for p in said] == ["evolve"] * 12 and said[-1].share == 1.0
    assert said[-1].score >= said[0].score
    assert found.fit(train, train) == found, "a chain that was given is kept"


def test_the_channel_is_a_gene_too() -> None:
    rng = np.random.default_rng(0)
    image, truth = picture()
    coloured = np.stack([rng.normal(0, 30, image.shape), image, rng.normal(0, 30, image.shape)])
    shown = [Image.from_array(coloured, axes="cyx")] * 2
    train = Cases.from_arrays(shown, [truth] * 2, task="segment", classes=("disc",))
    assert Genetic(**QUICK).fit(train, train).before.channel == "1"


def test_every_step_of_the_chain() -> None:
    values = np.zeros((50, 60), np.float32)
    values[10:30, 10:30] = 100
    values[15:20, 15:20] = 0
    values[10:12, 40:42] = 100
    values[40:, 50:] = 100
    spacing = (1.0, 1.0)
    band = {"low": 0.5}
    assert chain(values, genes(), spacing).all(), "an open band takes everything"
    whole = chain(values, genes(**band), spacing)
    assert np.array_equal(whole, values > 50)
    assert np.array_equal(chain(values, genes(low=0.0, high=0.5), spacing), values < 50)
    assert np.array_equal(chain(values, genes(low=1.0, high=0.5), spacing), whole), "the lower of the two is the bottom"
    assert not chain(values, genes(**band, off_the_edge=1.0), spacing)[45, 55]
    assert not chain(values, genes(**band, opening=1.0), spacing)[10, 40]
    assert chain(values, genes(**band, largest=1.0), spacing).sum() == 400 - 25
    assert chain(values, genes(**band, fill=1.0), spacing)[17, 17]
    assert chain(values, genes(**band, smoothing=1.0), spacing)[10:12, 40:42].sum() == 0


def test_near_its_end_a_gene_leaves_its_step_out() -> None:
    values = np.random.default_rng(0).random((40, 40)).astype(np.float32)
    band = chain(values, genes(low=0.5), (1.0, 1.0))
    for gene in ("smoothing", "opening", "closing"):
        assert np.array_equal(chain(values, genes(low=0.5, **{gene: 0.2}), (1.0, 1.0)), band)
        assert not np.array_equal(chain(values, genes(low=0.5, **{gene: 0.9}), (1.0, 1.0)), band)
    assert chain(values, genes(low=0.1, high=0.9), (1.0, 1.0)).all()


def test_fitness_is_0_outside_its_shares_and_best_at_the_object() -> None:
    image, truth = picture()
    right = fitness(image, truth == 1)
    assert 0.3 < right <= 1
    assert right > fitness(image, np.roll(truth, 8, axis=1) == 1)
    assert right > fitness(image, (truth == 1) & (np.arange(72) % 2 == 0))
    assert fitness(image, np.ones(image.shape, bool)) == 0 == fitness(image, np.zeros(image.shape, bool))
    few = np.zeros(image.shape, bool)
    few.flat[: int(SHARES[0] * few.size) - 1] = True
    assert fitness(image, few) == 0


def test_a_ball_is_round_and_a_line_is_not() -> None:
    y, x = np.mgrid[:60, :60]
    disc = (y - 30) ** 2 + (x - 30) ** 2 <= 400
    z, v, u = np.mgrid[:30, :30, :30]
    ball = (z - 15) ** 2 + (v - 15) ** 2 + (u - 15) ** 2 <= 144
    assert compactness(disc) > 0.95 and compactness(ball) > 0.9
    line = np.zeros((60, 60), bool)
    line[30] = True
    assert compactness(line) < 0.15 and compactness(np.zeros((3, 3), bool)) == 0
    assert compactness(disc | line) < compactness(disc)
    assert compactness(np.array([[True, True, False, True]])) == 0.5


def test_the_search_looks_at_a_small_image() -> None:
    small, spacing = shrunk(np.zeros((400, 200), np.float32), (0.5, 0.25))
    assert small.shape == (80, 66) and spacing == (2.5, 0.75)


def test_an_image_of_256_pixels_takes_seconds() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:256, :256]
    truth = (y - 120) ** 2 + (x - 130) ** 2 <= 50**2
    start = time.process_time()
    assert overlap(predicted(60.0 * truth + rng.normal(0, 20, truth.shape), Genetic()), truth) > 0.85
    assert time.process_time() - start < 12


def test_on_a_network_it_is_the_same_code(disc_bundle: Path) -> None:
    y, x = np.mgrid[:50, :60]
    truth = (y - 25) ** 2 + (x - 28) ** 2 <= 144
    image = np.where(truth, 150, 60).astype(np.uint8)
    assert overlap(predicted(image, Genetic(on=load(disc_bundle), after=After(largest=True), **QUICK)), truth) > 0.85


def test_what_cannot_be_honoured_is_refused() -> None:
    with pytest.raises(RecipeError, match="another number of genes"):
        Genetic(genes=(0.5, 0.5))
    dark = Cases.from_arrays([np.full((9, 9), np.nan)], [np.eye(9, dtype=int)], task="segment", classes=("x",))
    with pytest.raises(LabelError, match="no training case"):
        Genetic(**QUICK).fit(dark, dark)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 3), (2, 3, 4), (1, 1, 2)])
def test_tiny_images(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=float).reshape(shape)
    found = Genetic(**QUICK).predict(Case.of(Image.from_array(array)))
    assert isinstance(found, NotEvaluated) or found.labels.shape == shape
    assert isinstance(Genetic(**QUICK).predict(Case.of(Image.from_array(np.zeros(shape)))), NotEvaluated)
