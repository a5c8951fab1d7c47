"""From a case to the finding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from isocenter.data import Case, Cases, Image, NotEvaluated
from isocenter.nets.adversarial import Found, fgsm
from isocenter.tasks.attack._climb import climbed, seed_of


def search(v: Any, aim: Any, ball: Any) -> Found:
    return fgsm(v.answers, v.x, aim, ball=ball)


def test_the_finding_holds_what_was_measured(classifier: Any, classified: Cases) -> None:
    made = climbed(classifier, classified.split("test")[0], search, name="x", norm="linf", epsilon=6 / 255)
    assert made.altered and made.largest == 6 and made.method == "x" and made.epsilon == 6 / 255
    assert made.checks["gradient"] > 0 and made.checks["last_loss"] > made.checks["first_loss"]
    assert made.checks["unrounded"] == 1 and made.checks["noise"] == 0, "noise of six levels does nothing here"


def test_what_is_wrong_already_is_left_as_it_is(classifier: Any, classified: Cases) -> None:
    case = classified.split("test")[0]
    other = next(c for c in classified.split("test") if c.truth() != case.truth()).truth()

    def never(v: Any, aim: Any, ball: Any) -> Found:
        raise AssertionError("nothing to attack")

    made = climbed(classifier, replace(case, load_truth=lambda: other), never, name="x", norm="linf", epsilon=0.1)
    assert not made.values.any() and made.before is made.after and made.checks == {"wrong_before": 1.0}


def test_less_than_one_level_changes_nothing(classifier: Any, classified: Cases) -> None:
    made = climbed(classifier, classified.split("test")[1], search, name="x", norm="linf", epsilon=0.6 / 255)
    assert not made.values.any() and not made.altered


def test_pixels_with_fractions_are_changed_by_fractions(classifier: Any, classified: Cases) -> None:
    case = classified.split("test")[0]
    image = case.image().replaced(lambda: case.image().pixels() / np.float32(1), dtype="float32")
    made = climbed(classifier, replace(case, images={"image": image}), search, name="x", norm="linf", epsilon=0.01)
    low, high = made.span
    assert (low, high) == (image.pixels().min(), image.pixels().max())
    assert made.size <= 0.01 * 1.0001 and made.largest != round(made.largest)


def test_no_answer_no_attack(classifier: Any) -> None:
    broken = Case.of(Image.from_array(np.full((24, 24), np.inf)))
    assert isinstance(climbed(classifier, broken, search, name="x", norm="linf", epsilon=0.1), NotEvaluated)


def test_seeds_are_those_of_the_case(classified: Cases) -> None:
    a, b = classified[0], classified[1]
    assert seed_of(a) == seed_of(replace(a, split="x")) != seed_of(b) and seed_of(a, 1) != seed_of(a)
