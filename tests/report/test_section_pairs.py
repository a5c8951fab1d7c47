"""The table of paired comparisons."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from isocenter.data import Test
from isocenter.report import Run
from isocenter.report.privacy import Codes
from isocenter.report.section_pairs import pairs_section
from isocenter.report.view import View
from isocenter.report.wording import digits


@pytest.fixture
def body(key: bytes) -> Callable[[Run], str]:
    def made(run: Run) -> str:
        section = pairs_section(View(Codes(key)), run)
        assert section is not None
        return section.body

    return made


def test_every_comparison_shows_difference_interval_and_corrected_p(
    body: Callable[[Run], str], segmented: Callable[..., Run]
) -> None:
    run = segmented()
    text = body(run)
    assert text.count(" against ") == len({(t.a, t.b) for t in run.tests})
    for test in run.tests:
        assert digits(test.difference) in text and digits(test.low) in text
    assert "p, paired bootstrap" in text and "p, wilcoxon" in text


def test_the_named_method_stands_first(body: Callable[[Run], str], segmented: Callable[..., Run]) -> None:
    text = body(segmented(chosen="histogram"))
    assert "histogram<span" in text and "unet<span" in text
    assert 'unet<span class="soft"> against </span>histogram' not in text


def test_without_p_a_dash_stands_and_a_footnote_says_why(
    body: Callable[[Run], str], segmented: Callable[..., Run]
) -> None:
    few = Test("unet", "histogram", "dice", "all", 0.1, -0.1, 0.3, None, None, "paired bootstrap", ("few_subjects",))
    text = body(segmented(tests=(few,)))
    assert '<td class="r">–</td>' in text and "fewer than 10 subjects" in text


def test_other_metrics_are_folded(body: Callable[[Run], str], classified: Callable[..., Run]) -> None:
    text = body(classified())
    assert "Further comparisons (" in text
    assert text.index("AUC") < text.index("<details>") < text.index("Accuracy")


def test_undefined_differences_do_not_break_the_table(
    body: Callable[[Run], str], segmented: Callable[..., Run]
) -> None:
    none = Test("unet", "histogram", "dice", "all", None, None, None, None, None, "paired bootstrap", ("undefined",))
    assert "undefined" in body(segmented(tests=(none,)))


def test_without_tests_there_is_no_section(key: bytes) -> None:
    assert pairs_section(View(Codes(key)), Run("t")) is None
