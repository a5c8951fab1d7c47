from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image, NotEvaluated
from isocenter.tasks.segment.centre_box import SHARES, CentreBox


@pytest.mark.parametrize("shape", [(20, 30), (8, 20, 10), (5, 7)])
@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_a_box_in_the_middle(shape, share):
    found = CentreBox(share=share).predict(Case.of(Image.from_array(np.zeros(shape)))).mask("foreground")
    where = np.argwhere(found)
    low, high = where.min(axis=0), where.max(axis=0)
    assert np.prod(high - low + 1) == found.sum()
    assert np.all(np.abs((high - low + 1) - share * np.array(shape)) <= 0.5 + 1e-9)
    assert np.all(np.abs((low + high) - (np.array(shape) - 1)) <= 1)


def test_its_size_is_learnt_from_train():
    masks = np.zeros((12, 40, 40), np.uint8)
    masks[:, 8:32, 8:32] = 1
    rng = np.random.default_rng(0)
    cases = Cases.from_arrays(
        rng.normal(size=masks.shape), masks, task="segment", splits=["train"] * 8 + ["test"] * 4, classes=["lesion"]
    )
    fitted = CentreBox().fit(cases.split("train"), cases.split("test"))
    assert fitted.share == 0.6 and fitted.share in SHARES and fitted.name == "lesion"
    assert CentreBox(share=0.3).fit(cases.split("train"), cases.split("test")).share == 0.3
    found = fitted.predict(cases.split("test")[0])
    assert np.array_equal(found.labels, masks[0]) and found.regions == ("lesion",)


def test_no_numbers_no_box():
    assert isinstance(CentreBox().predict(Case.of(Image.from_array(np.full((4, 4), np.nan)))), NotEvaluated)
