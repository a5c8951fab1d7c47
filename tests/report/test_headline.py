"""The answer in a sentence: no claim without a test, no winner that was not named before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest

from isocenter.data import Interval, Problem, Score, Scores, Test
from isocenter.report import Data, MethodResult, Run
from isocenter.report.headline import answer, caveats, comparison_line, comparisons, lead_of, oriented


def method(
    name: str, score: Score, *, key: str = "dice", target: str = "lung", subjects: int = 20, **more: object
) -> MethodResult:
    scores = Scores(
        "segment", name, "test", {key: {target: score}}, (), subjects, interval=Interval("bootstrap"), **more
    )  # type: ignore[arg-type]
    return MethodResult(name, scores)


def paired(difference: float, low: float, high: float, p: float | None, **more: object) -> Test:
    return replace(Test("unet", "histogram", "dice", "lung", difference, low, high, p, p, "paired bootstrap"), **more)  # type: ignore[arg-type]


GOOD, POOR = Score(0.953, 0.941, 0.964, 20), Score(0.8, 0.7, 0.9, 20)


def plain(run: Run) -> str:
    found = answer(run)
    assert found is not None
    for mark in ("<strong>", "</strong>", '<span class="soft">', "</span>"):
        found = found.replace(mark, "")
    return unescape(found).replace("\N{NO-BREAK SPACE}", " ")


def run(*methods: MethodResult, tests: tuple[Test, ...] = (), chosen: str | None = "unet", **more: object) -> Run:
    return Run("t", task="segment", methods=methods, tests=tests, chosen=chosen, **more)  # type: ignore[arg-type]


def test_one_method_with_its_interval_and_n() -> None:
    text = plain(run(method("unet", GOOD), chosen=None))
    assert text == "unet reaches Dice 0.953 for lung on the test split (95 % interval 0.941 to 0.964; n = 20)."


def test_subjects_are_told_where_they_are_fewer_than_cases() -> None:
    assert "n = 20 from 1 subject)" in plain(run(method("unet", GOOD, subjects=1)))


def test_a_claim_needs_an_interval_without_zero_and_a_small_p() -> None:
    pair = (method("unet", GOOD), method("histogram", POOR))
    beats = plain(run(*pair, tests=(paired(0.153, 0.1, 0.2, 0.0004),)))
    assert beats.endswith("It beats histogram: difference +0.153 (0.100 to 0.200), Holm-corrected p < 0.001.")
    for open_test in (paired(0.153, -0.01, 0.3, 0.02), paired(0.153, 0.01, 0.3, 0.2)):
        assert "A gain over histogram is not proven: difference +0.153" in plain(run(*pair, tests=(open_test,)))
    less = paired(-0.02, -0.1, 0.05, 0.5)
    assert "Whether it differs from histogram stays open" in comparison_line(less, lower_is_better=False)
    assert "A gain over histogram is not proven" in comparison_line(less, lower_is_better=True)
    few = plain(run(*pair, tests=(paired(0.153, 0.1, 0.2, None, flags=("few_subjects",)),)))
    assert "beats" not in few and "too few subjects for a test, so this is no claim" in few


def test_less_is_said_to_be_less_also_for_distances() -> None:
    worse = paired(-0.1, -0.2, -0.05, 0.001)
    assert "falls short of" in comparison_line(worse, lower_is_better=False)
    assert "beats" in comparison_line(worse, lower_is_better=True)
    assert "not defined" in comparison_line(replace(worse, difference=None), lower_is_better=True)


def test_without_a_method_named_beforehand_nobody_wins() -> None:
    text = plain(
        run(method("unet", GOOD), method("histogram", POOR), chosen=None, tests=(paired(0.1, 0.05, 0.2, 0.001),))
    )
    assert "unet 0.953 and histogram 0.800" in text
    assert "none is called the best" in text and "beats" not in text


def test_comparisons_are_turned_towards_the_method() -> None:
    turned = oriented(paired(0.1, -0.05, 0.2, 0.5), "histogram")
    assert (turned.a, turned.b, turned.difference, turned.low, turned.high) == ("histogram", "unet", -0.1, -0.2, 0.05)
    tests = (
        paired(0.1, 0, 0.2, 0.5),
        paired(0.1, 0, 0.2, 0.01, test="wilcoxon"),
        paired(0.1, 0, 0.2, 0.5, metric="hd95"),
    )
    found = comparisons(run(method("unet", GOOD), tests=tests), "unet", "dice", "lung")
    assert [t.test for t in found] == ["paired bootstrap"]


def test_many_comparisons_are_counted() -> None:
    tests = tuple(paired(0.1, 0.05, 0.2, 0.01, b=f"m{i}") for i in range(5))
    assert "2 further comparisons in the table." in plain(run(method("unet", GOOD), tests=tests))


def test_undefined_scores_are_said_to_be_so() -> None:
    text = plain(run(method("unet", Score(None, None, None, 4))))
    assert text == "unet has no Dice on the test split: it is not defined on these 4 cases."


def test_nothing_scored_is_no_answer() -> None:
    assert answer(Run("t")) is None
    assert lead_of(Run("t")) == ("", "all")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": Data(subjects_known=False)}, "Patients unknown"),
        (
            {"data": Data(allow={"leakage": "same scanner"})},
            "Leakage was allowed for these data, because: same scanner",
        ),
        ({"problems": (Problem("a", "error", "x"), Problem("b", "warning", "y"))}, "1 error in the data"),
        ({"notes": ("simulated",)}, "Simulated."),
        ({"notes": ("unet: stopped early",)}, "unet: stopped early"),
    ],
)
def test_caveats_of_the_run(change: dict[str, object], words: str) -> None:
    assert any(words in line for line in caveats(run(method("unet", GOOD), **change)))


def test_caveats_of_the_scores() -> None:
    flagged = method("unet", replace(GOOD, flags=("few_subjects",)), n_refused=2, notes=("1 of 9 not evaluated",))
    lines = caveats(run(flagged, method("histogram", POOR)))
    assert any("fewer than 10 subjects" in line.lower() for line in lines)
    assert "2 cases could not be read and are in no number of unet." in lines
    assert "unet: 1 of 9 not evaluated." in lines


def test_what_holds_for_every_method_is_said_once() -> None:
    note = {"notes": ("patients unknown: a case without a group is its own",)}
    methods = (method("unet", GOOD, **note), method("histogram", POOR, **note))
    assert sum("unknown" in line for line in caveats(run(*methods))) == 1
    lines = caveats(run(*methods, data=Data(subjects_known=False)))
    assert sum("unknown" in line for line in lines) == 1
    noted = run(*methods, data=Data(subjects_known=False), notes=("patients unknown: as the verb says it",))
    assert sum("unknown" in line for line in caveats(noted)) == 1


def test_the_simulated_comparison_reads_well(segmented: Callable[..., Run]) -> None:
    text = plain(segmented())
    assert text.startswith("unet reaches Dice 0.9") and "n = 24 from 20 subjects" in text
    assert "on average over all classes" in text


@pytest.mark.parametrize(("split", "words"), [
    ("test", " on the test split ("), ("5 folds", " over 5 folds ("), ("all", " on all cases ("),
    ("", " on these cases ("),
])
def test_where_a_score_was_taken_is_said_in_plain_words(split: str, words: str) -> None:
    one = method("unet", GOOD)
    assert one.scores is not None
    assert words in plain(run(replace(one, scores=replace(one.scores, split=split))))
