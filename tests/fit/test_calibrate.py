from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Plan
from isocenter.errors import RecipeError
from isocenter.fit.calibrate import (
    KINDS,
    SHARPEST,
    checked,
    chosen,
    error,
    fitted,
    temperature,
)
from isocenter.fit.validation import log_loss
from isocenter.infer.classifying import probabilities
from isocenter.infer.plans import flaws
from isocenter.metrics.recalibration import halves


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_found(true: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (8000, 3))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    chosen = (p.cumsum(1) > rng.random((len(p), 1))).argmax(1)
    truth = np.eye(3)[chosen]
    assert temperature(logits * true, truth) == pytest.approx(true, rel=0.06)


def test_several_labels_have_a_temperature_too() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (8000, 2))
    truth = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(float)
    assert temperature(logits * 2, truth, multilabel=True) == pytest.approx(2.0, rel=0.06)


def test_it_never_makes_val_worse_and_never_grows_certain() -> None:
    logits, truth = np.array([[9.0, -9.0], [-9.0, 9.0]]), np.eye(2)
    warm = temperature(logits, truth)
    assert warm >= SHARPEST * 0.999
    assert log_loss(logits / warm, truth) <= log_loss(logits, truth)


def simulated(n: int, *, k: int = 2, sure: float = 3.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Logits `sure` times too large, truth, and patients of two cases each."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, k))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = np.eye(k)[(p.cumsum(1) > rng.random((n, 1))).argmax(1)]
    return logits * sure, truth, [f"p{i // 2}" for i in range(n)]


def plan(k: int = 2, **settings: object) -> Plan:
    return Plan("classify", 2, 1, tuple("abcdef"[:k]), size=(8, 8), patch=(8, 8), divisor=(1, 1), settings=settings)


@pytest.mark.parametrize("sure", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_chosen_never_makes_the_held_out_half_worse(sure: float, seed: int) -> None:
    logits, truth, groups = simulated(120, sure=sure, seed=seed)
    made, said = chosen(plan(), logits, truth, groups)
    check = checked(plan(), "temperature", logits, truth, groups)
    assert check is not None and check.n == (~halves(groups)).sum()
    if check.after > check.before:
        assert made.temperature == 1.0 and "logits as they are" in said["plan.temperature"]
    else:
        assert made.temperature == temperature(logits, truth) and f"{check.after:.4f}" in said["plan.temperature"]
    order = [np.argmax(probabilities(row, made)) for row in logits]
    assert np.array_equal(order, logits.argmax(1))


def test_too_sure_logits_are_mended_on_cases_that_had_no_say() -> None:
    logits, truth, groups = simulated(800, k=3)
    new, answers, _ = simulated(800, k=3, seed=9)
    for kind in ("temperature", "platt", "isotonic"):
        made, said = chosen(plan(3, calibrate=kind), logits, truth, groups)
        assert "calibrate" in made.settings and kind in "".join(said.values())
        assert error(made, new, answers) < 0.3 * error(plan(3), new, answers)
        assert not flaws(made)


def test_logits_as_they_are_where_the_recipe_says_so() -> None:
    logits, truth, groups = simulated(100)
    made, said = chosen(plan(calibrate="none"), logits, truth, groups)
    assert made.temperature == 1.0 and "calibration" not in made.settings and "recipe" in said["plan.temperature"]
    with pytest.raises(RecipeError, match="no such calibration"):
        chosen(plan(calibrate="plat"), logits, truth, groups)


def test_a_map_of_an_earlier_choice_does_not_stay() -> None:
    logits, truth, groups = simulated(100)
    old = fitted(plan(calibrate="temperature"), "platt", logits, truth)
    made, _ = chosen(old, logits, truth, groups)
    assert "calibration" in old.settings and "calibration" not in made.settings


def test_few_cases_and_one_sided_halves_are_not_checked() -> None:
    logits, truth, groups = simulated(30)
    assert checked(plan(), "platt", logits, truth, groups) is None
    logits, truth, groups = simulated(60)
    assert checked(plan(), "platt", logits, np.eye(2)[[0] * 60], groups) is None
    made, said = chosen(plan(), logits[:30], truth[:30], groups[:30])
    assert made.temperature > 1 and said["plan.temperature"].endswith("over 30 cases")


def test_several_labels() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 1.5, (600, 2))
    truth = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(float)
    groups = [str(i) for i in range(600)]
    for kind in KINDS[:3]:
        made, _ = chosen(replace(plan(calibrate=kind), multilabel=True), logits * 4, truth, groups)
        assert error(made, logits * 4, truth) < 0.5 * error(replace(plan(), multilabel=True), logits * 4, truth)
