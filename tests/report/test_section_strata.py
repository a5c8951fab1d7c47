"""Groups, sizes and classes as a reader sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from isocenter.data import Task
from isocenter.metrics import summarise
from isocenter.metrics.gaps import Gap, Trend
from isocenter.report import Run
from isocenter.report.privacy import Codes
from isocenter.report.section_strata import strata_section
from isocenter.report.view import View
from isocenter.report.wording import digits


def grouped(run: Run) -> Run:
    """The first method's cases in two groups."""
    whole = run.methods[0].scores
    assert whole is not None
    task = Task("segment", "Segmentation", ("image",), tuple(whole.metrics), "")
    parts = {f"stain {n}": whole.cases[k::2] for k, n in enumerate(("A", "<B>"))}
    by = {n: summarise(task, c, method=whole.method, split="test", resamples=50) for n, c in parts.items()}
    return replace(run, methods=(replace(run.methods[0], by=by), *run.methods[1:]))


def test_groups_stand_side_by_side(key: bytes, segmented: Callable[..., Run]) -> None:
    run = grouped(segmented())
    section = strata_section(View(Codes(key)), run)
    assert section is not None and "By group" in section.body
    for scores in run.methods[0].by.values():
        for metric in ("dice", "jaccard", "recall"):
            assert digits(scores.metrics[metric]["all"].value) in section.body
    assert "stain A" in section.body and "&lt;B&gt;" in section.body and "<B>" not in section.body


def test_sizes_and_classes_of_every_method(key: bytes, segmented: Callable[..., Run]) -> None:
    run = segmented()
    section = strata_section(View(Codes(key)), run)
    assert section is not None
    assert section.body.count("smallest third") == section.body.count("largest third") == len(run.methods)
    assert "size up to" in section.body and "mm2" in section.body
    classes = section.body.split("By class")[1]
    assert classes.count("tumour") == len(run.methods)
    assert "By group" not in section.body


def test_without_strata_there_is_no_section(key: bytes) -> None:
    assert strata_section(View(Codes(key)), Run("t", "classify")) is None


def test_gaps_and_trend_stand_in_a_table(key: bytes, segmented: Callable[..., Run]) -> None:
    run = grouped(segmented())
    gap = Gap("<B>", "dice", "all", 0.6, 0.9, -0.3, -0.4, -0.2, 0.001, 0.002, 12, 11, ("gap",))
    few = Gap("A", "dice", "all", 0.9, 0.6, 0.3, 0.2, 0.4, None, None, 4, 3, ("few_subjects",))
    along = Trend("dice", -0.02, 0.013, "permutation by subject", 16, 14)
    shown = replace(run.methods[0], gaps=(gap, few), trend=along)
    section = strata_section(View(Codes(key)), replace(run, methods=(shown,)))
    assert section is not None and "Gaps between groups" in section.body
    assert "<b>gap</b>" in section.body and "-0.300" in section.body.replace("\N{MINUS SIGN}", "-")
    assert "&lt;B&gt;" in section.body and "<B>" not in section.body and "All others" in section.body
    assert "-0.02 in Dice" in section.body and "0.013; permutation by subject, 16 cases of 14 subjects" in section.body
    alone = strata_section(View(Codes(key)), replace(run, methods=(replace(shown, gaps=()),)))
    assert alone is not None and "Gaps between groups" not in alone.body and "permutation by subject" in alone.body
