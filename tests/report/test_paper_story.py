from __future__ import annotations

from types import SimpleNamespace

import pytest

from isocenter.report.paper_story import Story, interval, number


def test_an_evaluation(papers: SimpleNamespace) -> None:
    story = papers.story()
    assert list(story.splits) == ["train", "val", "test"] and story.apart and story.task == "classify"
    assert story.lead == ("auc", "ill") and story.split == "test" and list(story.scores) == ["linear"]
    assert story.modalities == ["CT"] and story.sizes == ["64 x 64"] and story.spacings == ["0.7 x 0.7"]
    assert not list(story.networks()) and {"tool=numpy", "interval=bootstrap", "verb=evaluate"} <= story.used()


def test_a_comparison_a_training_and_a_search(papers: SimpleNamespace) -> None:
    both = papers.comparison()
    assert list(both.scores) == ["linear", "cnn"] and [n for n, _ in both.networks()] == ["cnn"]
    assert {"test=delong", "correction=holm", "network=resnet18", "optimiser=adamw", "tool=torch"} <= both.used()
    assert papers.training().split == "val" and list(papers.training().scores) == ["cnn"]
    searched = papers.story("tune", result={"test": {"methods": {"tuned": papers.scores()}, "tests": [{"test": "x"}]}})
    assert list(searched.scores) == ["tuned"] and searched.tests == [{"test": "x"}]
    assert papers.story("tune", result={"test": None}).scores == {} and papers.story("tune", result={}).lead == ("", "")


def test_subjects_in_two_sets_are_not_called_apart(papers: SimpleNamespace) -> None:
    record = papers.record()
    assert not Story({**record, "data": {**record["data"], "subjects": 11}}).apart
    assert not Story({**record, "data": {**record["data"], "subjects_known": False}}).apart


def test_differences_of_one_class_are_those_of_the_mean(papers: SimpleNamespace) -> None:
    record = papers.comparison().record
    assert [t["target"] for t in Story(record).differences] == ["ill"]
    tests = [{**t, "target": "all"} for t in record["result"]["tests"]]
    changed = {**record, "result": {**record["result"], "tests": tests}}
    assert Story(changed).differences == []
    single = Story({**changed, "data": {**record["data"], "classes": ["ill"]}})
    assert [t["target"] for t in single.differences] == ["all"]


def test_what_was_read_off_train(papers: SimpleNamespace) -> None:
    assert not papers.story().settled("linear")
    method = papers.method("histogram", plan={"plan": {}})
    result = {**papers.comparison().record["result"], "training": {"histogram": {"seconds": 1.0}}}
    assert papers.story("compare", methods={"histogram": method}, result=result).settled("histogram")
    assert not papers.training().settled("cnn"), "a network has a plan"


def test_one_class_leads_by_its_name(papers: SimpleNamespace) -> None:
    result = papers.scores()
    result["metrics"] = {"dice": {"lung": result["metrics"]["auc"]["ill"], "all": result["metrics"]["auc"]["all"]}}
    assert papers.story(result=result).lead == ("dice", "lung")


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.000"), (1.0, "1.000"), (-0.05, "-0.050"), (0.001, "0.001"),
                                             (1234.5, "1234"), (12.0, "12"), (7, "7"), (0.00025, "0.00025")])
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_intervals() -> None:
    assert interval({"value": 0.8, "low": 0.7, "high": 0.9, "unit": ""}) == "0.800 (0.700 to 0.900)"
    assert interval({"value": 3.25, "low": None, "high": None, "unit": "mm"}) == "3.250 mm"
