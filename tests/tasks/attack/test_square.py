"""The attack that needs answers alone takes classical methods too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter.data import Case, Cases, Geometry, Image, NotEvaluated, Probabilities, Segmentation
from isocenter.errors import LabelError, RecipeError
from isocenter.metrics.attack import robust_dice
from isocenter.tasks.attack.square import Square, lead
from isocenter.tasks.segment.histogram import Histogram

GRID = Geometry.from_spacing((4, 4), None)


def test_a_network_falls_without_its_gradient(classifier: Any, classified: Cases) -> None:
    cases = list(classified.split("test"))[:4]
    found = [Square(of=classifier, epsilon=12 / 255, queries=60).predict(c) for c in cases]
    assert sum(p.altered for p in found) >= 3
    assert all(p.largest <= 12 and np.array_equal(p.values, np.rint(p.values)) for p in found)
    assert all(p.checks["queries"] <= 60 for p in found)


def test_a_classical_method_can_be_attacked(outlined: Cases) -> None:
    case = outlined.split("test")[0]
    none, some = (Square(of=Histogram(), epsilon=e, queries=40).predict(case) for e in (0.0, 0.2))
    assert not none.values.any()
    assert robust_dice(some)["values"]["square"] < robust_dice(none)["values"]["square"]


def test_more_queries_are_never_weaker_and_the_same_twice_is_the_same(outlined: Cases) -> None:
    case = outlined.split("test")[1]
    few, many, again = (Square(of=Histogram(), epsilon=0.1, queries=n).predict(case) for n in (5, 40, 40))
    assert robust_dice(many)["values"]["square"] <= robust_dice(few)["values"]["square"]
    assert np.array_equal(many.values, again.values)


@pytest.mark.parametrize("shape", [(6, 12, 12), (3, 12, 12)])
def test_volumes_and_colours(shape: tuple[int, ...]) -> None:
    class Bright:
        def predict(self, case: Case) -> Probabilities:
            share = float((case.image().pixels() > 127).mean())
            return Probabilities(("dark", "bright"), (1 - share, share))

    axes = "cyx" if shape[0] == 3 else "zyx"
    array = np.random.default_rng(0).integers(110, 125, shape).astype(np.uint8)
    made = Square(of=Bright(), epsilon=20 / 255, queries=200).predict(Case.of(Image.from_array(array, axes=axes)))
    assert made.values.shape == (shape if axes == "cyx" else (1, *shape))
    assert made.altered and made.after.label == "bright"


def test_grey_photographs_stay_grey() -> None:
    seen: list[np.ndarray] = []

    class Looks:
        def predict(self, case: Case) -> Probabilities:
            seen.append(case.image().pixels())
            return Probabilities(("a", "b"), (0.9, 0.1))

    grey = np.random.default_rng(0).integers(0, 255, (8, 8)).astype(np.uint8)
    Square(of=Looks(), epsilon=0.1, queries=3).predict(Case.of(Image.from_array(np.stack([grey] * 3), axes="cyx")))
    assert all(np.array_equal(p[0], p[1]) and np.array_equal(p[0], p[2]) for p in seen) and len(seen) == 5


def test_how_much_of_the_aim_is_left() -> None:
    aim = Probabilities.truth(("a", "b"), ["a"])
    values = [lead(Probabilities(("a", "b"), (p, 1 - p)), aim) for p in (0.99, 0.7, 0.51, 0.4)]
    assert values == sorted(values, reverse=True) and values[2] > 0 == values[3]
    assert lead(Probabilities(("a", "b"), (0.4, 0.6), decided=("a",)), aim) > 0
    several = Probabilities.truth(("a", "b"), ["a"], multilabel=True)
    assert lead(Probabilities(("a", "b"), (0.9, 0.1), True), several) > 0
    assert lead(Probabilities(("a", "b"), (0.9, 0.6), True), several) == 0
    whole = Segmentation(np.eye(4, dtype=np.uint8), ("background", "x"), GRID)
    assert lead(whole, whole) == pytest.approx(0.99) and lead(NotEvaluated("no"), whole) == 0


def test_what_does_not_answer_and_what_answers_otherwise() -> None:
    with pytest.raises(RecipeError, match="predicts"):
        Square()
    with pytest.raises(RecipeError, match="range"):
        Square(of=Histogram(), epsilon=3.0)

    class Other:
        def predict(self, case: Case) -> Any:
            return 3

    with pytest.raises(LabelError, match="int"):
        Square(of=Other()).predict(Case.of(Image.from_array(np.zeros((4, 4), np.uint8))))
    broken = Case.of(Image.from_array(np.full((4, 4), np.nan)))
    assert isinstance(Square(of=Histogram()).predict(broken), NotEvaluated)


def test_in_l2_the_budget_bounds_the_sum_of_squares(classifier: Any, classified: Cases) -> None:
    cases = list(classified.split("test"))[:4]
    size = float(np.sqrt(cases[0].image().pixels().size))
    found = [Square(of=classifier, epsilon=12 / 255 * size, queries=80, norm="l2").predict(c) for c in cases]
    assert all(p.norm == "l2" and p.size <= 12 / 255 * size * 1.001 for p in found)
    assert all(np.array_equal(p.values, np.rint(p.values)) for p in found)
    assert sum(p.altered for p in found) >= 2 and max(p.largest for p in found) > 12
    none = Square(of=classifier, epsilon=0.0, norm="l2", queries=5).predict(cases[0])
    assert not none.values.any() and not none.altered
    with pytest.raises(RecipeError, match="below 0"):
        Square(of=classifier, epsilon=-1.0, norm="l2")


def test_in_l2_a_method_without_gradients_in_three_axes(outlined: Cases) -> None:
    case = outlined.split("test")[0]
    none, some = (Square(of=Histogram(), epsilon=e, queries=40, norm="l2").predict(case) for e in (0.0, 12.0))
    assert robust_dice(some)["values"]["square"] < robust_dice(none)["values"]["square"] and some.size <= 12.01
