"""The simulated B-mode picture."""

from __future__ import annotations

import numpy as np

from isocenter.simulate.ultrasound import ultrasound


def test_the_lesion_is_dark_and_casts_a_shadow() -> None:
    pixels, labels = ultrasound((96, 96), np.random.default_rng(2))
    inside = labels == 1
    assert pixels.dtype == np.uint8
    assert 0.01 < inside.mean() < 0.2
    rows, columns = np.nonzero(inside)
    below = pixels[rows.max() + 2 : rows.max() + 10, int(np.median(columns))]
    beside = pixels[rows.min() : rows.max(), : max(4, columns.min() - 8)]
    assert pixels[inside].mean() < beside.mean() - 20
    assert below.mean() < beside.mean()


def test_without_lesion_nothing_is_marked() -> None:
    assert not ultrasound((64, 64), np.random.default_rng(0), lesions=0)[1].any()


def test_speckle_fills_the_scale() -> None:
    pixels, _ = ultrasound((96, 96), np.random.default_rng(0))
    assert pixels.std() > 15
    assert (pixels == 255).mean() < 0.05
