from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Cases
from isocenter.verbs import _groups as groups
from isocenter.verbs.evaluate import evaluate


def test_many_dates_are_grouped_by_year_and_many_numbers_by_thirds() -> None:
    days = [f"20{10 + i // 10:02d}-{1 + i % 12:02d}-0{1 + i % 9}" for i in range(40)]
    assert set(groups.labelled(days)) == {"2010", "2011", "2012", "2013"}
    ages = [str(20 + i) for i in range(30)] + [""]
    found = groups.labelled(ages)
    assert found[0] == "below 30" and found[10] == "30 to below 40" and found[29] == "40 and above"
    assert found[30] == groups.EMPTY
    assert groups.labelled(["2", "1", "2"]) == ["2", "1", "2"] and groups.labelled(["a"] * 20) == ["a"] * 20


@pytest.mark.parametrize(
    ("text", "year"), [("2020", 2020.5), ("2020-01-01", 2020.0), ("20200701", 2020.5), ("2020-04", 2020.25)]
)
def test_dates_in_years(text: str, year: float) -> None:
    found = groups.numbered([text])
    assert found is not None and found[0] == pytest.approx(year, abs=0.02)


def test_what_is_neither_number_nor_date() -> None:
    assert groups.numbered(["GE", "Siemens"]) is None and groups.numbered(["", ""]) is None
    found = groups.numbered(["1.5", ""])
    assert found is not None and found[0] == 1.5 and math.isnan(found[1])
    # Not months: numbers.
    assert groups.numbered(["202013", "199901"]) == [202013.0, 199901.0]


class Worse:
    """Right but for the cases of one site."""

    def __init__(self, wrong: set[str]) -> None:
        self.wrong = wrong

    def predict(self, case):
        truth = case.truth()
        if case.id not in self.wrong:
            return replace(truth, values=tuple(0.8 * v + 0.1 for v in truth.values))
        return replace(truth, values=tuple(0.9 - 0.8 * v for v in truth.values))


@pytest.fixture(scope="module")
def sites() -> Cases:
    """60 cases of 60 patients, at two sites over six years."""
    x = np.random.default_rng(0).integers(0, 255, (60, 8, 8), dtype=np.uint8)
    made = Cases.from_arrays(x, ["a", "b"] * 30, splits=["test"] * 60, subjects=[f"p{i}" for i in range(60)])
    notes = [{"site": "north" if i < 30 else "south", "taken": f"{2010 + i // 10}"} for i in range(60)]
    return replace(made, entries=tuple(replace(e, notes=n) for e, n in zip(made.entries, notes, strict=True)))


def test_evaluate_flags_the_site_that_fares_worse_and_the_trend(sites: Cases) -> None:
    wrong = Worse({e.id for e in sites.entries[30:54]})
    made = evaluate(wrong, sites, by="site")
    flagged = {g.group: g.flags for g in made.gaps}
    assert flagged["south"] == ("gap",) and made.by["site south"].metrics["accuracy"]["all"].value == pytest.approx(0.2)
    text = "\n".join(made.lines())
    assert "p (Holm)" in text and made.trend is None
    assert made.as_json()["gaps"][0]["group"] == "north" and made.as_json()["trend"] is None
    years = evaluate(wrong, sites, by="taken")
    assert years.trend is not None and years.trend.slope < 0 and years.trend.p < 0.05
    assert any(line.startswith("trend: -") and "Cochran-Armitage" in line for line in years.lines())
    assert len(years.by) == 6


def test_no_column_no_gaps(sites: Cases) -> None:
    made = evaluate(Worse(set()), sites)
    assert made.gaps == () and made.trend is None and groups.group_lines((), None) == []
    assert groups.groups_json((), None) == {"gaps": [], "trend": None}
