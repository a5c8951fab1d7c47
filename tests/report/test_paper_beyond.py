"""Attacks, groups and certainty in the words of a paper, in two languages."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from isocenter.report.paper_beyond import beyond, calibration_said, found_beyond
from isocenter.report.paper_chinese import methods_chinese
from isocenter.report.paper_english import methods_english
from isocenter.report.paper_names import CHINESE
from isocenter.report.paper_story import Story


def score(value: float | None, low: float | None = 0.5, high: float | None = 0.9) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n": 8, "unit": "", "flags": []}


def scores(key: str, value: float | None) -> dict[str, Any]:
    return {"metrics": {key: {"all": score(value)}}}


def attacked(papers: SimpleNamespace, name: str = "pgd", flags: tuple[str, ...] = ()) -> Story:
    row = {"name": name, "method": "cnn", "lead": "2/255", "metric": ["robust_accuracy", "accuracy"],
           "clean": scores("accuracy", 0.875),
           "levels": {"1/255": scores("robust_accuracy", 0.7), "2/255": scores("robust_accuracy", 0.25)},
           "tests": [], "flags": list(flags), "notes": []}
    story = papers.comparison()
    return Story({**story.record, "result": {**story.record["result"], "under": [row, {**row, "method": "linear"}]}})


def test_attacks_are_told_once_and_every_method_has_its_numbers(papers: SimpleNamespace) -> None:
    said = " ".join(beyond(attacked(papers)))
    assert said.count("projected gradient descent (PGD), with budgets of 1/255 and 2/255.") == 1
    found = found_beyond(attacked(papers))
    assert len(found) == 2 and found[0] == (
        "Under projected gradient descent (PGD) at 2/255, the robust accuracy of cnn was 0.250 (0.500 to 0.900), on "
        "unchanged images 0.875 (0.500 to 0.900)."
    )
    assert "Checks" not in said and "overestimated" in " ".join(beyond(attacked(papers, flags=("masked",))))
    chinese = "".join([*beyond(attacked(papers), CHINESE), *found_beyond(attacked(papers), CHINESE)])
    assert "投影梯度下降 (PGD)" in chinese and "0.250 (0.500 至 0.900)" in chinese


def test_worse_scans_are_no_attacks(papers: SimpleNamespace) -> None:
    said = " ".join(beyond(attacked(papers, "metal_streaks")))
    assert "simulated worse scans (metal streaks, severity 1/255 and 2/255)" in said and "attacked" not in said
    assert "较差扫描" in "".join(beyond(attacked(papers, "noise"), CHINESE))


def grouped(papers: SimpleNamespace, flags: list[str]) -> Story:
    gap = {"group": "B", "metric": "auc", "target": "ill", "value": 0.6, "rest": 0.8, "difference": -0.2, "low": -0.3,
           "high": -0.1, "p": 0.001, "p_holm": 0.002, "n": 4, "n_subjects": 4, "flags": flags}
    trend = {"metric": "auc", "slope": 0.1, "p": 0.2, "test": "Cochran-Armitage", "n": 8, "n_subjects": 8}
    record = papers.record()
    result = {**record["result"], "by": {"A": {}, "B": {}}, "gaps": [gap], "trend": trend}
    return Story({**record, "result": result, "arguments": {**record["arguments"], "by": "scanner"}})


def test_groups_are_told_and_only_real_gaps_are_results(papers: SimpleNamespace) -> None:
    story = grouped(papers, ["gap"])
    assert beyond(story) == [
        "Performance was also measured in 2 groups by “scanner”, and each group was compared with all other cases by "
        "resampling of subjects, with Holm's correction; a trend was tested for (Cochran-Armitage)."
    ]
    assert found_beyond(story) == [
        "In the group “B” the AUC differed from that of all others by -0.200 (-0.300 to -0.100), P = 0.002 after Holm."
    ]
    assert found_beyond(grouped(papers, [])) == []
    assert "另按“scanner”分为 2 组" in beyond(story, CHINESE)[0] and "Cochran-Armitage" in beyond(story, CHINESE)[0]
    assert "-0.300 至 -0.100" in found_beyond(story, CHINESE)[0]


def certain(papers: SimpleNamespace) -> Story:
    found = {"sets": {"kind": "aps", "coverage": 0.9, "by_class": True, "limits": {}, "n": 120},
             "covered": {"coverage": {"all": score(0.91)}}, "risk": 0.05, "limit": 0.8,
             "answered": {"answered": score(0.6), "risk": score(0.04)}, "area": None}
    record = papers.record()
    return Story({**record, "result": {**record["result"], "certainty": found}})


def test_sets_and_abstention_are_told_with_where_they_were_chosen(papers: SimpleNamespace) -> None:
    first, second = beyond(certain(papers))
    assert first == ("Sets of classes with a coverage of 90% were made by conformal prediction (adaptive prediction "
                     "sets, class by class), calibrated on 120 cases of the validation set.")
    assert "confidence below 0.800" in second and "at most 5% of decisions" in second
    found = found_beyond(certain(papers))
    assert found[0] == "The share of sets that held the true class was 0.910 (0.500 to 0.900)."
    assert "answered was 0.600 (0.500" in found[1] and "answers was 0.040 (" in found[1]
    chinese = "".join(beyond(certain(papers), CHINESE) + found_beyond(certain(papers), CHINESE))
    assert "目标覆盖率 90%" in chinese and "各类分别校准" in chinese and "不作回答" in chinese


def test_nothing_is_told_of_what_was_not_done(papers: SimpleNamespace) -> None:
    for language in (0, CHINESE):
        assert beyond(papers.story(), language) == [] == found_beyond(papers.story(), language)
    none = {"sets": None, "covered": {}, "risk": 0.05, "limit": None, "answered": {}, "area": score(0.1)}
    empty = {"certainty": none, "by": {}, "gaps": [], "trend": None}
    story = papers.story(result={**papers.record()["result"], **empty})
    assert beyond(story) == [] == found_beyond(story)


@pytest.mark.parametrize(("kind", "english"), [("platt", "Platt's sigmoid"), ("isotonic", "isotonic regression")])
def test_calibration_is_named(kind: str, english: str) -> None:
    plan = {"settings": {"calibration": {"kind": kind}}}
    assert calibration_said(plan) == f"the calibration of the probabilities ({english})"
    assert calibration_said(plan, CHINESE).startswith("概率校准")
    assert calibration_said({"settings": {}}) == "" == calibration_said({"temperature": 2.0})


def test_the_sections_hold_them(papers: SimpleNamespace) -> None:
    def silent(*what: str) -> str:
        return ""

    english, chinese = methods_english(certain(papers), silent), methods_chinese(certain(papers), silent)
    assert english.index("conformal prediction") < english.index("### For the results section") < english.index(
        "The share of sets that held the true class")
    assert "共形预测" in chinese and "预测集包含真实类别" in chinese
    assert "Under projected gradient descent" in methods_english(attacked(papers), silent)
