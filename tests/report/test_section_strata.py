"""Groups, sizes and classes as a reader sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from isocenter.data import Task
from isocenter.metrics import summarise
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
