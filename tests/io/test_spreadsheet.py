from __future__ import annotations

import csv
import io
import json

import pytest

from isocenter.data import Probabilities, Value, Values
from isocenter.io import answers
from isocenter.io.spreadsheet import RISKY, restored, safe

ATTACKS = (
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1＋1",
    "'=1",
    "''",
    "-",
    "+",
)


@pytest.mark.parametrize("text", ATTACKS)
def test_no_cell_begins_like_a_formula_and_all_come_back(text: str) -> None:
    assert safe(text)[0] == "'" and restored(safe(text)) == text


@pytest.mark.parametrize("text", ["-0.5", "+3", "-1e-5", "lung", "", "a=b", "肺", "0"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert safe(text) == text and restored(text) == text


def test_what_others_wrote_with_an_apostrophe_is_not_touched() -> None:
    assert restored("'quoted'") == "'quoted'" and restored("'") == "'" and restored("'-0.5") == "'-0.5"


def test_every_risky_letter_is_covered() -> None:
    for letter in RISKY:
        assert restored(safe(f"{letter}x")) == f"{letter}x" and safe(f"{letter}x").startswith("'")


def test_answers_written_as_a_table_hold_no_formula() -> None:
    found = Probabilities(("=cmd()", "-"), (0.25, 0.75))
    rows = list(csv.DictReader(io.StringIO(answers.as_csv(found))))
    assert [row["name"] for row in rows] == ["'=cmd()", "'-"]
    assert [restored(row["name"]) for row in rows] == list(found.classes) and rows[1]["value"] == "0.75"
    measured = Values({"@volume": Value(-1.5, "=ml")})
    [row] = csv.DictReader(io.StringIO(answers.as_csv(measured)))
    assert (row["name"], row["unit"], row["value"]) == ("'@volume", "'=ml", "-1.5")
    # JSON is no spreadsheet: names stay as they are.
    assert json.loads(answers.as_json(measured))["items"][0]["name"] == "@volume"
