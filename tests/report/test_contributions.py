from __future__ import annotations

import re

from isocenter.data.findings.contributions import Contributions
from isocenter.report.contributions import MOST, contribution_chart, headline, noun, unit


def bars(text: str) -> list[tuple[str, float, float]]:
    """Class, left edge and width of each bar."""
    found = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="14" class="fill (s\d)"', text)
    return [(c, float(x), float(w)) for x, w, c in found]


def test_the_strongest_first_and_on_its_side():
    found = Contributions({"crp": 0.1, "age": -0.3, "sex": 0.0}, "ill", 0.5, 0.3, "shapley")
    text = contribution_chart(found).inline()
    age, crp, sex = bars(text)
    assert age[0] == "s0" and crp[0] == "s1" and sex[2] == 0
    assert abs(age[2] - 3 * crp[2]) < 0.1 and abs(age[1] + age[2] - crp[1]) < 0.1, "both begin at nothing"
    assert text.index(">age<") < text.index(">crp<") < text.index(">sex<")
    assert "ill: 0.500 without these facts, 0.300 with them" in text and "whisker" not in text


def test_errors_are_drawn_and_many_are_summed():
    items = {f"f{i}": 0.01 * i for i in range(MOST + 5)}
    text = contribution_chart(Contributions(items, "ill", 0.1, 0.9, "shapley", {"f24": 0.05})).inline()
    assert "5 others together" in text and len(bars(text)) == MOST + 1 and text.count("whisker") == 1


def test_names_cannot_break_the_picture():
    text = contribution_chart(Contributions({"<b>": 0.0}, "x", 0.0, 0.0, "shapley")).inline()
    assert "<b>" not in text and "&lt;b&gt;" in text


def test_shares_of_attributes_are_called_log_odds() -> None:
    found = Contributions({"oval (0.20)": -0.25}, "ill", 0.5, 0.25, "attributes")
    assert (noun(found), unit(found)) == ("attribute", "log-odds")
    assert headline(found) == "ill: log-odds 0.500 at the mean of train, 0.250 with these attributes"
    assert "what the attribute adds to the log-odds of ill" in contribution_chart(found).inline()


def test_what_was_taken_away_alone_is_called_so() -> None:
    found = Contributions({"PET": 1.5, "CT": -0.5}, "ill", 0.0, 2.0, "drop-one")
    text = contribution_chart(found).inline()
    assert "log-odds 2.000 with all" in text and "adds to the log-odds of ill" in text
