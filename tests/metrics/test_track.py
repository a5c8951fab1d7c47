"""Metrics of tracks, against py-ctcmetrics and motmetrics, and plain counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from isocenter import catalog
from isocenter.data import Geometry, Instances, NotEvaluated, Tracks
from isocenter.errors import GeometryError, LabelError
from isocenter.io.tracks import write_folder
from isocenter.metrics import records
from isocenter.metrics.track import TRACK, det, f1_8px, hota, idf1, link_recall, lnk, met, mota, seg, tra
from isocenter.ops.linking import Linker, Rules
from isocenter.simulate.film import Course, drawn, film

GRID = Geometry((96, 120))


def truth_of(seed: int) -> Tracks:
    rng = np.random.default_rng(seed)
    return drawn(film(GRID.shape, rng, Course(12, 10, 3.0, dividing=0.25)), rng)[1]


def mistaken(truth: Tracks, seed: int, lost: float = 0.1) -> Tracks:
    """An answer with missed, false, moved, joined and exchanged points."""
    rng = np.random.default_rng(seed)
    keep = np.flatnonzero(rng.random(len(truth)) >= lost)
    masks, starts = list[np.ndarray](), list[np.ndarray]()
    for i in keep:
        box = truth.objects.where(int(i))
        mask = truth.objects.masks[i].copy()
        if rng.random() < 0.3:
            mask[: len(mask) // 2] = False
        mask = mask if mask.any() else truth.objects.masks[i]
        starts.append(np.array([s.start for s in box]) + (rng.integers(0, 3, 2) if rng.random() < 0.5 else 0))
        masks.append(mask)
    frames = truth.frames[keep].copy()
    # Some false ones.
    for _ in range(6):
        starts.append(rng.integers(0, 80, 2))
        masks.append(np.ones((6, 6), bool))
        frames = np.append(frames, rng.integers(0, truth.length))
    fitting = [np.minimum(s, np.array(GRID.shape) - m.shape) for s, m in zip(starts, masks, strict=True)]
    objects = Instances(np.array(fitting), tuple(masks), np.zeros(len(masks), np.int64), ("object",), GRID)
    objects, kept = apart(objects, frames)
    frames = frames[kept]
    places = np.array([s + np.argwhere(m).mean(0) for s, m in zip(objects.starts, objects.masks, strict=True)])
    numbers, linker = np.zeros(len(frames), np.int64), Linker(Rules(reach=9.0, gap=1))
    for t in range(truth.length):
        numbers[frames == t] = linker.step(places[frames == t], float(t))
    made = Tracks.of(frames, numbers, places, GRID, length=truth.length, objects=objects)
    return replace(made, parents=tuple(linker.parents))


def apart(objects: Instances, frames: np.ndarray) -> tuple[Instances, np.ndarray]:
    """As a label map holds them: of what overlaps the earlier shows."""
    masks, kept = [], []
    for t in np.unique(frames):
        taken = np.zeros(GRID.shape, bool)
        for i in np.flatnonzero(frames == t):
            box = objects.where(int(i))
            mask = objects.masks[i] & ~taken[box]
            if mask.any():
                taken[box] |= mask
                masks.append(mask)
                kept.append(int(i))
    order = np.argsort(kept)
    at = np.array(kept)[order]
    return replace(objects.chosen(at), masks=tuple(masks[k] for k in order)), at


SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_det_tra_seg_and_lnk_are_those_of_py_ctcmetrics(seed: int, tmp_path: Path) -> None:
    evaluate = pytest.importorskip("ctc_metrics.scripts.evaluate", reason="pip install py-ctcmetrics")
    truth = truth_of(seed)
    answer = mistaken(truth, seed + 50, lost=0.05 * (seed + 1))
    write_folder(answer, tmp_path / "01_RES")
    write_folder(truth, tmp_path / "01_GT" / "TRA", truth=True)
    (tmp_path / "01_GT" / "SEG").mkdir()
    for file in (tmp_path / "01_GT" / "TRA").glob("*.tif"):
        target = tmp_path / "01_GT" / "SEG" / file.name.replace("man_track", "man_seg")
        target.write_bytes(file.read_bytes())
    found = evaluate.evaluate_sequence(
        str(tmp_path / "01_RES"), str(tmp_path / "01_GT"), ["DET", "SEG", "TRA", "LNK"], threads=1
    )
    both = met(answer, truth)
    assert 0.2 < found["TRA"] < 1
    for key, ours in (("DET", det), ("SEG", seg), ("TRA", tra), ("LNK", lnk)):
        assert ours(both) == pytest.approx(found[key], abs=1e-9), key
    graph = both.graph
    assert (graph.split, graph.missed, graph.false) == tuple(found[f"AOGM_{k}"] for k in ("NS", "FN", "FP"))
    assert (graph.cut, graph.added, graph.mistaken) == tuple(found[f"AOGM_{k}"] for k in ("ED", "EA", "EC"))


def ious(answer: Tracks, truth: Tracks, t: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """IoU of all in one frame, pixel by pixel."""
    def pictures(tracks: Tracks) -> tuple[np.ndarray, np.ndarray]:
        here = np.flatnonzero(tracks.frames == t)
        out = np.zeros((len(here), *GRID.shape), bool)
        for k, i in enumerate(here):
            out[k][tracks.objects.where(int(i))] = tracks.objects.masks[i]
        return tracks.numbers[here], out.reshape(len(here), -1).astype(float)

    (i, a), (j, b) = pictures(truth), pictures(answer)
    both = a @ b.T
    return i, j, both / np.maximum(a.sum(1)[:, None] + b.sum(1)[None] - both, 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_mota_and_idf1_are_those_of_motmetrics(seed: int) -> None:
    motmetrics = pytest.importorskip("motmetrics", reason="pip install motmetrics")
    truth = truth_of(seed)
    answer = mistaken(truth, seed + 90, lost=0.05 * (seed + 1))
    book = motmetrics.MOTAccumulator()
    for t in range(truth.length):
        i, j, alike = ious(answer, truth, t)
        book.update(i.tolist(), j.tolist(), np.where(alike >= 0.5, 1 - alike, np.nan), frameid=t)
    found = motmetrics.metrics.create().compute(book, metrics=["mota", "idf1", "num_switches"], name="x")
    both = met(answer, truth)
    assert found["num_switches"]["x"] > 0 or seed < 2
    assert mota(both) == pytest.approx(found["mota"]["x"], abs=1e-9)
    assert idf1(both) == pytest.approx(found["idf1"]["x"], abs=1e-9)


def hota_plainly(answer: Tracks, truth: Tracks) -> float:
    """On full tables, frame by frame, as in the paper's own evaluation."""
    true, mine = truth.tracks.tolist(), answer.tracks.tolist()
    n_true = np.array([(truth.numbers == n).sum() for n in true], float)
    n_mine = np.array([(answer.numbers == n).sum() for n in mine], float)
    shared = np.zeros((len(true), len(mine)))
    frames = []
    for t in range(truth.length):
        i, j, alike = ious(answer, truth, t)
        rows, columns = [true.index(n) for n in i], [mine.index(n) for n in j]
        frames.append((rows, columns, alike))
        sums = alike.sum(0)[None] + alike.sum(1)[:, None] - alike
        shared[np.ix_(rows, columns)] += np.divide(alike, sums, out=np.zeros(alike.shape), where=sums > 0)
    fit = shared / (n_true[:, None] + n_mine[None] - shared)
    values = []
    for alpha in np.arange(0.05, 0.99, 0.05):
        counts = np.zeros(shared.shape)
        for rows, columns, alike in frames:
            left, right = linear_sum_assignment(-fit[np.ix_(rows, columns)] * alike)
            for a, b in zip(left, right, strict=True):
                counts[rows[a], columns[b]] += alike[a, b] >= alpha - 1e-12
        tp = counts.sum()
        association = (counts * counts / (n_true[:, None] + n_mine[None] - counts)).sum() / max(1, tp)
        values.append(np.sqrt(tp / (len(truth) + len(answer) - tp) * association))
    return float(np.mean(values))


@pytest.mark.parametrize("seed", SEEDS)
def test_hota_is_that_of_full_tables(seed: int) -> None:
    truth = truth_of(seed)
    answer = mistaken(truth, seed + 20, lost=0.1)
    assert hota(met(answer, truth)) == pytest.approx(hota_plainly(answer, truth), abs=1e-9)


EVERY: tuple[Callable[[Any], float | None], ...] = (tra, det, seg, lnk, mota, idf1, hota, f1_8px, link_recall)


@pytest.mark.parametrize("bare", ["masks", "boxes", "points"])
def test_the_truth_itself_is_perfect(bare: str) -> None:
    truth = truth_of(0)
    answer = {"masks": truth, "boxes": replace(truth, objects=truth.boxes()), "points": replace(truth, objects=None)}
    both = met(answer[bare], truth)
    for measure in EVERY:
        wanted = None if measure is seg and bare != "masks" else 1.0
        assert measure(both) == (None if wanted is None else pytest.approx(wanted)), measure.__name__


def line(numbers: list[int], places: list[float], frames: list[int], length: int = 4) -> Tracks:
    """Points on one line."""
    points = np.array([[10.0, p] for p in places])
    return Tracks.of(np.array(frames), np.array(numbers), points, GRID, length=length)


def test_exchanged_tracks_cost_links_and_identity_and_no_point() -> None:
    frames = [0, 1, 2, 3, 0, 1, 2, 3]
    places = [10.0, 11, 12, 13, 60, 61, 62, 63]
    truth, answer = line([1] * 4 + [2] * 4, places, frames), line([1, 1, 2, 2, 2, 2, 1, 1], places, frames)
    both = met(answer, truth)
    assert det(both) == f1_8px(both) == 1.0 and seg(both) is None
    assert link_recall(both) == 4 / 6 and idf1(both) == 0.5 and mota(both) == 1 - 2 / 8
    # Two links to add and two to cut.
    assert lnk(both) == pytest.approx(1 - (2 * 1.5 + 2) / (6 * 1.5))
    assert tra(both) == pytest.approx(1 - (2 * 1.5 + 2) / (6 * 1.5 + 8 * 10))


def test_eight_pixels_are_near_and_nine_are_not() -> None:
    truth = line([1, 1], [20.0, 20.0], [0, 1])
    assert f1_8px(met(line([1, 1], [28.0, 28.0], [0, 1]), truth)) == 1.0
    assert f1_8px(met(line([1, 1], [28.0, 28.1], [0, 1]), truth)) == 0.5
    assert mota(met(line([1, 1], [28.1, 28.1], [0, 1]), truth)) == -1.0


def test_links_over_a_hole_and_of_divisions_count() -> None:
    truth = replace(line([1, 1, 2, 3], [20.0, 20, 10, 30], [0, 2, 3, 3]), parents=((2, 1), (3, 1)))
    assert link_recall(met(truth, truth)) == 1.0
    assert link_recall(met(replace(truth, parents=((2, 1),)), truth)) == 2 / 3
    graph = met(truth, truth).graph
    assert (graph.links, graph.mistaken) == (3, 0)


def test_one_answer_over_two_cells_is_a_split() -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[10:20, 10:20], labels[10:20, 20:30] = 1, 2
    two = Instances.from_label_map(labels, GRID)
    one = Instances.from_label_map((labels > 0).astype(np.uint8), GRID)
    zero = np.zeros(2, np.int64)
    truth = Tracks.of(zero, np.array([1, 2]), np.array([[14.5, 14.5], [14.5, 24.5]]), GRID, length=1, objects=two)
    answer = Tracks.of(zero[:1], np.array([1]), np.array([[14.5, 19.5]]), GRID, length=1, objects=one)
    both = met(answer, truth)
    assert (both.graph.split, both.graph.missed, both.graph.false) == (1, 0, 0)
    assert det(both) == 1 - 5 / 20 and seg(both) == 0.5 and lnk(both) is None and link_recall(both) is None


def test_empty_films_and_no_answer() -> None:
    task, truth = catalog.task("track"), truth_of(1)
    nothing = Tracks.none(GRID, truth.length)
    for answer in (NotEvaluated("no reason"), nothing):
        found = records(task, answer, truth)
        assert set(found) == set(task.metrics)
        assert {r["values"]["object"] for r in found.values()} == {0.0}
    assert {r["values"]["object"] for r in records(task, nothing, nothing).values()} == {1.0}
    assert {r["values"]["object"] for r in records(task, truth, nothing).values()} == {0.0}


def test_summaries_are_means_over_films() -> None:
    task = catalog.task("track")
    truths = [truth_of(s) for s in (1, 2)]
    kept = [records(task, mistaken(t, 7), t) for t in truths]
    for metric in TRACK:
        rows = [{"values": r[metric.key]["values"], "true": r[metric.key]["true"]} for r in kept]
        whole = metric.summary(rows, None)["object"].at(np.ones((1, 2)))[0]
        assert whole == pytest.approx(np.mean([r["values"]["object"] for r in rows]))


def test_what_cannot_be_compared_is_refused() -> None:
    truth = truth_of(1)
    with pytest.raises(GeometryError, match="another grid"):
        met(Tracks.none(Geometry((5, 5)), truth.length), truth)
    with pytest.raises(LabelError, match="differ in length"):
        met(Tracks.none(GRID, 3), truth)
    with pytest.raises(LabelError, match="one kind"):
        records(catalog.task("track"), truth.boxes(), truth)
