"""One value, or a share of the maximum."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Cases, Image, NotEvaluated, build
from isocenter.errors import RecipeError
from isocenter.tasks.segment.threshold import Threshold


def predicted(array: np.ndarray, method: Threshold) -> np.ndarray:
    return method.predict(Case.of(Image.from_array(array))).labels


@pytest.fixture
def hot() -> np.ndarray:
    """A ramp of 0 to 5 with one lesion of 8 to 10."""
    array = np.tile(np.linspace(0, 4, 40, dtype=np.float32), (30, 1))
    array[10:15, 10:15] = 8
    array[12, 12] = 10
    return array


def test_the_share_is_of_the_largest_value(hot: np.ndarray) -> None:
    for share in (0.41, 0.39, 0.9):
        assert np.array_equal(predicted(hot, Threshold(share=share)), hot >= np.float32(share * 10))
    assert np.count_nonzero(predicted(hot, Threshold())) == 25


def test_the_value_itself_wins_over_the_share(hot: np.ndarray) -> None:
    assert np.array_equal(predicted(hot, Threshold(at=2.5, share=0.9)), hot >= 2.5)
    assert np.array_equal(predicted(hot, Threshold(at=2.5, below=True)), hot < 2.5)


def test_it_works_in_volumes_and_keeps_the_largest_part(hot: np.ndarray) -> None:
    volume = np.stack([hot] * 3)
    volume[1, 25, 2] = 9
    assert np.count_nonzero(predicted(volume, Threshold())) == 76
    assert np.count_nonzero(predicted(volume, Threshold(after=After(largest=True)))) == 75


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_no_share_of_a_maximum_that_is_not_above_zero(value: float) -> None:
    image = Case.of(Image.from_array(np.full((8, 8), value, np.float32)))
    assert isinstance(Threshold().predict(image), NotEvaluated)
    assert np.count_nonzero(Threshold(at=-5.0).predict(image).labels) == 64


def test_an_image_without_numbers_is_not_evaluated() -> None:
    assert isinstance(Threshold().predict(Case.of(Image.from_array(np.full((8, 8), np.nan, np.float32)))), NotEvaluated)


def test_study_learns_the_name_alone(hot: np.ndarray) -> None:
    train = Cases.from_arrays(hot[None], (hot > 5).astype(np.uint8)[None], task="segment", classes=("tumour",))
    learnt = Threshold(share=0.5).fit(train, train)
    assert learnt == Threshold(share=0.5, name="tumour")
    assert learnt.predict(train[0]).names == ("background", "tumour")


def test_written_down_and_back() -> None:
    made = Threshold(at=2.5, after=After(fill=True))
    assert Threshold.from_state(made.about, made.state()) == made == build(Threshold, made.about["recipe"])


@pytest.mark.parametrize(
    "wrong", [{"at": float("nan")}, {"share": 1.5}, {"share": 0.0}, {"before": Before(spacing=(1.0, 1.0))}]
)
def test_what_it_cannot_do_is_refused(wrong: dict) -> None:
    with pytest.raises(RecipeError):
        Threshold(**wrong) if "share" not in wrong else build(Threshold, wrong)
