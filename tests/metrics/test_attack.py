"""What an attack leaves, and what speaks against believing it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import CaseScore, Geometry, NotEvaluated, Perturbation, Probabilities, Segmentation
from isocenter.errors import LabelError
from isocenter.metrics import METRICS, records, summarise
from isocenter.metrics.attack import masking, robust_accuracy, robust_dice, undone_by_rounding

TASK = catalog.task("attack")
GRID = Geometry.from_spacing((4, 4), (1.0, 1.0))
RIGHT, WRONG = Probabilities(("a", "b"), (0.8, 0.2)), Probabilities(("a", "b"), (0.3, 0.7))
FINE = {"gradient": 1.0, "first_loss": 0.1, "last_loss": 2.0, "noise": 0.0, "unrounded": 1.0}


def made(after: object = WRONG, **checks: float) -> Perturbation:
    values = np.full((1, 4, 4), 2, np.float32)
    return Perturbation(values, GRID, RIGHT, after, RIGHT, "pgd", checks={**FINE, **checks})


def labels(n: int) -> Segmentation:
    array = np.zeros((4, 4), np.uint8)
    array.flat[:n] = 1
    return Segmentation(array, ("background", "organ"), GRID)


def test_a_case_counts_as_robust_when_the_aim_is_still_decided_for() -> None:
    assert robust_accuracy(made(RIGHT)) == {"values": {"all": 1.0}}
    assert robust_accuracy(made(WRONG)) == {"values": {"all": 0.0}}
    assert robust_accuracy(made(replace(RIGHT, decided=("b",)))) == {"values": {"all": 0.0}}
    assert robust_accuracy(made(NotEvaluated("gone"))) == {"values": {"all": 0.0}}
    assert robust_accuracy(NotEvaluated("no answer at all")) == {"values": {"all": 0.0}}


def test_dice_is_that_of_the_answer_after() -> None:
    whole = Perturbation(np.zeros((1, 4, 4), np.float32), GRID, labels(8), labels(4), labels(8), "pgd")
    assert robust_dice(whole)["values"] == {"organ": pytest.approx(2 / 3)}
    assert robust_dice(replace(whole, after=NotEvaluated("gone")))["values"] == {"organ": 0.0}
    assert robust_accuracy(whole) == {"values": {"all": None}} and robust_dice(made()) == {"values": {}}


def test_the_table_has_n_and_an_interval() -> None:
    found = [made(RIGHT if i % 4 else WRONG) for i in range(40)]
    scores = [CaseScore(str(i), f"p{i}", records(TASK, p)) for i, p in enumerate(found)]
    table = summarise(TASK, scores, method="cnn", split="test").metrics["robust_accuracy"]["all"]
    assert table.value == 0.75 and table.n == 40 and table.low is not None and table.low < 0.75 < table.high
    assert METRICS["robust_accuracy"].better == "higher"


def test_only_a_perturbation_can_be_scored() -> None:
    with pytest.raises(LabelError, match="Perturbation"):
        records(TASK, RIGHT)


def test_an_honest_attack_has_no_flag() -> None:
    assert masking([made()] * 9 + [made(RIGHT)]) == ()
    assert masking([]) == ()
    assert masking([made(RIGHT)] * 10) == (), "a robust network is no flag by itself"


@pytest.mark.parametrize(
    ("flag", "checks"),
    [
        ("zero_gradient", {"gradient": 0.0}), ("loss_does_not_grow", {"last_loss": 0.1}),
        ("noise_as_good", {"noise": 1.0}),
    ],
)
def test_each_sign_of_masked_gradients_is_a_flag(flag: str, checks: dict[str, float]) -> None:
    few, many = ([made(**checks)] * n + [made()] * (20 - n) for n in (1, 19))
    assert masking(many) == (flag,) and masking(few) == ()


def test_what_was_wrong_before_is_no_sign_of_anything() -> None:
    before = replace(made(), values=np.zeros((1, 4, 4), np.float32), checks={"wrong_before": 1.0})
    assert masking([before] * 9 + [made()]) == ()
    assert masking([made()], black_box=[before]) == ()


def test_a_black_box_that_gets_through_is_a_flag() -> None:
    assert masking([made(RIGHT)] * 5, black_box=[made(RIGHT)] * 4 + [made(WRONG)]) == ("black_box_better",)


def test_a_budget_below_one_level_is_a_flag() -> None:
    still = replace(made(RIGHT), values=np.zeros((1, 4, 4), np.float32))
    assert masking([still] * 3) == ("below_one_level",)


def test_what_rounding_undid_is_counted() -> None:
    assert undone_by_rounding([made(), made(RIGHT), made(RIGHT, unrounded=0.0)]) == 1
