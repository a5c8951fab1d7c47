"""Read-outs of films whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from isocenter.data import Image
from isocenter.errors import InputError
from isocenter.inspect.lung import SUMMARY, lung_frames, lung_summary
from isocenter.simulate.lung import LungScene, lung

SHAPE = (140, 160)


@cache
def film(frames: int = 3, *, convex: bool = False, seed: int = 0, **scene: float) -> Image:
    drawn = LungScene(depth=0.25, **scene)
    pixels, _ = lung(SHAPE, np.random.default_rng(seed), drawn, frames=frames, convex=convex)
    return Image.from_array(pixels, axes="tyx")


def test_a_row_a_frame_with_what_was_drawn() -> None:
    table, probe = lung_frames(film(sliding=1.5, b_lines=1, thickness=5))
    assert probe == "linear" and len(table.rows) == 3
    for row in table.rows:
        assert abs(row["pleura_depth_px"] - 0.25 * SHAPE[0]) < 3
        assert abs(row["pleura_thickness_px"] - 5) < 1
        assert (row["a_lines"], row["b_lines"]) == (0, 1)
        assert 0.02 < row["b_lines_share"] < 0.12
        assert row["pleura_share"] > 0.8
    assert table.rows[0]["sliding_px_per_frame"] is None
    assert all(abs(row["sliding_px_per_frame"] - 1.5) < 0.3 for row in table.rows[1:])
    assert table.rows[0]["frame"] == 0 and table.rows[0]["time_s"] is None
    assert not any(name.endswith("_mm") for name in table.header)


def test_known_spacing_and_times_give_mm_and_mm_a_second() -> None:
    plain, _ = lung_frames(film(sliding=1.5, b_lines=1, thickness=5))
    held = film(sliding=1.5, b_lines=1, thickness=5)
    image = Image.from_array(held.pixels(), axes="tyx", spacing=(0.2, 0.2))
    table, _ = lung_frames(replace(image, times=(0.0, 0.05, 0.1)))
    assert table.rows[1]["time_s"] == 0.05
    for here, there in zip(table.rows, plain.rows, strict=True):
        for name in ("depth", "thickness", "irregularity"):
            assert np.isclose(here[f"pleura_{name}_mm"], 0.2 * here[f"pleura_{name}_px"])
            assert np.isclose(here[f"pleura_{name}_px"], there[f"pleura_{name}_px"])
    assert np.isclose(table.rows[1]["sliding_mm_per_s"], table.rows[1]["sliding_px_per_frame"] * 0.2 / 0.05)


def test_a_fan_and_colours_are_read_like_a_grey_one() -> None:
    grey = film(2, convex=True, seed=1)
    table, probe = lung_frames(grey)
    assert probe == "convex"
    colour = np.repeat(grey.pixels()[:, None], 3, axis=1)
    names = ("red", "green", "blue")
    again, _ = lung_frames(Image.from_array(colour, axes="tcyx", channels=names))
    assert again == table
    assert lung_frames(grey, probe="linear")[1] == "linear"


def test_one_picture_has_one_row_and_no_motion() -> None:
    image = Image.from_array(film(1).pixels()[0])
    table, _ = lung_frames(image)
    assert len(table.rows) == 1
    assert not any(name.startswith("sliding") or name in ("frame", "time_s") for name in table.header)


def test_a_dark_frame_is_a_row_without_numbers() -> None:
    pixels = film(2, convex=True, seed=1).pixels().copy()
    pixels[1] = 0
    table, _ = lung_frames(Image.from_array(pixels, axes="tyx"))
    dark = table.rows[1]
    assert dark["pleura_share"] == 0 and dark["pleura_depth_px"] is None and dark["b_lines"] is None


def test_the_summary_is_mean_and_spread_over_the_frames() -> None:
    table, _ = lung_frames(film(sliding=1.5, b_lines=1, thickness=5))
    summary = lung_summary(table)
    assert summary.header == SUMMARY
    rows = {row["measure"]: row for row in summary.rows}
    assert "frame" not in rows and "time_s" not in rows
    depths = table.column("pleura_depth_px")
    depth = rows["pleura_depth_px"]
    assert depth["unit"] == "px" and depth["frames"] == 3
    assert np.isclose(depth["mean"], np.mean(depths)) and np.isclose(depth["sd"], np.std(depths, ddof=1))
    assert (depth["least"], depth["most"]) == (min(depths), max(depths))
    assert rows["sliding_px_per_frame"]["frames"] == 2 and rows["sliding_px_per_frame"]["unit"] == "px/frame"
    assert rows["b_lines"]["unit"] == "count" and rows["b_lines_share"]["unit"] == "share"
    single = lung_summary(lung_frames(Image.from_array(film(1).pixels()[0]))[0])
    assert all(row["sd"] is None for row in single.rows)


@pytest.mark.parametrize(
    "image",
    [
        Image.from_array(np.ones((40, 40))), Image.from_array(np.arange(100.0).reshape(10, 10)),
        Image.from_array(np.zeros((3, 40, 40))), Image.from_array(np.full((40, 40), np.nan)),
    ],
)  # fmt: skip
def test_what_is_no_lung_ultrasound_is_refused(image: Image) -> None:
    with pytest.raises(InputError, match=r"lung ultrasound|volume"):
        lung_frames(image)


def test_a_fan_that_is_asked_for_must_be_there() -> None:
    with pytest.raises(InputError, match="no fan"):
        lung_frames(film(1), probe="convex")


def test_a_film_of_still_frames_is_steady() -> None:
    still = np.repeat(film(1).pixels(), 3, axis=0)
    rows = {row["measure"]: row for row in lung_summary(lung_frames(Image.from_array(still, axes="tyx"))[0]).rows}
    for name in ("pleura_depth_px", "pleura_thickness_px", "b_lines", "pleura_share"):
        assert rows[name]["sd"] == 0 and rows[name]["least"] == rows[name]["most"]
    assert abs(rows["sliding_px_per_frame"]["most"]) < 0.01
    assert rows["sliding_correlation"]["least"] > 0.999
