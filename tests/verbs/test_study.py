from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.data import Case, Cases, Plan, Probabilities, Watch
from isocenter.errors import MissingFileError, NotFoundError, RecipeError
from isocenter.verbs._method import Method
from isocenter.verbs._study import Budget, alone, plan_of, sides, study


@dataclass(frozen=True)
class Learner:
    met: list[tuple[int, int, Watch]] = field(default_factory=list)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch) -> str:
        self.met.append((len(train), len(valid), watch))
        return "fitted"


class Both(Learner):
    def predict(self, case: Case) -> Probabilities:
        raise AssertionError


def cases(*splits: str) -> Cases:
    return Cases.from_arrays(np.zeros((len(splits), 4, 4), np.uint8), ["a"] * len(splits), splits=splits)


def test_a_learner_gets_train_and_val_and_the_circumstances(tmp_path: Path) -> None:
    learner = Learner()
    budget = Budget(2.0, tmp_path, True, {"a": 1})
    made, taken = study(Method("l", "classify", "l", learner), cases("train", "train", "val", "test"),
                        options={"seed": 3, "threads": 1}, budget=budget)
    (n_train, n_valid, watch), = learner.met
    assert (n_train, n_valid) == (2, 1) and (watch.seed, watch.minutes, watch.folder) == (3, 2.0, tmp_path)
    assert watch.resume and watch.plan == {"a": 1}
    assert made.object == "fitted" and made.fitted and not made.learns and taken.seconds is not None


def test_only_a_method_that_answers_as_it_is_can_do_without_val() -> None:
    assert len(sides(Method("b", "classify", "b", Both()), cases("train", "test"))[1]) == 0
    with pytest.raises(NotFoundError, match="--val-from train"):
        sides(Method("l", "classify", "l", Learner()), cases("train", "test"))
    with pytest.raises(NotFoundError, match="no split 'train'"):
        sides(Method("b", "classify", "b", Both()), cases("val", "test"))


def test_who_learns_from_images_alone_keeps_the_cases_without_truth() -> None:
    from isocenter.tasks.register.dense_field import DenseField
    from isocenter.tasks.segment.unet import UNet

    some = cases("train", "train", "val").without_truth([0])
    for recipe, kept in ((DenseField(), 2), (UNet(), 1)):
        method = Method("m", "x", "m", recipe)
        assert alone(method) is (kept == 2) and len(sides(method, some)[0]) == kept


def test_what_has_nothing_to_learn_stays_as_it_is() -> None:
    class Answers:
        def predict(self, case: Case) -> Any:
            return None

    method = Method("a", "classify", "a", Answers())
    assert study(method, cases("test"), options={})[0] is method


def test_plans(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{"a": 1}', encoding="utf-8")
    assert plan_of(path) == {"a": 1} and plan_of({"b": 2}) == {"b": 2} and plan_of(None) is None
    with pytest.raises(MissingFileError):
        plan_of(tmp_path / "none.json")
    for text in ("[", "[1]"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(RecipeError):
            plan_of(path)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"settings": {"window": [-1, 64]}}, "settings.window"),
        ({"settings": {"most": "many"}}, "settings.most"),
        ({"overlap": float("nan")}, "overlap"),
        ({"rank": float("inf")}, "cannot be read|wrong type"),
        ({"pach": 1}, "pach"),
    ],
)
def test_an_edited_plan_is_refused_before_the_training(change: dict[str, Any], named: str) -> None:
    plan = Plan("detect", 2, 1, ("a",), head="detect", size=(64, 64), divisor=(32, 32)).as_json()
    assert plan_of({"plan": plan}) == {"plan": plan}
    with pytest.raises(RecipeError, match=named):
        plan_of({"plan": plan | change})
    with pytest.raises(RecipeError, match="cannot be read"):
        plan_of({"plan": {"task": "detect"}})
