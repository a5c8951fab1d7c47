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


def test_cases_may_lose_their_truth() -> None:
    cases = small(splits=["train", "train", "val", "test"])
    few = cases.without_truth([1, 3])
    assert [c.truth() is None for c in few] == [False, True, False, True]
    assert [e.unlabelled for e in few.entries] == [False, True, False, True]
    assert [e.id for e in few.labelled.entries] == [cases.entries[0].id, cases.entries[2].id]
    assert few.splits == cases.splits and few.entries[1].labels == ()
    assert all(c.truth() is not None for c in cases) and len(cases.labelled) == 4
    assert [e.unlabelled for e in few.with_splits(["val"] * 4).entries] == [False, True, False, True]
    assert [c.truth() is None for c in few.with_splits(["val"] * 4)] == [False, True, False, True]
    listed = Cases((Entry("a", cases.entries[0].open, files={"image": "a.png", "truth": "b.png"}),))
    assert dict(listed.without_truth([0]).entries[0].files) == {"image": "a.png"}
