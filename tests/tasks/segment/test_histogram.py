"""Otsu's thresholds as a method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Cases, Image, NotEvaluated, build
from isocenter.errors import RecipeError
from isocenter.ops.stain import DERIVED, DYES
from isocenter.tasks.segment.histogram import Histogram


def disc(shape: tuple[int, int] = (40, 50), r: float = 10.0) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 < r**2


def picture(inside: float, outside: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 2, (40, 50))
    return np.where(disc(), inside, outside) + noise


def answer(array: np.ndarray, method: Histogram, **image) -> np.ndarray:
    found = method.predict(Case.of(Image.from_array(array, **image)))
    assert found.geometry.shape == found.labels.shape
    return found.labels


@pytest.mark.parametrize(("inside", "outside"), [(100, 20), (20, 100)])
def test_untaught_it_takes_what_stays_off_the_edge(inside: float, outside: float) -> None:
    assert np.array_equal(answer(picture(inside, outside), Histogram()), disc())


def test_target_counts_from_either_end() -> None:
    array = picture(100, 20)
    array[:6, :6] = 60
    three = [answer(array, Histogram(levels=3, target=t)) for t in (0, 1, 2)]
    assert (sum(t.astype(int) for t in three) == 1).all()
    assert np.array_equal(three[2], disc())
    assert np.array_equal(answer(array, Histogram(levels=3, target=-1)), three[2])
    assert three[1][:6, :6].mean() > 0.9


def test_clean_up() -> None:
    array = picture(100, 20)
    array[2:4, 2:4] = 100
    array[19:22, 24:27] = 20
    assert answer(array, Histogram())[2, 2] == 1
    found = answer(array, Histogram(after=After(largest=True, fill=True)))
    assert np.array_equal(found, disc())


def test_it_works_in_3d_on_an_anisotropic_grid() -> None:
    array = np.zeros((6, 30, 20))
    array[2:4, 10:20, 5:15] = 50
    found = Histogram().predict(Case.of(Image.from_array(array, spacing=(5.0, 1.0, 0.5))))
    assert found.geometry.spacing == (5.0, 1.0, 0.5)
    assert found.volume_ml("foreground") == pytest.approx(200 * 2.5 / 1000)


def cohort(inside: float, outside: float) -> Cases:
    green = [picture(inside, outside, s) for s in range(6)]
    rng = np.random.default_rng(1)
    three = [np.stack([rng.normal(50, 30, g.shape), g, rng.normal(50, 30, g.shape)]) for g in green]
    x = [Image.from_array(t, axes="cyx") for t in three]
    return Cases.from_arrays(x, [disc().astype(int)] * 6, task="segment", classes=("organ",))


@pytest.mark.parametrize(("inside", "outside", "target"), [(100, 20, 1), (20, 100, 0)])
def test_fit_learns_channel_and_side(inside: float, outside: float, target: int) -> None:
    train = cohort(inside, outside)
    found = Histogram().fit(train, train)
    assert (found.before.channel, found.levels, found.target, found.name) == ("1", 2, target, "organ")
    assert found.predict(train[0]).mask("organ").sum() == disc().sum()


def test_fit_learns_a_middle_class() -> None:
    array = picture(60, 10)
    array[:8] += 90
    train = Cases.from_arrays([array] * 3, [disc().astype(int)] * 3, task="segment", classes=("organ",))
    found = Histogram().fit(train, train)
    assert (found.levels, found.target) == (3, 1)


def test_fit_leaves_what_was_said() -> None:
    found = Histogram(levels=3, target=0, before=Before(channel="0")).fit(cohort(100, 20), cohort(100, 20))
    assert (found.levels, found.target, found.before.channel) == (3, 0, "0")


def test_it_comes_back_from_its_state() -> None:
    found = Histogram(before=Before(denoise="median")).fit(cohort(100, 20), cohort(100, 20))
    assert Histogram.from_state(found.about, found.state()) == found


@pytest.mark.parametrize("array", [np.zeros((5, 5)), np.full((1, 1), 3.0), np.full((2, 3), np.nan)])
def test_a_constant_image_is_not_evaluated(array: np.ndarray) -> None:
    assert isinstance(Histogram().predict(Case.of(Image.from_array(array))), NotEvaluated)


def test_fewer_values_than_classes_are_not_evaluated() -> None:
    found = Histogram(levels=4).predict(Case.of(Image.from_array(disc().astype(np.uint8))))
    assert "4 classes" in found.line()


@pytest.mark.parametrize("settings", [{"target": 2}, {"levels": 3, "target": -4}, {"before": {"spacing": [1.0, 1.0]}}])
def test_settings_without_sense_are_refused(settings: dict) -> None:
    with pytest.raises(RecipeError):
        build(Histogram, settings)


@pytest.mark.parametrize("levels", [2, 3])
def test_gain_and_offset_change_nothing(levels: int) -> None:
    array = picture(100, 20)
    array[:6, :6] = 60
    method = Histogram(levels=levels, target=-1)
    assert np.array_equal(answer(array, method), answer(7 * array - 300, method))


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (1, 1, 5)])
def test_thin_images_have_thresholds_too(shape: tuple[int, ...]) -> None:
    array = np.zeros(shape)
    array.flat[4:] = 10
    assert answer(array, Histogram(target=-1)).sum() == array.size - 4


def test_the_triangle_takes_a_small_class_out_of_a_large_one() -> None:
    array = picture(45, 20)
    array[array < 20] -= 15 * np.random.default_rng(1).random(np.count_nonzero(array < 20))
    found = answer(array, Histogram(rule="triangle", target=-1))
    assert found[disc()].mean() > 0.99
    with pytest.raises(RecipeError, match="two classes"):
        Histogram(rule="triangle", levels=3)


def test_a_mixture_divides_unequal_spreads_where_otsu_does_not() -> None:
    rng = np.random.default_rng(0)
    array = np.where(disc(), rng.normal(60, 3, disc().shape), rng.normal(20, 16, disc().shape))

    def wrong(rule: str) -> int:
        return np.count_nonzero(answer(array, Histogram(rule=rule, target=-1)) != disc())

    assert wrong("mixture") < 0.5 * wrong("otsu")


def test_fit_learns_the_rule() -> None:
    rng = np.random.default_rng(0)
    x = [np.where(disc(), rng.normal(60, 3, disc().shape), rng.normal(20, 16, disc().shape)) for _ in range(4)]
    train = Cases.from_arrays(x, [disc().astype(int)] * 4, task="segment", classes=("organ",))
    assert Histogram().fit(train, train).rule == "mixture"
    assert Histogram(rule="otsu", levels=2).fit(train, train).rule == "otsu"


def stained(dye: str, seed: int = 0, dtype: type = np.uint8) -> tuple[Image, np.ndarray]:
    """A disc of one dye on a ground that both dyes colour unevenly."""
    rng = np.random.default_rng(seed)
    mask = disc()
    amounts = {d: rng.uniform(0, 1.2, mask.shape) for d in ("hematoxylin", "dab")}
    amounts[dye] = np.where(mask, 0.5, 0.2) + rng.normal(0, 0.02, mask.shape)
    light = 10 ** -sum(a * np.reshape(DYES[d], (3, 1, 1)) for d, a in amounts.items())
    pixels = np.round(np.clip(light, 0, 1) * np.iinfo(dtype).max).astype(dtype)
    return Image.from_array(pixels, axes="cyx", channels=("red", "green", "blue")), mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("dye", ["hematoxylin", "dab"])
def test_a_stain_is_found_by_its_channel(dye: str, dtype: type) -> None:
    image, mask = stained(dye, dtype=dtype)
    found = Histogram(before=Before(channel=f"hdab-{dye}")).predict(Case.of(image)).labels == 1
    assert np.mean(found == mask) > 0.999


def test_fit_finds_a_channel_of_colour_where_red_green_and_blue_fail() -> None:
    both = [stained("dab", s) for s in range(4)]
    train = Cases.from_arrays([b[0] for b in both], [b[1].astype(int) for b in both], task="segment", classes=("x",))
    learnt = Histogram().fit(train, train)
    assert learnt.before.channel in DERIVED
    image, mask = stained("dab", 9)
    assert np.mean((learnt.predict(Case.of(image)).labels == 1) == mask) > 0.99


def test_cases_without_truth_are_left_out_of_fit() -> None:
    known = cohort(100, 20)
    unknown = Cases.from_arrays([np.zeros((3, 40, 50))] * 2, task="segment")
    mixed = replace(known, entries=known.entries + unknown.entries)
    assert Histogram().fit(mixed, known).before.channel == "1"
