"""Detection metrics: against pycocotools, against plain counting, and the table of rules."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy.optimize import linear_sum_assignment

from isocenter import catalog
from isocenter.data import Boxes, CaseScore, Geometry, NotEvaluated, Scores
from isocenter.metrics import get, records, summarise
from isocenter.metrics.detect import DETECT

# Recall has its own tests.
TASK = replace(catalog.task("detect"), metrics=tuple(m.key for m in DETECT))
CLASSES = ("red", "white", "platelet")
SHAPE = (60, 80)
GRID = Geometry(SHAPE)
SILENT = NotEvaluated("too dark")
Finding = Boxes | NotEvaluated


def boxes(rows: Sequence[Sequence[float]], labels: Sequence[int] | None = None, scores: Sequence[float] | None = None,
          *, classes: Sequence[str] = CLASSES, ignored: Sequence[bool] | None = None) -> Boxes:
    edges = np.asarray(rows, float).reshape(-1, 2, 2)
    kinds = np.zeros(len(edges), np.int64) if labels is None else np.asarray(labels, np.int64)
    return Boxes(edges, kinds, tuple(classes), GRID, None if scores is None else np.asarray(scores, float),
                 None if ignored is None else np.asarray(ignored, bool))


def scored(pairs: Sequence[tuple[Finding, Boxes]], groups: Sequence[str] | None = None, **more: Any) -> Scores:
    cases = []
    for i, (answer, truth) in enumerate(pairs):
        found = records(TASK, answer, truth)
        cases.append(CaseScore(f"case{i}", groups[i] if groups else f"g{i}", json.loads(json.dumps(found,
                               allow_nan=False)), answer.line() if isinstance(answer, NotEvaluated) else ""))
    return summarise(TASK, cases, method="m", split="test", **{"resamples": 50, **more})


def value(pairs: Sequence[tuple[Finding, Boxes]], key: str, target: str = "all") -> float | None:
    return scored(pairs).metrics[key][target].value


def drawn(rng: np.random.Generator, n_classes: int, *, crowd: float = 0.0, ties: bool = False) -> tuple[Boxes, Boxes]:
    """A truth and an answer that finds part of it, shifted, with others beside; edges on half pixels."""
    n = int(rng.integers(0, 12))
    low = rng.integers(0, 40, (n, 2)) * 1.0
    edges = np.stack([low, low + rng.integers(2, 18, (n, 2))], axis=1)
    labels = rng.integers(0, n_classes, n)
    kept = rng.random(n) < 0.8
    near = edges[kept] + rng.integers(-2, 3, (int(kept.sum()), 2, 2)) * 0.5
    near[:, 1] = np.maximum(near[:, 1], near[:, 0] + 1)
    low = rng.integers(0, 40, (6, 2)) * 1.0
    wild = np.stack([low, low + rng.integers(2, 18, (6, 2))], axis=1)
    answered = np.concatenate([near, near[::2], wild])
    kinds = np.concatenate([labels[kept], labels[kept][::2], rng.integers(0, n_classes, 6)])
    scores = rng.random(len(answered))
    return (boxes(answered, kinds, np.round(scores, 1) if ties else scores),
            boxes(edges, labels, ignored=rng.random(n) < crowd))


def coco_document(pairs: Sequence[tuple[Boxes, Boxes]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    images = [{"id": i + 1, "width": SHAPE[1], "height": SHAPE[0]} for i in range(len(pairs))]
    truths: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for i, (answer, truth) in enumerate(pairs):
        for finding, rows in ((truth, truths), (answer, answers)):
            for k, (low, high) in enumerate(finding.edges):
                h, w = high - low
                row = {"id": len(rows) + 1, "image_id": i + 1, "category_id": int(finding.labels[k]) + 1,
                       "bbox": [float(low[1]), float(low[0]), float(w), float(h)], "area": float(w * h), "iscrowd": 0}
                if finding.scores is not None:
                    row["score"] = float(finding.scores[k])
                elif finding.ignored is not None:
                    row["iscrowd"] = int(finding.ignored[k])
                rows.append(row)
    names = [{"id": k + 1, "name": c} for k, c in enumerate(CLASSES)]
    return {"info": {}, "images": images, "annotations": truths, "categories": names}, answers


def by_coco(pairs: Sequence[tuple[Boxes, Boxes]]) -> dict[str, dict[str, float | None]]:
    """ap and ap50 by class and over all, as pycocotools says; None where it says -1."""
    document, answers = coco_document(pairs)
    with contextlib.redirect_stdout(io.StringIO()):
        truth, answer = COCO(), COCO()
        truth.dataset, answer.dataset = document, {**document, "annotations": answers}
        truth.createIndex()
        answer.createIndex()
        judge = COCOeval(truth, answer, "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    precision = judge.eval["precision"][:, :, :, 0, 2]
    out: dict[str, dict[str, float | None]] = {"ap": {}, "ap50": {}}
    for k, name in enumerate(CLASSES):
        for key, part in (("ap", precision[:, :, k]), ("ap50", precision[0, :, k])):
            out[key][name] = None if (part < 0).all() else float(part.mean())
    out["ap"]["all"], out["ap50"]["all"] = (None if s < 0 else float(s) for s in judge.stats[:2])
    return out


def assert_equals_coco(pairs: Sequence[tuple[Boxes, Boxes]]) -> None:
    wanted, got = by_coco(pairs), scored(pairs, resamples=1).metrics
    for key, targets in wanted.items():
        for target, number in targets.items():
            found = got[key][target].value
            assert (found is None) == (number is None), (key, target, found, number)
            assert number is None or found == pytest.approx(number, abs=1e-9), (key, target)


@pytest.mark.parametrize("seed", range(12))
def test_average_precision_equals_pycocotools(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = [drawn(rng, 1 + seed % 3, crowd=0.3 * (seed % 2), ties=seed % 4 > 1) for _ in range(1 + 3 * (seed % 5))]
    assert_equals_coco(pairs)


def test_more_boxes_than_coco_counts() -> None:
    rng = np.random.default_rng(1)
    low = rng.integers(0, 40, (150, 2)) * 1.0
    many = np.stack([low, low + 8], axis=1)
    pairs = [(boxes(many, [0] * 150, rng.random(150)), boxes(many[::2])), drawn(rng, 2)]
    assert_equals_coco(pairs)
    assert scored(pairs).metrics["f1_50"]["red"].value > 0.4


ONE = [[10, 10, 20, 20]]
TWO = [[10, 10, 20, 20], [30, 30, 40, 40]]
EDGE_CASES: dict[str, list[tuple[Boxes, Boxes]]] = {
    "no box anywhere": [(boxes([], scores=[]), boxes([]))],
    "nothing answered": [(boxes([], scores=[]), boxes(ONE))],
    "nothing to find": [(boxes(ONE, scores=[0.9]), boxes([]))],
    "found": [(boxes(ONE, scores=[0.0]), boxes(ONE))],
    "found twice": [(boxes(ONE * 2, scores=[0.5, 0.5]), boxes(ONE))],
    "one truth twice": [(boxes(ONE, scores=[0.5]), boxes(ONE * 2))],
    "IoU one half": [(boxes([[10, 10, 20, 15]], scores=[1.0]), boxes(ONE))],
    "another class": [(boxes(ONE, [1], [0.7]), boxes(ONE, [0]))],
    "all ignored": [(boxes(TWO, scores=[0.7, 0.2]), boxes(ONE, ignored=[True]))],
    "ignored and wrong": [(boxes(TWO, scores=[0.2, 0.7]), boxes(TWO, ignored=[True, False])),
                          (boxes(ONE, scores=[0.9]), boxes([]))],
    "many in a crowd": [(boxes([[11, 11, 13, 13], [14, 14, 16, 16], [30, 30, 40, 40]], scores=[0.9, 0.8, 0.1]),
                         boxes(TWO, ignored=[True, False]))],
    "an empty image beside": [(boxes(ONE, scores=[0.9]), boxes([])), (boxes(ONE, scores=[0.8]), boxes(ONE)),
                              (boxes([], scores=[]), boxes([]))],
}


@pytest.mark.parametrize("name", EDGE_CASES)
def test_edge_cases_equal_pycocotools(name: str) -> None:
    assert_equals_coco(EDGE_CASES[name])


def test_an_image_that_counts_twice_is_two_images() -> None:
    times = np.array([0, 3, 1, 2, 1, 1])
    for key in TASK.metrics:
        # COCO's precision depends on the order of equal scores, and copies of an image have another.
        rng = np.random.default_rng(3)
        pairs = [drawn(rng, 1, crowd=0.2, ties=not key.startswith("ap")) for _ in range(6)]
        again = [p for p, n in zip(pairs, times, strict=True) for _ in range(n)]
        rows = [records(TASK, *p)[key] for p in pairs]
        summary = get(key, TASK).summary(rows, None)["red"]
        assert summary.at(times[None].astype(float))[0] == pytest.approx(value(again, key, "red"), abs=1e-12), key


def test_a_resample_without_the_class_has_no_value() -> None:
    pairs = [(boxes(ONE, scores=[0.9]), boxes([])), (boxes(ONE, scores=[0.8]), boxes(ONE))]
    for key in ("ap50", "ap", "froc", "sensitivity_at_1"):
        estimate = get(key, TASK).summary([records(TASK, *p)[key] for p in pairs], None)["red"]
        assert np.isnan(estimate.at(np.array([[1.0, 0.0], [0.0, 1.0]]))).tolist() == [True, False]
        assert estimate.rarer == 1 and estimate.entered.all()


def test_f1_counts_every_sure_box_over_the_set() -> None:
    far = [[40, 60, 50, 70]]
    pairs = [(boxes(TWO + far, scores=[0.5, 0.9, 0.6]), boxes(TWO)), (boxes(far, scores=[0.5]), boxes([])),
             (SILENT, boxes(ONE))]
    made = scored(pairs)
    assert made.metrics["f1_50"]["red"].value == pytest.approx(2 * 2 / (2 * 2 + 2 + 1))
    assert made.metrics["f1_50"]["red"].n == 3
    rows = [c.records["f1_50"]["values"]["red"] for c in made.cases]
    assert rows == [pytest.approx(4 / 5), 0.0, 0.0]
    assert records(TASK, boxes([], scores=[]), boxes([]))["f1_50"]["values"]["red"] is None


def test_boxes_below_one_half_are_for_the_curves_alone() -> None:
    pairs = [(boxes(TWO, scores=[0.4, 0.9]), boxes(TWO))]
    assert value(pairs, "f1_50", "red") == value(pairs, "f1_8px", "red") == pytest.approx(2 / 3)
    assert value(pairs, "ap50", "red") == pytest.approx(1.0)
    assert records(TASK, boxes(ONE, scores=[0.49]), boxes([]))["f1_50"]["values"]["red"] is None


def test_answers_of_people_have_no_scores() -> None:
    pairs = [(boxes(TWO), boxes(TWO)), (boxes(ONE), boxes([]))]
    assert value(pairs, "f1_50", "red") == pytest.approx(4 / 5)
    assert value(pairs, "ap50", "red") == pytest.approx(by_coco([(boxes(a.edges, a.labels, [1.0] * len(a)), t)
                                                                 for a, t in pairs])["ap50"]["red"])


@pytest.mark.parametrize("seed", range(5))
def test_centres_are_assigned_as_well_as_possible(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = [drawn(rng, 1) for _ in range(4)]
    top = bottom = 0
    for every, truth in pairs:
        answer = every if every.scores is None else every.chosen(every.scores >= 0.5)
        away = np.linalg.norm(answer.edges.mean(1)[:, None] - truth.edges.mean(1)[None], axis=2)
        near = away <= 8
        top += 2 * int(near[linear_sum_assignment(near, maximize=True)].sum())
        bottom += len(answer) + len(truth)
    assert value(pairs, "f1_8px", "red") == pytest.approx(top / bottom)


def test_eight_pixels_are_near_and_ignored_centres_are_out() -> None:
    truth = boxes(TWO, ignored=[False, True])
    moved = boxes(boxes(TWO).edges + np.array([8.0, 0.0]), scores=[0.5, 0.5])
    assert value([(boxes(moved.edges[:1], scores=[0.5]), truth)], "f1_8px", "red") == 1.0
    assert value([(boxes(moved.edges[:1] + 0.01, scores=[0.5]), truth)], "f1_8px", "red") == 0.0
    assert value([(boxes(TWO, scores=[0.5, 0.5]), truth)], "f1_8px", "red") == 1.0
    assert value([(moved, truth)], "f1_8px", "red") == pytest.approx(2 / 3)


def plain_froc(pairs: Sequence[tuple[Boxes, Boxes]], rate: float) -> float:
    """Sensitivity at a rate by trying every threshold, a nodule after the other as in LUNA16."""
    best, total = 0.0, sum(len(t) for _, t in pairs)
    for threshold in {np.inf, *(s for a, _ in pairs for s in a.scores)}:
        found = false = 0
        for answer, truth in pairs:
            left = [np.asarray(e, float).mean(0) for e, s in zip(answer.edges, answer.scores, strict=True)
                    if s >= threshold]
            for low, high in truth.edges:
                inside = [(((c - (low + high) / 2) / ((high - low) / 2)) ** 2).sum() <= 1 for c in left]
                found += any(inside)
                left = [c for c, hit in zip(left, inside, strict=True) if not hit]
            false += len(left)
        if false <= rate * len(pairs):
            best = max(best, found / total)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_froc_equals_trying_every_threshold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(7):
        # True boxes apart from each other, so that no centre lies in two.
        corners = rng.permutation(12)[: int(rng.integers(1, 6))]
        low = np.stack([corners // 4 * 20.0, corners % 4 * 20.0], axis=1)
        truth = boxes(np.stack([low, low + rng.integers(6, 18, low.shape)], axis=1))
        at = rng.uniform(0, 55, (25, 2))
        pairs.append((boxes(np.stack([at, at + 4], axis=1), scores=np.round(rng.random(25), seed % 2 + 1)), truth))
    rates = (0.125, 0.25, 0.5, 1, 2, 4, 8)
    assert value(pairs, "froc", "red") == pytest.approx(np.mean([plain_froc(pairs, r) for r in rates]))
    assert value(pairs, "sensitivity_at_1", "red") == pytest.approx(plain_froc(pairs, 1))


def test_a_second_box_on_the_same_truth_is_no_false_positive() -> None:
    near = [[11, 11, 19, 19], [12, 12, 18, 18], [8, 8, 22, 22]]
    assert value([(boxes(near, scores=[0.3, 0.9, 0.5]), boxes(TWO))], "froc", "red") == 0.5
    assert value([(boxes(near, scores=[0.3, 0.9, 0.5]), boxes(TWO, ignored=[True, False]))], "froc", "red") == 0.0


def test_images_without_truth_count_in_the_rate() -> None:
    # One false positive a searched image: allowed only with enough images.
    wrong = (boxes([[40, 60, 50, 70]], scores=[0.9]), boxes([]))
    right = (boxes(ONE, scores=[0.5]), boxes(ONE))
    assert value([wrong, right], "sensitivity_at_1", "red") == 1.0
    assert value([wrong, wrong, wrong, right], "sensitivity_at_1", "red") == 1.0
    assert value([wrong, right], "froc", "red") == pytest.approx(5 / 7)
    assert value([wrong, right, (boxes([], scores=[]), boxes([]))], "froc", "red") == pytest.approx(5 / 7)
    quiet = (boxes([], scores=[]), boxes([]))
    assert value([wrong, right, quiet, quiet], "froc", "red") == pytest.approx(6 / 7)


def test_all_is_the_mean_over_the_classes_that_occur() -> None:
    made = scored([(boxes(TWO, [0, 2], [0.9, 0.8]), boxes(TWO, [0, 1]))])
    for key in ("ap50", "f1_50", "froc"):
        assert {t: s.value for t, s in made.metrics[key].items()} == {
            "red": 1.0, "white": 0.0, "platelet": 0.0 if key == "f1_50" else None, "object": 1.0, "all": 0.5,
        }
        assert "undefined_classes" not in made.metrics[key]["all"].flags


def test_an_answer_of_objects_stands_for_all_classes_or_for_the_only_one() -> None:
    nameless = boxes(TWO, scores=[0.9, 0.8], classes=("object",))
    together = scored([(nameless, boxes(TWO, [0, 1])), (SILENT, boxes([]))])
    assert {k: list(t) for k, t in together.metrics.items()} == {k: ["object"] for k in TASK.metrics}
    assert together.metrics["ap50"]["object"].value == 1.0
    for theirs, ours in (("object", "red"), ("foreground", "red"), ("cell", "object")):
        alone = scored([(boxes(TWO, scores=[0.9, 0.8], classes=(theirs,)), boxes(TWO, classes=(ours,)))])
        assert {t: s.value for t, s in alone.metrics["ap"].items()} == {ours: 1.0, "all": 1.0}


def test_no_answer_is_no_box() -> None:
    truth = boxes(TWO, [0, 1])
    empty = records(TASK, boxes([], scores=[]), truth)
    assert records(TASK, SILENT, truth) == {k: {**r, "answered": False} for k, r in empty.items()}


def test_boxes_in_three_dimensions() -> None:
    grid = Geometry((8, 60, 80))
    truth = Boxes(np.array([[[1.0, 10, 10], [5, 20, 20]]]), np.zeros(1, np.int64), ("lesion",), grid)
    answer = Boxes(np.array([[[1.0, 10, 10], [5, 20, 20]], [[3.0, 40, 40], [6, 50, 50]]]), np.zeros(2, np.int64),
                   ("lesion",), grid, np.array([0.5, 0.6]))
    made = scored([(answer, truth)])
    got = {k: t["lesion"].value for k, t in made.metrics.items()}
    assert got == {"ap50": 0.5, "ap": 0.5, "f1_50": pytest.approx(2 / 3), "f1_8px": pytest.approx(2 / 3),
                   "froc": pytest.approx(4 / 7), "sensitivity_at_1": 1.0}


def test_a_thousand_resamples_of_five_thousand_boxes_take_seconds() -> None:
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(50):
        low = rng.uniform(0, 1000, (100, 2))
        edges = np.stack([low, low + rng.uniform(5, 30, low.shape)], axis=1)
        labels = rng.integers(0, 3, 100)
        near = edges + rng.normal(0, 1, (100, 1, 2))
        pairs.append((boxes(near, labels, rng.random(100)), boxes(edges[::4], labels[::4])))
    found = [CaseScore(f"c{i}", f"g{i}", records(TASK, *p)) for i, p in enumerate(pairs)]
    # Time of the processor, which a busy machine does not stretch much.
    began = time.process_time()
    made = summarise(TASK, found, method="m", split="test", resamples=1000)
    assert time.process_time() - began < 5
    assert all(s.low < s.value < s.high for k in ("ap50", "froc") for s in made.metrics[k].values())
