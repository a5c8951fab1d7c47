"""Many steps: never weaker than one, the same twice, and judged on the stored image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image
from isocenter.errors import RecipeError
from isocenter.metrics.attack import robust_dice
from isocenter.tasks.attack.fgsm import Fgsm
from isocenter.tasks.attack.pgd import Pgd


def test_it_alters_what_one_step_alters(classifier: Any, classified: Cases) -> None:
    for case in list(classified.split("test"))[:4]:
        one, many = (m(of=classifier, epsilon=3 / 255).predict(case).altered for m in (Fgsm, Pgd))
        assert many >= one


def test_the_answer_after_is_the_answer_to_the_stored_image(classifier: Any, classified: Cases) -> None:
    case = classified.split("test")[0]
    made = Pgd(of=classifier, epsilon=4 / 255).predict(case)
    pixels = case.image().pixels().astype(int) + made.values[0].astype(int)
    assert np.array_equal(made.values, np.rint(made.values)) and pixels.min() >= 0 and pixels.max() <= 255
    written = Case.of(Image.from_array(pixels.astype(np.uint8)))
    assert classifier.predict(written) == made.after and made.altered and made.largest <= 4


def test_the_same_twice_and_another_seed_is_another_start(classifier: Any, classified: Cases) -> None:
    case = classified.split("test")[0]
    a, b, c = (Pgd(of=classifier, epsilon=1 / 255, steps=3, seed=s).predict(case) for s in (0, 0, 1))
    assert np.array_equal(a.values, b.values) and not np.array_equal(a.values, c.values)


def test_regions_shrink_as_the_budget_grows(segmenter: Any, outlined: Cases) -> None:
    case = outlined.split("test")[0]
    made = [Pgd(of=segmenter, epsilon=e / 255, steps=8).predict(case) for e in (0, 4, 12)]
    dice = [robust_dice(p)["values"]["square"] for p in made]
    assert dice[0] > 0.8 > dice[1] > dice[2]


def test_l2_bounds_the_sum_of_squares(classifier: Any, classified: Cases) -> None:
    case = classified.split("test")[1]
    made = Pgd(of=classifier, norm="l2", epsilon=0.3).predict(case)
    assert made.altered and 0.2 < made.size <= 0.3001


def test_a_budget_beyond_the_range_is_refused(classifier: Any) -> None:
    with pytest.raises(RecipeError, match="range"):
        Pgd(of=classifier, epsilon=8.0)
