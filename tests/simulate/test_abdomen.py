"""The simulated abdomen."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.simulate.abdomen import NAMES, PLACES, TISSUES, abdomen


@pytest.mark.parametrize("shape", [(96, 96), (64, 64), (12, 48, 48)])
def test_organ_and_lesion_have_their_densities(shape: tuple[int, ...]) -> None:
    pixels, labels = abdomen(shape, np.random.default_rng(3))
    assert pixels.dtype == np.int16
    assert labels.dtype == np.uint8
    assert pixels.shape == labels.shape == shape
    assert 80 < pixels[labels == 1].mean() < 130
    assert pixels[labels == 2].mean() < pixels[labels == 1].mean() - 15
    assert 0.05 < (labels > 0).mean() < 0.3


def test_corners_are_air() -> None:
    pixels, labels = abdomen((96, 96), np.random.default_rng(1))
    corners = pixels[:8, :8]
    assert abs(corners.mean() + 1000) < 10
    assert not labels[:8].any()


def test_a_subject_without_lesion_has_the_organ_alone() -> None:
    assert set(np.unique(abdomen((96, 96), np.random.default_rng(0), lesions=0)[1])) == {0, 1}


def test_subjects_differ_in_size_and_density() -> None:
    both = [abdomen((64, 64), np.random.default_rng(s)) for s in range(8)]
    assert len({int((labels == 1).sum()) for _, labels in both}) == 8
    assert np.std([pixels[labels == 1].mean() for pixels, labels in both]) > 3


def test_every_place_names_a_tissue() -> None:
    assert {name for name, _, _ in PLACES} <= set(TISSUES)
    assert NAMES[0] == "air"
