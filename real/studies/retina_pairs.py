"""Fundus photographs brought together by key points: synthetic pairs of real images, whose true map is known.

The moving image is the fixed one seen through the pair's matrix, with its gamma and noise (seed: the pair's row). Error
is the mean distance over a grid of 21 x 21 points of the fixed image whose place in the moving image lies inside it.
The settings are those of the class; they were chosen on train pairs.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.catalog import find
from isocenter.data import Case, Image, NotEvaluated
from isocenter.io import read
from isocenter.metrics.resample import percentile_interval, weights, wilson
from isocenter.ops.array import Array
from isocenter.ops.warping import sampled
from real.study import Study, cell, verdict
from real.table import show

DATA, GRID, NEAR = "retina-chase-db1", 21, 5.0


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """Every pair of the set; errors of test and of all with intervals by child."""
    rows = list(csv.DictReader((data / DATA / "registration_pairs.csv").read_text(encoding="utf-8").splitlines()))
    method: Any = find("register", "landmarks")()
    method.predict(pair(data, rows[0], 0)[0])  # compiles what is compiled
    found = []
    for i, row in enumerate(rows):
        case, truth = pair(data, row, i)
        started = time.perf_counter()
        answer = method.predict(case)
        seconds = time.perf_counter() - started
        error = None if isinstance(answer, NotEvaluated) else apart(answer, truth, case.images["moving"])
        found.append({"fixed": row["fixed"], "split": row["split"], "kind": row["kind"], "error": error,
                      "seconds": seconds})  # fmt: skip
        print(f"  {i + 1} of {len(rows)}: {row['split']}, error {error}, {seconds:.1f} s", flush=True)
    return {"pairs": found, "test": told([f for f in found if f["split"] == "test"], seed), "all": told(found, seed)}


def pair(data: Path, row: dict[str, str], i: int) -> tuple[Case, Array]:
    """The images of one row, and the matrix from a fixed pixel (x, y, 1) to the moving one."""
    fixed = read(data / DATA / row["fixed"]).image()
    matrix = np.array([float(row[f"h{a}{b}"]) for a in range(3) for b in range(3)]).reshape(3, 3)
    values = fixed.channels_first().astype(np.float32)
    back = seen(np.linalg.inv(matrix), np.indices(values.shape[1:]).reshape(2, -1).T)
    moved = sampled(values, back.reshape(*values.shape[1:], 2))
    rng = np.random.default_rng(i)
    moved = 255 * (moved / 255) ** float(row["gamma"]) + rng.normal(size=moved.shape) * float(row["noise_sigma"])
    moving = Image.from_array(np.clip(moved, 0, 255).round().astype(np.uint8), axes="cyx")
    return Case(f"pair{i}", {"fixed": Image.from_array(values.astype(np.uint8), axes="cyx"), "moving": moving},
                "fixed"), matrix  # fmt: skip


def seen(matrix: Array, indices: Array) -> Array:
    """Indices (n, 2), row and column, after a matrix of (x, y, 1)."""
    out = np.c_[indices[:, ::-1], np.ones(len(indices))] @ matrix.T
    return np.asarray((out[:, :2] / out[:, 2:])[:, ::-1])


def apart(answer: Any, matrix: Array, moving: Image) -> float:
    """Mean distance in pixels of the moving image."""
    shape = np.array(moving.shape[-2:])
    at = np.stack(np.meshgrid(*(np.linspace(0, n - 1, GRID) for n in shape), indexing="ij"), -1).reshape(-1, 2)
    true = seen(matrix, at)
    inside = ((true >= 0) & (true <= shape - 1)).all(1)
    return float(np.linalg.norm(answer.indices(at[inside]) - true[inside], axis=1).mean())


def told(found: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Share nearer than 5 px, median error and seconds, with intervals by child."""
    children = [Path(f["fixed"]).stem[:-1] for f in found]
    names, index = np.unique(children, return_inverse=True)
    errors = np.array([np.inf if f["error"] is None else f["error"] for f in found])
    near = (errors < NEAR).astype(float)
    drawn = np.concatenate(list(weights(index, 2000, seed)))
    low, high = percentile_interval((drawn @ near) / drawn.sum(1), 0.95, len(names))
    if low == high:
        low, high = wilson(float(near.sum()), len(near), 0.95)
    medians = np.array([np.median(np.repeat(errors, w.astype(int))) for w in drawn])
    around = percentile_interval(medians, 0.95, len(names))
    seconds = [f["seconds"] for f in found]
    return {
        "n_children": len(names),
        "near": {"value": float(near.mean()), "low": low, "high": high, "n": len(found)},
        "median": {"value": float(np.median(errors)), "low": around[0], "high": around[1], "n": len(found)},
        "seconds": [float(np.median(seconds)), float(np.max(seconds))],
    }


def lines(found: dict[str, Any]) -> list[str]:
    """Test pairs and all."""
    rows = [
        f"| {part}, {one['n_children']} children | {cell(one['near'])} | {cell(one['median'])} | "
        f"{one['seconds'][0]:.1f} ({one['seconds'][1]:.1f}) |"
        for part, one in (("test", found["test"]), ("all", found["all"]))
    ]
    test = found["test"]
    bars = [
        ("share nearer than 5 px", test["near"]["value"], "at least 0.95, aim 1", test["near"]["value"] >= 0.95),
        ("median error, px", test["median"]["value"], "at most 1, aim 0.5", test["median"]["value"] <= 1.0),
        ("median seconds a pair", test["seconds"][0], "at most 3, aim 0.5", test["seconds"][0] <= 3.0),
    ]
    return [
        "| pairs | share with a mean error below 5 px | median error, px | seconds a pair, median (largest) |",
        "|---|---|---|---|", *rows, "", "| test | figure | must | |", "|---|---|---|---|",
        *(f"| {what} | {show(value)} | {must} | {verdict(ok)} |" for what, value, must, ok in bars),
    ]  # fmt: skip


STUDY = Study("retina_pairs", "Fundus photographs brought together", DATA, run, lines)
