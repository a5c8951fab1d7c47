"""The table of scores."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from isocenter.data import Score, Scores
from isocenter.report import Data, MethodResult, Run
from isocenter.report.privacy import Codes
from isocenter.report.section_scores import Footnotes, effort, keys_of, per_class, scores_section
from isocenter.report.view import View, series_of
from isocenter.report.wording import estimate


@pytest.fixture
def view(key: bytes) -> View:
    return View(Codes(key))


def body(view: View, run: Run) -> str:
    section = scores_section(view, run)
    assert section is not None
    return section.body


def test_every_method_and_metric_stands_there_with_interval_and_n(view: View, classified: Callable[..., Run]) -> None:
    run = classified()
    text = body(view, run)
    for scores in run.scores:
        for targets in scores.metrics.values():
            score = targets.get("pneumonia", targets.get("all"))
            assert score is not None
            value, interval = estimate(score)
            assert f"<b>{value}</b> <span>{interval}</span>" in text
            assert f'<td class="r">{score.n}</td>' in text


def test_the_leading_metric_stands_first_and_the_chosen_method_is_marked(
    view: View, segmented: Callable[..., Run]
) -> None:
    run = segmented(lead="hd95")
    assert keys_of(run)[0] == "hd95"
    text = body(view, run)
    assert text.index("HD95") < text.index("Dice")
    assert '<tr class="named"><th scope="row">' in text


def test_methods_are_described(view: View, segmented: Callable[..., Run]) -> None:
    run = segmented()
    run = replace(run, methods=(replace(run.methods[0], text="A network that sees the whole image."), *run.methods[1:]))
    assert "<dt>unet</dt><dd>A network that sees the whole image.</dd>" in body(view, run)


def test_flags_become_footnotes_that_are_explained() -> None:
    notes = Footnotes()
    assert notes.marks(("few_subjects",)) == "<sup>a</sup>"
    assert notes.marks(("unstable", "few_subjects")) == "<sup>b,a</sup>"
    assert notes.marks(()) is None
    assert "<sup>a</sup> fewer than 10 subjects" in notes.text()


def test_what_is_undefined_everywhere_is_named_once(view: View, segmented: Callable[..., Run]) -> None:
    text = body(view, segmented())
    assert "Not defined on any of these cases: False volume." in text
    assert "undefined" not in text


def test_what_was_allowed_stands_under_the_table(view: View, segmented: Callable[..., Run]) -> None:
    assert "Leakage allowed: one scanner." in body(view, segmented(data=Data(allow={"leakage": "one scanner"})))


def test_classes_have_their_own_rows_and_all_is_not_shown_twice(view: View, classified: Callable[..., Run]) -> None:
    run = classified()
    text = per_class(run, series_of(run))
    assert text is not None and "normal" in text and "all classes" not in text


def test_classes_that_only_one_method_knows_are_shown_for_it(segmented: Callable[..., Run]) -> None:
    run = segmented()
    one = run.scores[0]
    more = replace(one, metrics={**one.metrics, "dice": {**one.metrics["dice"], "cyst": Score(0.4, 0.1, 0.7, 3)}})
    changed = replace(run, methods=(replace(run.methods[0], scores=more), *run.methods[1:]))
    text = per_class(changed, series_of(changed))
    assert text is not None
    assert len(re.findall(r">0\.400<", text)) == 1


def test_costs_are_shown_where_there_are_any() -> None:
    bare = Scores("segment", "a", "test", {}, (), 0)
    assert effort(Run("t", methods=(MethodResult("a"),))) is None
    text = effort(
        Run(
            "t",
            methods=(MethodResult("a", bare, training_seconds=75, decided="epoch 3, chosen on val"), MethodResult("b")),
        )
    )
    assert text is not None
    assert "1 min 15 s" in text and "epoch 3, chosen on val" in text and "Per case" not in text


def test_memory_says_of_what(view: View, segmented: Callable[..., Run]) -> None:
    text = effort(replace(segmented(), methods=tuple(replace(m, training_mb=90) for m in segmented().methods)))
    assert text is not None and text.count("Memory to train") == 1 and ">Memory<" not in text


def test_without_scores_there_is_no_section(view: View) -> None:
    assert scores_section(view, Run("t")) is None
