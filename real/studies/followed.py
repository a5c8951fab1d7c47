"""Lesions of known size followed over two simulated examinations of a body that lies differently each time.

Nothing here is of a patient: real lesions at two times are in none of the sets. Each subject has eight lesions (balls
of 5 to 10 mm radius at jittered places): three that change their volume to 0.3 to 2.5 times, one that vanishes, one
that falls into two pieces, two that grow into one, and one that is new. The body is turned by up to 6 degrees and
shifted by up to 6 mm an axis between examinations. Labels are drawn by pixel centres; where a border is said to shift,
all outlines of an examination lie within half a pixel of the true ones along each axis, all by the same share of it.
The map between the examinations is the true one less an error of the stated size in a random direction; in the last row
it is found by `register/intensity` in the images. The truth of a volume is that of balls, of a diameter that of balls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import isocenter as iso
from isocenter.data import Geometry, Instances, Transform
from isocenter.data.findings.followed import Change, Followed, Lesion, Sized
from isocenter.inspect.follow_tables import change
from isocenter.inspect.following import Exam, Rules, followed
from isocenter.inspect.measuring import objects_of
from isocenter.inspect.recist import summed
from isocenter.metrics.resample import percentile_interval, weights, wilson
from isocenter.ops.array import Array
from isocenter.simulate.follow_up import Ball, drawn, examination, moved
from real.study import Study
from real.table import show

SUBJECTS, REGISTERED = 200, 30
# The merged pair: distance of the middles, radius of both.
APART, GROWN = 18.0, 10.0
SPACINGS = {"1 x 1 x 1 mm": (1.0, 1.0, 1.0), "3 x 0.8 x 0.8 mm": (3.0, 0.8, 0.8), "5 x 0.8 x 0.8 mm": (5.0, 0.8, 0.8)}
EXTENT, MIDDLE = np.array([110.0, 140.0, 140.0]), np.array([60.0, 60.0, 45.0])
PLACES = {"a": (22, 22, 25), "b": (60, 22, 62), "c": (92, 25, 28), "gone": (24, 60, 60), "split": (60, 62, 28),
          "one": (82, 62, 62), "two": (100, 62, 62), "new": (32, 94, 30)}  # fmt: skip
STATES = {"a": "kept", "b": "kept", "c": "kept", "gone": "gone", "split": "split", "new": "new"}


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """Every grid with borders exact and shifted, errors of the map, and maps that are found."""
    rows = []
    for name, spacing in SPACINGS.items():
        for shifted, error in ((False, 0.0), (True, 0.0), (True, 3.0)):
            some = [subject(seed * 100_000 + i, spacing, shifted, error) for i in range(SUBJECTS)]
            rows.append({"grid": name, "border": shifted, "map": f"{error:g} mm off", **told(some)})
            print(f"  {rows[-1]}", flush=True)
    spacing = SPACINGS["3 x 0.8 x 0.8 mm"]
    some = [subject(seed * 100_000 + i, spacing, True, None, threads) for i in range(REGISTERED)]
    rows.append({"grid": "3 x 0.8 x 0.8 mm", "border": True, "map": "register/intensity", **told(some)})
    return {"rows": rows}


def bodies(rng: np.random.Generator) -> tuple[dict[str, list[Ball]], dict[str, list[Ball]]]:
    """The balls of each lesion at both examinations."""
    first, second = {}, {}
    for name, place in PLACES.items():
        at = np.asarray(place, float) + rng.uniform(-3, 3, 3)
        radius = rng.uniform(5, 10) if name not in ("one", "two") else rng.uniform(5, 7)
        first[name] = [Ball(tuple(at), radius)]
        if name in "abc":
            second[name] = [Ball(tuple(at), radius * rng.uniform(0.3, 2.5) ** (1 / 3))]
    first["two"] = [Ball((first["one"][0].middle[0] + APART, *first["one"][0].middle[1:]), first["two"][0].radius)]
    second["new"], second["gone"] = first.pop("new"), []
    whole = first["split"][0]
    x, y, z = whole.middle
    pieces = 0.45 * whole.radius
    # Far enough from each other that no pixel joins them.
    second["split"] = [Ball((x + side * (pieces + 1.5), y, z), pieces) for side in (-1, 1)]
    second["one"] = [Ball(b.middle, GROWN) for b in (*first["one"], *first["two"])]
    return first, second


def subject(seed: int, spacing: tuple[float, ...], shifted: bool, error: float | None, threads: int = 1
            ) -> dict[str, Any]:
    """One subject, followed: which states are right, and whether limits hold the truth."""
    rng = np.random.default_rng(seed)
    first, second = bodies(rng)
    grids = [_grid(spacing, rng) for _ in range(2)]
    borders = np.outer(rng.uniform(-0.5, 0.5, 2) if shifted else np.zeros(2), spacing)
    lies = _about(moved(3, turn=rng.uniform(-6, 6), shift=rng.uniform(-6, 6, 3)))
    sides = list(zip((first, second), grids, (None, lies), borders, strict=True))
    if error is None:
        found = _registered([(_all(b), g, m, s) for b, g, m, s in sides], seed, threads)
    else:
        exams = [Exam("e", _objects(drawn(_all(b), g, lies=m, border=s), g)) for b, g, m, s in sides]
        off = rng.normal(size=3)
        guess = lies.copy()
        guess[:3, 3] += error * off / np.linalg.norm(off)
        ways = [Transform.identity(grids[0], grids[0]), Transform.of_matrix(guess, grids[0], grids[1])]
        found = followed(exams, ways, replace(Rules(), border=None if shifted else 0.0))
    return scored(summed(found, thickness=spacing[0], organs=False), first, second, grids, lies)


def _registered(sides: Sequence[tuple[list[Ball], Geometry, Array | None, Array]], seed: int, threads: int) -> Followed:
    made = [examination(balls, grid, lies=lies, border=border, seed=seed + k)
            for k, (balls, grid, lies, border) in enumerate(sides)]
    labels = [_objects(m[1], side[1]) for m, side in zip(made, sides, strict=True)]
    return iso.follow(labels, images=[m[0] for m in made], register="intensity", threads=threads).subjects[0]


def scored(
    found: Followed, first: dict[str, list[Ball]], second: dict[str, list[Ball]], grids: Sequence[Geometry], lies: Array
) -> dict[str, Any]:
    """Of each lesion whether its state is right; changes of volume, diameters and their sum with the truth."""
    own = {name: _at(found, balls, grids[0], None, 0) for name, balls in first.items()}
    own["new"] = _at(found, second["new"], grids[1], lies, 1)
    right = []
    for name, state in STATES.items():
        right.append(_state(own[name]) == state)
    pair = sorted(str(_state(own[name])) for name in ("one", "two"))
    right += [p == w for p, w in zip(pair, ("joined", "merged"), strict=True)]
    volumes = [_held(found, own[n], _volume(first[n]), _volume(second[n])) for n in ("a", "b", "c", "split")]
    lengths = [_diameter(own[name], first[name], second[name]) for name in "abc"]
    return {"right": right, "volumes": [v for v in volumes if v], "diameters": [v for v in lengths if v],
            "sum": _sum(found, own, first, second)}


def _state(lesion: Lesion | None) -> str | None:
    at = None if lesion is None else lesion.seen[1]
    return None if at is None else at.state


def _held(found: Followed, lesion: Lesion | None, before: float, after: float) -> dict[str, float] | None:
    measured = None if lesion is None or _state(lesion) not in ("kept", "split") else change(found, lesion, 1)
    return None if measured is None else _against(measured, 100 * (after / before - 1))


def _diameter(lesion: Lesion | None, first: Sequence[Ball], second: Sequence[Ball]) -> dict[str, float] | None:
    if lesion is None or _state(lesion) != "kept":
        return None
    ends = lesion.diameter(0) or Sized(0.0), lesion.diameter(1) or Sized(0.0)
    measured = Change.between(*ends)
    return None if measured is None else _against(measured, 100 * (second[0].radius / first[0].radius - 1))


def _sum(found: Followed, own: dict[str, Lesion | None], first: dict[str, list[Ball]], second: dict[str, list[Ball]]
         ) -> dict[str, float] | None:
    """The sum over the targets; None where a target's fate was not seen as it was."""
    names = [n for n in first if (one := own[n]) is not None and one.target]
    pair = {"one", "two"} & set(names)
    if not found.totals or found.totals[1].baseline is None:
        return None
    fates = {**STATES, "one": "merged", "two": "merged"}
    if any(_state(own[n]) not in (fates[n], "joined") for n in names):
        return None
    before, after = (sum(2 * b.radius for n in names if (k == 0 or n not in pair) for b in side[n])
                     for k, side in enumerate((first, second)))
    after += APART + 2 * GROWN if pair else 0.0
    return _against(found.totals[1].baseline, 100 * (after / before - 1))


def _against(measured: Change, true: float) -> dict[str, float]:
    return {"error": measured.percent - true, "inside": float(measured.low <= true <= measured.high),
            "width": measured.high - measured.low}


def told(some: Sequence[dict[str, Any]], seed: int = 0) -> dict[str, Any]:
    """Shares with intervals by subject, errors of changes in percentage points."""
    sums = [{**s, "sum": [s["sum"]] if s["sum"] else []} for s in some]
    out: dict[str, Any] = {"subjects": len(some), "right": _share([s["right"] for s in some], seed)}
    for what, key in (("volume", "volumes"), ("diameter", "diameters"), ("sum", "sum")):
        groups = [s[key] for s in sums]
        rows = [r for group in groups for r in group]
        errors = np.array([r["error"] for r in rows])
        inside = _share([[r["inside"] for r in group] for group in groups], seed)
        out[what] = {"bias": float(errors.mean()), "sd": float(errors.std()), "inside": inside,
                     "width": float(np.median([r["width"] for r in rows]))}
    return out


def _share(groups: Sequence[Sequence[Any]], seed: int) -> dict[str, Any]:
    """Share of hits, its interval by resampling subjects; Wilson's where all are alike."""
    values = np.array([float(v) for group in groups for v in group])
    index = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    drawn_weights = np.concatenate(list(weights(index, 2000, seed)))
    low, high = percentile_interval((drawn_weights @ values) / drawn_weights.sum(1), 0.95, len(groups))
    if low == high:
        low, high = wilson(float(values.sum()), len(groups), 0.95) if values.mean() < 1 else (
            wilson(float(len(groups)), len(groups), 0.95))
    return {"value": float(values.mean()), "low": low, "high": high, "n": len(values)}


def _grid(spacing: tuple[float, ...], rng: np.random.Generator) -> Geometry:
    shape = tuple(int(n) for n in np.round(EXTENT / spacing))
    return Geometry.from_spacing(shape, spacing, origin=tuple(-10 + rng.uniform(-0.5, 0.5, 3) * spacing[::-1]))


def _about(matrix: Array) -> Array:
    """The turn about the middle of the body instead of the world's origin."""
    out = matrix.copy()
    out[:3, 3] += MIDDLE - matrix[:3, :3] @ MIDDLE
    return out


def _all(balls: dict[str, list[Ball]]) -> list[Ball]:
    return [b for some in balls.values() for b in some]


def _objects(labels: Array, grid: Geometry) -> Instances:
    return objects_of((labels > 0).astype(np.uint8), grid, parts=True)[0]


def _volume(balls: Sequence[Ball]) -> float:
    return sum(b.size for b in balls)


def _at(found: Followed, balls: Sequence[Ball], grid: Geometry, lies: Array | None, exam: int) -> Lesion | None:
    """The lesion that was first seen where the balls are."""
    own = np.mean([b.middle for b in balls], axis=0)
    middle = own if lies is None else lies[:3, :3] @ own + lies[:3, 3]
    for lesion in found.lesions:
        at = lesion.seen[exam]
        there = lesion.seen[0] is None if exam else True
        if at is not None and at.size is not None and there and np.linalg.norm(
                grid.to_world(np.array([at.centre]))[0] - middle) < 4:
            return lesion
    return None


def lines(found: dict[str, Any]) -> list[str]:
    """A row a situation."""
    rows = []
    for r in found["rows"]:
        border = "anywhere in half a pixel" if r["border"] else "exact"
        cells = [f"{show(r[w]['bias'])} ± {show(r[w]['sd'])} | {_percent(r[w]['inside'])}" for w in
                 ("volume", "diameter", "sum")]
        rows.append(f"| {r['grid']} | {border} | {r['map']} | {_percent(r['right'])} | {' | '.join(cells)} |")
    return [
        "Right: share of lesions whose fate is told as it was. Error of a change in percentage points (mean ± standard "
        "deviation); in: share of 95 % limits that hold the truth, with intervals by subject.", "",
        "| grid | border | map | right | volume change: error | in | diameter change: error | in | sum: error | in |",
        "|---|---|---|---|---|---|---|---|---|---|", *rows,
    ]


def _percent(share: dict[str, Any]) -> str:
    low, high = (f"{100 * share[k]:.1f}" for k in ("low", "high"))
    return f"{100 * share['value']:.1f} % ({low} to {high}), n = {share['n']}"


STUDY = Study("followed", "Lesions followed: simulated changes of known size", "simulated", run, lines)
