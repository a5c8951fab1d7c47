"""Two channels that lie near each other become a displacement; what shares nothing, folds or is blank does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Image, Normalisation, NotEvaluated, Plan
from isocenter.errors import BundleError
from isocenter.infer.registering import Moved, brought, empty, folds, register, unfolded, velocity
from isocenter.ops.pulling import pulled
from isocenter.ops.refining import integrated

SHAPE = (32, 36)
HOW = {"similarity": "ncc", "window": 5, "smoothness": 0.1, "outputs": 2}


def plan(**settings: object) -> Plan:
    return Plan("register", 2, 2, ("background",), normalisation=Normalisation("standardise"), divisor=(4, 4),
                settings=HOW | settings)


def texture(seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2).astype(np.float32)


def true() -> np.ndarray:
    """A velocity at half the grid that bends by two pixels."""
    y, x = np.meshgrid(np.linspace(-1, 1, 16), np.linspace(-1, 1, 18), indexing="ij")
    bump = np.exp(-3 * (x * x + y * y))
    return np.stack([2.0 * bump, -1.5 * bump]).astype(np.float32)


def pair(gain: float = 3.0) -> Image:
    moving = texture(0)
    fixed = pulled(moving[None], integrated(true(), SHAPE))[0]
    return Image.from_array(np.stack([gain * fixed + 7, moving]), axes="cyx", channels=("fixed", "moving"))


def still(batch: np.ndarray) -> np.ndarray:
    return np.zeros((1, 2, batch.shape[2] // 2, batch.shape[3] // 2), np.float32)


def knows(batch: np.ndarray) -> np.ndarray:
    return true()[None]


def test_the_networks_word_is_integrated() -> None:
    found = register(knows, pair(), plan())
    assert isinstance(found, Moved) and found.move.shape == (2, *SHAPE) and found.move.dtype == np.float32
    assert np.allclose(found.move, integrated(true(), SHAPE), atol=1e-5)
    assert found.evidence["folded"] == 0
    assert found.evidence["likeness"] > found.evidence["likeness_before"] + 0.05


def test_refinement_finds_what_the_network_did_not_say() -> None:
    wanted = integrated(true(), SHAPE)
    none, some = (register(still, pair(), plan(refine=n)) for n in (0, 40))
    assert not none.move.any()
    assert np.abs(some.move - wanted).mean() < 0.5 * np.abs(wanted).mean()
    assert some.evidence["likeness"] > 0.8
    again = register(still, pair(), plan(refine=40))
    assert np.array_equal(some.move, again.move)


def test_displacements_are_pixels_of_the_pairs_own_grid() -> None:
    coarse = Plan("register", 2, 2, ("background",), size=(16, 18), divisor=(4, 4), settings=HOW)

    def ones(batch: np.ndarray) -> np.ndarray:
        assert batch.shape == (1, 2, 16, 20)
        return np.ones((1, 2, 8, 10), np.float32)

    found = register(ones, pair(), coarse)
    assert np.allclose(found.move, 2.0, atol=1e-4)


def test_images_that_share_too_little_are_refused_with_the_evidence() -> None:
    other = Image.from_array(np.stack([texture(8), texture(9)]), axes="cyx")
    found = register(still, other, plan(least=0.6, refine=20))
    assert isinstance(found, NotEvaluated) and "share too little" in found.reason and found.limit == "0.600"
    assert float(found.measured.split()[1]) < 0.6
    assert isinstance(register(knows, pair(), plan(least=0.6)), Moved)


@pytest.mark.parametrize("side", [0, 1])
def test_a_blank_image_or_one_with_nan_is_not_evaluated(side: int) -> None:
    for value, said in ((5.0, "blank"), (np.nan, "NaN")):
        values = pair().pixels().copy()
        values[side] = value
        found = register(still, Image.from_array(values, axes="cyx"), plan())
        assert isinstance(found, NotEvaluated) and said in found.reason
    assert empty(np.zeros((2, 9, 9))).reason == "the fixed image is blank"
    assert empty(pair().pixels()) is None
    for shape in ((1, 1), (40, 1), (3, 4, 40)):
        assert "too few pixels" in empty(np.random.default_rng(0).random((2, *shape))).reason
    assert empty(np.random.default_rng(0).random((2, 3, 9, 9))) is None


def test_a_network_of_another_kind_is_refused() -> None:
    for wrong in (np.zeros((1, 3, 8, 9)), np.zeros((1, 2)), np.full((1, 2, 8, 9), np.nan)):
        with pytest.raises(BundleError, match="velocity"):
            velocity(lambda x, wrong=wrong: wrong, np.zeros((2, *SHAPE), np.float32), plan())


def test_folds_are_counted_and_smoothed_away() -> None:
    smooth = true()
    assert folds(integrated(smooth, SHAPE)) == 0
    rough = 30 * np.random.default_rng(0).normal(size=smooth.shape).astype(np.float32)
    assert folds(integrated(rough, SHAPE)) > 0
    speed, move, before = unfolded(rough, SHAPE)
    assert before > 0 and folds(move) == 0 and np.abs(move).max() > 0.1
    assert np.array_equal(move, integrated(speed, SHAPE))
    kept, same, none = unfolded(smooth, SHAPE)
    assert none == 0 and kept is smooth and np.array_equal(same, integrated(smooth, SHAPE))


def test_folds_are_looked_for_where_the_answer_lies() -> None:
    # Where the answer lies, a pixel is a tenth of one of the working grid: everything goes ten times as far.
    _, move, before = unfolded(true(), SHAPE, lambda m: 10 * m)
    assert before > 0 and folds(move) == 0


def test_what_is_brought_is_the_moving_image() -> None:
    both = pair().pixels()
    assert np.allclose(3 * brought(both, true()) + 7, both[0], atol=1e-4)


def test_a_map_that_stays_folded_is_not_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocenter.infer.registering.TRIES", 0)
    rough = 30 * np.random.default_rng(0).normal(size=(1, 2, 16, 18)).astype(np.float32)
    found = register(lambda x: rough, pair(), plan())
    assert isinstance(found, NotEvaluated) and "folds" in found.reason and found.limit == "0 %"
