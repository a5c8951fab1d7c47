"""Living cells followed from pixels, and followed when frames and detections are missing.

One film of 48 frames. The detector, `contours`, learns on frames 1 to 18, is stopped and its limits chosen on frames 19
to 24, and answers frames 25 to 48: train and test are of the same film, so the figures say how well the rest of a film
is followed once some of its frames are outlined, not how well another film would be. The reference is the instrument's
own, made by segmentation and proximity. The harder half links the reference's own points of every fourth frame of
test, 15 % of which are dropped at random (20 seeds). Intervals resample the 16 squares of a 4 x 4 grid of the field
(each track belongs to the one of its middle), for missing points the tracks.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from isocenter.catalog import find
from isocenter.data import Case, Cases, Image, Tracks, Watch, build
from isocenter.layouts import read
from isocenter.metrics.resample import percentile_interval, weights
from isocenter.metrics.track import Met, f1_8px, idf1, met
from isocenter.ops.array import Array
from isocenter.tasks.track.assignment import Assignment
from real.study import Study, cell, verdict

DATA, TRAINED, SIDE = "cells-tracking-cellphe", 18, 4
RECIPE = {"width": 16, "depth": 3, "study.epochs": 20}
EVERY, DROPPED, SEEDS = 4, 0.15, 20


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """From pixels, by a trained network and by a method without one; and with points missing."""
    frames = read(data / DATA, task="instances")
    film = read(data / DATA, task="track").split("test")[0]
    known = [i for i, e in enumerate(frames.entries) if e.split == "train"]
    train, valid = part(frames, known[:TRAINED]), part(frames, known[TRAINED:])
    found: dict[str, Any] = {}
    for method, recipe in (("contours", RECIPE), ("watershed_split", {})):
        made: Any = build(find("instances", method), recipe)
        detector = made.fit(train, valid, watch=Watch(threads=threads))
        started = time.perf_counter()
        answer = Assignment(detector=detector).predict(film)
        seconds = (time.perf_counter() - started) / film.image().length("t")
        found[method] = {"seconds": seconds, **told(met(answer, film.truth()), seed)}
        print(f"  {method}: {found[method]}", flush=True)
    return {"pixels": found, "missing": missing(film.truth(), seed)}


def part(cases: Cases, chosen: list[int]) -> Cases:
    """Some frames, whatever split they are of."""
    return replace(cases.subset(chosen), entries=tuple(replace(cases.entries[i], split="train") for i in chosen))


def told(both: Met, seed: int) -> dict[str, Any]:
    """f1_8px and idf1 with intervals by squares of the field."""
    answer, truth = both.answer, both.truth
    n = np.stack([counted(answer), counted(truth)]).sum(0)
    near = counted(truth, both.near[1])
    held = both.b[(kept := both.alike >= 0.5)], both.a[kept]
    table = np.zeros((truth.numbers.max() + 1, answer.numbers.max() + 1))
    np.add.at(table, (truth.numbers[held[0]], answer.numbers[held[1]]), 1)
    rows, columns = linear_sum_assignment(-table)
    best = np.full(len(table), -1)
    best[rows] = columns
    same = counted(truth, held[0][best[truth.numbers[held[0]]] == answer.numbers[held[1]]])
    return {name: shared(value, good, n, seed)
            for name, value, good in (("f1_8px", f1_8px(both), near), ("idf1", idf1(both), same))}  # fmt: skip


def counted(tracks: Tracks, chosen: Array | None = None) -> Array:
    """(16,): points, all or these, by the square of the field in which their track's middle lies."""
    _, own = np.unique(tracks.numbers, return_inverse=True)
    middles = np.stack([np.bincount(own, tracks.positions[:, a]) / np.bincount(own) for a in range(2)], 1)
    square = np.clip((middles / np.asarray(tracks.geometry.shape) * SIDE).astype(int), 0, SIDE - 1)
    of = (square @ [SIDE, 1])[own]
    return np.bincount(of if chosen is None else of[chosen], minlength=SIDE**2)


def shared(value: float, good: Array, points: Array, seed: int) -> dict[str, Any]:
    """2 x what is right by all points, with its interval over units; `value` is what the metric itself says."""
    again = 2 * good.sum() / points.sum()
    assert abs(again - value) < 1e-9, f"the parts do not add up: {again} and {value}"
    drawn = np.concatenate(list(weights(np.arange(len(good)), 2000, seed)))
    total = drawn @ points
    low, high = percentile_interval(2 * (drawn @ good)[total > 0] / total[total > 0], 0.95, int((points > 0).sum()))
    return {"value": value, "low": low, "high": min(high, 1.0), "n": int(points.sum())}


def missing(truth: Tracks, seed: int) -> dict[str, Any]:
    """Share of right links where every fourth frame is left and 15 % of its points are dropped."""
    right, count = (np.zeros(truth.numbers.max() + 1) for _ in range(2))
    for draw in range(SEEDS):
        rng = np.random.default_rng([seed, draw])
        kept = np.flatnonzero((truth.frames % EVERY == 0) & (rng.random(len(truth)) >= DROPPED))
        length = -(-truth.length // EVERY)
        points = Tracks.of(truth.frames[kept] // EVERY, np.arange(1, len(kept) + 1), truth.positions[kept],
                           truth.geometry, length=length)  # fmt: skip
        image = Image.from_array(np.zeros((length, *truth.geometry.shape), np.uint8), axes="tyx")
        case = Case("film", {"image": image}, "image", load_given=lambda name, points=points: points)
        answer = Assignment(given="points").predict(case)
        assert isinstance(answer, Tracks)
        mine = links(answer.frames, answer.numbers, answer.positions)
        for link, number in links(truth.frames[kept] // EVERY, truth.numbers[kept], truth.positions[kept]).items():
            count[number] += 1
            right[number] += link in mine
    held = count > 0
    drawn = np.concatenate(list(weights(np.arange(int(held.sum())), 2000, seed)))
    low, high = percentile_interval((drawn @ right[held]) / (drawn @ count[held]), 0.95, int(held.sum()))
    return {"value": float(right.sum() / count.sum()), "low": low, "high": high, "n": int(count.sum()),
            "tracks": int(held.sum())}  # fmt: skip


def links(frames: Array, numbers: Array, positions: Array) -> dict[tuple[Any, ...], int]:
    """Frame and place of successive points of one track, and the track's number."""
    order = np.lexsort((frames, numbers))
    ends = [(int(frames[i]), *positions[i].round(6).tolist()) for i in order]
    own = numbers[order]
    return {(a, b): int(n) for a, b, n, same in zip(ends, ends[1:], own, np.diff(own) == 0, strict=False) if same}


def lines(found: dict[str, Any]) -> list[str]:
    """Both detectors, missing points, and the bars."""
    pixels, gone = found["pixels"], found["missing"]
    rows = [f"| {name} | {cell(one['f1_8px'])} | {cell(one['idf1'])} | {1000 * one['seconds']:.0f} |"
            for name, one in pixels.items()]
    best = pixels["contours"]
    bars = [
        ("f1_8px, contours", best["f1_8px"]["value"], 0.90, 0.95),
        ("idf1, contours", best["idf1"]["value"], 0.85, 0.92),
        ("right links, points missing", gone["value"], 0.90, 0.97),
    ]
    return [
        "| detector | f1_8px | idf1 | ms a frame |", "|---|---|---|---|", *rows, "",
        "n counts points of answer and reference together.", "",
        f"With points missing: {cell(gone)} links of {gone['tracks']} tracks.", "",
        "| test frames | figure | must | aim | must is |", "|---|---|---|---|---|",
        *(f"| {what} | {value:.3f} | {must} | {aim} | {verdict(value >= must)} |" for what, value, must, aim in bars),
    ]  # fmt: skip


STUDY = Study("cells_tracked", "Living cells followed", DATA, run, lines)
