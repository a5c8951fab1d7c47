from __future__ import annotations

from typing import Any

import pytest

from isocenter.errors import TableError, UnreadableError
from isocenter.layouts import cases_json


def test_everything_that_can_be_said(folder: Any) -> None:
    path = folder.json({
        "format": 1, "table": "m.csv", "tables": [{"file": "c.csv", "on": "image"}], "case": "exam", "role": "mod",
        "frame": "t", "subject": "who", "group": "site", "split": "part", "facts": ["age"],
        "truth": {
            "segment": {"column": "mask", "role": "PET",
                        "labels": {"background": 0, "lung": 255, "ignore": [127, 128]}},
            "classify": {"column": "dx", "positive": 1},
        },
        "allow": {"leakage": "one film"},
    })
    said = cases_json.read(path)
    assert said.table == "m.csv" and said.tables == (("c.csv", "image"),)
    wanted = {"case": "exam", "role": "mod", "frame": "t", "subject": "who", "group": "site", "split": "part"}
    assert said.columns == wanted
    assert said.truth["segment"].labels == {"background": ("0",), "lung": ("255",), "ignore": ("127", "128")}
    assert said.truth["classify"].positive == "1" and said.facts == ("age",) and said.allow == {"leakage": "one film"}
    assert said.named() == {"exam", "mod", "t", "who", "site", "part", "age", "mask", "dx", "image"}


def test_a_newer_format_is_refused_with_what_to_do() -> None:
    with pytest.raises(TableError, match="format 2 is newer") as error:
        cases_json.parsed({"format": 2, "something": "new"}, "cases.json")
    assert "pip install -U isocenter" in error.value.remedy


@pytest.mark.parametrize("version", [None, "1", True, 0])
def test_the_format_must_be_stated(version: Any) -> None:
    with pytest.raises(TableError, match="format is not stated"):
        cases_json.parsed({"format": version}, "cases.json")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"format": 1, "subjct": "who"}, "Did you mean subject"),
        ({"format": 1, "truth": {"segment": {"colum": "mask"}}}, "Did you mean column"),
        ({"format": 1, "allow": {"everything": "yes"}}, "unknown key 'everything'"),
        ({"format": 1, "subject": 3}, "subject is not text"),
        ({"format": 1, "facts": "age"}, "facts is not a list"),
        ({"format": 1, "truth": []}, "truth is not an object"),
        ({"format": 1, "truth": {"segment": {"labels": {"a": None}}}}, "not a number or a name"),
        ([], "the document is not an object"),
    ],
)
def test_faults_are_named(document: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        cases_json.parsed(document, "cases.json")


def test_what_is_not_json_is_refused(folder: Any) -> None:
    with pytest.raises(UnreadableError, match="not JSON"):
        cases_json.read(folder.text("cases.json", "{"))
    with pytest.raises(UnreadableError, match="not JSON"):
        cases_json.read(folder.text("deep.json", "[" * 100_000))


@pytest.mark.parametrize("said", [True, False, None])
def test_several_labels_at_once_are_declared(said: bool | None) -> None:
    truth = {"column": "label"} | ({} if said is None else {"multilabel": said})
    read = cases_json.parsed({"format": 1, "truth": {"classify": truth}}, "x")
    assert read.truth["classify"].multilabel is said


@pytest.mark.parametrize("said", ["yes", 1, []])
def test_several_labels_are_true_or_false(said: Any) -> None:
    with pytest.raises(TableError, match=r"truth\.classify\.multilabel is not true or false"):
        cases_json.parsed({"format": 1, "truth": {"classify": {"column": "label", "multilabel": said}}}, "x")


def test_what_happens_to_useless_objects_is_one_of_two_words() -> None:
    said = cases_json.parsed({"format": 1, "truth": {"detect": {"column": "boxes", "invalid": "refuse"}}}, "x")
    assert said.truth["detect"].invalid == "refuse"
    with pytest.raises(TableError, match=r"truth\.detect\.invalid is none of its words.*drop or refuse"):
        cases_json.parsed({"format": 1, "truth": {"detect": {"column": "boxes", "invalid": "keep"}}}, "x")
