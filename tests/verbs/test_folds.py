from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Cases
from isocenter.errors import InputError, UsageError
from isocenter.verbs._folds import cross_fitted, folds_of, named
from isocenter.verbs._method import resolve
from isocenter.verbs._study import Budget


def cases(n: int = 24) -> Cases:
    rng = np.random.default_rng(0)
    x = rng.normal(100, 5, (n, 12, 12)) + 40 * (np.arange(n) // 2 % 2)[:, None, None]
    y = [("dark", "light")[i // 2 % 2] for i in range(n)]
    return Cases.from_arrays(x.astype(np.uint8), y, subjects=[f"p{i // 2}" for i in range(n)])


def test_every_case_is_test_once_with_its_group_and_val_is_cut_from_the_rest() -> None:
    made = cases()
    held: list[str] = []
    for fold in folds_of(made, 4, seed=0):
        assert set(fold.splits) == {"train", "val", "test"} and len(fold) == 24
        held += [e.id for e in fold.entries if e.split == "test"]
        sides: dict[str, set[str]] = {}
        for e in fold.entries:
            sides.setdefault(e.subject, set()).add(e.split)
        assert all(len(s) == 1 for s in sides.values())
    assert sorted(held) == [e.id for e in made.entries]


def test_each_subject_in_turn() -> None:
    assert sum(1 for _ in folds_of(cases(), "subject", seed=0)) == 12


def test_numbers_that_cannot_be() -> None:
    with pytest.raises(UsageError):
        next(folds_of(cases(), 1, seed=0))
    with pytest.raises(InputError):
        next(folds_of(cases(), 13, seed=0))


def test_cross_fitting_scores_everything_but_test() -> None:
    made = cases().with_splits(["test"] * 6 + ["train"] * 18)
    scores = cross_fitted(resolve("classify/linear"), made, options={"folds": 3, "threads": 1}, budget=Budget())
    assert len(scores.cases) == 18 and scores.split == named(3) == "3 folds"
    assert scores.metrics["auc"]["all"].value > 0.9 and scores.n_subjects == 9
