"""Learning what it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import Plan, merged
from isocenter.errors import LabelError, RecipeError
from isocenter.fit.feed import Shelf
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.questions.classify import QUESTION
from isocenter.infer.plans import flaws
from isocenter.tasks.classify.cnn import Cnn, Form


class Corner(nn.Module):
    """Twice too sure of the second class where the corner is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        half = x.shape[-1] // 2
        mean = x[:, 0, :half, :half].mean((1, 2)) - x[:, 0].mean((1, 2))
        return torch.stack((-mean, mean), 1) * 10


def test_names_and_what_is_looked_at(pictures) -> None:
    cases = pictures()
    names = QUESTION.names(cases)
    assert names == ("normal", "sick")
    counts = [QUESTION.looked(cases[i], names).counts for i in (0, 1)]
    assert counts == [{"normal": 1, "sick": 0}, {"normal": 0, "sick": 1}]
    with pytest.raises(LabelError, match="no class"):
        QUESTION.looked(cases[0].__class__.of(cases[0].image()), names)


def test_uneven_classes_are_drawn_equally_often_and_said(pictures) -> None:
    cases = pictures()
    uneven = cases.subset([0, 2, 4, 6, 8, 1])
    origins: dict[str, str] = {}
    assert QUESTION.loop(Cnn(), fingerprint(uneven, "classify"), origins).imbalance.sampling == "balanced"
    assert "{'normal': 5, 'sick': 1}" in origins["loop.imbalance.sampling"]
    assert QUESTION.loop(Cnn(), fingerprint(cases, "classify"), {}).imbalance.sampling == "none"


def test_the_loss_is_that_of_the_recipe(pictures) -> None:
    cases = pictures().subset([0, 2, 4, 6, 8, 1])
    facts = fingerprint(cases, "classify")
    logits, target = torch.zeros(1, 2), torch.tensor([[0.0, 1.0]])

    def loss(**settings: object) -> float:
        return float(QUESTION.loss(plan(merged(Cnn(), settings), facts))(logits, target))

    # Even logits: smoothing is nothing, a class of one in six cases weighs three and has 1 / 6 of the adjusted softmax.
    assert loss() == pytest.approx(np.log(2), rel=1e-5)
    weighed = loss(**{"imbalance.weights": "inverse", "imbalance.smoothing": 0.0})
    assert weighed == pytest.approx(3 * np.log(2), rel=1e-5)
    assert loss(**{"imbalance.adjustment": 1.0, "imbalance.smoothing": 0.0}) == pytest.approx(np.log(6), rel=1e-5)
    focused = loss(**{"imbalance.focal": 2.0, "imbalance.smoothing": 0.0})
    assert focused == pytest.approx(0.25 * np.log(2), rel=1e-5)


def test_an_order_must_name_each_class_once(pictures) -> None:
    facts = fingerprint(pictures(), "classify")
    origins: dict[str, str] = {}
    recipe = merged(Cnn(), {"form.order": ("sick", "normal")})
    assert QUESTION.loop(recipe, facts, origins).order == ("sick", "normal")
    assert origins["loop.order"] == "recipe"
    assert QUESTION.loss(plan(recipe, facts)).order == (1, 0)
    with pytest.raises(RecipeError, match="each class once"):
        QUESTION.loop(merged(Cnn(), {"form.order": ("sick",)}), facts, {})
    several = replace(facts, multilabel=True)
    with pytest.raises(RecipeError, match="of which one holds"):
        QUESTION.loop(recipe, several, {})


def test_temperature_and_thresholds_are_chosen_on_val(pictures) -> None:
    cases = pictures()
    scheme = plan(Cnn(), fingerprint(cases, "classify"))
    valid = Shelf(cases.split("val"), scheme)
    found = QUESTION.finished(scheme, Corner(), valid)
    assert found.plan.positive == "sick"
    assert len(found.plan.thresholds) == 2 and sum(found.plan.thresholds) == pytest.approx(1.0)
    assert "4 cases" in found.origins["plan.temperature"]
    assert QUESTION.score(Corner(), valid) > -np.log(2)


def test_shares_of_classes_are_the_target_and_augmentation_leaves_them_be(pictures) -> None:
    cases = pictures()
    scheme = plan(Cnn(), fingerprint(cases, "classify"))
    shelf = Shelf(cases, scheme)
    assert [shelf[i].target.tolist() for i in (0, 1)] == [[1.0, 0.0], [0.0, 1.0]]
    assert QUESTION.sampled(shelf[1], None, None, scheme) is shelf[1].target
    with pytest.raises(LabelError, match="classes of train"):
        other = replace(scheme, plan=replace(scheme.plan, classes=("x", "y")))
        QUESTION.ready(cases[0], other, shelf[0].image)


def test_counts_of_train_are_kept_for_the_loss(pictures) -> None:
    cases = pictures().subset([0, 2, 4, 1])
    loop = QUESTION.loop(Cnn(), fingerprint(cases, "classify"), {})
    assert loop.counts == (3, 1, 4)
    whole = QUESTION.loss(plan(Cnn(), fingerprint(cases, "classify")))
    assert whole.weights is None and whole.offset is None
    assert whole.smoothing == 0.1


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
def test_another_calibration_of_the_recipe_becomes_numbers_of_the_plan(pictures, kind) -> None:
    cases = pictures()
    scheme = plan(Cnn(form=Form(calibration=kind)), fingerprint(cases, "classify"))
    assert scheme.plan.settings == {"calibrate": kind} and not flaws(scheme.plan)
    found = QUESTION.finished(scheme, Corner(), Shelf(cases.split("val"), scheme))
    assert found.plan.settings["calibration"]["kind"] == kind and found.plan.temperature == 1.0
    assert not flaws(found.plan) and "4 cases" in found.origins["plan.settings.calibration"]
    assert Plan.from_json(found.plan.as_json()) == found.plan
