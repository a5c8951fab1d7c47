"""Grades and H-score by hand, and on pixels of known staining."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.ops.histoscore import GRADES, THRESHOLDS, grades, histoscore
from isocenter.ops.stain import DYES, separate


def test_the_score_runs_from_nothing_to_all_strong() -> None:
    assert histoscore(np.zeros(9, int)).score == 0 and histoscore(np.zeros(9, int)).positive == 0
    assert histoscore(np.full(9, 3)).score == pytest.approx(300)
    made = histoscore(np.array([0] * 50 + [1] * 20 + [2] * 20 + [3] * 10))
    assert made.n == 100 and made.score == pytest.approx(20 + 40 + 30) and made.positive == pytest.approx(0.5)
    assert dict(zip(GRADES, made.shares, strict=True))["negative"] == 0.5


def test_what_has_no_density_has_no_grade() -> None:
    found = grades(np.array([0.0, np.nan, 0.4, np.inf]))
    assert found.tolist() == [0, -1, 2, -1]
    assert histoscore(found).n == 2 and histoscore(found).score == pytest.approx(100)
    assert histoscore(np.array([-1, -1])) is None and histoscore(np.zeros(0, int)) is None


def test_a_limit_belongs_to_the_stronger_grade() -> None:
    assert grades(np.array(THRESHOLDS)).tolist() == [1, 2, 3]
    assert grades(np.array(THRESHOLDS) - 1e-9).tolist() == [0, 1, 2]


@pytest.mark.parametrize("wrong", [(0.2, 0.4), (0.4, 0.2, 0.6), (0.0, 0.1, 0.2), (0.1, 0.1, 0.2), (0.1, np.nan, 1)])
def test_thresholds_that_do_not_rise_are_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="3 rising numbers"):
        grades(np.zeros(2), wrong)


def test_stained_pixels_get_the_grade_that_they_were_given() -> None:
    dab = np.array([0.05, 0.3, 0.5, 0.8])
    blue, brown = (np.array(DYES[d]) / np.linalg.norm(DYES[d]) for d in ("hematoxylin", "dab"))
    light = 10 ** -(np.outer(blue, np.full(4, 0.3)) + np.outer(brown, dab))
    picture = np.round(light * 255).astype(np.uint8)[:, None]
    assert grades(separate(picture, ("hematoxylin", "dab"))[1, 0]).tolist() == [0, 1, 2, 3]
