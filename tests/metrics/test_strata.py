"""Dice by thirds of the regions' size and classes by frequency, against counting by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Boxes, CaseScore, Geometry, NotEvaluated, Scores, Segmentation
from isocenter.metrics import records, summarise
from isocenter.metrics.sizes import THIRDS
from isocenter.metrics.strata import by_class, by_size

SEGMENT, DETECT = catalog.task("segment"), catalog.task("detect")
NAMES = ("background", "liver", "tumour")


def drawn(liver: int, tumour: int, spacing: tuple[float, ...] | None = None, names: tuple[str, ...] = NAMES
          ) -> Segmentation:
    """Rows 0 to 9 hold `liver` pixels, rows 10 to 19 `tumour` pixels."""
    labels = np.zeros((20, 20), np.uint8)
    labels[:10].flat[:liver] = 1
    labels[10:].flat[:tumour] = len(names) - 1
    return Segmentation(labels, names, Geometry.from_spacing((20, 20), spacing))


def scored(pairs: list[tuple[Segmentation | NotEvaluated, Segmentation]], spacing: object = None) -> Scores:
    cases = [CaseScore(f"c{i}", f"g{i}", records(SEGMENT, a, t)) for i, (a, t) in enumerate(pairs)]
    assert json.loads(json.dumps(cases[0].records, allow_nan=False)) == cases[0].records
    return summarise(SEGMENT, cases, method="m", split="test", resamples=50)


def test_each_third_of_the_regions_has_its_own_dice_and_says_its_limits() -> None:
    # Sizes 4 and 8, 20 and 40, 100 and 150; half of every second one is found.
    truths = [drawn(4, 40), drawn(100, 8), drawn(150, 20)]
    answers = [drawn(2, 40), drawn(100, 4), drawn(75, 20)]
    found = by_size(scored(list(zip(answers, truths, strict=True))))
    half = 2 / 3
    assert list(found) == list(THIRDS)
    assert [s.value for s in found.values()] == pytest.approx([half, 1.0, (1 + half) / 2])
    assert [s.n for s in found.values()] == [2, 2, 2]
    assert [s.flags[0] for s in found.values()] == [
        "size up to 8 px", "size above 8 up to 40 px", "size above 40 px",
    ]  # fmt: skip
    assert all(s.low <= s.value <= s.high and "few_subjects" in s.flags for s in found.values())


def test_sizes_are_those_of_the_world_where_it_is_known() -> None:
    truths = [drawn(n, 0, (2.0, 3.0)) for n in (10, 20, 30)]
    found = by_size(scored([(t, t) for t in truths]))
    assert found[THIRDS[0]].flags[0] == "size up to 60 mm2"
    mixed = by_size(scored([(t, t) for t in (*truths[:2], drawn(30, 0))]))
    assert mixed[THIRDS[0]].flags[0] == "size up to 10 px"


def test_what_was_not_answered_is_missed_and_what_is_not_there_has_no_size() -> None:
    silent = by_size(scored([(NotEvaluated("too dark"), drawn(10, 5))] * 1))
    assert [s.value for s in silent.values()] == [0.0] * len(silent) and len(silent) == 2
    assert by_size(scored([(drawn(3, 0), drawn(0, 0))])) == {}
    # One region for all classes is sized as their union.
    union = by_size(scored([(drawn(10, 5, names=("background", "foreground")), drawn(10, 5))]))
    assert [s.value for s in union.values()] == [1.0]


def test_older_records_and_other_tasks_have_no_strata() -> None:
    whole = scored([(drawn(10, 5), drawn(10, 5))])
    record = {k: v for k, v in whole.cases[0].records["dice"].items() if k not in ("sizes", "pixel", "pixel_unit")}
    old = replace(whole, cases=(replace(whole.cases[0], records={"dice": record}),))
    assert by_size(old) == {} and by_class(old) == ()
    other = replace(whole, task="classify", metrics={})
    assert by_size(other) == {} and by_class(other) == ()


def test_the_class_of_the_fewest_cases_comes_first() -> None:
    truths = [drawn(10, 0), drawn(10, 5), drawn(10, 0), drawn(20, 0)]
    rows = by_class(scored([(t, t) for t in truths]))
    assert [(r.name, r.cases, r.true) for r in rows] == [("tumour", 1, None), ("liver", 4, None)]
    assert rows[0].score is not None and rows[0].score.n == 1 and rows[1].score.n == 4
    assert json.dumps(rows[0].as_json(), allow_nan=False)


def test_objects_are_counted_by_class_the_rarest_first() -> None:
    grid = Geometry((40, 40))
    edges = np.array([[[0, 0], [8, 8]], [[10, 10], [18, 18]], [[20, 20], [28, 28]]]) - 0.5
    truth = Boxes(edges, np.array([0, 0, 1]), ("red", "white"), grid)
    answer = Boxes(edges[:2], np.array([0, 1]), ("red", "white"), grid, np.array([0.9, 0.8]))
    cases = [CaseScore(f"c{i}", f"g{i}", records(DETECT, answer, truth)) for i in range(3)]
    scores = summarise(DETECT, cases, method="m", split="test", resamples=50)
    rows = by_class(scores)
    told = [(r.name, r.cases, r.true, r.found, r.false) for r in rows]
    assert told == [("white", 3, 3, 0, 3), ("red", 3, 6, 3, 0)]
    assert rows[1].score is not None and rows[1].score.value == 0.5
    # Thirds of objects are among their metrics already; all are of one size here.
    assert by_size(scores) == {t: s for t, s in scores.metrics["recall_50"].items() if t in THIRDS}
    assert len(by_size(scores)) == 1
