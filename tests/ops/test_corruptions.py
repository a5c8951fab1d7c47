"""What happens to images in practice grows with its severity, repeats with its seed, and is what its name says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from isocenter.errors import NotFoundError, RecipeError
from isocenter.ops.corruptions import BY_MODALITY, CORRUPTIONS, SEVERITIES, USUAL, corrupted, usual

RNG = np.random.default_rng(0)
PICTURE = data.camera()[::4, ::4][None].astype(np.float64)
VOLUME = ndimage.gaussian_filter(RNG.normal(0, 1, (10, 40, 44)), 2)[None] * 4000 - 200
IMAGES = {
    "picture": (PICTURE, (0.0, 255.0)),
    "volume": (VOLUME, (float(VOLUME.min()), float(VOLUME.max()))),
    "colour": (data.astronaut()[::8, ::8].transpose(2, 0, 1).astype(np.float64), (0.0, 255.0)),
}
each_name = pytest.mark.parametrize("name", list(CORRUPTIONS))
each_image = pytest.mark.parametrize("image", list(IMAGES))


@each_name
@each_image
def test_each_severity_changes_more_than_the_one_before(name: str, image: str) -> None:
    array, span = IMAGES[image]
    for seed in range(3):
        away = [np.abs(corrupted(array, name, s, span=span, seed=seed) - array).mean() for s in (0, *SEVERITIES)]
        assert away[0] == pytest.approx(0, abs=1e-9 * (span[1] - span[0]))
        assert all(b > a for a, b in pairwise(away)), away
        assert away[5] < 0.5 * (span[1] - span[0]), "something of the image is left"


@each_name
@each_image
def test_the_grid_and_the_range_stay(name: str, image: str) -> None:
    array, span = IMAGES[image]
    kept = array.copy()
    out = corrupted(array, name, 5, span=span)
    assert out.shape == array.shape and np.isfinite(out).all()
    assert out.min() >= span[0] - 1e-9 and out.max() <= span[1] + 1e-6
    assert np.array_equal(array, kept)


@each_name
def test_a_seed_repeats_and_another_differs_where_something_is_drawn(name: str) -> None:
    array, span = IMAGES["picture"]
    one, two = (corrupted(array, name, 3, span=span, seed=7) for _ in range(2))
    assert np.array_equal(one, two)
    others = [corrupted(array, name, 3, span=span, seed=s) for s in range(6)]
    drawn = name not in ("blur", "jpeg")
    assert any(not np.array_equal(one, o) for o in others) == drawn


@each_name
def test_one_row_and_flat_images_are_no_trouble(name: str) -> None:
    for array in (np.full((1, 1, 9), 4.0), np.full((1, 12, 12), 4.0)):
        assert np.isfinite(corrupted(array, name, 5, span=(4.0, 4.0))).all()


def changed(name: str, severity: int = 5, seed: int = 0) -> np.ndarray:
    return corrupted(PICTURE, name, severity, span=(0.0, 255.0), seed=seed)


def test_noise_has_the_spread_that_it_says() -> None:
    flat = np.full((1, 200, 200), 0.5)
    assert corrupted(flat, "noise", 3, span=(0.0, 1.0)).std() == pytest.approx(0.07, rel=0.02)
    dark, bright = (corrupted(np.full((1, 200, 200), v), "speckle", 2, span=(0.0, 1.0)).std() for v in (0.1, 0.4))
    assert bright == pytest.approx(4 * dark, rel=0.05)


def test_blur_and_motion_take_edges_away_and_keep_the_mean() -> None:
    for name in ("blur", "motion"):
        assert np.abs(np.diff(changed(name))).mean() < 0.8 * np.abs(np.diff(PICTURE)).mean()
        assert changed(name).mean() == pytest.approx(PICTURE.mean(), rel=0.02)


def test_motion_smears_along_one_line() -> None:
    point = np.zeros((1, 61, 61))
    point[0, 30, 30] = 1.0
    y, x = np.nonzero(corrupted(point, "motion", 5, span=(0.0, 1.0), seed=1)[0] > 0.01)
    spread = np.linalg.eigvalsh(np.cov(y, x))
    assert spread[1] > 5 * spread[0]


def test_the_bias_field_is_smooth() -> None:
    ratio = corrupted(np.full((1, 64, 64), 0.3), "bias_field", 5, span=(0.0, 1.0))[0] / 0.3
    assert np.abs(np.diff(ratio)).max() < 0.2 and ratio.max() / ratio.min() > 1.5


def test_ghosts_repeat_an_edge_along_one_axis() -> None:
    block = np.zeros((1, 60, 60))
    block[0, 27:33, 27:33] = 1.0
    out = np.abs(corrupted(block, "ghosting", 5, span=(-1.0, 1.0), seed=0)[0] - block[0])
    away = out.copy()
    away[22:38, 22:38] = 0
    rows, columns = away.max(1), away.max(0)
    assert max(rows.max(), columns.max()) > 0.02
    assert (rows > 0.02).sum() <= 16 or (columns > 0.02).sum() <= 16, "along one axis, not both"


def test_a_wrong_window_saturates_and_gain_keeps_the_order() -> None:
    window = changed("wrong_window")
    assert ((window == 0) | (window == 255)).mean() > 0.3
    brighter = changed("gain").ravel()[np.argsort(PICTURE, axis=None)]
    assert (np.diff(brighter) >= -1e-9).all()


def test_metal_is_bright_and_streaks_reach_out() -> None:
    out = corrupted(np.full((1, 64, 64), 0.4), "metal", 5, span=(0.0, 1.0))[0]
    assert (out == 1).sum() > 20 and out.min() < 0.35
    assert np.abs(out[0] - 0.4).max() > 0.02


def test_jpeg_is_that_of_the_format() -> None:
    blocks = np.abs(np.diff(changed("jpeg")[0], axis=1)).mean(0)
    inside = [blocks[i] for i in range(len(blocks)) if i % 8 != 7]
    assert blocks[7::8].mean() > 1.3 * np.mean(inside), "edges of blocks of eight pixels show"


def test_names_and_severities_that_are_not_there() -> None:
    with pytest.raises(NotFoundError, match="Did you mean noise"):
        corrupted(PICTURE, "noize", 1, span=(0.0, 255.0))
    with pytest.raises(RecipeError, match="1 to 5"):
        corrupted(PICTURE, "noise", 6, span=(0.0, 255.0))


def test_every_modality_has_its_own() -> None:
    assert usual(None) == USUAL == usual("??") and usual("MR") == BY_MODALITY["MR"]
    assert {n for names in (*BY_MODALITY.values(), USUAL) for n in names} == set(CORRUPTIONS)
