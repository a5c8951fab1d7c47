from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.anchors import agreement, fitted


def test_agreement_is_the_iou_of_boxes_about_one_centre() -> None:
    found = agreement(np.array([[10.0, 10.0], [4.0, 20.0]]), np.array([[10.0, 5.0]]))
    assert found[:, 0].tolist() == pytest.approx([0.5, 20 / (80 + 50 - 20)])


@pytest.mark.parametrize("axes", [2, 3])
def test_clusters_of_boxes_are_found(axes: int) -> None:
    rng = np.random.default_rng(0)
    means = np.array([[10.0, 12, 9], [40, 30, 50], [90, 95, 60]])[:, :axes]
    sizes = np.concatenate([m * rng.uniform(0.9, 1.1, (n, axes)) for m, n in zip(means, (300, 40, 20), strict=True)])
    anchors = fitted(rng.permutation(sizes), 3)
    assert np.allclose(anchors, means, rtol=0.08)


def test_more_anchors_fit_better() -> None:
    sizes = np.random.default_rng(1).uniform(5, 100, (500, 2))
    fits = [agreement(sizes, fitted(sizes, k)).max(1).mean() for k in (1, 3, 9)]
    assert fits == sorted(fits)
    assert fits[-1] > 0.7


def test_fitted_anchors_beat_quantiles() -> None:
    rng = np.random.default_rng(2)
    sizes = np.concatenate((rng.normal(60, 4, (900, 2)), rng.normal(20, 2, (60, 2)), rng.normal(120, 9, (60, 2))))
    order = np.argsort(sizes.prod(1))
    starts = sizes[order[((np.arange(5) + 0.5) * len(sizes) / 5).astype(int)]]
    assert agreement(sizes, fitted(sizes, 5)).max(1).mean() > agreement(sizes, starts).max(1).mean()


def test_fewer_boxes_than_anchors() -> None:
    anchors = fitted(np.array([[7.0, 9.0]]), 4)
    assert anchors.tolist() == [[7.0, 9.0]] * 4


def test_they_come_by_rising_area_and_the_input_stays() -> None:
    sizes = np.array([[50.0, 40.0], [5.0, 6.0], [20.0, 20.0]] * 5)
    kept = sizes.copy()
    areas = fitted(sizes, 3).prod(1)
    assert (np.diff(areas) > 0).all()
    assert np.array_equal(sizes, kept)
