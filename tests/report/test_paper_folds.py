"""A paper on a run over folds must not claim a validation set and a test set that were never used as such."""

from __future__ import annotations

from types import SimpleNamespace

from isocenter.report.paper_chinese import methods_chinese
from isocenter.report.paper_english import methods_english
from isocenter.report.paper_folds import crossed, decided, division, measured, preferred, procedure
from isocenter.report.paper_story import Story


def silent(*what: str) -> str:
    return ""


def over_folds(papers: SimpleNamespace, **arguments: object) -> Story:
    """The comparison of two methods, in folds, with the procedure beside where there are inner ones."""
    record = dict(papers.comparison().record)
    methods, result = dict(record["methods"]), dict(record["result"])
    if arguments.get("inner"):
        methods["chosen"] = methods["linear"]
        result["methods"] = {**result["methods"], "chosen": papers.scores("chosen", "5 folds")}
    return Story({**record, "methods": methods, "result": result,
                  "arguments": {**record["arguments"], "folds": 5, **arguments}})


def test_folds_stand_in_the_text_and_no_sets_that_were_not_used(papers: SimpleNamespace) -> None:
    text = methods_english(over_folds(papers, inner=3), silent)
    assert "every case took part in 5-fold cross-validation by group" in text
    assert "measured on the test parts of all folds" in text and "On the test parts of all folds (n = " in text
    assert "in 3 inner folds of the rest, without its test part; most often it was cnn." in text
    assert "Chosen on the validation part of each fold, here of the last: " in text
    assert "“chosen” in the tables is the whole procedure" in text and "The third method" not in text
    assert "before the" not in text and "chosen on the validation set" not in text.lower()


def test_the_chinese_text_says_the_same(papers: SimpleNamespace) -> None:
    text = methods_chinese(over_folds(papers, inner=3), silent)
    assert "按组划分的 5 折交叉验证" in text and "各折测试部分" in text and "3 折内层交叉验证" in text
    assert "完整流程" in text and "之前已在" not in text and "在验证集上确定" not in text


def test_each_subject_in_turn_and_a_choice_on_val(papers: SimpleNamespace) -> None:
    story = over_folds(papers, folds="subject")
    assert "leave-one-subject-out cross-validation" in division(story) and "逐一留出" in division(story, 1)
    assert "on its validation part" in preferred(story, "cnn") and "在其验证部分" in preferred(story, "cnn", 1)
    assert "chosen" in procedure() and "chosen" in procedure(1)


def test_one_division_is_told_as_before(papers: SimpleNamespace) -> None:
    story = papers.comparison()
    assert not crossed(story) and division(story) == "" and measured(story, "the test set") == "the test set"
    assert decided(story) == "Chosen on the validation set" and decided(story, 1) == "在验证集上确定"
    assert not crossed(papers.training()), "folds beside a training are not what its scores are of"
