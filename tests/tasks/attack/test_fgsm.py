"""One step: larger budgets reach more."""

from __future__ import annotations

from typing import Any

import pytest

from isocenter.data import Cases, build
from isocenter.errors import RecipeError
from isocenter.tasks.attack.fgsm import Fgsm
from isocenter.tasks.segment.histogram import Histogram


def test_larger_budgets_reach_more(classifier: Any, classified: Cases) -> None:
    cases = list(classified.split("test"))
    counts = [sum(Fgsm(of=classifier, epsilon=e / 255).predict(c).altered for c in cases) for e in (0, 3, 8)]
    assert counts[0] == 0 and counts[0] < counts[1] <= counts[2] == len(cases)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_segmentation_is_changed_on_its_own_grid(segmenter: Any, outlined: Cases, norm: str) -> None:
    case = outlined.split("test")[0]
    made = Fgsm(of=segmenter, epsilon=0.05 if norm == "linf" else 1.2, norm=norm).predict(case)
    assert made.values.shape == (1, *case.image().shape) and made.geometry == case.image().geometry
    assert made.size <= (made.epsilon or 0) * 1.001
    truth = case.truth().labels == 1
    assert (made.after.labels[truth] == 1).mean() < (made.before.labels[truth] == 1).mean()


def test_recipes_that_cannot_be(classifier: Any) -> None:
    with pytest.raises(RecipeError, match="two grey levels"):
        Fgsm(of=classifier, epsilon=2.0)
    with pytest.raises(RecipeError, match="square"):
        Fgsm(of=Histogram())
    with pytest.raises(RecipeError, match="Did you mean linf"):
        build(Fgsm, {"of": classifier, "norm": "linff"})
