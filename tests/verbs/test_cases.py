from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Cases, Problem
from isocenter.errors import InputError, IsocenterError, LabelError, LeakageError, NotFoundError, TableError, UsageError
from isocenter.inspect import fingerprint
from isocenter.tasks.classify.autoencoder import Autoencoder
from isocenter.tasks.classify.linear import Linear
from isocenter.verbs._cases import (
    cases_of,
    caveats,
    chosen,
    divided,
    examined,
    first_refusal,
    kind_of,
    known_classes,
    known_to_train,
    refuse,
    scarce,
    unseen,
    with_allowance,
)


def cases(n: int = 20, *, splits: list[str] | None = None, classes: int = 2, subjects: bool = True) -> Cases:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (n, 16, 16)).astype(np.uint8)
    who = [f"p{i // 2}" for i in range(n)] if subjects else None
    return Cases.from_arrays(x, [f"c{i // 2 % classes}" for i in range(n)], subjects=who, splits=splits)


def test_arrays_and_cases_are_data() -> None:
    made = cases()
    assert cases_of(made, "classify", options={}) is made or len(cases_of(made, "classify", options={})) == 20
    x = np.zeros((4, 8, 8), np.uint8)
    assert cases_of((x, ["a", "b", "a", "b"]), "classify", options={}).classes == ("a", "b")


def test_the_first_error_is_raised_in_its_kind_and_the_others_are_counted() -> None:
    bad = Problem("table", "error", "row 3 is torn", "t.csv")
    with pytest.raises(TableError, match=r"row 3 is torn.*1 more problem"):
        refuse([Problem("x", "warning", "well"), bad, bad])
    refuse([Problem("x", "note", "well")])
    assert kind_of("leakage") is LeakageError and kind_of("nonsense") is IsocenterError


def test_when_every_case_was_refused() -> None:
    error = first_refusal([Problem("label", "error", "no truth", "a")] * 3, 3)
    assert isinstance(error, LabelError) and "2 other cases" in error.line()
    assert isinstance(first_refusal([], 0), NotFoundError)


def test_a_split_is_never_replaced_by_another() -> None:
    made = cases(splits=["train"] * 10 + ["test"] * 10)
    assert len(chosen(made, "test")) == 10 and len(chosen(made, "all")) == 20
    with pytest.raises(NotFoundError, match=r"no split 'tset'\. Did you mean test\? Known: test, train"):
        chosen(made, "tset")
    with pytest.raises(NotFoundError, match=r"not divided, so there is no split 'test'.*isocenter split DATA -o TABLE"):
        chosen(cases(), "test")
    assert len(chosen(cases(), "")) == len(chosen(cases(), "all")) == 20


def test_unsplit_data_are_divided_by_group_and_that_is_said() -> None:
    made, notes = divided(cases(), seed=3)
    assert set(made.splits) == {"train", "val", "test"} and "seed 3" in notes[0]
    sides: dict[str, set[str]] = {}
    for entry in made.entries:
        sides.setdefault(entry.subject, set()).add(entry.split)
    assert all(len(s) == 1 for s in sides.values())
    again, _ = divided(cases(), seed=3)
    assert [e.split for e in again.entries] == [e.split for e in made.entries]


def test_val_is_cut_from_train_alone() -> None:
    given = cases(splits=["train"] * 16 + ["test"] * 4)
    assert divided(given, seed=0) == (given, ())
    made, notes = divided(given, seed=0, val_from="train")
    assert made.splits["test"] == 4 and made.splits["val"] >= 2 and "cut from train" in notes[0]
    with pytest.raises(UsageError, match="already"):
        divided(made, seed=0, val_from="train")
    with pytest.raises(UsageError, match="train only"):
        divided(given, seed=0, val_from="test")


def test_the_datas_own_val_stands_as_test_where_val_is_cut_from_train() -> None:
    given = cases(splits=["train"] * 16 + ["val"] * 4)
    made, notes = divided(given, seed=0, val_from="train")
    own = {e.id for e in given.split("val").entries}
    assert {e.id for e in made.split("test").entries} == own and not own & {e.id for e in made.split("val").entries}
    assert notes[0].startswith("the data's own val stands as test; val was cut from train")


def test_leakage_needs_permission_and_a_reason() -> None:
    leaking = cases(splits=["train", "test"] * 10)
    with pytest.raises(LeakageError, match="2 sides"):
        examined(leaking, {})
    with pytest.raises(UsageError, match="--because"):
        examined(leaking, {"allow": "leakage"})
    options = {"allow": "leakage", "because": "two eyes"}
    found = examined(with_allowance(leaking, "two eyes"), options)  # type: ignore[arg-type]
    assert found.problems and all(p.severity == "warning" for p in found.problems)
    assert caveats(with_allowance(leaking, "two eyes")) == ("leakage allowed: two eyes",)
    # A set may declare it itself.
    assert examined(replace(leaking, allow={"leakage": "declared"}), {}).problems


def test_one_pass_gives_the_checksums() -> None:
    made = cases(splits=["train"] * 10 + ["test"] * 10)
    assert dict(examined(made, {}).shas) == fingerprint(made)


def test_cases_that_a_bundle_studied_are_refused() -> None:
    made = cases()
    shas = list(fingerprint(made).values())
    unseen(made, {}, name="b")
    unseen(made, {"train": ["0" * 64], "val": []}, name="b")
    with pytest.raises(LeakageError, match="1 case of 20"):
        unseen(made, {"train": ["0" * 64], "val": [shas[3]]}, name="b")


def test_unknown_patients_are_said() -> None:
    assert "patients unknown" in caveats(cases(subjects=False))[0]
    assert caveats(cases()) == ()
    named = replace(cases(), positive="c1")
    assert caveats(named) == ("all means c1 against the rest",)


def test_truth_that_was_left_out_is_said_in_every_table() -> None:
    what = "an object without area was left out"
    left = [Problem("object", "warning", what, "a.xml", f"object {i}") for i in (1, 2, 3)]
    other = [Problem("count", "warning", "9 cases of 10", "b.json"), Problem("patients-unknown", "note", "unknown")]
    assert caveats(replace(cases(), problems=(*left, *other))) == (
        "a.xml: an object without area was left out: got object 1. 2 more like this: isocenter check lists them.",
        "b.json: 9 cases of 10.",
    )


def test_a_class_with_a_single_case_is_said() -> None:
    def held(*labels: str) -> Cases:
        x = np.zeros((6, 4, 4), np.uint8)
        splits = ["train"] * 3 + ["val"] * 2 + ["test"]
        made = Cases.from_arrays(x, list(labels), splits=splits, subjects=list("abcdef"))
        return replace(made, positive=None)

    [said] = scarce(held("a", "a", "b", "a", "b", "a"))
    assert said == "train holds one case of b: that is too little to learn from"
    assert scarce(held("a", "b", "b", "b", "b", "a")) == (
        "train holds one case of a: that is too little to learn from",
        "val holds no case of a: neither thresholds nor scores there mean anything for it",
    )
    assert scarce(held("a", "b", "b", "b", "b", "a"))[0] in caveats(held("a", "b", "b", "b", "b", "a"))
    assert scarce(replace(held("a", "b", "b", "b", "b", "a"), task="segment")) == ()


def test_classes_that_a_method_has_never_met() -> None:
    made = cases(classes=3)
    known_classes(made, (), name="m")
    known_classes(made, ("c0", "c1", "c2"), name="m")
    with pytest.raises(LabelError, match="c2"):
        known_classes(made, ("c0", "c1"), name="m")
    # A method that says foreground is scored against whatever the truth calls it.
    known_classes(made, ("background", "foreground"), name="m")


def test_classes_of_test_that_train_lacks() -> None:
    made = cases(4, classes=2, splits=["train", "train", "test", "test"])
    with pytest.raises(LabelError, match="unknown to train"):
        known_to_train(made, made.split("test"))
    known_to_train(made, made.split("train"))
    one, other = Autoencoder(), Linear()
    known_to_train(made, made.split("test"), by=[one, one])
    with pytest.raises(LabelError, match=r"isocenter split"):
        known_to_train(made, made.split("test"), by=[one, other])


def test_too_few_groups_to_divide() -> None:
    with pytest.raises(InputError):
        divided(cases(2), seed=0)
