"""Morphology as a method."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from isocenter.data import After, Before, Case, Cases, Image, NotEvaluated
from isocenter.errors import LabelError
from isocenter.tasks.segment.morphology import Morphology


def vessels(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Dark lines of 3 pixels on a background that varies more than they are deep."""
    y, x = np.mgrid[:90, :100]
    mask = (np.abs((x + 10 * np.sin(y / 12)) % 30 - 15) < 1.6).astype(np.uint8)
    light = 60.0 * np.exp(-((y - 30) ** 2 + (x - 50) ** 2) / 2500)
    return light - 18.0 * mask + np.random.default_rng(seed).normal(0, 2, mask.shape), mask


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def predicted(array: np.ndarray, method: Morphology, **image) -> np.ndarray:
    return method.predict(Case.of(Image.from_array(array, **image))).labels == 1


def test_thin_dark_lines_are_found_where_no_threshold_would() -> None:
    image, mask = vessels()
    found = predicted(image, Morphology(bright=False, radius=2.0))
    assert overlap(found, mask == 1) > 0.85
    best_threshold = max(overlap(image < t, mask == 1) for t in np.quantile(image, np.linspace(0.02, 0.9, 40)))
    assert best_threshold < 0.6


def test_untaught_it_sees_which_side_stands_out() -> None:
    image, mask = vessels()
    assert overlap(predicted(image, Morphology(radius=2.0)), mask == 1) > 0.8
    assert overlap(predicted(-image, Morphology(radius=2.0)), mask == 1) > 0.8


def test_fit_learns_side_radius_and_name() -> None:
    both = [vessels(s) for s in range(4)]
    train = Cases.from_arrays([b[0] for b in both], [b[1] for b in both], task="segment", classes=("vessel",))
    found = Morphology().fit(train, train)
    assert (found.bright, found.name) == (False, "vessel")
    assert 1.5 <= found.radius <= 3
    case = Case.of(Image.from_array(vessels(9)[0]))
    assert overlap(found.predict(case).labels == 1, vessels(9)[1] == 1) > 0.85
    assert Morphology.from_state(found.about, found.state()) == found


def test_fit_without_labels_is_refused() -> None:
    empty = Cases.from_arrays([np.eye(8)] * 3, [np.zeros((8, 8), int)] * 3, task="segment", classes=("x",))
    with pytest.raises(LabelError):
        Morphology().fit(empty, empty)


def bay() -> np.ndarray:
    image = np.full((60, 60), 100.0)
    image[20:40, 20:40] = 20
    image[5:15, :20] = 20
    return image


def test_enclosed_leaves_out_what_touches_the_edge() -> None:
    found = predicted(bay(), Morphology(bright=False, background="enclosed", radius=10.0))
    assert found[30, 30]
    assert not found[10, 2]
    both = predicted(bay(), Morphology(bright=False, background="none", radius=10.0))
    assert both[30, 30]
    assert both[10, 2]


def test_growing_keeps_weak_parts_of_strong_structures_only() -> None:
    image = np.zeros((60, 60))
    image[20:26, 5:30] = 100
    image[20:26, 30:55] = 45
    image[40:46, 5:30] = 45
    how = {"bright": True, "radius": 4.0, "background": "none", "before": Before(denoise="none")}
    grown = predicted(image, Morphology(threshold="grow", **how))
    low = predicted(image, Morphology(threshold="low", **how))
    assert low[42, 10]
    assert not grown[42, 10]
    assert grown[22, 10]


def test_holes_and_specks_go_by_size() -> None:
    image = np.zeros((80, 80))
    image[20:60, 20:60] = 100
    image[38:41, 38:41] = 0
    image[70:73, 70:73] = 100
    found = predicted(image, Morphology(bright=True, radius=20.0, background="none"))
    assert found[39, 39]
    assert not found[71, 71]
    as_is = After(fill=False, smallest=0.0)
    found = predicted(image, Morphology(bright=True, radius=8.0, background="none", after=as_is))
    assert not found[39, 39]
    assert found[71, 71]
    assert predicted(image, Morphology(bright=True, radius=2.0, background="none", after=After(fill=True)))[39, 39]


def test_radius_is_in_mm_where_the_spacing_is_known() -> None:
    image = np.zeros((10, 40, 40))
    image[4:6, 15:25, 15:25] = 100
    spacing = (5.0, 1.0, 1.0)
    found = predicted(image, Morphology(bright=True, radius=6.0), spacing=spacing)
    assert found[4:6, 16:24, 16:24].all()
    # A ball of 2.5 mm fits into the block, so that its top-hat is empty there.
    small = Morphology(bright=True, radius=2.0, before=Before(denoise="none")).predict(
        Case.of(Image.from_array(image, spacing=spacing))
    )
    assert isinstance(small, NotEvaluated) or small.labels[4:6, 17:23, 17:23].sum() == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 40), (2, 3, 4), (1, 1, 1)])
@pytest.mark.parametrize("background", ["hat", "enclosed", "none"])
def test_tiny_images(shape: tuple[int, ...], background: str) -> None:
    array = np.zeros(shape)
    assert isinstance(Morphology(background=background).predict(Case.of(Image.from_array(array))), NotEvaluated)
    array = np.arange(array.size, dtype=float).reshape(shape)
    found = Morphology(background=background).predict(Case.of(Image.from_array(array)))
    assert isinstance(found, NotEvaluated) or found.labels.shape == shape


def test_retinal_vessels_beat_the_trivial_baseline(real_data) -> None:
    """Side, radius and channel as `fit` learns them on train; black-hat with a fixed share of pixels gives F1 0.591."""
    folder: Path = real_data("retina-chase-db1")
    method = Morphology(before=Before(channel="green"), bright=False, radius=11.0, background="hat", threshold="otsu")
    scores = []
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == "val"]
    for row in rows:
        pixels = np.asarray(Picture.open(folder / row["image"])).transpose(2, 0, 1)
        image = Image.from_array(pixels, axes="cyx", channels=("red", "green", "blue"))
        truth = np.asarray(Picture.open(folder / row["mask"])) > 0
        scores.append(overlap(method.predict(Case.of(image)).labels == 1, truth))
    assert len(scores) == 2
    assert np.mean(scores) >= 0.60


@pytest.mark.parametrize("background", ["hat", "enclosed", "none"])
@pytest.mark.parametrize("threshold", ["otsu", "low", "grow"])
def test_turning_and_scaling_the_image_turns_the_answer(background: str, threshold: str) -> None:
    image, _ = vessels()
    method = Morphology(bright=False, radius=2.0, background=background, threshold=threshold)
    plain = predicted(image, method)
    assert np.array_equal(predicted(np.rot90(image), method), np.rot90(plain))
    assert np.array_equal(predicted(image[:, ::-1], method), plain[:, ::-1])
    # A power of two is exact in floating point, so that every bin stays what it was.
    assert np.array_equal(predicted(4 * image, method), plain)


def test_only_the_largest_part_is_kept_when_asked() -> None:
    image = np.zeros((60, 60))
    image[10:30, 10:30] = 100
    image[40:52, 40:52] = 100
    how = {"bright": True, "radius": 10.0, "background": "none"}
    assert predicted(image, Morphology(**how))[45, 45]
    alone = predicted(image, Morphology(after=After(largest=True), **how))
    assert alone[20, 20]
    assert not alone[45, 45]


def test_fit_keeps_what_was_said() -> None:
    both = [vessels(s) for s in range(3)]
    train = Cases.from_arrays([b[0] for b in both], [b[1] for b in both], task="segment", classes=("vessel",))
    said = Morphology(bright=False, radius=3.0, background="hat", threshold="grow", before=Before(denoise="median"))
    assert said.fit(train, train) == replace(said, name="vessel", before=replace(said.before, channel="mean"))
