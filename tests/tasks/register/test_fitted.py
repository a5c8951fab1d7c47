"""What the fitted registration says of displacements and of its start."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Geometry, Transform
from isocenter.data.findings.transform import Field
from isocenter.errors import BundleError
from isocenter.tasks.register._fitted import FittedField, in_world

GRIDS = [
    Geometry.from_spacing((5, 6), (2.0, 0.5)),
    Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 0.5)),
    Geometry((5, 6)),
    Geometry((5, 6), ((0.0, 0.8, 3.0), (1.5, 0.0, -2.0), (0.0, 0.6, 7.0), (0.0, 0.0, 1.0))),
    Geometry((4, 5, 6), ((0.0, 0.0, -1.0, 9.0), (0.0, 2.0, 0.0, 1.0), (-3.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))),
]


@pytest.mark.parametrize("grid", GRIDS, ids=["flat", "volume", "pixels", "a slice in space", "turned"])
def test_a_displacement_in_pixels_goes_as_far_in_the_world(grid: Geometry) -> None:
    move = np.random.default_rng(0).uniform(-1, 1, (grid.ndim, *grid.shape)).astype(np.float32)
    world = in_world(move, grid)
    made = Transform((Field(world, grid),), grid, grid)
    at, there = made.sampled()
    assert world.dtype == np.float32 and np.allclose(there - at, move.reshape(grid.ndim, -1).T, atol=1e-4)


def test_a_bundle_without_network_or_start_is_refused() -> None:
    with pytest.raises(BundleError, match="no plan"):
        FittedField({}, {})
    plan = {"task": "register", "rank": 2, "channels": 2, "classes": ["background"],
            "settings": {"similarity": "ncc", "window": 9, "smoothness": 1.0}}
    with pytest.raises(BundleError, match="lacks a part"):
        FittedField({"plan": plan}, {})
    arrays = {"network.onnx": np.zeros(3, np.uint8), "vector/input": np.zeros(1), "vector/output": np.zeros(1)}
    made = FittedField({"plan": plan}, arrays)
    with pytest.raises(BundleError, match="brought near"):
        assert made.start
    with pytest.raises(BundleError, match="another question"):
        FittedField({"plan": plan | {"task": "segment", "settings": {}}}, arrays)
