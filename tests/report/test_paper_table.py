from __future__ import annotations

from types import SimpleNamespace

from isocenter.report.paper_story import Story
from isocenter.report.paper_table import fact_rows, often, table_csv, table_markdown, table_one


def test_every_split_has_its_column(papers: SimpleNamespace) -> None:
    head, rows = table_one(papers.story())
    assert head == ("", "training (n = 12)", "validation (n = 4)", "test (n = 8)")
    found = {row[0]: row[1:] for row in rows}
    assert found["cases"] == ("12", "4", "8") and found["subjects"] == ("6", "2", "4")
    assert found["class ill, n (%)"] == ("6 (50.0)", "2 (50.0)", "4 (50.0)")
    assert found["age, mean (SD)"][0] == "61.2 (4.5)" and found["age, median (IQR)"][0] == "60.0 (55.0 to 66.0)"
    assert found["age missing, n"] == ("1", "1", "1") and "sex missing, n" not in found
    assert found["sex = f, n (%)"][2] == "4 (50.0)" and found["modality"] == ("CT", "CT", "CT")
    assert found["spacing, mm"][0] == "0.7 x 0.7"


def test_what_is_not_known_is_not_provided(papers: SimpleNamespace) -> None:
    record = papers.record()
    data = {**record["data"], "images": {}, "facts": {}, "subjects_known": False}
    story = Story({**record, "data": data})
    found = {row[0]: row[1:] for row in table_one(story)[1]}
    assert found["modality"] == ("not provided",) * 3 and any("unknown" in name for name in found)
    assert "--facts" in table_markdown(story)


def test_facts_that_few_know() -> None:
    rows = fact_rows("bmi", [{"kind": "number", "n": 0, "missing": 4}, {
        "kind": "number", "n": 1, "missing": 0, "mean": 2.5, "sd": None, "median": 2.5, "q1": None, "q3": None}])
    assert rows == [("bmi, mean (SD)", "not provided", "2.500"), ("bmi, median (IQR)", "not provided", "2.500"),
                    ("bmi missing, n", "4", "0")]


def test_many_values_of_a_property() -> None:
    assert often({"a": 4, "b": 3, "c": 2, "d": 1, "e": 1}) == "a (4), b (3), c (2), 2 others"


def test_as_csv_and_as_markdown(papers: SimpleNamespace) -> None:
    story = papers.story()
    assert table_csv(story).lstrip("\ufeff").splitlines()[1] == "cases,12,4,8"
    lines = table_markdown(story).splitlines()
    assert lines[2].startswith("|  | training") and lines[3] == "| --- | --- | --- | --- |"
    assert all(line.count("|") == 5 for line in lines if line.startswith("|"))
