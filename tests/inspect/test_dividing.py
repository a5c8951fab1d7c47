from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Cases
from isocenter.errors import InputError, UsageError
from isocenter.inspect import divide, kfold, leakage
from isocenter.inspect.leaking import shared_groups


def shares(cases: Cases, label: str | None = None) -> dict[str, float]:
    held = [e for e in cases.entries if label is None or label in e.labels]
    return {s: n / len(held) for s, n in Counter(e.split for e in held).items()}


def test_groups_stay_whole_and_classes_even(labelled: Callable[..., Cases]) -> None:
    rng = np.random.default_rng(0)
    groups = [f"g{g}" for g in range(60) for _ in range(int(rng.integers(1, 8)))]
    labels = ["rare" if rng.random() < 0.15 else "often" for _ in groups]
    cases = divide(labelled(labels, groups), test=0.2, val=0.1, seed=3)
    assert shared_groups(cases) == ()
    for label in (None, "rare", "often"):
        found = shares(cases, label)
        assert found["test"] == pytest.approx(0.2, abs=0.03) and found["val"] == pytest.approx(0.1, abs=0.03)


def test_the_same_seed_gives_the_same_split(labelled: Callable[..., Cases]) -> None:
    cases = labelled(["a", "b"] * 30, [f"g{i // 3}" for i in range(60)])
    splits = [[e.split for e in divide(cases, seed=seed).entries] for seed in (1, 1, 2)]
    assert splits[0] == splits[1] != splits[2]


def test_folds_are_even(labelled: Callable[..., Cases]) -> None:
    cases = divide(labelled(["a", "b", "b", "b"] * 25, [f"g{i // 2}" for i in range(100)]), folds=5)
    assert cases.splits.keys() == {f"fold{i}" for i in range(1, 6)} and shared_groups(cases) == ()
    assert all(18 <= n <= 22 for n in cases.splits.values())
    assert all(abs(v - 0.2) < 0.05 for v in shares(cases, "a").values())


def test_few_large_groups_leave_no_part_empty(labelled: Callable[..., Cases]) -> None:
    cases = divide(labelled(["a"] * 20, ["big"] * 18 + ["x", "y"]), test=0.2, val=0.1)
    assert set(cases.splits) == {"train", "val", "test"} and cases.splits["train"] == 18


def test_unknown_subjects_are_their_own_group(labelled: Callable[..., Cases]) -> None:
    assert sorted(divide(labelled(["a", "b"] * 10), test=0.2, val=0.1).splits.values()) == [2, 4, 14]


def test_parts_of_no_share_do_not_appear(labelled: Callable[..., Cases]) -> None:
    assert set(divide(labelled(["a"] * 10), test=0.0, val=0.3).splits) == {"train", "val"}


def test_other_values_of_split_are_left_alone(labelled: Callable[..., Cases]) -> None:
    cases = labelled(["a"] * 12, splits=["unlabelled"] * 2 + ["train"] * 5 + [""] * 5)
    assert divide(cases).splits["unlabelled"] == 2


@pytest.mark.parametrize("how", [{"test": 0.9, "val": 0.1}, {"test": -0.1}, {"folds": 1}])
def test_impossible_shares_are_refused(labelled: Callable[..., Cases], how: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        divide(labelled(["a"] * 10), **how)


def test_too_few_groups_are_refused(labelled: Callable[..., Cases]) -> None:
    with pytest.raises(InputError, match="2 groups of 10 cases"):
        divide(labelled(["a"] * 10, ["x"] * 5 + ["y"] * 5))
    with pytest.raises(InputError):
        divide(labelled(["a"] * 3), folds=5)


def test_every_case_is_held_out_once(labelled: Callable[..., Cases]) -> None:
    cases = labelled(["a", "b"] * 20, [f"g{i // 4}" for i in range(40)])
    for k, n in ((5, 5), ("subject", 10)):
        held = []
        for train, out in kfold(cases, k, seed=1):
            assert not {*train.groups} & {*out.groups} and len(train) + len(out) == 40
            held += [e.id for e in out.entries]
        assert sorted(held) == sorted(e.id for e in cases.entries) and len(list(kfold(cases, k))) == n
    with pytest.raises(UsageError):
        next(kfold(cases, "run"))
    with pytest.raises(InputError):
        next(kfold(labelled(["a", "b"], ["g", "g"]), "subject"))


def test_real_data_divide_without_leaks(real_data: Callable[[str], Path]) -> None:
    cases = divide(layouts.read(real_data("chest-xray-pneumonia"), task="classify"), seed=0)
    assert shared_groups(cases) == ()
    for label in cases.classes:
        assert shares(cases, label)["test"] == pytest.approx(0.2, abs=0.01)
    again = divide(layouts.read(real_data("cardiac-mr-sunnybrook"), task="segment"), test=0.25, val=0.15)
    assert leakage(again, near=False) == () and shares(again)["test"] == pytest.approx(0.25, abs=0.06)
