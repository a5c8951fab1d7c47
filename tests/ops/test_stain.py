"""Colours and stains, beside scikit-image's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from skimage import color, data

from isocenter.errors import InputError
from isocenter.ops.stain import DERIVED, DYES, PAIRS, density, derived, hsv, lab, pair_of, separate, unit


def tissue(side: int = 160) -> np.ndarray:
    """A corner of scikit-image's immunohistochemistry picture: (side, side, 3)."""
    return np.ascontiguousarray(data.immunohistochemistry()[:side, :side])


def first(picture: np.ndarray) -> np.ndarray:
    return np.moveaxis(picture, -1, 0)


def lengths(*dyes: str) -> np.ndarray:
    return np.array([np.linalg.norm(DYES[d]) for d in dyes]).reshape(-1, 1, 1)


def test_three_dyes_are_those_of_rgb2hed() -> None:
    picture = tissue()
    ours = separate(first(picture), ("hematoxylin", "eosin", "dab"))
    # There the densities are divided by ln(1e-6) and the dyes are left at the lengths of the table.
    theirs = 6 * first(color.rgb2hed(picture)) * lengths("hematoxylin", "eosin", "dab")
    assert np.allclose(ours, theirs, atol=2e-5)


def test_two_dyes_are_those_of_the_matrix_with_a_perpendicular_third() -> None:
    picture = tissue()
    ours = separate(first(picture), ("hematoxylin", "dab"))
    # Its own matrix holds other decimals of the same dyes.
    rows = [DYES["hematoxylin"], DYES["dab"], np.cross(DYES["hematoxylin"], DYES["dab"])]
    theirs = 6 * first(color.separate_stains(picture, np.linalg.inv(rows)))[:2] * lengths("hematoxylin", "dab")
    near = 6 * first(color.separate_stains(picture, color.hdx_from_rgb))[:2] * lengths("hematoxylin", "dab")
    assert np.abs(ours - near).max() < 0.02
    assert np.allclose(ours, theirs, atol=2e-5)


@pytest.mark.parametrize("dyes", [("hematoxylin", "eosin"), ("hematoxylin", "dab"), ("hematoxylin", "eosin", "dab")])
def test_amounts_mixed_come_back(dyes: tuple[str, ...]) -> None:
    amounts = np.random.default_rng(0).uniform(0, 0.6, (len(dyes), 5, 7))
    rows = np.array([DYES[d] for d in dyes])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    light = 10 ** -np.tensordot(rows.T, amounts, axes=1)
    assert np.allclose(separate(light, dyes), amounts, atol=1e-5)
    sixteen = np.round(light * 65535).astype(np.uint16)
    assert np.allclose(separate(sixteen, dyes), amounts, atol=2e-3)


@pytest.mark.parametrize("dyes", [("hematoxylin",), ("dab", "dab"), ("eosin", "ink")])
def test_dyes_that_cannot_be_told_apart_are_refused(dyes: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        separate(np.ones((3, 2, 2)), dyes)


def test_density_of_white_black_and_a_tenth() -> None:
    light = np.array([255.0, 25.5, 0.0]).reshape(3, 1)
    assert np.allclose(density(light).ravel(), [0, 1, 6])


def test_white_is_the_full_scale() -> None:
    for array in (np.full((3, 2), 255, np.uint8), np.full((3, 2), 65535, np.uint16), np.ones((3, 2), bool)):
        assert (unit(array) == 1).all()
    assert unit(np.array([[0.0], [128.0], [255.0]])).ravel() == pytest.approx([0, 128 / 255, 1])
    assert unit(np.array([[0.0], [0.5], [1.0]])).ravel() == pytest.approx([0, 0.5, 1])
    assert unit(np.array([[0.0], [2000.0], [4000.0]])).ravel() == pytest.approx([0, 0.5, 1])
    assert np.isfinite(unit(np.array([[np.nan], [np.inf], [0.5]]))).all()
    assert np.isfinite(unit(np.full((3, 2), np.nan))).all()
    with pytest.raises(InputError):
        unit(np.zeros((2, 4, 4)))


def test_hsv_and_lab_are_those_of_scikit_image() -> None:
    rng = np.random.default_rng(0)
    picture = np.concatenate([tissue(40), rng.integers(0, 256, (40, 40, 3)).astype(np.uint8)])
    picture[0, :4] = [[0, 0, 0], [255, 255, 255], [90, 90, 90], [255, 0, 0]]
    assert np.allclose(hsv(first(picture)), first(color.rgb2hsv(picture)), atol=1e-5)
    assert np.allclose(lab(first(picture)), first(color.rgb2lab(picture)), atol=2e-2)


@pytest.mark.parametrize("name", list(DERIVED))
@pytest.mark.parametrize("shape", [(1, 1), (4, 5), (2, 3, 4)])
def test_derived_channels_lie_on_the_grid(name: str, shape: tuple[int, ...]) -> None:
    found = derived(np.random.default_rng(0).integers(0, 256, (3, *shape)).astype(np.uint8), name)
    assert found.shape == shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_an_unknown_channel_names_the_nearest() -> None:
    with pytest.raises(InputError, match="hdab-dab"):
        derived(np.ones((3, 2, 2)), "hdab-da")


def light(amounts: np.ndarray, dyes: tuple[str, ...]) -> np.ndarray:
    """Colours (3, n) behind amounts (dyes, n), 8 bits."""
    rows = np.array([DYES[d] for d in dyes])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.round(255 * 10 ** -np.tensordot(rows.T, amounts, axes=1)).astype(np.uint8)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_picture_shows_with_what_it_was_stained(pair: tuple[str, str]) -> None:
    rng = np.random.default_rng(0)
    amounts = np.stack([rng.uniform(0, 0.6, 900) * (rng.random(900) < 0.4), rng.uniform(0, 0.4, 900)])
    assert pair_of(light(amounts, pair).reshape(3, 30, 30)) == pair
    # Nothing but the shared dye fits both: the usual stain is meant.
    assert pair_of(light(np.stack([amounts[0], 0 * amounts[0]]), pair)) == PAIRS[0]


def test_the_picture_of_immunohistochemistry_is_one() -> None:
    assert pair_of(first(tissue(512))) == ("hematoxylin", "dab")


def test_what_is_left_over_is_that_of_non_negative_least_squares() -> None:
    from isocenter.ops.stain import _unexplained

    densities = np.random.default_rng(1).uniform(0, 1, (3, 60)) * [[1.0], [0.4], [0.7]]
    for pair in PAIRS:
        dyes = [np.asarray(DYES[d]) / np.linalg.norm(DYES[d]) for d in pair]
        theirs = sum(optimize.nnls(np.stack(dyes, 1), d)[1] ** 2 for d in densities.T)
        assert _unexplained(densities, dyes) == pytest.approx(theirs, rel=1e-9)


def test_grey_and_dark_pictures_are_not_stained() -> None:
    grey = np.repeat(np.random.default_rng(0).integers(0, 256, (1, 9, 9), dtype=np.uint8), 3, 0)
    assert pair_of(grey) is None
    # Fluorescence in colour: a black ground.
    assert pair_of(np.stack([np.zeros((9, 9)), grey[0] / 255, np.zeros((9, 9))]) * 0.4) is None
    assert pair_of(np.zeros((3, 0), np.uint8)) is None
