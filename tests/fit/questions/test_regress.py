"""Learning how much it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import Cases, Plan
from isocenter.errors import LabelError
from isocenter.fit import Fingerprint
from isocenter.fit.feed import Shelf, batch
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.questions.regress import QUESTION, huber
from isocenter.infer.plans import flaws
from isocenter.tasks.regress.cnn import Cnn


def bright(n: int = 12, size: int = 16) -> Cases:
    """Images whose number is a hundred times the value of their upper left quarter."""
    rng = np.random.default_rng(0)
    y = rng.uniform(0.1, 1, n)
    x = rng.normal(0, 0.01, (n, size, size)).astype(np.float32)
    x[:, : size // 2, : size // 2] += y[:, None, None]
    return Cases.from_arrays(x, 100 * y, task="regress", classes=["level"])


class Quarter(nn.Module):
    """The mean of the upper left quarter."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        half = x.shape[-1] // 2
        return x[:, 0, :half, :half].mean((1, 2))[:, None]


def test_the_numbers_of_train_are_facts_and_become_settings() -> None:
    cases = bright()
    facts = fingerprint(cases, "regress")
    truth = np.array([c.truth().of("level").number for c in cases])
    assert facts.numbers == {"mean": pytest.approx(truth.mean()), "sd": pytest.approx(truth.std()), "unit": "",
                             "low": truth.min(), "high": truth.max()}
    assert Fingerprint.from_json(facts.as_json()) == facts and facts.counts == {"level": 12}
    made = plan(Cnn(), facts).plan
    assert made.settings["mean"] == facts.numbers["mean"] and made.outputs == 1 and flaws(made) == []
    assert Plan.from_json(made.as_json()) == made
    assert fingerprint(Cases.from_arrays(np.zeros((4, 8, 8)), [0, 1, 0, 1]), "classify").numbers == {}


def test_nothing_is_drawn_larger_or_smaller_by_default() -> None:
    scheme = plan(Cnn(), fingerprint(bright(), "regress"))
    assert scheme.study.augment.spatial.scaling == (1.0, 1.0) and scheme.study.augment.spatial.flip == ()
    scheme = plan(Cnn(), replace(fingerprint(bright(), "regress"), channels=3, grey=False))
    assert scheme.study.augment.spatial.scaling == (1.0, 1.0)


def test_targets_are_standard_deviations_from_the_mean() -> None:
    cases = bright()
    scheme = plan(Cnn(), fingerprint(cases, "regress"))
    shelf = Shelf(cases, scheme)
    targets = np.array([shelf[i].target for i in range(12)])
    assert targets.shape == (12, 1) and targets.mean() == pytest.approx(0, abs=1e-6)
    assert targets.std() == pytest.approx(1, abs=1e-6)
    images, numbers = batch(shelf, 0, seed=0, size=4)
    assert images.shape == (4, 1, 16, 16) and numbers.shape == (4, 1) and numbers.dtype == torch.float32


def test_the_loss_is_hubers_with_heads_half_way() -> None:
    out, target = torch.tensor([[0.5], [3.0]]), torch.zeros(2, 1)
    assert float(huber(out, target)) == pytest.approx((0.125 + 2.5) / 2)
    assert float(huber([out, out], target)) == pytest.approx(1.3 * (0.125 + 2.5) / 2)
    assert float(huber(out.bfloat16(), target)) == pytest.approx(1.3125, abs=1e-2)


def test_how_far_off_on_val_is_kept() -> None:
    cases = bright(30)
    scheme = plan(Cnn(), fingerprint(cases, "regress"))
    how = scheme.plan.settings
    rescaled = replace(scheme, plan=replace(scheme.plan, normalisation=replace(scheme.plan.normalisation, kind="none"),
                                            settings={**how, "mean": 0.0, "sd": 100.0}))
    shelf = Shelf(cases, rescaled)
    assert QUESTION.score(Quarter(), shelf) == pytest.approx(0, abs=0.01)
    made = QUESTION.finished(rescaled, Quarter(), shelf)
    assert 0 < made.plan.settings["reach"] < 1 and "30 cases" in made.origins["plan.settings.reach"]
    few = QUESTION.finished(rescaled, Quarter(), Shelf(cases.subset(range(8)), rescaled))
    assert "reach" not in few.plan.settings and "needs 9" in few.origins["plan.settings.reach"]


def test_what_is_no_number_is_refused() -> None:
    classes = Cases.from_arrays(np.zeros((4, 8, 8)), [0, 1, 0, 1])
    with pytest.raises(LabelError, match="no number"):
        QUESTION.looked(classes[0], ("level",))
    scheme = plan(Cnn(), fingerprint(bright(), "regress"))
    with pytest.raises(LabelError, match="no number"):
        QUESTION.ready(classes[0], scheme, np.zeros((1, 8, 8), np.float32))
    same = Cases.from_arrays(np.random.default_rng(0).normal(size=(4, 16, 16)), [5.0] * 4, task="regress")
    with pytest.raises(LabelError, match="one number"):
        plan(Cnn(), fingerprint(same, "regress"))
