"""The smallest change: smaller than that of a budget, and it outlives rounding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from isocenter.data import Case, Cases, Image, NotEvaluated
from isocenter.errors import RecipeError
from isocenter.tasks.attack.deepfool import DeepFool
from isocenter.tasks.attack.fgsm import Fgsm
from isocenter.tasks.segment.histogram import Histogram


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_it_alters_the_answer_by_less_than_one_step_needs(classifier: Any, classified: Cases, norm: str) -> None:
    for case in list(classified.split("test"))[:4]:
        made = DeepFool(of=classifier, norm=norm).predict(case)
        assert made.altered and made.epsilon is None
        assert np.array_equal(made.values, np.rint(made.values)) and made.values.any()
        smaller = Fgsm(of=classifier, norm=norm, epsilon=0.45 * made.size).predict(case)
        assert not smaller.altered, "half of the smallest change alters nothing"


def test_the_largest_region_is_called_something_else(segmenter: Any, outlined: Cases) -> None:
    made = DeepFool(of=segmenter).predict(outlined.split("test")[0])
    inside = made.before.labels == 1
    assert (made.after.labels[inside] == 1).mean() < 0.5 and made.size < 10


def test_without_a_region_there_is_nothing_to_alter(segmenter: Any, outlined: Cases) -> None:
    class Blind:
        """Sees background everywhere."""

        def opened(self) -> Any:
            inside = segmenter.opened()
            bias = torch.tensor([1e3, 0.0])[None, :, None, None]

            def way(case: Case) -> Any:
                passage = inside.through(case)
                return replace(passage, scores=lambda x: passage.scores(x) + bias)

            return replace(inside, through=way)

        def predict(self, case: Case) -> Any:
            return segmenter.predict(case)

    assert "no region" in DeepFool(of=Blind()).predict(outlined[0]).reason


def test_an_answer_that_cannot_be_altered(classifier: Any, classified: Cases) -> None:
    flat = Case.of(Image.from_array(np.full((24, 24), 90, np.uint8)))
    found = DeepFool(of=classifier, steps=1).predict(flat)
    assert isinstance(found, NotEvaluated) or found.altered


def test_only_networks_have_boundaries() -> None:
    with pytest.raises(RecipeError, match="square"):
        DeepFool(of=Histogram())
