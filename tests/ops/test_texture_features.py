"""Texture features of regions whose answers are known, and by the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops import texture_features as t
from isocenter.ops.texture import haralick
from isocenter.ops.texture_matrices import Counts, glcm, ngtdm


def checks(n: int = 8) -> np.ndarray:
    """A chess board of levels 1 and 2."""
    return 1 + np.indices((n, n)).sum(0) % 2


def test_a_chess_board() -> None:
    found = t.texture_features(checks())
    assert len(found) == 25 + 16 + 16 + 5 + 17
    # Two of four directions meet the other colour only.
    assert found["glcm_contrast"] == pytest.approx(0.5) and found["glcm_dissimilarity"] == pytest.approx(0.5)
    assert found["glcm_correlation"] == pytest.approx(0.0, abs=1e-12)
    # One zone a colour, joined over corners.
    assert found["glszm_zone_percentage"] == pytest.approx(2 / 64)
    assert found["glszm_large_zone_emphasis"] == pytest.approx(32**2)
    assert found["ngldm_count_percentage"] == 1.0


def test_one_level_is_as_uniform_as_can_be() -> None:
    found = t.texture_features(np.ones((5, 6, 4), int))
    assert found["glcm_angular_second_moment"] == found["glcm_correlation"] == found["glcm_joint_maximum"] == 1
    assert found["glcm_joint_entropy"] == found["glcm_information_correlation_1"] == found["glcm_contrast"] == 0
    assert found["ngtdm_coarseness"] == t.COARSEST and found["ngtdm_busyness"] == found["ngtdm_strength"] == 0
    assert found["glszm_large_zone_emphasis"] == 120**2
    assert all(np.isfinite(v) for v in found.values())


def test_a_lonely_pixel_has_no_pairs() -> None:
    found = t.texture_features(np.pad([[3]], 2))
    assert {k.split("_")[0] for k, v in found.items() if np.isnan(v)} == {"glcm"}
    assert found["ngtdm_coarseness"] == t.COARSEST and found["glrlm_run_percentage"] == 1


def test_cooccurrence_agrees_with_the_other_implementation() -> None:
    levels = np.random.default_rng(0).integers(1, 7, (20, 30))
    matrix = glcm(levels, (0, 1))
    found = t.glcm_features(matrix, 6)
    contrast, homogeneity, correlation, energy, entropy = haralick(matrix / matrix.sum())
    assert found["contrast"] == pytest.approx(contrast) and found["correlation"] == pytest.approx(correlation)
    assert found["inverse_difference_moment"] == pytest.approx(homogeneity)
    assert found["angular_second_moment"] == pytest.approx(energy**2)
    assert found["joint_entropy"] == pytest.approx(entropy)
    assert found["cluster_tendency"] == pytest.approx(found["sum_variance"])


def test_sizes_by_hand() -> None:
    """Two runs of level 1 of length 1 and 3, one of level 3 of length 2."""
    counts = Counts(np.array([1, 1, 3]), np.array([1, 3, 2]), np.array([1, 1, 1]))
    found = dict(zip([n.format(**t.WORDS["glrlm"]) for n in t.SIZED], t.sized_features(counts, 6).values(),
                     strict=True))
    assert found["short_run_emphasis"] == pytest.approx((1 + 1 / 9 + 1 / 4) / 3)
    assert found["long_run_high_grey_level_emphasis"] == pytest.approx((1 + 9 + 36) / 3)
    assert found["grey_level_non_uniformity"] == pytest.approx((4 + 1) / 3)
    assert found["run_length_non_uniformity"] == pytest.approx(1.0)
    assert found["run_percentage"] == 0.5 and found["run_length_variance"] == pytest.approx(2 / 3)
    assert found["run_length_entropy"] == pytest.approx(np.log2(3))


def test_neighbourhood_differences_by_hand() -> None:
    """1 2 in a row: each differs by 1 from its only neighbour."""
    found = t.ngtdm_features(*ngtdm(np.array([[1, 2]])))
    assert found["coarseness"] == pytest.approx(1.0)
    assert found["contrast"] == pytest.approx(0.5 / 2 * 1.0)
    assert found["busyness"] == pytest.approx(1.0 / (2 * abs(0.5 - 1.0)))
    assert found["complexity"] == pytest.approx(2 * 1.0 / 2)
    assert found["strength"] == pytest.approx(2 * 1.0 / 2)


def test_what_lies_around_the_region_changes_nothing() -> None:
    levels = np.random.default_rng(0).integers(1, 5, (6, 7))
    assert t.texture_features(np.pad(levels, 3)) == t.texture_features(levels)
    assert t.cropped(np.pad(levels, 3)).shape == (6, 7)


def test_merged_directions_are_one_matrix() -> None:
    levels = np.random.default_rng(0).integers(1, 5, (9, 9))
    apart, merged = t.texture_features(levels), t.texture_features(levels, merged=True)
    assert merged["glcm_joint_entropy"] > apart["glcm_joint_entropy"]
    assert merged["glrlm_run_percentage"] == pytest.approx(apart["glrlm_run_percentage"])
    one = t.texture_features(levels, steps=[(0, 1)])
    assert one == t.texture_features(levels, steps=[(0, 1)], merged=True)
