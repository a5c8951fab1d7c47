from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from isocenter.errors import InputError
from isocenter.metrics.outside import told_apart
from isocenter.metrics.resample import wilson


def drawn(n: int, mean: float, seed: int) -> list[tuple[str, float]]:
    rng = np.random.default_rng(seed)
    return [(f"g{i}", float(v)) for i, v in enumerate(rng.normal(mean, 0.3, n))]


def test_the_auroc_is_that_of_the_distances_and_the_shares_are_counted() -> None:
    inside, outside = drawn(40, 0.7, 0), drawn(30, 1.1, 1)
    found = told_apart(inside, outside)
    away = np.array([v for _, v in inside + outside])
    assert found["ood_auroc"].value == pytest.approx(roc_auc_score([0] * 40 + [1] * 30, away))
    score = found["ood_auroc"]
    assert score.low < score.value < score.high < 1 and score.n == 70
    hits, false = (away[40:] > 1).sum(), (away[:40] > 1).sum()
    assert found["refused_outside"].value == pytest.approx(hits / 30) and found["refused_outside"].n == 30
    assert found["refused_inside"].value == pytest.approx(false / 40)
    assert (found["refused_outside"].low, found["refused_outside"].high) == pytest.approx(wilson(hits, 30, 0.95))


def test_refused_for_another_reason_is_farther_than_all() -> None:
    found = told_apart([("a", 0.5), ("b", 3.0)] * 1 + drawn(20, 0.7, 2), [(f"o{i}", np.inf) for i in range(20)])
    assert found["ood_auroc"].value == 1.0 and found["refused_outside"].value == 1.0
    assert 0.5 < found["ood_auroc"].low < 1 and found["refused_outside"].low > 0.8
    tied = told_apart([("a", np.inf)] * 5, [("o", np.inf)] * 5)
    assert tied["ood_auroc"].value == 0.5


def test_images_of_one_group_are_drawn_together() -> None:
    values = drawn(60, 0.9, 3)
    grouped = [(f"g{i // 10}", v) for i, (_, v) in enumerate(values)]
    one, two = (told_apart(inside, drawn(60, 1.1, 4), resamples=400) for inside in (values, grouped))
    assert one["ood_auroc"].value == two["ood_auroc"].value and "few_in_class" in two["ood_auroc"].flags
    # The same name on both sides is two groups.
    assert told_apart(values, values)["ood_auroc"].value == 0.5


def test_one_side_is_missing() -> None:
    for sides in (([], drawn(3, 1, 0)), (drawn(3, 1, 0), [])):
        with pytest.raises(InputError, match="tell apart"):
            told_apart(*sides)
