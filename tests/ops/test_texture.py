"""Texture features against scikit-image, scipy and the definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from skimage.feature import graycomatrix, graycoprops

from isocenter.ops import texture as t


def bins(shape: tuple[int, ...], levels: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, levels, shape).astype(np.uint8)


@pytest.mark.parametrize(
    ("offset", "angle"), [((0, 1), 0), ((1, 1), np.pi / 4), ((1, 0), np.pi / 2), ((1, -1), 3 * np.pi / 4)]
)
def test_cooccurrence_and_features_agree_with_scikit_image(offset: tuple[int, int], angle: float) -> None:
    image = bins((40, 30)) // 2
    ours = t.cooccurrence(image, offset)
    theirs = graycomatrix(image, [1], [angle], levels=16, symmetric=True, normed=True)
    assert np.allclose(ours, theirs[:, :, 0, 0])
    found = dict(zip(t.HARALICK, t.haralick(ours), strict=True))
    for name in ("contrast", "homogeneity", "correlation", "energy"):
        assert found[name] == pytest.approx(graycoprops(theirs, name)[0, 0])
    assert found["entropy"] == pytest.approx(stats.entropy(ours.ravel(), base=2))


def test_cooccurrence_in_3d_agrees_with_its_definition() -> None:
    image = bins((4, 5, 6), 3)
    found = t.cooccurrence(image, (1, -1, 1), 3)
    slow = np.zeros((3, 3))
    for z in range(3):
        for y in range(1, 5):
            for x in range(5):
                a, b = image[z, y, x], image[z + 1, y - 1, x + 1]
                slow[a, b] += 1
                slow[b, a] += 1
    assert np.allclose(found, slow / slow.sum())


def test_directions() -> None:
    assert len(t.directions(2)) == 4
    assert len(t.directions(3)) == 13
    assert all(tuple(-v for v in d) not in t.directions(3) for d in t.directions(3))


def test_first_order_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).gamma(2.0, 3.0, (30, 40))
    found = dict(zip(t.FIRST_ORDER, t.first_order(values), strict=True))
    assert found["mean"] == pytest.approx(values.mean())
    assert found["skewness"] == pytest.approx(stats.skew(values.ravel()))
    assert found["kurtosis"] == pytest.approx(stats.kurtosis(values.ravel()))
    assert found["quantile 0.25"] == pytest.approx(np.quantile(values, 0.25))


def test_quantisation_ignores_hot_pixels_and_scale() -> None:
    values = np.random.default_rng(1).random((50, 50))
    assert np.array_equal(t.quantised(values), t.quantised(1000 * values - 7))
    hot = values.copy()
    hot[0, 0] = 1e9
    assert np.mean(t.quantised(hot) == t.quantised(values)) > 0.98
    assert set(np.unique(t.quantised(values))) == set(range(16))


def test_coarse_and_fine_texture_differ_at_the_right_scale() -> None:
    rng = np.random.default_rng(0)
    fine = rng.random((64, 64))
    coarse = np.kron(rng.random((16, 16)), np.ones((4, 4)))
    contrast = [t.texture(v).reshape(3, 2, 5)[:, 0, 0] for v in (fine, coarse)]
    assert contrast[1][0] < 0.4 * contrast[0][0]
    assert contrast[1][2] > 0.8 * contrast[0][2]


def test_stripes_are_told_by_the_spread_over_directions() -> None:
    stripes = np.tile(np.arange(40) // 2 % 2, (40, 1)).astype(float)
    spread = t.texture(stripes).reshape(3, 2, 5)[0, 1, 0]
    assert spread > 10 * t.texture(np.random.default_rng(0).random((40, 40))).reshape(3, 2, 5)[0, 1, 0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 3), (1, 1, 1), (2, 9, 5), (600, 20)])
@pytest.mark.parametrize("constant", [True, False])
def test_tiny_long_and_constant_images_give_finite_features(shape: tuple[int, ...], constant: bool) -> None:
    values = np.full(shape, 5.0) if constant else np.arange(np.prod(shape), dtype=float).reshape(shape)
    assert t.texture(values).shape == (30,)
    assert np.isfinite(t.texture(values)).all()
    assert np.isfinite(t.first_order(values)).all()
