"""Manifests: splits, groups, arrays in memory."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Cases, Entry, Probabilities, Segmentation
from isocenter.errors import InputError, NotFoundError


def small(**extra: object) -> Cases:
    return Cases.from_arrays(np.zeros((4, 5, 6)), [0, 1, 1, 0], **extra)


def test_nothing_opens_before_it_is_asked_for() -> None:
    def refuse() -> None:
        raise AssertionError("opened")

    cases = Cases((Entry("a", refuse, subject="s", split="train"), Entry("b", refuse, split="test")))
    assert len(cases) == 2 and cases.splits == {"train": 1, "test": 1}
    assert cases.groups == ("s", "\0b") and cases.n_subjects == 2 and not cases.subjects_known
    assert cases.split("train").entries[0].id == "a" and len(cases.subset([1, 0])) == 2
    with pytest.raises(NotFoundError, match="no split 'val'"):
        cases.split("val")


def test_splits_given_later_reach_the_opened_case() -> None:
    cases = small().with_splits(["train", "train", "val", "test"])
    assert [c.split for c in cases] == ["train", "train", "val", "test"]


def test_lengths_must_agree() -> None:
    with pytest.raises(InputError, match="x and y differ"):
        Cases.from_arrays(np.zeros((3, 2, 2)), [1])
    with pytest.raises(InputError, match="x and subjects differ"):
        small(subjects=["a"])


def test_iteration_is_lazy_and_in_order() -> None:
    assert [c.id for c in small()] == ["case0000", "case0001", "case0002", "case0003"]
    truth = small()[1].truth()
    assert isinstance(truth, Probabilities) and truth.label == "1"
    found = Cases.from_arrays(np.zeros((1, 2, 2)), np.ones((1, 2, 2)), task="segment")[0].truth()
    assert isinstance(found, Segmentation)
