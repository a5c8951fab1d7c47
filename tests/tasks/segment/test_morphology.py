"""Morphology as a method."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from isocenter.data import After, Before, Case, Cases, Image, NotEvaluated, build
from isocenter.errors import LabelError, RecipeError
from isocenter.tasks.segment.morphology import BINARY, GREY, THRESHOLDS, Morphology

EVERY = [
    ("hat", "otsu"), ("enclosed", "low"), ("grow",), *((name, "otsu") for name in GREY),
    *(("otsu", f"{name}:1") for name in BINARY),
]


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
    found = predicted(bay(), Morphology(bright=False, steps=("enclosed", "otsu"), radius=10.0))
    assert found[30, 30]
    assert not found[10, 2]
    both = predicted(bay(), Morphology(bright=False, steps=("otsu",), radius=10.0))
    assert both[30, 30]
    assert both[10, 2]


def test_growing_keeps_weak_parts_of_strong_structures_only() -> None:
    image = np.zeros((60, 60))
    image[20:26, 5:30] = 100
    image[20:26, 30:55] = 45
    image[40:46, 5:30] = 45
    how = {"bright": True, "radius": 4.0, "before": Before(denoise="none")}
    grown = predicted(image, Morphology(steps=("grow",), **how))
    low = predicted(image, Morphology(steps=("low",), **how))
    assert low[42, 10]
    assert not grown[42, 10]
    assert grown[22, 10]


def test_holes_and_specks_go_by_size() -> None:
    image = np.zeros((80, 80))
    image[20:60, 20:60] = 100
    image[38:41, 38:41] = 0
    image[70:73, 70:73] = 100
    found = predicted(image, Morphology(bright=True, radius=20.0, steps=("otsu",)))
    assert found[39, 39]
    assert not found[71, 71]
    as_is = After(fill=False, smallest=0.0)
    found = predicted(image, Morphology(bright=True, radius=8.0, steps=("otsu",), after=as_is))
    assert not found[39, 39]
    assert found[71, 71]
    assert predicted(image, Morphology(bright=True, radius=2.0, steps=("otsu",), after=After(fill=True)))[39, 39]


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
@pytest.mark.parametrize("steps", EVERY)
def test_tiny_images(shape: tuple[int, ...], steps: tuple[str, ...]) -> None:
    array = np.zeros(shape)
    assert isinstance(Morphology(steps=steps).predict(Case.of(Image.from_array(array))), NotEvaluated)
    array = np.arange(array.size, dtype=float).reshape(shape)
    found = Morphology(steps=steps).predict(Case.of(Image.from_array(array)))
    assert isinstance(found, NotEvaluated) or found.labels.shape == shape


def test_retinal_vessels_beat_the_trivial_baseline(real_data) -> None:
    """Side, radius and channel as `fit` learns them on train; black-hat with a fixed share of pixels gives F1 0.591."""
    folder: Path = real_data("retina-chase-db1")
    method = Morphology(before=Before(channel="green"), bright=False, radius=11.0, steps=("hat", "otsu"))
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


@pytest.mark.parametrize("first", [(), ("hat",), ("enclosed",)])
@pytest.mark.parametrize("threshold", ["otsu", "low", "grow"])
def test_turning_and_scaling_the_image_turns_the_answer(first: tuple[str, ...], threshold: str) -> None:
    image, _ = vessels()
    method = Morphology(bright=False, radius=2.0, steps=(*first, threshold))
    plain = predicted(image, method)
    assert np.array_equal(predicted(np.rot90(image), method), np.rot90(plain))
    assert np.array_equal(predicted(image[:, ::-1], method), plain[:, ::-1])
    # A power of two is exact in floating point, so that every bin stays what it was.
    assert np.array_equal(predicted(4 * image, method), plain)


def test_only_the_largest_part_is_kept_when_asked() -> None:
    image = np.zeros((60, 60))
    image[10:30, 10:30] = 100
    image[40:52, 40:52] = 100
    how = {"bright": True, "radius": 10.0, "steps": ("otsu",)}
    assert predicted(image, Morphology(**how))[45, 45]
    alone = predicted(image, Morphology(after=After(largest=True), **how))
    assert alone[20, 20]
    assert not alone[45, 45]


def test_fit_keeps_what_was_said() -> None:
    both = [vessels(s) for s in range(3)]
    train = Cases.from_arrays([b[0] for b in both], [b[1] for b in both], task="segment", classes=("vessel",))
    said = Morphology(bright=False, radius=3.0, steps=("hat", "grow"), before=Before(denoise="median"))
    assert said.fit(train, train) == replace(said, name="vessel", before=replace(said.before, channel="mean"))


def blocks(scale: float = 100.0, dtype: type = np.float32) -> np.ndarray:
    """A large and a small square, joined by a line, with a pinhole; and a lone line."""
    image = np.zeros((60, 70))
    image[10:40, 10:40] = 1
    image[20:30, 50:60] = 1
    image[25, 40:50] = 1
    image[15, 15] = 0
    image[50, 5:65] = 1
    return (image * scale).astype(dtype)


@pytest.mark.parametrize(
    ("scale", "dtype"), [(1, bool), (1, np.uint8), (60000, np.uint16), (-0.5, np.float32), (1e-3, np.float64)]
)
@pytest.mark.parametrize("side", ["grey", "binary"])
def test_the_chain_is_the_same_on_binary_grey_and_float(scale: float, dtype: type, side: str) -> None:
    bright = scale > 0
    square = {
        "erode": (28, 12), "dilate": (32, 8), "open": (30, 10), "close": (30, 10), "reconstruct": (30, 10),
    }

    def found(name: str) -> np.ndarray:
        steps = (f"{name}:1", "otsu", "open:0") if side == "grey" else ("otsu", f"{name}:1")
        method = Morphology(bright=bright, radius=1.5 if side == "grey" else 1.0, steps=steps,
                            before=Before(denoise="none"))
        return predicted(blocks(scale, dtype), method)

    for name in square:
        mask = found(name)
        assert mask[25, 25]
        assert not mask[5, 5]
        # The lone line goes with whatever erodes first, and nothing else.
        assert mask[50, 35] == (name in ("dilate", "close"))
        assert mask[25, 45] == (name in ("dilate", "close", "reconstruct"))
        assert mask[15, 15] == (name in ("dilate", "close"))
        assert mask[9, 25] == (name == "dilate")
        assert mask[10, 25] == (name != "erode")


def test_grey_opening_by_reconstruction_keeps_the_shape_of_what_stays() -> None:
    image = blocks()
    image[10, 9] = 100
    how = {"bright": True, "radius": 2.0, "before": Before(denoise="none")}
    plain = predicted(image, Morphology(steps=("open:1", "otsu", "open:0"), **how))
    rebuilt = predicted(image, Morphology(steps=("reconstruct:1", "otsu", "open:0"), **how))
    assert not plain[10, 9]
    assert rebuilt[10, 9]
    assert not rebuilt[50, 35]


def test_said_binary_steps_stand_in_for_the_clean_up() -> None:
    image = blocks()
    how = {"bright": True, "radius": 10.0, "before": Before(denoise="none")}
    assert not predicted(image, Morphology(steps=("otsu",), **how))[50, 35]
    assert predicted(image, Morphology(steps=("otsu", "close:0"), **how))[50, 35]
    assert predicted(image, Morphology(steps=("otsu", "fill"), **how))[15, 15]
    assert not predicted(image, Morphology(steps=("otsu", "close:0"), after=After(smallest=100.0), **how))[50, 35]


@pytest.mark.parametrize(
    "steps", [["hat"], ["otsu", "low"], ["hat:x", "otsu"], ["hatt", "otsu"], ["otsu", "hat"], ["open:-1", "otsu"]]
)
def test_chains_without_sense_are_refused(steps: list[str]) -> None:
    with pytest.raises(RecipeError, match="morphology"):
        build(Morphology, {"steps": steps})


def test_every_step_of_the_text_is_one_that_there_is() -> None:
    for steps in EVERY:
        assert build(Morphology, {"steps": list(steps)}).steps == steps
    assert set(THRESHOLDS) == {"otsu", "low", "grow"}


def test_fit_learns_the_chain_and_keeps_a_said_one() -> None:
    images = [bay() + np.random.default_rng(s).normal(0, 2, (60, 60)) for s in range(4)]
    mask = np.zeros((60, 60), int)
    mask[20:40, 20:40] = 1
    train = Cases.from_arrays(images, [mask] * 4, task="segment", classes=("x",))
    assert Morphology().fit(train, train).steps[0] in ("hat", "enclosed")
    said = Morphology(steps=("otsu", "open:0.2"))
    found = said.fit(train, train)
    assert found.steps == said.steps
    assert found.after.largest
