"""Pictures cut into six overlapping, gain-shifted tiles and joined again: how far off, and what step a seam leaves.

Pictures of test are cut three times (seeds 0 to 2), slides twice, one eye of each other child once, into 2 x 3 tiles in
random order that overlap by a quarter, are turned by up to 2 degrees, shifted by up to 5 px, multiplied by 0.61 to 1
(none is saturated) and noisy (spread 2 of 255). Error: mean distance, over the five tiles that are not the anchor, of
where 9 x 9 points of a tile lie from where they were cut, in the anchor's frame. Seam step: along every side of a tile,
the mean of panorama less picture in a strip 2 to 10 px inside against one 2 to 10 px outside, as a share of the
picture's mean; the largest of all sides counts. One factor for the panorama as a whole is taken out. Settings are those
of the verb, chosen on retina images of train. Seconds are of a shared, busy core.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Image
from isocenter.data.mosaic import Mosaic, mosaic
from isocenter.errors import IsocenterError
from isocenter.io import read
from isocenter.metrics.resample import percentile_interval, weights, wilson
from isocenter.ops.array import Array
from isocenter.ops.transforms import apply_matrix
from isocenter.ops.warping import grid_points, sampled
from isocenter.simulate.tiles import Cut, cut
from real.study import Study, cell, verdict
from real.table import show

RETINA, SLIDES = "retina-chase-db1", "registration-2d/openslide"
CUTS = {"retina, test": 3, "retina, val": 1, "retina, train": 1, "slide": 2}
GRID, DEPTHS, ALONG = 9, np.arange(2, 11, 2), 64


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """Every picture and cut; numbers by set with intervals by child or slide."""
    pictures = [*_retina(data), *((p.stem.split(".")[0], p.stem[:4], "slide", p)
                for p in sorted((data / SLIDES).glob("*.tif")))]  # fmt: skip
    found = []
    for name, group, kind, path in pictures:
        whole = read(path).image()
        for number in range(CUTS[kind]):
            one = measured(whole, seed=seed + number)
            found.append({"picture": name, "group": group, "set": kind, "seed": seed + number, **one})
            print(f"  {name} {number}: {one}", flush=True)
    sets = {k: [f for f in found if f["set"].startswith(k)] for k in ("retina, test", "retina", "slide")}
    return {"mosaics": found, "sets": {k: told(rows, seed) for k, rows in sets.items()}}


def _retina(data: Path) -> list[tuple[str, str, str, Path]]:
    rows = csv.DictReader((data / RETINA / "manifest.csv").read_text(encoding="utf-8").splitlines())
    return [(Path(r["image"]).stem, r["subject"], f"retina, {r['split']}", data / RETINA / r["image"]) for r in rows
            if r["split"] == "test" or r["eye"] == "L"]


def measured(whole: Image, *, seed: int) -> dict[str, Any]:
    """One picture, cut and joined: error in pixels, seam step, tiles placed, seconds."""
    cuts = cut(whole, seed=seed)
    started = time.perf_counter()
    try:
        made = mosaic([c.image for c in cuts])
    except IsocenterError as error:
        return {"error": None, "step": None, "before": None, "placed": 0, "why": error.line()}
    seconds = time.perf_counter() - started
    placed = sum(t is not None for t in made.transforms)
    return {
        "error": distance(made, cuts) if placed == len(cuts) else None, "step": seam(made, cuts, whole),
        "before": max(o.steps[0] for o in made.overlaps), "placed": placed, "seconds": seconds,
    }  # fmt: skip


def _true(made: Mosaic, cuts: Sequence[Cut], indices: Array) -> Array:
    """Where indices of the panorama lie in the picture, (n, 2) row and column, going by the anchor's cut."""
    anchor = made.transforms[made.anchor]
    assert anchor is not None
    return apply_matrix(cuts[made.anchor].matrix, anchor.indices(indices)[:, ::-1])[:, ::-1]


def distance(made: Mosaic, cuts: Sequence[Cut]) -> float:
    """Mean error in pixels over the tiles beside the anchor."""
    away = []
    for i, (one, transform) in enumerate(zip(cuts, made.transforms, strict=True)):
        if transform is None or i == made.anchor:
            continue
        at = grid_points(one.image.geometry.shape, GRID).reshape(-1, 2)
        there = _true(made, cuts, transform.inverse().indices(at))
        true = apply_matrix(one.matrix, at[:, ::-1])[:, ::-1]
        away.append(np.linalg.norm(there - true, axis=1).mean())
    return float(np.mean(away))


def seam(made: Mosaic, cuts: Sequence[Cut], whole: Image) -> float:
    """The largest step of brightness over any side of a tile, as a share of the picture's mean."""
    picture = whole.channels_first().astype(np.float32)
    pano = made.panorama.channels_first().astype(np.float32)
    covered = np.zeros(made.panorama.geometry.shape, bool)
    at = grid_points(made.panorama.geometry.shape).reshape(-1, 2)
    for transform in made.transforms:
        if transform is not None:
            there = transform.indices(at)
            inside = ((there >= 0) & (there <= np.asarray(transform.moving.shape) - 1)).all(1)
            covered |= inside.reshape(covered.shape)
    true = sampled(picture, _true(made, cuts, at).reshape(*covered.shape, 2), outside=None)
    scale = float((pano * true)[:, covered].sum() / (pano**2)[:, covered].sum())
    less = np.where(covered, (scale * pano - true).mean(0), np.nan)
    steps = [s for t in made.transforms if t is not None for s in _sides(t, less)]
    return float(max(steps) / true[:, covered].mean())


def _sides(transform: Any, less: Array) -> list[float]:
    """Mean inside less mean outside, of each side that has panorama on both."""
    rows, columns = transform.moving.shape
    back, out = transform.inverse(), []
    for axis, low in ((0, True), (0, False), (1, True), (1, False)):
        length, edge = (columns, rows) if axis == 0 else (rows, columns)
        along = np.linspace(0.1 * length, 0.9 * length, ALONG)
        strips = []
        for sign in (1, -1):
            depth = -0.5 + sign * DEPTHS if low else edge - 0.5 - sign * DEPTHS
            a, b = np.meshgrid(depth, along, indexing="ij")
            at = np.stack([a, b] if axis == 0 else [b, a], -1).reshape(-1, 2)
            strips.append(sampled(less, back.indices(at), order=0, outside=np.nan).reshape(len(DEPTHS), ALONG))
        known = np.isfinite(strips[0]).all(0) & np.isfinite(strips[1]).all(0)
        if known.sum() >= ALONG // 4:
            out.append(abs(float(strips[0][:, known].mean() - strips[1][:, known].mean())))
    return out


def told(found: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Medians, worst and shares with intervals by child or slide; what was not placed counts as infinitely far."""
    names, index = np.unique([f["group"] for f in found], return_inverse=True)
    errors, steps = (np.array([np.inf if f[k] is None else f[k] for f in found]) for k in ("error", "step"))
    drawn = np.concatenate(list(weights(index, 2000, seed)))
    good = ((errors < 1) & (steps < 0.01)).astype(float)
    low, high = percentile_interval((drawn @ good) / drawn.sum(1), 0.95, len(names))
    if low == high:
        low, high = wilson(float(good.sum()), len(good), 0.95)
    out: dict[str, Any] = {
        "n": len(found), "groups": len(names), "pictures": len({f["picture"] for f in found}),
        "good": {"value": float(good.mean()), "low": low, "high": high, "n": len(found)},
        "before": float(np.median([f["before"] for f in found if f["before"] is not None])),
        "seconds": float(np.median([f["seconds"] for f in found if "seconds" in f])),
    }  # fmt: skip
    for name, values in (("error", errors), ("step", steps)):
        medians = [np.median(np.repeat(values, w.astype(int))) for w in drawn]
        around = percentile_interval(np.array(medians), 0.95, len(names))
        worst = float(values.max())
        out[name] = {"value": float(np.median(values)), "low": around[0], "high": around[1], "n": len(found)}
        out[f"worst_{name}"] = worst if np.isfinite(worst) else None
    return out


def lines(found: dict[str, Any]) -> list[str]:
    """A row a set, and the bars."""
    said = {"retina, test": "retina, test", "retina": "retina, all children", "slide": "slide (two scanners, H&E)"}
    rows, bars = [], []
    for name, one in found["sets"].items():
        step = {k: None if v is None else 100 * v for k, v in one["step"].items() if k != "n"} | {"n": one["n"]}
        worst = [one["worst_error"], None if one["worst_step"] is None else 100 * one["worst_step"]]
        rows.append(f"| {said[name]}: {one['pictures']} pictures, {one['groups']} groups | {cell(one['error'])} | "
                    f"{show(worst[0])} | {cell(step)} | {show(worst[1])} | {100 * one['before']:.0f} | "
                    f"{one['seconds']:.1f} |")  # fmt: skip
        ok = worst[0] is not None and worst[0] < 1 and worst[1] is not None and worst[1] < 1
        bars.append(f"| {said[name]} | largest error {show(worst[0])} px, largest step {show(worst[1])} % | "
                    f"below 1 px and 1 %, every mosaic | {verdict(ok)} |")  # fmt: skip
    return [
        "| pictures | error, px, median | largest | seam step, %, median | largest | tiles differ before, %, median | "
        "seconds a mosaic |", "|---|---|---|---|---|---|---|", *rows, "", "| set | figure | must | |",
        "|---|---|---|---|", *bars, "", "Groups are children, and slides; two of them give no interval to lean on.",
    ]  # fmt: skip


STUDY = Study("mosaic", "Six tiles joined again", RETINA, run, lines)
