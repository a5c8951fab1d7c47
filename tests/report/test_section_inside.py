"""Bars that add up, and maps of a layer, with words for people who have met neither."""

from __future__ import annotations

import re

import numpy as np
import pytest

from isocenter.data.findings.contributions import Contributions
from isocenter.report import Run
from isocenter.report.inside import LayerMaps, Shares
from isocenter.report.page import page
from isocenter.report.privacy import Codes
from isocenter.report.section_inside import inside_section
from isocenter.report.view import View

FOUND = Contributions({"age": 0.25, "crp": -0.05}, "ill", 0.4, 0.6, "shapley", {"age": 0.01, "crp": 0.02})


@pytest.fixture
def view(key: bytes) -> View:
    return View(Codes(key, ["Mustermann_7"]), detail=0.5)


def plain(markup: str) -> str:
    return re.sub(r"<[^>]+>", " ", markup)


def test_shares_add_up_in_picture_table_and_words(view: View) -> None:
    section = inside_section(view, Run("t", inside=(Shares(FOUND, "Mustermann_7", {"age": "61", "crp": "3"}),)))
    assert section is not None and section.title == "What added to the answer"
    text = plain(section.body)
    assert "0.400 + 0.200 = 0.600" in text and "would have said 0.400 for ill" in text
    rows = re.findall(r"<tr>(.*?)</tr>", section.body)
    cells = [[plain(c).strip() for c in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)] for row in rows]
    assert ["age", "61", "+0.250", "0.010"] in cells and ["crp", "3", "−0.050", "0.020"] in cells
    assert cells[-1][0] == "together: the answer" and cells[-1][2] == "0.600"
    assert "<svg" in section.body and list(view.figures) == ["shares-1.svg"]
    assert "Mustermann" not in section.body and "standard error" in text


def test_exact_shares_say_so_and_modalities_are_not_summed(view: View) -> None:
    exact = Contributions({"age": 0.2}, "ill", 0.4, 0.6, "shapley")
    text = plain(inside_section(view, Run("t", inside=(Shares(exact),))).body)
    assert "exact" in text and "Thin lines" not in text
    dropped = Contributions({"CT": 1.5, "PET": -0.2}, "ill", 0.0, 2.0, "drop-one")
    text = plain(inside_section(view, Run("t", inside=(Shares(dropped),))).body)
    assert "they do not add up" in text and "together: the answer" not in text and "log-odds" in text


def test_shares_of_attributes_are_log_odds_and_no_probabilities(view: View) -> None:
    found = Contributions({"spiculated (0.90)": 1.5, "oval (0.20)": -0.25}, "ill", -0.5, 0.75, "attributes")
    text = plain(inside_section(view, Run("t", inside=(Shares(found),))).body)
    assert "Adds to the log-odds" in text and "together: the log-odds" in text and "the mean of train" in text
    assert "Together: -0.500 + 1.250 = 0.750" in text.replace("−", "-") and "calibrated" in text
    assert "fact" not in text and "it would have said" not in text


def test_maps_stand_beside_the_image_with_what_they_are(view: View) -> None:
    rng = np.random.default_rng(0)
    maps = LayerMaps(rng.random((24, 32)) * 255, rng.normal(size=(3, 6, 8)), (7, 2, 4), "stages.2", 16, "Mustermann_7",
                     "slice 3 of 9")
    section = inside_section(view, Run("t", inside=(maps,)))
    assert section is not None and section.title == "Inside the network"
    text = plain(section.body)
    assert section.body.count('class="frame"') == 4 and "the image" in text
    assert all(f"channel {c}" in text for c in (7, 2, 4)) and "3 of 16 channels of the layer stages.2" in text
    assert "6 x 8 places" in text and "slice 3 of 9" in text and "Mustermann" not in section.body
    assert sorted(view.figures) == ["maps-1-2.svg", "maps-1-4.svg", "maps-1-7.svg", "maps-1-image.svg"]


def test_a_flat_map_is_no_trouble_and_nothing_gives_no_section(view: View) -> None:
    maps = LayerMaps(np.zeros((8, 8)), np.ones((1, 4, 4)), (0,), "x", 1)
    assert inside_section(view, Run("t", inside=(maps,))) is not None
    assert inside_section(view, Run("t")) is None


def test_the_page_holds_it(view: View) -> None:
    text = page(view, Run("What added?", inside=(Shares(FOUND, "Mustermann_7"),)))
    assert 'id="inside"' in text and "What added to the answer" in text
