from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Geometry
from isocenter.errors import InputError
from isocenter.inspect.measuring import measured, objects_of
from isocenter.inspect.readout import Readout
from isocenter.inspect.relating import MOST, graph, related


def pair(grid: Geometry) -> Readout:
    """Object 4 lies 10 steps along the last axis and 3 along the one before, from object 2."""
    numbers = np.zeros(grid.shape, np.uint8)
    numbers[..., 3:7, 3:7], numbers[..., 6:10, 13:17] = 2, 4
    found, ids = objects_of(numbers, grid, names={2: "liver", 4: "tumour"})
    return related(found, ids=ids)


def test_the_vector_points_in_the_directions_of_the_patient() -> None:
    # Rows run to the front (P falls), columns to the left, slices to the head.
    affine = ((0.0, 0.0, 0.5, 9.0), (0.0, -2.0, 0.0, 9.0), (3.0, 0.0, 0.0, 9.0), (0.0, 0.0, 0.0, 1.0))
    (row,) = pair(Geometry((4, 20, 20), affine)).rows
    assert (row["a"], row["b"], row["class_a"], row["class_b"]) == (2, 4, "liver", "tumour")
    assert (row["to_L_mm"], row["to_P_mm"], row["to_S_mm"]) == (5.0, -6.0, 0.0)
    assert row["centre_distance_mm"] == pytest.approx(np.hypot(5, 6))
    assert row["surface_distance_mm"] == pytest.approx(3.0, abs=0.3) and row["contact_area_mm2"] == 0
    assert row["overlap_px"] == 0 and row["share_of_b_in_a"] == 0


def test_without_spacing_and_in_a_plane() -> None:
    (row,) = pair(Geometry((20, 20))).rows
    assert (row["to_x_px"], row["to_y_px"]) == (10, 3) and "contact_length_px" in row
    (row,) = pair(Geometry.from_spacing((20, 20), (2.0, 0.5))).rows
    assert (row["to_x_mm"], row["to_y_mm"]) == (5, 6) and "contact_length_mm" in row
    (row,) = pair(Geometry((3, 20, 20))).rows
    assert (row["to_x_px"], row["to_y_px"], row["to_z_px"]) == (10, 3, 0) and "contact_area_px" in row


def test_many_objects_need_a_distance() -> None:
    numbers = np.kron(np.arange(1, 101).reshape(10, 10), np.pad(np.ones((2, 2), np.int32), (0, 3)))
    found, ids = objects_of(numbers, Geometry((50, 50)))
    with pytest.raises(InputError, match=f"at most {MOST} objects.*--reach"):
        related(found, ids=ids)
    near = related(found, ids=ids, reach=3.0)
    assert len(near.rows) == 180 and {r["surface_distance_px"] for r in near.rows} == {3.0}
    assert len(related(found, ids=ids, reach=0.5).rows) == 0
    with pytest.raises(InputError, match="not a distance"):
        related(found, reach=-1.0)


def test_no_objects_and_one() -> None:
    grid = Geometry((20, 20))
    none, _ = objects_of(np.zeros((20, 20), np.uint8), grid)
    one, _ = objects_of(np.eye(20, dtype=np.uint8), grid)
    assert related(none).rows == related(one).rows == () and related(none).header == pair(grid).header


def test_the_graph_has_a_node_an_object_and_an_edge_a_pair() -> None:
    grid = Geometry((20, 20))
    numbers = np.zeros((20, 20), np.uint8)
    numbers[2:9, 2:9], numbers[2:9, 9:14], numbers[15:18, 2:5] = 1, 2, 5
    found, ids = objects_of(numbers, grid)
    made = graph(measured(found, ids=ids), related(found, ids=ids))
    assert [n["id"] for n in made["nodes"]] == [1, 2, 5]
    assert [(e["a"], e["b"]) for e in made["edges"]] == [(1, 2), (1, 5), (2, 5)]
    assert made["edges"][0]["contact_length_px"] == pytest.approx(7, abs=1.2)
