"""Instance metrics: against brute force on whole masks, the published formulas, and the table of rules."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import CaseScore, Geometry, Instances, NotEvaluated, Scores
from isocenter.metrics import records, summarise
from isocenter.metrics.instances import INSTANCES

# Recall has its own tests.
TASK = replace(catalog.task("instances"), metrics=tuple(m.key for m in INSTANCES))
SILENT = NotEvaluated("too dark")
SHAPE = (24, 30)


def mapped(numbers: Any, **more: Any) -> Instances:
    array = np.asarray(numbers)
    return Instances.from_label_map(array, Geometry(array.shape), **more)


def laid(masks: Sequence[np.ndarray], labels: Sequence[int] | None = None, *, classes: Sequence[str] = ("cell",),
         shape: tuple[int, ...] = SHAPE) -> Instances:
    """Objects from whole masks, which may overlap."""
    starts, crops = [], []
    for m in masks:
        box = [np.flatnonzero(m.any(axis=tuple(a for a in range(m.ndim) if a != k))) for k in range(m.ndim)]
        starts.append([int(b[0]) for b in box])
        crops.append(m[tuple(slice(int(b[0]), int(b[-1]) + 1) for b in box)])
    kinds = np.zeros(len(masks), np.int64) if labels is None else np.asarray(labels, np.int64)
    return Instances(np.asarray(starts, np.int64).reshape(-1, len(shape)), tuple(crops), kinds, tuple(classes),
                     Geometry(shape))


def masks_of(found: Instances) -> list[np.ndarray]:
    out = []
    for i, m in enumerate(found.masks):
        full = np.zeros(found.geometry.shape, bool)
        full[found.where(i)] = m
        out.append(full)
    return out


def of_one(answer: Instances | NotEvaluated, truth: Instances, target: str = "cell") -> dict[str, float | None]:
    found = records(TASK, answer, truth)
    json.dumps(found, allow_nan=False)
    return {k: r["values"][target] for k, r in found.items()}


def scored(pairs: Sequence[tuple[Instances | NotEvaluated, Instances]]) -> Scores:
    cases = [CaseScore(f"c{i}", f"g{i}", records(TASK, *p)) for i, p in enumerate(pairs)]
    return summarise(TASK, cases, method="m", split="test", resamples=50)


def brute(answer: Instances, truth: Instances) -> dict[str, float]:
    """Every metric from whole masks, trying every assignment."""
    a, t = masks_of(answer), masks_of(truth)
    ious = np.array([[(p & q).sum() / (p | q).sum() for q in t] for p in a]).reshape(len(a), len(t))

    def best(least: float, above: bool) -> tuple[int, float]:
        top = (0, 0.0)
        for chosen in set(permutations([*range(len(t)), *[-1] * len(a)], len(a))):
            hits = [ious[i, j] for i, j in enumerate(chosen) if j >= 0 and
                    (ious[i, j] > least if above else ious[i, j] >= least)]
            top = max(top, (len(hits), sum(hits)))
        return top

    each = [(tp := best(x, False)[0]) / (len(a) + len(t) - tp) for x in np.linspace(0.5, 0.95, 10)]
    tp = best(0.5, False)[0]
    n, quality = best(0.5, True)
    return {"ap50": each[0], "ap": float(np.mean(each)), "f1_50": 2 * tp / (len(a) + len(t)), "aji": plain_aji(a, t),
            "pq": quality / (n + (len(a) - n) / 2 + (len(t) - n) / 2)}


def plain_aji(a: Sequence[np.ndarray], t: Sequence[np.ndarray]) -> float:
    """Algorithm 1 of Kumar et al. 2017, line by line."""
    shared = union = 0
    used = set()
    for truth in t:
        ious = [(truth & m).sum() / (truth | m).sum() for m in a]
        j = int(np.argmax(ious)) if ious else -1
        if j < 0 or ious[j] == 0:
            union += truth.sum()
            continue
        shared += (truth & a[j]).sum()
        union += (truth | a[j]).sum()
        used.add(j)
    union += sum(m.sum() for j, m in enumerate(a) if j not in used)
    return float(shared / union)


def blobs(rng: np.random.Generator, n: int, shape: tuple[int, ...], *, overlap: bool) -> list[np.ndarray]:
    out: list[np.ndarray] = []
    taken = np.zeros(shape, bool)
    for _ in range(n):
        size = rng.integers(3, 8, len(shape))
        start = [int(rng.integers(0, s - min(k, s) + 1)) for s, k in zip(shape, size, strict=True)]
        mask = np.zeros(shape, bool)
        mask[tuple(slice(s, s + int(k)) for s, k in zip(start, size, strict=True))] = True
        mask &= True if overlap else ~taken
        taken |= mask
        if mask.any():
            out.append(mask)
    return out


def shaken(rng: np.random.Generator, masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    moved = [np.roll(m, rng.integers(-1, 2, m.ndim), axis=tuple(range(m.ndim))) for m in masks]
    return [m for m in moved if rng.random() < 0.9]


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("shape", [SHAPE, (7, 12, 13)])
@pytest.mark.parametrize("seed", range(4))
def test_every_metric_equals_brute_force(seed: int, shape: tuple[int, ...], overlap: bool) -> None:
    rng = np.random.default_rng(seed)
    truth = blobs(rng, 4, shape, overlap=overlap)
    answer = shaken(rng, truth) + blobs(rng, 1, shape, overlap=True)
    if not overlap:
        taken = np.zeros(shape, int)
        for i, m in enumerate(answer, start=1):
            taken[m] = i
        answer = [taken == i for i in range(1, len(answer) + 1) if (taken == i).any()]
    pair = (laid(answer, shape=shape), laid(truth, shape=shape))
    got, wanted = of_one(*pair), brute(*pair)
    assert set(got) == set(wanted)
    for key, number in wanted.items():
        assert got[key] == pytest.approx(number, abs=1e-12), key


def rows_and_columns(height: int, width: int, *, shift: int = 0) -> np.ndarray:
    numbers = np.zeros(SHAPE, np.int32)
    numbers[2 : 2 + height, 2 + shift : 2 + shift + width] = 1
    return numbers


@pytest.mark.parametrize(("shift", "iou"), [(0, 1.0), (1, 9 / 11), (2, 8 / 12), (3, 7 / 13), (4, 6 / 14), (10, 0.0)])
def test_one_object_moved_has_the_values_of_the_formulas(shift: int, iou: float) -> None:
    got = of_one(mapped(rows_and_columns(6, 10, shift=shift), classes=("cell",)),
                 mapped(rows_and_columns(6, 10), classes=("cell",)))
    steps = sum(iou >= t for t in np.linspace(0.5, 0.95, 10)) / 10
    hit = float(iou >= 0.5)
    assert got == {"ap50": hit, "ap": pytest.approx(steps), "f1_50": hit, "pq": pytest.approx(iou * hit),
                   "aji": pytest.approx(iou)}


def test_one_half_is_a_match_for_all_but_panoptic_quality() -> None:
    got = of_one(mapped(rows_and_columns(6, 5), classes=("cell",)), mapped(rows_and_columns(6, 10), classes=("cell",)))
    assert got == {"ap50": 1.0, "ap": pytest.approx(0.1), "f1_50": 1.0, "pq": 0.0, "aji": 0.5}


def test_the_aggregated_jaccard_index_may_use_an_object_twice() -> None:
    whole, split = rows_and_columns(6, 10), rows_and_columns(6, 10)
    split[2:8, 7:12] = 2
    assert of_one(mapped(whole, classes=("cell",)), mapped(split, classes=("cell",)))["aji"] == 60 / 120
    assert of_one(mapped(split, classes=("cell",)), mapped(whole, classes=("cell",)))["aji"] == 30 / 90


NOTHING = Instances.none(("cell",), Geometry(SHAPE))
SOMETHING = mapped(rows_and_columns(6, 10), classes=("cell",))


@pytest.mark.parametrize(("answer", "truth", "wanted"), [
    (NOTHING, NOTHING, 1.0), (SOMETHING, NOTHING, 0.0), (NOTHING, SOMETHING, 0.0), (SILENT, NOTHING, 1.0),
    (SILENT, SOMETHING, 0.0),
])
def test_images_without_objects(answer: Instances | NotEvaluated, truth: Instances, wanted: float) -> None:
    got = of_one(answer, truth)
    assert {got[k] for k in ("ap50", "ap", "f1_50", "aji")} == {wanted}
    assert got["pq"] == (None if wanted else 0.0)
    if answer is SILENT:
        assert records(TASK, SILENT, truth)["ap"]["answered"] is False


def test_ap_is_a_mean_over_images_and_pq_is_over_the_set() -> None:
    four = np.zeros(SHAPE, np.int32)
    for i in range(4):
        four[2:8, 7 * i : 7 * i + 5] = i + 1
    one_of_four = mapped(np.where(four == 1, 1, 0), classes=("cell",))
    made = scored([(one_of_four, mapped(four, classes=("cell",))), (SOMETHING, SOMETHING), (NOTHING, NOTHING)])
    assert made.metrics["ap50"]["cell"].value == pytest.approx((0.25 + 1 + 1) / 3)
    assert made.metrics["f1_50"]["cell"].value == pytest.approx((0.4 + 1 + 1) / 3)
    assert made.metrics["pq"]["cell"].value == pytest.approx(2 / (2 + 3 / 2))
    assert all(made.metrics[k]["all"].value == made.metrics[k]["cell"].value for k in TASK.metrics)


TWO = ("round", "long", "rare")


def pair_of(labels: Sequence[int], truth_labels: Sequence[int], classes: Sequence[str] = TWO) -> tuple[Instances, Any]:
    masks = [np.zeros(SHAPE, bool) for _ in range(2)]
    masks[0][2:8, 2:8] = masks[1][12:20, 12:20] = True
    return laid(masks, labels, classes=classes), laid(masks, truth_labels, classes=TWO)


def test_classes_are_scored_apart_and_together() -> None:
    made = scored([pair_of([0, 0], [0, 1])])
    assert {t: s.value for t, s in made.metrics["ap50"].items()} == {
        "round": 0.5, "long": 0.0, "rare": None, "object": 1.0, "all": 0.25,
    }
    assert {t: s.value for t, s in made.metrics["pq"].items()} == {
        "round": pytest.approx(1 / 1.5), "long": 0.0, "rare": None, "object": 1.0, "all": pytest.approx(1 / 3),
    }
    assert "undefined_classes" not in made.metrics["ap50"]["all"].flags


def test_an_image_of_another_class_says_nothing_about_this_one() -> None:
    blank = Instances.none(TWO, Geometry(SHAPE))
    made = scored([pair_of([0, 0], [0, 0]), pair_of([0, 1], [0, 1]), (blank, blank)])
    counts = {t: s.n for t, s in made.metrics["ap50"].items()}
    assert counts == {"round": 3, "long": 2, "rare": 1, "object": 3, "all": 3}
    assert made.metrics["ap50"]["all"].value == 1.0


def test_an_answer_of_objects_stands_for_all_classes_together() -> None:
    answer, truth = pair_of([0, 0], [0, 1], classes=("object",))
    made = scored([(answer, truth), (SILENT, truth)])
    assert {k: {t: s.value for t, s in v.items()} for k, v in made.metrics.items()} == {
        **{k: {"object": 0.5} for k in TASK.metrics}, "pq": {"object": pytest.approx(2 / 3)},
    }
    single = laid(masks_of(truth), classes=("cell",))
    assert of_one(laid(masks_of(answer), classes=("object",)), single)["ap"] == 1.0


def test_five_hundred_objects_are_scored_in_a_moment() -> None:
    rng = np.random.default_rng(0)
    numbers = np.zeros((1024, 1024), np.int32)
    for i in range(500):
        y, x = divmod(i, 25)
        numbers[y * 50 + 4 : y * 50 + 40, x * 40 + 4 : x * 40 + 34] = i + 1
    truth = mapped(numbers, classes=("cell",))
    answer = mapped(np.roll(numbers, 2, axis=1), classes=("cell",), scores=rng.random(500))
    began = time.process_time()
    got = of_one(answer, truth)
    assert time.process_time() - began < 1.0
    iou = 28 / 32
    assert got["aji"] == pytest.approx(iou) and got["pq"] == pytest.approx(iou) and got["ap"] == pytest.approx(0.8)
