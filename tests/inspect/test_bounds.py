"""Read-outs by bounds of regions whose values are known."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Instances
from isocenter.errors import InputError
from isocenter.inspect.bounds import Bounds, beyond, is_uptake, uptake
from isocenter.inspect.measuring import measured, summarised

SHAPE, SPACING = (24, 30, 30), (2.0, 2.0, 2.0)


def lesions() -> tuple[Instances, np.ndarray]:
    """Two balls: radius 14 mm and SUV 10, radius 8 mm and SUV 4, in background 1."""
    grid = np.stack(np.meshgrid(*(np.arange(n) * s for n, s in zip(SHAPE, SPACING, strict=True)), indexing="ij"))
    balls = [((grid - np.array(c).reshape(3, 1, 1, 1)) ** 2).sum(0) <= r**2 for c, r in
             (((20, 20, 20), 14), ((20, 20, 46), 8))]
    numbers = balls[0] + 2 * balls[1].astype(np.uint8)
    values = np.select(balls, [10.0, 4.0], 1.0)
    return Instances.from_label_map(numbers, Geometry.from_spacing(SHAPE, SPACING)), values


def test_uptake_of_two_lesions() -> None:
    found, values = lesions()
    image = Image.from_array(values, spacing=SPACING, unit="SUV", modality="PT")
    rows = measured(found, image).rows
    for row, suv, radius in zip(rows, (10, 4), (1.4, 0.8), strict=True):
        volume = 4 / 3 * np.pi * radius**3
        assert row["suv_max"] == suv and row["suv_peak"] == suv
        assert row["mtv_41pct_ml"] == row["volume_ml"] == pytest.approx(volume, rel=0.05)
        assert row["tlg_41pct_g"] == pytest.approx(suv * row["mtv_41pct_ml"])
    summary = summarised(found, measured(found, image)).rows[0]
    assert summary["total_mtv_41pct_ml"] == pytest.approx(sum(r["mtv_41pct_ml"] for r in rows))
    assert summary["total_tlg_41pct_g"] == pytest.approx(sum(r["tlg_41pct_g"] for r in rows))
    assert summary["median_suv_max"] == 7


def test_a_fixed_threshold_leaves_out_what_is_colder() -> None:
    found, values = lesions()
    image = Image.from_array(values, spacing=SPACING, unit="SUV")
    rows = measured(found, image, bounds=Bounds(suv=5.0)).rows
    assert rows[0]["mtv_suv5_ml"] == rows[0]["volume_ml"]
    assert rows[1]["mtv_suv5_ml"] == 0 and rows[1]["tlg_suv5_g"] == 0
    assert "SUV 5" in Bounds(suv=5.0).line() and "41 %" in Bounds().line()


def test_shares_of_a_lung_with_a_known_emphysema() -> None:
    rng = np.random.default_rng(0)
    lung = rng.normal(-860, 20, (40, 50)).round()
    lung[:8] = -985
    found = Instances.from_label_map(np.ones((40, 50), np.uint8), Geometry.from_spacing((40, 50), (1.0, 1.0)))
    image = Image.from_array(lung, spacing=(1.0, 1.0), unit="HU", modality="CT")
    (row,) = measured(found, image, bounds=Bounds(below=(-950.0,), above=(-500.0,))).rows
    assert row["share_below_-950_HU"] == pytest.approx(0.2) and row["share_above_-500_HU"] == 0
    assert row["mean_HU"] == pytest.approx(lung.mean(), abs=1e-6)
    assert "suv_max" not in row
    assert beyond(found, lung, "", Bounds(below=(-985.0,)))["share_below_-985_au"][0] == 0, "the bound is not below"


def test_every_channel_has_shares() -> None:
    found = Instances.from_label_map(np.ones((2, 4), np.uint8), Geometry.from_spacing((2, 4), None))
    image = Image.from_array(np.stack([np.zeros((2, 4)), np.eye(2, 4)]), axes="cyx", channels=("a", "b"))
    (row,) = measured(found, image, bounds=Bounds(above=(0.5,))).rows
    assert row["share_above_0.5_au_a"] == 0 and row["share_above_0.5_au_b"] == 0.25


def test_what_holds_no_suv_is_refused_and_what_has_no_volume_is_left_out() -> None:
    found, values = lesions()
    plain, hu = Image.from_array(values, spacing=SPACING), Image.from_array(values, spacing=SPACING, unit="HU")
    assert not is_uptake(plain, Bounds()) and is_uptake(plain, Bounds(uptake=True)) and not is_uptake(hu, Bounds())
    with pytest.raises(InputError, match="standardised uptake"):
        measured(found, hu, bounds=Bounds(uptake=True))
    with pytest.raises(InputError, match="image too"):
        measured(found, bounds=Bounds(below=(0.0,)))
    flat = Instances.from_label_map(np.ones((3, 3), np.uint8), Geometry.from_spacing((3, 3), None))
    image = Image.from_array(np.arange(9.0).reshape(3, 3), unit="SUV")
    (row,) = measured(flat, image).rows
    assert row["suv_max"] == 8 and row["suv_peak"] is row["mtv_41pct_ml"] is None
    hole = np.where(np.arange(9).reshape(3, 3) == 4, np.nan, 1.0)
    assert np.isnan(uptake(flat, image, hole, Bounds())["suv_max"][0])
