"""Tables of displacement and strain of points whose deformation is known."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Geometry, Tracks
from isocenter.inspect.deforming import displacements, line_strains, strains

GRID = np.argwhere(np.ones((6, 7))).astype(float) * 5 + 10
STRETCH = np.diag([0.9, 1.2])


def tracks(spacing: tuple[float, float] | None = None, drop: int = 0, times: bool = True) -> Tracks:
    """Three frames: at rest, stretched about the origin and moved, and the same with points that are lost."""
    after = GRID @ STRETCH.T + [2.0, -1.0]
    keep = slice(drop, None)
    numbers = np.arange(1, 43)
    frames = np.concatenate([np.zeros(42, int), np.ones(42, int), np.full(42 - drop, 2)])
    places = np.concatenate([GRID, after, after[keep]])
    geometry = Geometry.from_spacing((80, 90), spacing)
    return Tracks.of(frames, np.concatenate([numbers, numbers, numbers[keep]]), places, geometry, length=3,
                     times=(0.0, 0.1, 0.2) if times else None)


def test_strain_of_a_region_in_percent() -> None:
    table = strains(tracks())
    rest, full, _ = table.rows
    assert all(abs(rest[k]) < 1e-9 for k in table.header[3:]) and rest["points"] == 42
    assert full["time_s"] == 0.1 and full["frame"] == 1
    assert full["strain_yy_percent"] == pytest.approx(-9.5) and full["strain_xx_percent"] == pytest.approx(22)
    assert full["strain_yx_percent"] == pytest.approx(0, abs=1e-9)
    assert (full["principal_1_percent"], full["principal_2_percent"]) == pytest.approx((22, -9.5))
    assert full["area_percent"] == pytest.approx(8)


def test_displacement_in_the_unit_that_is_known() -> None:
    [_, full, _] = displacements(tracks()).rows
    moved = GRID @ (STRETCH - np.eye(2)) + [2.0, -1.0]
    assert [full[f"mean_{axis}_px"] for axis in "yx"] == pytest.approx(moved.mean(axis=0).tolist())
    assert full["longest_px"] == pytest.approx(np.linalg.norm(moved, axis=1).max())
    [_, scaled, _] = displacements(tracks((2.0, 0.5), times=False)).rows
    assert scaled["mean_y_mm"] == pytest.approx(2 * moved[:, 0].mean()) and scaled["time_s"] is None
    assert scaled["mean_length_mm"] == pytest.approx(np.linalg.norm(moved * [2, 0.5], axis=1).mean())


def test_strain_along_a_line_in_the_unit_of_the_body() -> None:
    down = line_strains(tracks(), np.array([[12.0, 20], [32, 20]]))
    assert [r["strain_percent"] for r in down.rows[:2]] == pytest.approx([0, -10], abs=1e-9)
    bent = line_strains(tracks(), np.array([[12.0, 20], [32, 20], [32, 40]])).rows[1]
    assert bent["strain_percent"] == pytest.approx(100 * (0.9 * 20 + 1.2 * 20) / 40 - 100)
    slant = line_strains(tracks((3.0, 1.0)), np.array([[12.0, 15], [32, 35]])).rows[1]
    assert slant["strain_percent"] == pytest.approx(100 * (np.hypot(54, 24) / np.hypot(60, 20) - 1))


def test_too_few_points_give_no_number() -> None:
    for table in (strains(tracks(drop=30)), displacements(tracks(drop=30)),
                  line_strains(tracks(drop=30), np.array([[12.0, 20], [32, 20]]))):
        assert table.rows[2]["points"] == 12
        assert all(table.rows[2][k] is None for k in table.header[3:])
        assert all(v is not None for v in table.rows[1].values())
    some = strains(tracks(drop=10)).rows[2]
    assert some["strain_xx_percent"] == pytest.approx(22)


def test_nothing_followed() -> None:
    nothing = Tracks.none(Geometry((9, 9)), 2)
    assert [r["points"] for r in strains(nothing).rows] == [0, 0]
    assert strains(nothing).rows[0]["area_percent"] is None
    assert displacements(Tracks.none(Geometry((9, 9)), 0)).header == ("frame", "time_s", "points")


def test_volumes() -> None:
    grid = np.argwhere(np.ones((3, 3, 3))).astype(float)
    places = np.concatenate([grid, 1.1 * grid])
    numbers = np.tile(np.arange(1, 28), 2)
    found = strains(Tracks.of(np.repeat([0, 1], 27), numbers, places, Geometry((9, 9, 9)), length=2))
    assert found.rows[1]["volume_percent"] == pytest.approx(33.1) and "strain_zy_percent" in found.header
