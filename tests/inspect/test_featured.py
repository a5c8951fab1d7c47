"""Features of objects as a table."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Instances
from isocenter.errors import InputError
from isocenter.inspect.featured import Levels, featured
from isocenter.ops.radiomics import radiomics

NUMBERS = np.zeros((14, 16), np.uint8)
NUMBERS[1:7, 1:8], NUMBERS[8:13, 9:15] = 1, 4
GRID = Geometry.from_spacing(NUMBERS.shape, (0.5, 0.25))


def objects() -> Instances:
    return Instances.from_label_map(NUMBERS, GRID, classes=("a", "b"), labels=[0, 1])


def test_a_row_an_object_is_the_features_of_its_pixels() -> None:
    values = np.random.default_rng(0).normal(100, 20, NUMBERS.shape)
    image = Image.from_array(values, geometry=GRID)
    found = featured(objects(), image, Levels(), ids=np.array([1, 4]))
    assert found.header[:2] == ("id", "class") and len(found.header) == 2 + 120 + 11
    for row, number, name in zip(found.rows, (1, 4), "ab", strict=True):
        whole = radiomics(values, number == NUMBERS, spacing=(0.5, 0.25))
        assert (row["id"], row["class"]) == (number, name)
        assert all(row[k] == pytest.approx(v, rel=1e-9) for k, v in whole.items())
    wide = featured(objects(), image, Levels(width=10.0))
    assert [r["id"] for r in wide.rows] == [1, 2]
    assert wide.rows[0]["glcm_contrast"] != found.rows[0]["glcm_contrast"]
    assert "10 wide" in Levels(width=10.0).line() and "32 grey levels" in Levels().line()


def test_every_channel_but_the_transparent_has_a_row() -> None:
    values = np.random.default_rng(0).integers(0, 255, (3, *NUMBERS.shape))
    image = Image.from_array(values, axes="cyx", geometry=GRID, channels=("dapi", "gfp", "alpha"))
    found = featured(objects(), image, Levels(8))
    assert [(r["id"], r["channel"]) for r in found.rows] == [(1, "dapi"), (2, "dapi"), (1, "gfp"), (2, "gfp")]


def test_what_is_undefined_is_empty_and_what_cannot_be_is_refused() -> None:
    image = Image.from_array(np.zeros(NUMBERS.shape), geometry=GRID)
    row = featured(objects(), image, Levels()).rows[0]
    assert row["intensity_coefficient_of_variation"] is None and row["histogram_entropy"] == 0
    none = Instances.from_label_map(np.zeros_like(NUMBERS), GRID)
    assert featured(none, image, Levels()).rows == ()
    with pytest.raises(InputError, match="grids"):
        featured(objects(), Image.from_array(np.zeros((3, 3))), Levels())
    with pytest.raises(InputError, match="NaN"):
        featured(objects(), Image.from_array(np.full(NUMBERS.shape, np.nan), geometry=GRID), Levels())
