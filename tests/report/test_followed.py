"""Charts of lesions over time are to scale, and tiles hold outline and diameters."""

import re

import numpy as np
import pytest

from isocenter.data.findings.followed import Change, Examined, Followed, Lesion, Sighting, Sized, Total
from isocenter.report.followed import Tile, diameter_chart, sum_chart, tile, times


def followed(days=(0.0, 60.0, 150.0), gone=True):
    exams = tuple(Examined(f"e{k}", d, 1, Sized(1.0)) for k, d in enumerate(days))
    def at(d):
        return Sighting("kept", (0,), Sized(d**3.0), Sized(float(d), 0.5), Sized(d / 2.0, 0.5))

    first = Lesion("L1", "liver", (at(20), at(16), Sighting("gone") if gone else at(8)), target=True)
    second = Lesion("L2", "lung", (None, at(9), at(12)))
    sums = [Sized(20.0, 0.5), Sized(16.0, 0.5), Sized(0.0 if gone else 8.0)]
    totals = (Total(sums[0]), Total(sums[1], Change(-20.0, -25.0, -15.0), sums[0]),
              Total(sums[2], Change(-60.0, -65.0, -55.0), sums[1]))
    return Followed("p", exams, (first, second), totals)


def marks(drawing):
    found = [re.search(r'cx="([\d.]+)" cy="([\d.]+)"', p) for p in drawing.parts if p.startswith("<circle")]
    return [(float(m[1]), float(m[2])) for m in found]


def test_time_is_days_where_all_are_known():
    assert times(followed()) == ([0.0, 60.0, 150.0], "Days after the first examination")
    assert times(followed((0.0, None, 150.0))) == ([1.0, 2.0, 3.0], "Examination")


def test_the_sum_is_drawn_to_scale_with_its_band_and_thresholds():
    drawn = sum_chart(followed(), width=600)
    (x0, y0), (x1, y1), (x2, y2) = marks(drawn)
    assert (x2 - x0) / (x1 - x0) == pytest.approx(150 / 60, rel=0.01)
    assert (y2 - y0) / (y1 - y0) == pytest.approx(20 / 4, rel=0.02)
    text = "".join(drawn.parts)
    assert "30 % below the baseline" in text and "20 % above the smallest before" in text
    assert text.count('class="band') == 1


def test_diameters_go_to_zero_where_a_lesion_is_gone_and_names_do_not_overlap():
    drawn = diameter_chart(followed(gone=False), ["L1", "L2"], width=600)
    text = "".join(drawn.parts)
    assert text.count("whisker") == 5
    heights = [float(m) for m in re.findall(r'y="([\d.]+)" class="called"', text)]
    assert len(heights) == 2 and abs(heights[0] - heights[1]) >= 13
    assert "L2" not in "".join(diameter_chart(followed(), ["L1"], width=600).parts)
    at = marks(diameter_chart(followed(), ["L1"], width=600))
    assert at[2][1] == pytest.approx(252, abs=1.0)


def test_a_single_examination_and_one_value_can_be_drawn():
    one = Followed("p", (Examined("e", None, 1, Sized(1.0)),) * 2, (), (Total(Sized(9.0)), Total(Sized(9.0))))
    assert len(marks(sum_chart(one, width=370))) == 2


def test_a_tile_holds_the_outline_and_both_diameters():
    mask = np.zeros((30, 40), bool)
    mask[10:20, 12:30] = True
    ends = np.array([[15.0, 11.5], [15.0, 29.5], [9.5, 20.0], [19.5, 20.0]])
    drawn = tile(Tile(np.full((30, 40), 90, np.uint8), mask, ends, (1.0, 1.0)), label="L1")
    assert 'class="rim"' in drawn and drawn.count('class="caliper') == 2
    bare = tile(Tile(np.full((30, 40), 90, np.uint8)))
    assert "rim" not in bare and "caliper" not in bare


def test_a_sum_that_is_level_and_one_that_is_nothing_can_be_drawn():
    exams = tuple(Examined(n, d, 1, Sized(1.0)) for n, d in (("a", 0.0), ("b", 30.0)))
    for values in ((20.0, 20.0), (20.0, 0.0)):
        totals = (Total(Sized(values[0])), Total(Sized(values[1]), nadir=Sized(values[0])))
        text = "".join(sum_chart(Followed("p", exams, (), totals), width=370).parts)
        assert "nan" not in text.lower() and "inf" not in text.lower()


def test_colours_and_thin_pixels_are_tiles_too():
    colours = np.zeros((10, 40, 3), np.uint8)
    drawn = tile(Tile(colours, np.ones((10, 40), bool), None, (4.0, 1.0)))
    assert 'width="200"' in drawn and 'height="200"' in drawn


def test_before_a_lesion_appears_there_is_no_mark():
    drawn = diameter_chart(followed(), ["L1", "L2"], width=600)
    text = "".join(drawn.parts)
    assert text.count("<title>L1:") == 3 and text.count("<title>L2:") == 2
