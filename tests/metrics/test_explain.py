"""The record of an explanation."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Attribution, Boxes, CaseScore, Geometry, Instances, NotEvaluated, Probabilities, Segmentation
from isocenter.metrics import records, summarise
from isocenter.metrics.explain import iou_same_size, pointing_game, truth_mask

TASK = catalog.task("explain")


def made(completeness: float | None) -> Attribution:
    return Attribution(np.zeros((3, 3), np.float32), Geometry((3, 3)), "ill", "grad-cam", completeness)


def test_completeness_is_averaged_over_methods_that_have_it() -> None:
    answers = [made(0.01), made(0.03), made(None), NotEvaluated("no gradient")]
    cases = [CaseScore(f"c{i}", f"g{i}", records(TASK, a)) for i, a in enumerate(answers)]
    score = summarise(TASK, cases, method="m", split="test", resamples=50).metrics["completeness"]["all"]
    assert score.value == pytest.approx(0.02) and score.n == 2 and "few_subjects" in score.flags


def test_nothing_to_average() -> None:
    cases = [CaseScore("c", "g", records(TASK, made(None)))]
    score = summarise(TASK, cases, method="m", split="test", resamples=50).metrics["completeness"]["all"]
    assert score.value is None and score.n == 0 and score.flags == ("undefined",)


def pointing(y: int, x: int, checks: dict[str, float] | None = None) -> Attribution:
    values = np.zeros((6, 8), np.float32)
    values[y, x] = 1.0
    return Attribution(values, Geometry((6, 8)), "ill", "occlusion", None, checks or {})


def masked() -> Segmentation:
    labels = np.zeros((6, 8), np.uint8)
    labels[1:3, 2:5] = 1
    labels[4:6, 0:2] = 2
    labels[0] = 255
    return Segmentation(labels, ("background", "ill", "other"), Geometry((6, 8)))


def boxed(*edges: tuple[float, ...], classes: tuple[str, ...] = ("lesion",)) -> Boxes:
    array = np.array(edges, float).reshape(-1, 2, 2)
    return Boxes(array, np.zeros(len(array), np.int64), classes, Geometry((6, 8)))


def value(record: dict) -> float | None:
    return record["values"]["all"]


def test_the_highest_pixel_lies_in_the_truth_or_not() -> None:
    assert value(pointing_game(pointing(2, 4), masked())) == 1.0
    assert value(pointing_game(pointing(4, 0), masked())) == 0.0, "another class is not the one explained"
    assert value(pointing_game(pointing(0, 0), masked())) == 0.0
    assert value(pointing_game(NotEvaluated("none"), masked())) == 0.0
    everywhere = Segmentation(np.ones((3, 3), np.uint8), ("background", "ill"), Geometry((3, 3)))
    assert value(pointing_game(made(None), everywhere)) == 0.0, "a map without any height points nowhere"
    assert value(pointing_game(pointing(2, 4), None)) is None
    assert value(pointing_game(pointing(2, 4), Probabilities(("ill", "well"), (1.0, 0.0)))) is None


def test_boxes_and_objects_are_truths_too() -> None:
    box = boxed((0.5, 1.5, 2.5, 4.5))
    assert np.array_equal(truth_mask(box, pointing(0, 0)), masked().mask("ill"))
    assert value(pointing_game(pointing(2, 4), box)) == 1.0 and value(pointing_game(pointing(3, 4), box)) == 0.0
    objects = Instances.from_label_map(masked().mask("ill").astype(np.int32), Geometry((6, 8)))
    assert np.array_equal(truth_mask(objects, pointing(0, 0)), masked().mask("ill"))
    assert truth_mask(boxed(), pointing(0, 0)) is None
    outside = boxed((-9.5, -9.5, 0.5, 0.5))
    assert np.argwhere(truth_mask(outside, pointing(0, 0))).tolist() == [[0, 0]]


def test_overlap_at_the_truths_own_size() -> None:
    right = Attribution(masked().mask("ill").astype(np.float32), Geometry((6, 8)), "ill", "x")
    assert value(iou_same_size(right, masked())) == 1.0
    shifted = Attribution(np.roll(right.values, 1, axis=1), Geometry((6, 8)), "ill", "x")
    assert value(iou_same_size(shifted, masked())) == pytest.approx(4 / 8)
    assert value(iou_same_size(NotEvaluated("none"), masked())) == 0.0
    assert value(iou_same_size(right, None)) is None


def test_what_was_measured_on_the_map_is_averaged_with_its_gain_over_chance() -> None:
    checks = {"deletion": 0.2, "deletion_random": 0.5, "insertion": 0.8, "insertion_random": 0.6, "randomised": 0.1}
    cases = [CaseScore(f"c{i}", f"g{i}", records(TASK, pointing(2, 4, checks), masked())) for i in range(3)]
    found = summarise(TASK, cases, method="m", split="test", resamples=50).metrics
    wanted = {"deletion": 0.2, "deletion_gain": 0.3, "insertion": 0.8, "insertion_gain": 0.2, "randomised": 0.1,
              "pointing_game": 1.0}
    assert {k: found[k]["all"].value for k in wanted} == pytest.approx(wanted)
    assert list(found) == list(TASK.metrics)
    empty = records(TASK, NotEvaluated("none"), masked())
    assert empty["deletion_gain"]["values"]["all"] is None and empty["pointing_game"]["values"]["all"] == 0.0
