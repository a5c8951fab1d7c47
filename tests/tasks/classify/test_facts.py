from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter.data import Case
from isocenter.errors import InputError
from isocenter.tasks.classify._facts import WORDS, Coding, known


def case(**facts: Any) -> Case:
    return Case("patient", {}, facts=facts)


TRAIN = [case(age=60.0, sex="M", crp=None), case(age=70.0, sex="F", crp=4), case(age=80.0, sex="M", crp=8.0)]


def test_numbers_words_and_what_is_missing() -> None:
    coding = Coding.learnt(TRAIN, ["age", "sex", "crp", "nobody"])
    assert set(coding.facts) == {"age", "sex", "crp"} and coding.width == 1 + 2 + 2
    sd = float(np.std([60, 70, 80]))
    assert coding.of(TRAIN[0]).tolist() == pytest.approx([-10 / sd, 0, 1, 0, 1])
    assert coding.of(TRAIN[2]).tolist() == pytest.approx([10 / sd, 0, 1, 1, 0])
    # A fact that train always knew has no column for being unknown: it stands at the mean, or in no word.
    assert coding.of(case()).tolist() == [0, 0, 0, 0, 1]
    assert coding.of(case(age=1e9, sex="F", crp=6.0)).tolist() == pytest.approx([5, 1, 0, 0, 0])


def test_nan_and_empty_text_are_missing() -> None:
    assert known(case(age=float("nan")), "age") is None and known(case(sex=" "), "sex") is None
    assert known(case(age=3), "age") == 3.0 and known(case(), "age") is None
    coding = Coding.learnt(TRAIN, ["age"])
    assert not coding.present(case(age=float("nan"))) and coding.present(case(age=3))


def test_a_fact_that_never_changes_says_nothing() -> None:
    coding = Coding.learnt([case(a=5.0), case(a=5.0)], ["a"])
    assert coding.of(case(a=5.0)).tolist() == [0.0] and coding.of(case(a=6.0)).tolist() == [1.0]


def test_it_comes_back_from_plain_values() -> None:
    coding = Coding.learnt(TRAIN, ["age", "sex"])
    assert Coding({k: dict(v) for k, v in coding.facts.items()}).of(TRAIN[1]).tolist() == coding.of(TRAIN[1]).tolist()


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"age": "old"}, "'age' is text where other cases have a number"),
        ({"age": float("inf")}, "infinite"),
        ({"sex": 1.0}, "'sex' is a number where train has text"),
        ({"sex": "MALE"}, "has a value that train has not"),
    ],
)
def test_a_fact_of_another_kind_than_in_train_is_refused(facts: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Coding.learnt(TRAIN, ["age", "sex"]).of(case(**facts))


def test_train_that_mixes_kinds_is_refused() -> None:
    with pytest.raises(InputError, match=r"patient: .*'age' is text"):
        Coding.learnt([*TRAIN, case(age="sixty")], ["age"])
    # Whatever comes first, the odd one is named.
    with pytest.raises(InputError, match="got 'sixty'"):
        Coding.learnt([case(age="sixty"), *TRAIN], ["age"])
    with pytest.raises(InputError, match="'sex' is a number where other cases have text"):
        Coding.learnt([*TRAIN, case(sex=2.0)], ["sex"])
    with pytest.raises(InputError, match="free text"):
        Coding.learnt([case(note=f"word {i}") for i in range(WORDS + 1)], ["note"])
