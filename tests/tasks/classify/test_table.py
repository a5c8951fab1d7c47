"""From cases to a table of features, and from logits to an answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image, Normalisation, NotEvaluated, Plan, Probabilities, silent
from isocenter.errors import InputError, LabelError
from isocenter.tasks._features import Features
from isocenter.tasks.classify import _table as t


def table(train: Cases, valid: Cases, features: Features | None = None) -> t.Table:
    return t.tabled((train, valid), t.plan_of(train), features or Features((4, 4)), watch=silent)


def test_rows_and_classes_stand_side_by_side(corners) -> None:
    made = table(corners(12, classes=3), corners(5, classes=3, seed=1))
    assert made.x.shape[0] == 12 and made.vx.shape == (5, made.x.shape[1])
    assert made.y.argmax(1).tolist() == [0, 1, 2] * 4 and made.vy.sum() == 5
    assert made.plan.classes == ("normal", "mass", "cyst") and made.plan.rank == 2


def test_what_has_no_class_no_region_or_no_number_is_refused() -> None:
    x = list(np.random.default_rng(0).normal(size=(4, 8, 8)))
    lacking = Cases.from_arrays(x, [0] * 4, classes=["a", "b"])
    with pytest.raises(LabelError, match="training case"):
        table(lacking, lacking)
    with pytest.raises(LabelError, match="no case"):
        table(Cases.from_arrays(x), Cases.from_arrays(x))
    x[1][0, 0] = np.nan
    bad = Cases.from_arrays(x, [0, 1] * 2)
    with pytest.raises(InputError, match="finite"):
        table(bad, bad)


def test_temperature_and_threshold_are_chosen_on_val() -> None:
    rng = np.random.default_rng(0)
    truth = np.eye(2)[rng.integers(0, 2, 400)]
    score = rng.normal(size=400) + 2 * truth[:, 1]
    plan = Plan("classify", 2, 1, ("a", "b"))
    sharp = t.decisions(plan, np.column_stack([np.zeros(400), 20 * (score - 1)]), truth)
    assert sharp.temperature > 5 and sharp.positive == "b" and len(sharp.thresholds) == 1
    several = t.decisions(replace(plan, multilabel=True), np.column_stack([score, score]), truth)
    assert len(several.thresholds) == 2
    three = Plan("classify", 2, 1, ("a", "b", "c"))
    assert t.decisions(three, rng.normal(size=(30, 3)), np.eye(3)[np.arange(30) % 3]).thresholds == ()


class Mean(t.Tabled):
    """The first feature as the logit of the second class."""

    def logits(self, x: np.ndarray) -> np.ndarray:
        return np.column_stack([np.zeros(len(x)), x[:, 0]])


def test_an_answer_is_a_probability_or_why_there_is_none() -> None:
    plan = Plan("classify", 2, 1, ("a", "b"), normalisation=Normalisation("none"), positive="b", thresholds=(0.9,))
    features = Features((1, 1), "none", texture=False)
    about = {"plan": plan.as_json(), "features": features.as_json(), "classes": ["a", "b"]}
    method = Mean(about, {"n": np.ones(1)})
    found = method.predict(Case.of(Image.from_array(np.full((3, 3), np.log(3.0)))))
    assert isinstance(found, Probabilities) and found.of("b") == pytest.approx(0.75) and found.decision == ("a",)
    assert isinstance(method.predict(Case.of(Image.from_array(np.full((3, 3), np.inf)))), NotEvaluated)
    assert method.state()["n"].tolist() == [1.0]
    with pytest.raises(NotImplementedError):
        t.Tabled(about, {}).logits(np.zeros((1, 1)))
