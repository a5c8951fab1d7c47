"""Region growing as a method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Cases, Image, NotEvaluated
from isocenter.errors import InputError, RecipeError
from isocenter.tasks.segment._start import Start
from isocenter.tasks.segment.region_growing import RegionGrowing
from isocenter.verbs.load import load


def picture(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc near the middle, joined by a thin line to a dark band at the edge."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:60, :70]
    truth = (y - rng.integers(24, 32)) ** 2 + (x - rng.integers(28, 40)) ** 2 <= 100
    return (120 - 60 * (truth | (y > 54) | (x == 34)) + rng.normal(0, 4, truth.shape)), truth.astype(np.uint8)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def predicted(array: np.ndarray, method: RegionGrowing, **image) -> np.ndarray:
    return method.predict(Case.of(Image.from_array(array, **image))).labels == 1


def test_it_grows_from_the_place_that_stands_out_and_leaks_are_cut() -> None:
    image, truth = picture()
    assert overlap(predicted(image, RegionGrowing(start=Start(bright=False, radius=10.0))), truth == 1) > 0.9


@pytest.mark.parametrize(("rule", "tolerance"), [("region", 4.0), ("seeds", 20.0)])
def test_it_grows_from_given_seeds(rule: str, tolerance: float) -> None:
    image, truth = picture()
    centre = tuple(int(i) for i in np.argwhere(truth).mean(axis=0).round())
    method = RegionGrowing(start=Start(seeds=(centre, (centre[0] + 4, centre[1])), radius=10.0), rule=rule)
    found = predicted(image, replace(method, tolerance=tolerance))
    assert found[truth == 1].mean() > 0.9
    assert not found[5:15, 5:15].any()


def test_a_seed_outside_the_image_is_refused_with_its_position() -> None:
    with pytest.raises(InputError, match=r"seed 0 lies outside the image.*\(60, 0\)"):
        predicted(picture()[0], RegionGrowing(start=Start(seeds=((60, 0),))))


def test_a_wider_tolerance_gives_no_smaller_region() -> None:
    image, _ = picture()
    start = Start(bright=False, radius=10.0, how="place")
    sizes = [
        predicted(image, RegionGrowing(start=start, rule="seeds", tolerance=t)).sum() for t in (0.5, 1.5, 4.0, 30.0)
    ]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]


def test_fit_learns_side_place_rule_and_tolerance() -> None:
    drawn = [picture(s) for s in range(4)]
    train = Cases.from_arrays([d[0] for d in drawn], [d[1] for d in drawn], task="segment", classes=("cyst",))
    found = RegionGrowing().fit(train, train)
    assert (found.name, found.start.bright, found.start.how) == ("cyst", False, "place")
    assert found.rule is not None and found.tolerance is not None
    assert overlap(predicted(picture(9)[0], found), picture(9)[1] == 1) > 0.9
    said = RegionGrowing(rule="seeds", tolerance=2.0, start=Start(how="threshold", bright=False, radius=9.0))
    kept = said.fit(train, train)
    assert (kept.rule, kept.tolerance, kept.start) == ("seeds", 2.0, said.start)


def test_a_volume_with_thick_slices() -> None:
    z, y, x = np.mgrid[:8, :30, :30]
    truth = ((z - 4) * 3.0) ** 2 + (y - 15) ** 2 + (x - 14) ** 2 <= 64
    image = 50.0 * truth + np.random.default_rng(0).normal(0, 3, truth.shape)
    found = predicted(image, RegionGrowing(start=Start(radius=8.0)), spacing=(3.0, 1.0, 1.0))
    assert overlap(found, truth) > 0.85


def test_on_texture_it_finds_what_is_rough() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:70, :80]
    rough = (y - 35) ** 2 + (x - 40) ** 2 <= 256
    image = 100 + rng.normal(0, 1, rough.shape) + rough * rng.normal(0, 15, rough.shape)
    found = predicted(image, RegionGrowing(on="texture", start=Start(radius=14.0, bright=True), rule="seeds"))
    assert overlap(found, rough) > 0.75


def test_on_a_network_it_is_the_same_code(disc_bundle: Path) -> None:
    y, x = np.mgrid[:40, :50]
    truth = (y - 20) ** 2 + (x - 24) ** 2 <= 100
    image = np.where(truth, 150, 60) + np.random.default_rng(0).normal(0, 8, truth.shape)
    method = RegionGrowing(on=load(disc_bundle), start=Start(radius=10.0))
    assert overlap(predicted(image.clip(0, 255).astype(np.uint8), method), truth) > 0.95


def test_nothing_to_work_on_and_settings_without_meaning_are_refused() -> None:
    with pytest.raises(RecipeError, match="on is neither"):
        RegionGrowing(on="intensty")
    with pytest.raises(RecipeError, match="own grid"):
        RegionGrowing(before=Before(spacing=(1.0, 1.0)))
    with pytest.raises(RecipeError, match="mirror"):
        RegionGrowing(after=After(mirror=("x",)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3, 4)])
def test_tiny_images(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=float).reshape(shape)
    found = RegionGrowing().predict(Case.of(Image.from_array(array)))
    assert isinstance(found, NotEvaluated) or found.labels.shape == shape
    assert isinstance(RegionGrowing().predict(Case.of(Image.from_array(np.zeros(shape)))), NotEvaluated)
