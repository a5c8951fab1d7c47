from __future__ import annotations

import numpy as np
import pytest
from skimage.feature import match_template

from isocenter.ops.correlation import normalised_correlation


def plain(array: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The coefficient window by window."""
    window = template.shape[1:]
    out = np.zeros([n - w + 1 for n, w in zip(array.shape[1:], window, strict=True)])
    axes = tuple(range(1, template.ndim))
    b = template - template.mean(axes, keepdims=True)
    for at in np.ndindex(*out.shape):
        cut = array[(slice(None), *(slice(i, i + w) for i, w in zip(at, window, strict=True)))]
        a = cut - cut.mean(axes, keepdims=True)
        bottom = np.sqrt((a**2).sum() * (b**2).sum())
        out[at] = (a * b).sum() / bottom if bottom > 1e-12 else 0.0
    return out


@pytest.mark.parametrize("shape", [((1, 20, 17), (1, 5, 4)), ((3, 12, 14), (3, 4, 4)), ((1, 9, 10, 8), (1, 3, 4, 2))])
def test_it_is_the_coefficient_of_every_window(shape: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    rng = np.random.default_rng(0)
    array, template = rng.random(shape[0]) * 50 + 1000, rng.random(shape[1])
    found = normalised_correlation(array, template)
    assert np.allclose(found, plain(array, template), atol=1e-6)


def test_it_agrees_with_scikit_image() -> None:
    rng = np.random.default_rng(1)
    image, template = rng.random((40, 50)).astype(np.float32), rng.random((9, 7)).astype(np.float32)
    assert np.allclose(normalised_correlation(image[None], template[None]), match_template(image, template), atol=1e-4)


def test_the_template_is_found_where_it_was_cut_however_bright() -> None:
    image = np.random.default_rng(2).random((1, 60, 60))
    template = image[:, 13:24, 31:40] * 7 - 3
    found = normalised_correlation(image, template)
    assert np.unravel_index(found.argmax(), found.shape) == (13, 31)
    assert found.max() == pytest.approx(1.0)
    assert np.allclose(normalised_correlation(image, -template), -found)


def test_flat_windows_and_flat_templates_are_like_nothing() -> None:
    image = np.zeros((1, 20, 20))
    image[0, 5:9, 5:9] = 1.0
    found = normalised_correlation(image, image[:, 3:11, 3:11])
    assert found.max() == pytest.approx(1.0)
    assert found[11:, 11:].max() == 0.0
    assert not normalised_correlation(image, np.ones((1, 4, 4))).any()
    assert not normalised_correlation(np.full((1, 9, 9), 7.0), image[:, 3:11, 3:11]).any()


def test_a_template_as_large_as_the_image_has_one_place() -> None:
    image = np.random.default_rng(3).random((2, 6, 5))
    assert normalised_correlation(image, image) == pytest.approx(np.ones((1, 1)))
