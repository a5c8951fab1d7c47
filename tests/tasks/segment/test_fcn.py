from __future__ import annotations

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Cases, Watch, build, merged
from isocenter.errors import RecipeError
from isocenter.simulate import cohort
from isocenter.tasks.segment.fcn import FCN

QUICK = {"study.epochs": 6, "study.steps": 8, "study.batch_size": 4, "study.learning_rate": 0.01, "width": 8}


@pytest.fixture(scope="module")
def cases() -> Cases:
    return cohort(16, seed=1, shape=(48, 48))


@pytest.mark.parametrize("encoder", ["vgg", "resnet18"])
def test_it_learns_and_comes_back_from_its_state(cases: Cases, encoder: str) -> None:
    recipe = merged(FCN(encoder=encoder), QUICK)
    found = recipe.fit(cases.split("train"), cases.split("val"), watch=Watch())
    scores = [row["score"] for row in found.about["history"]]
    assert max(scores) > 0.4
    assert found.about["network"]["encoder"] == encoder
    again = FCN.from_state(found.about, found.state())
    for case in cases.split("test"):
        assert np.array_equal(again.predict(case).labels, found.predict(case).labels)


def test_the_finest_scores_are_chosen_by_name() -> None:
    assert catalog.find("segment", "fcn") is FCN
    assert build(FCN, {"finest": "32s"}).finest == "32s"
    with pytest.raises(RecipeError, match="not one of its choices"):
        build(FCN, {"finest": "4s"})
