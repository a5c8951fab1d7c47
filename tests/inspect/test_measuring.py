"""Rows and summaries of objects by hand, in px and mm, 2D and 3D, and of stained objects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import color, data

from isocenter.data import Geometry, Image, Instances, Segmentation
from isocenter.errors import InputError, LabelError
from isocenter.inspect.measuring import (
    channels_of,
    measured,
    objects_of,
    regions_of,
    scattered,
    sizes,
    summarised,
    world_axes,
)
from isocenter.ops.morphometry import crops
from isocenter.ops.stain import DYES


def scene() -> np.ndarray:
    """7: 4 x 6 pixels; 9: 2 x 2 at the border."""
    numbers = np.zeros((20, 30), np.uint8)
    numbers[5:9, 10:16], numbers[0:2, 0:2] = 7, 9
    return numbers


def test_a_flat_row_by_hand() -> None:
    grid = Geometry.from_spacing((20, 30), (2.0, 0.5), origin=(100.0, -50.0))
    found, ids = objects_of(scene(), grid)
    picture = np.arange(600, dtype=np.float32).reshape(20, 30)
    rows = measured(found, Image.from_array(picture, geometry=grid, unit="HU"), ids=ids)
    first = rows.rows[0]
    assert (first["id"], first["class"], first["area_px"], first["area_mm2"]) == (7, "object", 24, 24)
    assert first["equivalent_diameter_mm"] == pytest.approx(2 * np.sqrt(24 / np.pi))
    # Four rows of 2 mm stand higher than six columns of half a mm are wide.
    assert first["orientation_deg"] == pytest.approx(90) and first["feret_diameter_mm"] == pytest.approx(8, rel=0.1)
    assert first["major_axis_mm"] > 2.5 * first["minor_axis_mm"] and first["solidity"] == 1
    assert (first["centroid_x_px"], first["centroid_y_px"]) == (12.5, 6.5)
    assert (first["centroid_x_mm"], first["centroid_y_mm"]) == (106.25, -37.0)
    inner = picture[5:9, 10:16]
    assert (first["min_HU"], first["max_HU"]) == (inner.min(), inner.max())
    assert first["mean_HU"] == pytest.approx(inner.mean()) and first["sd_HU"] == pytest.approx(inner.std())
    assert [r["border"] for r in rows.rows] == [0, 1]


def test_without_spacing_lengths_are_pixels_and_say_so() -> None:
    found, ids = objects_of(scene(), Geometry((20, 30)))
    rows = measured(found, ids=ids)
    assert not any(c.endswith(("_mm", "_mm2")) for c in rows.header)
    assert {"area_px", "equivalent_diameter_px", "feret_diameter_px", "centroid_x_px"} <= set(rows.header)
    assert summarised(found, rows).rows[0]["density_per_Mpx"] == pytest.approx(2 / 600 * 1e6)


def test_a_volume_on_an_oblique_grid() -> None:
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.fliplr(np.diag([0.5, 0.5, 3.0]))
    affine[:3, 3] = (-20, 30, 400)
    grid = Geometry((10, 24, 24), tuple(map(tuple, affine)))
    numbers = np.zeros(grid.shape, np.uint16)
    numbers[2:8, 4:14, 5:15] = 3
    found, ids = objects_of(numbers, grid)
    row = measured(found, ids=ids).rows[0]
    assert row["volume_px"] == 600 and row["volume_mm3"] == pytest.approx(450) and row["volume_ml"] == 0.45
    assert row["equivalent_diameter_mm"] == pytest.approx(np.cbrt(6 * 450 / np.pi))
    along = np.array([row[f"major_axis_{a}"] for a in "LPS"])
    assert abs(along @ turn[:, 2]) == pytest.approx(1) and np.linalg.norm(along) == pytest.approx(1)
    middle = grid.to_world(np.array([[4.5, 8.5, 9.5]]))[0]
    assert [row[f"centroid_{a}_mm"] for a in "LPS"] == pytest.approx(middle)
    assert row["major_axis_mm"] > row["middle_axis_mm"] >= row["minor_axis_mm"]
    line = summarised(found, measured(found)).rows[0]
    assert line["density_per_ml"] == pytest.approx(1 / (10 * 24 * 24 * 0.75) * 1000)
    flat = measured(*objects_of(numbers, Geometry(grid.shape))[:1]).rows[0]
    assert [flat[f"major_axis_{a}"] for a in "xyz"] == pytest.approx([1, 0, 0]) or flat["major_axis_y"] == 1


def test_the_world_has_the_names_of_the_patient_only_where_it_is_known() -> None:
    assert world_axes(Geometry((4, 5))) == ("x", "y") and world_axes(Geometry((3, 4, 5))) == ("x", "y", "z")
    assert world_axes(Geometry.from_spacing((4, 5), (1, 1))) == ("x", "y")
    assert world_axes(Geometry.from_spacing((3, 4, 5), (1, 1, 1))) == ("L", "P", "S")
    sliced = Geometry((4, 5), ((0.0, 1.0, 5.0), (1.0, 0.0, 6.0), (0.0, 0.0, 7.0), (0.0, 0.0, 1.0)))
    row = measured(*objects_of(np.ones((4, 5), np.uint8), sliced)[:1]).rows[0]
    assert (row["centroid_L_mm"], row["centroid_P_mm"], row["centroid_S_mm"]) == (7.0, 7.5, 7.0)


def test_numbers_get_names_and_parts_get_numbers() -> None:
    numbers = scene()
    numbers[15:17, 20:22] = 7
    grid = Geometry((20, 30))
    found, ids = objects_of(numbers, grid, names={7: "nucleus", 8: "nobody"})
    assert found.classes == ("nucleus", "nobody", "9") and ids.tolist() == [7, 9] and scattered(found) == 2
    apart, ids = objects_of(numbers, grid, parts=True)
    assert ids.tolist() == [1, 2, 3] and [apart.classes[k] for k in apart.labels] == ["7", "7", "9"]
    assert scattered(apart) == 1 and scattered(Instances.none(("a",), grid)) == 1
    single, _ = objects_of((numbers == 7).astype(np.uint8), grid, parts=True)
    assert single.classes == ("object",) and len(single) == 2
    with pytest.raises(LabelError, match="below 0"):
        objects_of(-numbers.astype(int), grid)


def test_regions_leave_out_what_is_ignored() -> None:
    labels = np.where(scene() == 7, 1, np.where(scene() == 9, 255, 0)).astype(np.uint8)
    found = Segmentation(labels, ("background", "liver", "spleen"), Geometry((20, 30)))
    made, ids = regions_of(found)
    assert made.classes == ("liver", "spleen") and ids.tolist() == [1] and made.areas.tolist() == [24]
    lines = summarised(made, measured(made, ids=ids))
    assert [(r["class"], r["objects"], r["total_area_px"]) for r in lines.rows] == [
        ("all", 1, 24), ("liver", 1, 24), ("spleen", 0, 0),
    ]  # fmt: skip
    assert lines.rows[2]["median_area_px"] is None


def test_a_summary_by_hand() -> None:
    grid = Geometry.from_spacing((20, 30), (0.1, 0.1))
    found, ids = objects_of(scene(), grid)
    found = replace(found, classes=("big", "small"), labels=np.array([0, 1]))
    picture = Image.from_array(np.stack([scene()] * 3), axes="cyx", geometry=grid, channels=("red", "green", "blue"))
    lines = summarised(found, measured(found, picture, ids=ids)).rows
    every = lines[0]
    assert (every["objects"], every["total_area_px"], every["border_objects"]) == (2, 28, 1)
    assert every["density_per_mm2"] == pytest.approx(2 / 6) and every["share_of_image"] == pytest.approx(28 / 600)
    assert every["median_area_mm2"] == pytest.approx(0.14) and every["median_mean_red_au"] == 8
    assert [line["median_mean_blue_au"] for line in lines[1:]] == [7, 9]


def test_overlapping_objects_keep_their_pixels_and_count_once_in_the_total() -> None:
    masks = (np.ones((4, 4), bool), np.ones((4, 4), bool))
    found = Instances(np.array([[2, 2], [4, 2]]), masks, np.zeros(2, np.int64), ("cell",), Geometry((10, 10)))
    found = replace(found, scores=np.array([0.9, 0.4]))
    rows = measured(found)
    line = summarised(found, rows).rows[0]
    assert [r["area_px"] for r in rows.rows] == [16, 16] and [r["score"] for r in rows.rows] == [0.9, 0.4]
    assert line["total_area_px"] == 24 and line["overlap_px"] == 8


def test_nothing_there_is_a_table_without_rows() -> None:
    grid = Geometry.from_spacing((6, 20, 20), (2, 1, 1))
    found, ids = objects_of(np.zeros(grid.shape, np.uint8), grid)
    rows = measured(found, Image.from_array(np.zeros(grid.shape), geometry=grid), ids=ids)
    full = measured(objects_of(np.ones(grid.shape, np.uint8), grid)[0], Image.from_array(np.zeros(grid.shape)))
    assert rows.rows == () and rows.header == full.header
    line = summarised(found, rows).rows[0]
    assert line["objects"] == 0 and line["total_volume_ml"] == 0 and line["median_volume_ml"] is None


def test_an_image_that_does_not_fit_is_refused() -> None:
    found, _ = objects_of(scene(), Geometry((20, 30)))
    with pytest.raises(InputError, match="different grids"):
        measured(found, Image.from_array(np.zeros((30, 20))))
    with pytest.raises(InputError, match="three colours"):
        measured(found, Image.from_array(np.zeros((20, 30))), thresholds=(0.2, 0.4, 0.6))
    with pytest.raises(InputError, match="Name the image"):
        measured(found, thresholds=(0.2, 0.4, 0.6))


def test_channels_and_sizes_name_themselves() -> None:
    assert channels_of(Image.from_array(np.zeros((4, 5)))) == ("",)
    assert channels_of(Image.from_array(np.zeros((2, 4, 5)), axes="cyx")) == ("c1", "c2")
    assert list(sizes(np.array([2]), Geometry((3, 4, 5)))) == ["volume_px"]
    picture = Image.from_array(np.zeros((4, 4, 5)), axes="cyx", channels=("red", "green", "blue", "alpha"))
    rows = measured(objects_of(np.ones((4, 5), np.uint8), Geometry((4, 5)))[0], picture)
    assert "mean_red_au" in rows.header and not any("alpha" in c for c in rows.header)


def stained(dab: list[float]) -> tuple[Image, np.ndarray]:
    """Squares of 8 x 8 pixels in a row, all blue, each as brown as it is told, on white."""
    blue, brown = (np.array(DYES[d]) / np.linalg.norm(DYES[d]) for d in ("hematoxylin", "dab"))
    numbers, density = np.zeros((16, 16 * len(dab)), np.uint8), np.zeros((3, 16, 16 * len(dab)))
    for i, amount in enumerate(dab):
        at = np.s_[4:12, 16 * i + 4 : 16 * i + 12]
        numbers[at] = i + 1
        density[(slice(None), *at)] = (0.25 * blue + amount * brown)[:, None, None]
    light = np.round(255 * 10**-density).astype(np.uint8)
    return Image.from_array(light, axes="cyx", channels=("red", "green", "blue")), numbers


def test_the_score_of_squares_of_known_staining() -> None:
    picture, numbers = stained([0.05, 0.1, 0.3, 0.5, 0.7])
    found, ids = objects_of(numbers, picture.geometry)
    rows = measured(found, picture, ids=ids, thresholds=(0.2, 0.4, 0.6))
    assert [r["dab_grade"] for r in rows.rows] == [0, 0, 1, 2, 3]
    assert [r["dab_od"] for r in rows.rows] == pytest.approx([0.05, 0.1, 0.3, 0.5, 0.7], abs=0.02)
    assert [r["hematoxylin_od"] for r in rows.rows] == pytest.approx([0.25] * 5, abs=0.02)
    line = summarised(found, rows).rows[0]
    assert line["positive_share"] == pytest.approx(0.6) and line["h_score"] == pytest.approx(120)
    shares = [line[f"{g}_share"] for g in ("negative", "weak", "moderate", "strong")]
    assert shares == pytest.approx([0.4, 0.2, 0.2, 0.2])
    strict = summarised(found, measured(found, picture, thresholds=(0.6, 0.9, 1.2))).rows[0]
    assert strict["h_score"] == pytest.approx(20)
    none = objects_of(np.zeros_like(numbers), picture.geometry)[0]
    assert summarised(none, measured(none, picture, thresholds=(0.2, 0.4, 0.6))).rows[0]["h_score"] is None


def test_real_tissue_is_graded_as_another_unmixing_grades_it() -> None:
    picture = data.immunohistochemistry()
    numbers = np.kron(np.arange(1, 257).reshape(16, 16), np.ones((32, 32), int))
    found, ids = objects_of(numbers, Geometry((512, 512)))
    image = Image.from_array(np.moveaxis(picture, -1, 0), axes="cyx", channels=("red", "green", "blue"))
    rows = measured(found, image, ids=ids, thresholds=(0.2, 0.4, 0.6))
    # Their amounts count in units of ln(1e-6), of dyes of the table's own length; negative ones are none.
    theirs = np.maximum(color.separate_stains(picture, color.hdx_from_rgb)[..., 1], 0) * 6 * np.linalg.norm(DYES["dab"])
    means = np.array([theirs[numbers == i].mean() for i in crops(numbers)[0]])
    assert np.abs(np.array(rows.column("dab_od")) - means).max() < 0.02
    line = summarised(found, rows).rows[0]
    assert line["objects"] == 256 and 0.1 < line["positive_share"] < 0.9
    assert line["h_score"] == pytest.approx(100 * np.digitize(means, (0.2, 0.4, 0.6)).mean(), abs=8)
