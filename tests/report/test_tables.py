"""Tables as files: nothing in them is a formula, markup or LaTeX command; every number is there."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from isocenter.data import CaseScore, Score, Scores
from isocenter.report import Data, MethodResult, Run, csv_text, neutral, restored
from isocenter.report.privacy import Codes
from isocenter.report.tables import (
    CASES_HEAD,
    RISKY,
    case_rows,
    cells,
    latex,
    leaves,
    markdown,
    pair_rows,
    remarks,
    score_rows,
    tex,
)
from isocenter.report.wording import score_text

FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "'=1",
    "''",
    "'",
    "=",
    "-",
    "lung",
    "",
    "a=b",
    "1-2",
    "－2",
    '=HYPERLINK("http://x","y")',
    "肺",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_neutralised_and_come_back(text: str) -> None:
    cell = neutral(text)
    assert isinstance(cell, str)
    assert not cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert restored(cell) == text


@pytest.mark.parametrize("text", FORMULAS)
def test_a_csv_gives_back_every_cell(text: str) -> None:
    rows = list(csv.reader(io.StringIO(csv_text(["a", "b"], [[text, text]]), newline="")))
    assert rows[0] == ["a", "b"]
    assert [restored(c) for c in rows[1]] == [text, text]
    assert not any(c.startswith(tuple("=+-@\t\r\n")) for c in rows[1])


def test_numbers_stay_numbers_with_all_their_digits() -> None:
    text = csv_text(["a", "b", "c", "d"], [[-0.1, 1 / 3, None, -7]])
    assert text.splitlines()[1] == f"-0.1,{1 / 3!r},,-7"


def test_names_that_no_encoding_holds_do_not_break_the_file() -> None:
    assert "\\udcff" in csv_text(["a"], [["x\udcff"]])


def test_every_risky_sign_is_covered() -> None:
    assert set("=+-@\t\r") <= set(RISKY)


def test_leaves_walk_mappings_and_lists() -> None:
    record = {"a": {"b": [1, {"c": None}]}, "d": [], "e": {}, "f": True}
    assert list(leaves(record)) == [
        (("a", "b", "[0]"), 1),
        (("a", "b", "[1]", "c"), None),
        (("d",), []),
        (("e",), {}),
        (("f",), True),
    ]


def test_cases_have_one_line_a_number_with_codes_for_names(key: bytes) -> None:
    cases = (
        CaseScore(
            "Mustermann_1",
            "Mustermann",
            {"dice": {"values": {"lung": -0.5, "=x": None}, "unit": "mm"}},
            "dark at /a/b.nii",
        ),
    )
    run = Run("t", positive="lung", methods=(MethodResult("unet", Scores("segment", "unet", "test", {}, cases, 1)),))
    codes = Codes(key, ["Mustermann_1", "Mustermann"])
    rows = [dict(zip(CASES_HEAD, r, strict=True)) for r in case_rows(run, "2", codes)]
    assert [(r["metric"], r["number"], r["target"], str(r["value"])) for r in rows] == [
        ("dice", "values", "lung", "-0.5"),
        ("dice", "values", "=x", "null"),
        ("dice", "unit", "", '"mm"'),
    ]
    assert {(r["chapter"], r["case"], r["positive"]) for r in rows} == {("2", codes.of("Mustermann_1"), "lung")}
    text = csv_text(CASES_HEAD, case_rows(run, "2", codes))
    assert "Mustermann" not in text and "/a/b" not in text
    assert ",'=x," in text and ",-0.5\r\n" in text


def test_scores_and_tests_keep_everything(segmented: Callable[..., Run]) -> None:
    run = segmented()
    rows = list(score_rows(run, "1"))
    assert len(rows) == sum(len(t) for s in run.scores for t in s.metrics.values())
    first = run.scores[0].metrics["dice"]["kidney"]
    assert (
        "1",
        "segment",
        "unet",
        "test",
        "dice",
        "kidney",
        first.value,
        first.low,
        first.high,
        24,
        "",
        20,
        "",
        "higher",
    ) in rows
    assert len(list(pair_rows(run))) == len(run.tests)


def test_the_paper_table_has_a_row_per_metric_and_class_and_a_column_per_method(segmented: Callable[..., Run]) -> None:
    run = segmented()
    head, rows = cells(run)
    assert head == ["Metric", "Target", "unet", "morphology", "histogram"]
    assert rows[0][0] == "Dice" and len(rows) == 20
    lung = next(r for r in rows if r[:2] == ["Dice", "kidney"])
    assert lung[2] == score_text(run.scores[0].metrics["dice"]["kidney"])


def test_remarks_tell_interval_split_flags_and_what_was_allowed(key: bytes, segmented: Callable[..., Run]) -> None:
    run = segmented(data=Data(allow={"leakage": "one scanner"}))
    text = " ".join(remarks(run, Codes(key)))
    for words in ("95 % intervals", "split: test", "undefined: not defined", "leakage was allowed: one scanner."):
        assert words in text


def nasty(run: Run) -> Run:
    name = r"a|b_\input{x}<img src=x>%$&#^~{}"
    scores = replace(run.scores[0], method=name, metrics={"dice": {name: Score(0.5, 0.4, 0.6, 3)}})
    return replace(run, title=name, methods=(MethodResult(name, scores),), tests=(), chosen=None)


def test_markdown_cells_hold_no_markup(key: bytes, segmented: Callable[..., Run]) -> None:
    text = markdown(nasty(segmented()), Codes(key))
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len({line.count("|") - line.count("\\|") for line in table}) == 1
    assert "<img" not in text


def test_latex_has_no_command_from_data_and_balanced_columns(key: bytes, segmented: Callable[..., Run]) -> None:
    text = latex(nasty(segmented()), Codes(key))
    assert r"\input" not in text and r"\textbackslash{}input\{x\}" in text
    whole = latex(segmented(), Codes(key))
    rows = [line for line in whole.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 21 and {line.count("&") for line in rows} == {4}
    assert whole.count(r"\begin{tabular}") == whole.count(r"\end{tabular}") == 1
    assert "−" not in whole


def test_tex_escapes_every_special_sign_once() -> None:
    assert tex("a_b & 5 % − x^2\\") == r"a\_b \& 5 \% $-$ x\textasciicircum{}2\textbackslash{}"


def test_a_run_without_scores_has_no_latex(key: bytes) -> None:
    assert latex(Run("t"), Codes(key)) == ""
    assert json.dumps(markdown(Run("t"), Codes(key)))
