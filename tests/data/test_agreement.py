from __future__ import annotations

import pytest

from isocenter.data import Geometry
from isocenter.data.agreement import Offset, apart

GRID = Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("mm", "kind"), [(0.0, "none"), (5e-4, "rounding"), (0.02, "harmless"), (0.06, "moved"), (40.0, "moved")]
)
def test_distances_have_names(mm: float, kind: str) -> None:
    found = apart(GRID, Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 1.0), origin=(0.0, 0.0, mm)))
    assert found.kind == kind and found.millimetres == pytest.approx(mm)


def test_the_farthest_corner_counts() -> None:
    # 1 % longer steps along x: 5 steps of 0.01 mm.
    assert apart(GRID, Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 1.01))).millimetres == pytest.approx(0.05)


def test_a_rotation_of_rounding_size_is_rounding() -> None:
    m = [list(row) for row in GRID.affine or ()]
    m[0][1] += 1e-8
    assert apart(GRID, Geometry((4, 5, 6), tuple(map(tuple, m)))).kind == "rounding"


def test_shapes_and_unknown_spacings() -> None:
    assert apart(GRID, Geometry((4, 5, 7))) == Offset("shape")
    assert apart(GRID, Geometry((4, 5, 6))) == Offset("none")
    assert apart(Geometry((4, 5)), Geometry.from_spacing((4, 5), (2.0, 2.0))).kind == "none"
