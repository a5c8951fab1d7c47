from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Watch, build, merged
from isocenter.errors import RecipeError
from isocenter.simulate import cohort
from isocenter.tasks.segment.deeplab import DeepLab

QUICK = {"study.epochs": 6, "study.steps": 8, "study.batch_size": 4, "study.learning_rate": 0.01, "width": 8}


def test_it_learns_and_comes_back_from_its_state() -> None:
    cases = cohort(16, seed=1, shape=(48, 48))
    found = merged(DeepLab(), QUICK).fit(cases.split("train"), cases.split("val"), watch=Watch())
    assert max(row["score"] for row in found.about["history"]) > 0.4
    assert "in proportion" in found.about["origins"]["network.rates"]
    again = DeepLab.from_state(found.about, found.state())
    for case in cases.split("test"):
        assert np.array_equal(again.predict(case).labels, found.predict(case).labels)


def test_rates_are_whole_pixels() -> None:
    assert build(DeepLab, {"rates": [2, 4]}).rates == (2, 4)
    with pytest.raises(RecipeError, match="out of range"):
        build(DeepLab, {"rates": [0, 4]})
