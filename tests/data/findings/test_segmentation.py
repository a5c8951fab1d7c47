"""Label maps."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import IGNORE, Geometry, Segmentation
from isocenter.errors import LabelError, NotFoundError

CUBE = Geometry.from_spacing((10, 10, 10), (2.0, 1.0, 1.0))


def test_regions_masks_and_volume() -> None:
    labels = np.zeros((10, 10, 10), np.uint8)
    labels[:5], labels[9] = 1, IGNORE
    found = Segmentation(labels, ("background", "liver"), CUBE)
    assert found.regions == ("liver",) and found.mask("liver").sum() == 500
    assert found.volume_ml("liver") == pytest.approx(1.0) and found.area_mm2("liver") is None
    with pytest.raises(NotFoundError, match="Did you mean liver"):
        found.mask("livr")


def test_area_and_unknown_spacing() -> None:
    labels = np.ones((4, 4), np.uint8)
    assert Segmentation(labels, ("background", "a"), Geometry.from_spacing((4, 4), (0.5, 0.5))).area_mm2("a") == 4.0
    unknown = Segmentation(labels, ("background", "a"), Geometry((4, 4)))
    assert unknown.area_mm2("a") is None and unknown.volume_ml("a") is None


@pytest.mark.parametrize(
    "labels", [np.full((10, 10, 10), 2, np.uint8), np.zeros((10, 10), np.uint8), np.zeros((10, 10, 10), int)]
)
def test_refusals(labels: np.ndarray) -> None:
    with pytest.raises(LabelError):
        Segmentation(labels, ("background", "liver"), CUBE)
