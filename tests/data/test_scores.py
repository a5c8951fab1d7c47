"""Scores as one JSON document without NaN."""

import json

from isocenter.data import CaseScore, Score, Scores, Test


def test_json_form() -> None:
    scores = Scores(
        "segment",
        "histogram",
        "test",
        {"dice": {"all": Score(0.5, None, None, 1, flags=("one_subject",))}},
        (CaseScore("a", "g", {"dice": {"lung": 0.5}}),),
        n_subjects=1,
    )
    document = json.loads(json.dumps(scores.as_json(), allow_nan=False))
    assert document["n_cases"] == 1 and document["metrics"]["dice"]["all"]["flags"] == ["one_subject"]
    assert document["interval"]["by"] == "group" and document["format"] == 1


def test_a_comparison_may_lack_p() -> None:
    test = Test("a", "b", "dice", "all", 0.1, 0.0, 0.2, None, None, "paired bootstrap", ("few_subjects",))
    assert test.p is None
