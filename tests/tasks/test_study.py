"""The training of any question's network."""

from __future__ import annotations

import sys

import pytest

from isocenter.data import Watch, merged
from isocenter.errors import InputError, MissingExtraError
from isocenter.simulate import cohort
from isocenter.tasks._network import FittedNetwork
from isocenter.tasks._study import studied
from isocenter.tasks.classify._fitted import FittedClassifier
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.detect._fitted import FittedDetector
from isocenter.tasks.instances._fitted import FittedContours
from isocenter.tasks.instances.contours import Contours
from isocenter.tasks.segment._fitted import FittedSegmenter

BRIEF = {"study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "width": 4}


def test_the_class_names_the_question_and_the_head_the_family_of_answers() -> None:
    cases = cohort(8, seed=0, shape=(32, 32), kind="cells", task="instances")
    train, val = cases.split("train"), cases.split("val")
    recipe = merged(Contours(), BRIEF | {"depth": 2})
    found = studied(FittedContours, recipe, train, val, watch=Watch(threads=1), head="contours")
    assert type(found) is FittedContours
    assert (found.plan.task, found.plan.kind) == ("instances", "contours")


def test_what_fit_refuses_is_refused() -> None:
    cases = cohort(8, seed=0, shape=(32, 32), task="classify")
    with pytest.raises(InputError, match="validate"):
        studied(FittedClassifier, Cnn(), cases.split("train"), cases.subset([]), watch=Watch(threads=1))


@pytest.mark.parametrize("kind", [FittedClassifier, FittedContours, FittedDetector, FittedSegmenter])
def test_without_torch_it_says_what_to_install(kind: type[FittedNetwork], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n == "isocenter.fit" or n.startswith("isocenter.fit.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    cases = cohort(4, seed=0, shape=(16, 16))
    with pytest.raises(MissingExtraError, match="training a network"):
        studied(kind, Cnn(), cases, cases, watch=Watch())
