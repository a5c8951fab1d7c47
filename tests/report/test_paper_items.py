from __future__ import annotations

from types import SimpleNamespace

import pytest

from isocenter.report.paper_items import CLAIM, TRIPOD, answers, checklists
from isocenter.report.paper_story import Story


def test_the_lists_are_whole() -> None:
    assert [no for no, _, _ in CLAIM] == [str(i) for i in range(1, 45)]
    assert len(TRIPOD) == len({no for no, _, _ in TRIPOD}) == 52
    assert list(dict.fromkeys(no.rstrip("abcdefg") for no, _, _ in TRIPOD)) == [str(i) for i in range(1, 28)]


@pytest.mark.parametrize("kind", ["story", "comparison", "training"])
def test_every_item_answers_or_says_that_it_is_not_provided(papers: SimpleNamespace, kind: str) -> None:
    rows = [line.split(" | ") for line in checklists(getattr(papers, kind)()).splitlines() if line.startswith("| ")]
    items = [r for r in rows if r[0].lstrip("| ")[0].isdigit()]
    assert len(items) == len(CLAIM) + len(TRIPOD)
    assert all(len(r) == 3 and r[2].rstrip(" |") for r in items)
    by = {r[0].lstrip("| "): r[2].rstrip(" |") for r in items[: len(CLAIM)]}
    assert by["2"] == by["11"] == by["44"] == "not provided"
    assert by["35"].startswith("Figure 1") and "AUC 0." in by["37"] and by["20"] == "by subject"


def test_answers_name_only_what_exists(papers: SimpleNamespace) -> None:
    for story in (papers.story(), papers.comparison(), papers.training()):
        said = answers(story)
        assert {name for _, _, name in (*CLAIM, *TRIPOD) if name} <= set(said)
        assert all(isinstance(v, str) for v in said.values())


def test_what_each_run_adds(papers: SimpleNamespace) -> None:
    assert answers(papers.comparison())["selection"] == "cnn, by its score on val"
    learnt = answers(papers.training())
    assert learnt["initial"] == "at random, seed 3" and learnt["training"].startswith("20 epochs of 50 steps")
    assert learnt["patch"] == "the network's input: 64 x 64" and learnt["source"].startswith("Origin: a hospital")
    assert "age: 3 missing" in learnt["missing"]
    result = {**papers.scores(), "by": {"site a": {}, "site b": {}}, "n_refused": 1, "under": [{}]}
    more = answers(papers.story(result=result))
    assert more["groups"].startswith("scored apart by site a and site b") and "1 case refused" in more["failures"]
    assert more["robustness"]


def test_published_weights_and_cards_are_told(papers: SimpleNamespace) -> None:
    record = papers.training().record
    method = {**record["methods"]["cnn"], "recipe": {"form": {"weights": "w.safetensors"}},
              "card": {"intended_use": "research on films"}}
    said = answers(Story({**record, "methods": {"cnn": method}}))
    assert said["initial"] == "from published weights" and said["intended"] == "research on films"
    assert answers(papers.story())["intended"] == ""


def test_without_scores_nothing_is_claimed(papers: SimpleNamespace) -> None:
    story = papers.story("tune", result={"test": None})
    assert "results" not in answers(story) and "not provided" in checklists(story)
