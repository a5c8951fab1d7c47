"""One number for every image."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image, NotEvaluated
from isocenter.errors import BundleError, InputError, LabelError
from isocenter.tasks.regress.mean import FittedMean, Mean

X = np.zeros((13, 6, 6))
Y = [1.0, 2.0, 9.0, *np.arange(10.0)]
CASES = Cases.from_arrays(X, Y, task="regress", splits=["train"] * 3 + ["val"] * 10)


def test_mean_and_median_with_how_far_they_are_off_on_val() -> None:
    for middle, number in (("mean", 4.0), ("median", 2.0)):
        found = Mean(middle).fit(CASES.split("train"), CASES.split("val"))
        value = found.predict(CASES[0]).of("value")
        assert value.number == pytest.approx(number)
        # Of 10 cases of val the interval is the farthest: ceil(11 * 0.9) = 10.
        assert value.high - value.number == pytest.approx(np.abs(np.arange(10.0) - number).max())
        again = Mean.from_state(found.about, found.state())
        assert again.predict(CASES[5]) == found.predict(CASES[0])


def test_images_that_others_would_not_answer_are_not_answered() -> None:
    found = Mean().fit(CASES.split("train"), CASES.split("val"))
    assert isinstance(found.predict(Case.of(Image.from_array(np.full((6, 6), np.nan)))), NotEvaluated)
    with pytest.raises(InputError):
        found.predict(Case.of(Image.from_array(np.zeros((4, 6, 6)))))
    with pytest.raises(BundleError):
        FittedMean({}, {})
    with pytest.raises(LabelError):
        Mean().fit(CASES.subset([0]), CASES.split("val"))
