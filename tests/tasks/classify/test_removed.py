from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Plan
from isocenter.tasks.classify._removed import lines, log_odds, removed

PLAN = Plan("classify", 2, 1, ("no", "yes"), positive="yes")
Y = np.arange(12) % 2
TRUTH = np.eye(2)[Y]


def asked(present: np.ndarray) -> np.ndarray:
    """The first modality tells the class, the second moves it by a constant, the third is not looked at."""
    z = np.where(present[:, 0], 4.0 * Y - 2.0, 0.0) + np.where(present[:, 1], 0.5, 0.0)
    return np.stack([np.zeros(len(z)), z], axis=1)


def test_what_a_modality_is_worth() -> None:
    present = np.ones((12, 3), bool)
    present[:4, 1] = False
    told = removed(("PET", "CT", "facts"), asked, present, TRUTH, plan=PLAN, known=np.ones((7, 3), bool))
    assert told["PET"] | {"log_loss": 0, "log_loss_without": 0} == {
        "train": 7, "val": 12, "n": 12, "change": 2.0, "log_loss": 0, "log_loss_without": 0, "auc": 1.0,
        "auc_without": pytest.approx(0.5),
    }  # fmt: skip
    assert told["PET"]["log_loss_without"] > told["PET"]["log_loss"]
    assert told["CT"]["n"] == 8 and told["CT"]["change"] == pytest.approx(0.5) and told["CT"]["auc_without"] == 1.0
    assert told["facts"]["change"] == 0.0
    said = lines(told)
    assert said[0].startswith("PET: in 7 cases of train and 12 of val; without it (n = 12 of val) AUC 0.50 instead of")
    assert all("no proof" in line for line in said)


def test_a_modality_that_is_always_alone_and_a_val_of_one_class() -> None:
    alone = np.zeros((12, 2), bool)
    alone[:6, 0] = alone[6:, 1] = True
    told = removed(("PET", "CT"), lambda p: asked(np.c_[p, p[:, :1]]), alone, TRUTH, plan=PLAN, known=alone)
    assert told["PET"] == {"train": 6, "val": 6, "n": 0} and "nothing is known" in lines(told)[0]
    one = removed(
        ("PET", "CT"), lambda p: asked(np.c_[p, p[:, :1]]), np.ones((12, 2), bool), np.eye(2)[np.zeros(12, int)],
        plan=PLAN, known=alone,
    )  # fmt: skip
    assert one["PET"]["auc"] is None and "AUC" not in lines(one)[0]
    assert lines({"PET": one["PET"]}) == []


def test_log_odds_of_several_classes() -> None:
    logits = np.log(np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))
    at = np.array([2, 0])
    assert log_odds(logits, at, several=False) == pytest.approx([0.0, np.log(0.6 / 0.4)])
    assert log_odds(logits, at, several=True) == pytest.approx(logits[[0, 1], at])
    three = Plan("classify", 2, 1, ("a", "b", "c"))
    told = removed(
        ("PET", "CT"), lambda p: logits + p[:, :1], np.ones((2, 2), bool), np.eye(3)[[2, 0]], plan=three,
        known=np.ones((2, 2), bool),
    )  # fmt: skip
    assert told["PET"]["change"] == pytest.approx(0.0) and "auc" not in told["PET"]
