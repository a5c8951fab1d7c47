"""One target followed through ultrasound: forwards through the film, then backwards from where it was last seen.

The target is a box of an eighth of the frame's shorter side: of the ten strongest corners (Shi and Tomasi) of the first
frame that lie where the film changes (which leaves out what is drawn on the screen), the one that template follows best
there and back over the first 25 frames. Settings are those of the classes; they and this rule were chosen on train
clips and on simulated films. Error is the distance between the two paths of one target, a number for each frame in
which both see it; frames of one film carry no interval. "Lost" is a frame in which no place was given. Flow carries the
points of the target's box over the first 60 frames and back. The simulated films are speckle that moves by a known
field (5 % new in each frame); strain is Green-Lagrange's along the depth, at the height of the beat.

What moves out of the plane, and texture that repeats along the pleural line, end or mislead a target. Tried on the 12
train clips, whole films: boxes of an eighth keep 3 within the bar, of a fourteenth 4, of a fifth 1; flow through the
whole film 1 of the first 5.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Case
from isocenter.inspect.deforming import strains
from isocenter.io import read
from isocenter.metrics.resample import percentile_interval, weights
from isocenter.ops.array import Array
from isocenter.ops.flow import returning
from isocenter.ops.following import Chase, Pursuit
from isocenter.ops.tissue import Tissue
from isocenter.simulate.motion import Motion, moving_speckle
from isocenter.tasks.track._follower import frames_of
from isocenter.tasks.track._target import pixels_of
from isocenter.tasks.track.flow import Flow
from real.study import Study, cell, verdict
from real.table import show

DATA, ECHO = "lung-us-pocus", "examples_ybr_color.dcm"
SHARE, CORNERS, TRIED, MOVING = 8, 10, 25, 0.6
CLIPS, LONG, MOST = 3, 60, 2.0
FILMS, SHAPE = 12, (128, 144)


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """The echocardiogram and every clip by template, the named ones by flow too, and simulated tissue."""
    from pydicom.data import get_testdata_file

    rows = [r for r in csv.DictReader((data / DATA / "manifest.csv").read_text(encoding="utf-8").splitlines())
            if r["file"].startswith("videos/")]
    files = [("echocardiogram", str(get_testdata_file(ECHO, download=False)), "", "named")]
    chosen = {s: next(r for r in rows if r["subject"] == s and r["split"] == "test")["file"]
              for s in list(dict.fromkeys(r["subject"] for r in rows if r["split"] == "test"))[:CLIPS]}
    files += [(Path(r["file"]).stem, str(data / DATA / r["file"]), r["subject"],
               "named" if r["file"] in chosen.values() else r["split"]) for r in rows]
    clips = []
    for name, path, subject, part in files:
        frames = film(path)
        found = followed(frames)
        if part == "named":
            found |= carried(frames, found)
        clips.append({"clip": name, "subject": subject, "part": part, "size": list(frames.shape[2:]), **found})
        print(f"  {name} ({part}): {clips[-1]}", flush=True)
    return {"clips": clips, "simulated": simulated(seed)}


def film(path: str) -> Array:
    """float32 (t, 1, y, x): the mean of the channels."""
    return np.stack([pixels_of(frame) for frame in frames_of(read(path).image())])


def followed(frames: Array) -> dict[str, Any]:
    """The target that the rule names, through the whole film and back."""
    size = int(min(frames.shape[2:]) // SHARE) | 1
    tried = [(there_and_back(frames[:TRIED], at, size), at) for at in corners(frames[:, 0], size)[:CORNERS]]
    at = min(tried, key=lambda t: (t[0]["lost"], t[0]["largest"]))[1]
    return {"at": [int(v) for v in at], "target": size, "frames": len(frames), **there_and_back(frames, at, size)}


def corners(frames: Array, size: int) -> list[Array]:
    """Middles of boxes of the first frame by their smaller eigenvalue, the strongest first, half a box apart."""
    from scipy import ndimage

    slopes = np.gradient(ndimage.gaussian_filter(frames[0], 1.5))
    yy, yx, xx = (ndimage.uniform_filter(slopes[a] * slopes[b], size) for a, b in ((0, 0), (0, 1), (1, 1)))
    strength = (yy + xx) / 2 - np.sqrt(((yy - xx) / 2) ** 2 + yx**2)
    change = ndimage.uniform_filter(frames.std(axis=0), size)
    strength[change < np.quantile(change, MOVING)] = 0
    rim = int(1.5 * size)
    core = np.zeros(strength.shape, bool)
    core[rim:-rim, rim:-rim] = True
    top = core & (strength > 0) & (strength == ndimage.maximum_filter(np.where(core, strength, 0), size // 2))
    places = np.argwhere(top)
    return [p.astype(float) for p in places[np.argsort(-strength[top], kind="stable")]]


def path_of(frames: Array, at: Array, size: int) -> tuple[list[Array | None], list[float], float]:
    """Places, errors of each step, and milliseconds a frame."""
    target = Pursuit(frames[0], at, (size, size), Chase())
    started = time.perf_counter()
    seen = [target.step(frame) for frame in frames[1:]]
    spent = 1000 * (time.perf_counter() - started) / max(1, len(seen))
    return [at, *(s.place for s in seen)], [s.error for s in seen if s.place is not None], spent


def there_and_back(frames: Array, at: Array, size: int) -> dict[str, Any]:
    """Frames without a place, and distances of the two paths."""
    there, steps, spent = path_of(frames, at, size)
    seen = [t for t, p in enumerate(there) if p is not None]
    last = seen[-1]
    back = path_of(frames[last::-1], np.asarray(there[last]), size)[0][::-1]
    apart = [float(np.linalg.norm(p - q)) for p, q in zip(there, back, strict=False) if p is not None and q is not None]
    ends = None if back[0] is None else float(np.linalg.norm(back[0] - at))
    moved = max(float(np.linalg.norm(p - at)) for p in there if p is not None)
    return {"lost": len(there) - len(seen), "last": last, "median": float(np.median(apart)), "largest": max(apart),
            "n": len(apart), "start": ends, "step": float(np.median(steps)) if steps else None, "moved": moved,
            "ms": spent}


def carried(frames: Array, found: dict[str, Any]) -> dict[str, Any]:
    """The pixels of the target's box by flow, over the first frames and back."""
    size, rim = found["target"], 2 * found["target"]
    low = [max(0, c - size // 2 - rim) for c in found["at"]]
    part = frames[:LONG, 0, low[0]: found["at"][0] + size // 2 + rim, low[1]: found["at"][1] + size // 2 + rim]
    box = tuple(slice(c - size // 2 - a, c + size // 2 + 1 - a) for c, a in zip(found["at"], low, strict=True))
    ways = []
    started = time.perf_counter()
    for order in (part, part[::-1]):
        tissue = Tissue(order[0])
        for frame in order[1:]:
            moved, sure = tissue.step(frame)
        ways.append((moved, sure))
    spent = 1000 * (time.perf_counter() - started) / (2 * max(1, len(part) - 1))
    errors = returning(ways[0][0], ways[1][0])[box]
    sure = ways[0][1][box]
    return {"flow": {"frames": len(part), "seen": float(sure.mean()), "ms": spent,
                     "median": float(np.median(errors[sure])) if sure.any() else None}}


def simulated(seed: int) -> dict[str, Any]:
    """Errors of displacement and strain of tissue whose motion is known, with intervals by film."""
    errors, seen, strain = [], [], []
    middle = (np.array(SHAPE) - 1) / 2
    for i in range(FILMS):
        rng = np.random.default_rng(seed + i)
        motion = Motion(tuple(rng.uniform(-4, 4, 2)), tuple(map(tuple, rng.uniform(-0.1, 0.1, (2, 2)))))
        image = moving_speckle(SHAPE, rng, motion)
        found: Any = Flow(at=(24, 24, SHAPE[0] - 24, SHAPE[1] - 24)).followed(Case.of(image))
        off = [np.linalg.norm(p - motion.carried(found.points, middle, t), axis=1)[s]
               for t, (p, s) in enumerate(zip(found.places, found.seen, strict=True))]
        errors.append(float(np.median(np.concatenate(off[1:]))))
        seen.append(float(np.mean(found.seen)))
        height = motion.frames // 2
        told = strains(found.tracks(image.times)).rows[height]["strain_yy_percent"]
        true = motion.gradient(height)
        strain.append(abs(float(told) - 50 * float((true.T @ true)[0, 0] - 1)))
    drawn = np.concatenate(list(weights(np.arange(FILMS), 2000, seed)))
    return {"seen": float(np.mean(seen)), **{k: _mean(np.array(v), drawn) for k, v in
                                             (("displacement", errors), ("strain", strain))}}


def _mean(values: Array, drawn: Array) -> dict[str, Any]:
    low, high = percentile_interval((drawn @ values) / drawn.sum(1), 0.95, len(values))
    return {"value": float(values.mean()), "low": low, "high": high, "n": len(values)}


def lines(found: dict[str, Any]) -> list[str]:
    """A row a clip, the bars, and the simulated films."""
    rows = [
        f"| {c['clip']} | {c['part']} | {c['size'][0]} x {c['size'][1]}, {c['frames']} | {c['lost']} | "
        f"{show(c['moved'])} | {_number(c['start'])} | {show(c['median'])} ({show(c['largest'])}), {c['n']} | "
        f"{_number(c['step'])} | {show(c['ms'])} |"
        for c in sorted(found["clips"], key=lambda c: ("named", "test", "train").index(c["part"]))
    ]
    named = [c for c in found["clips"] if c["part"] == "named"]
    bars = [f"| {c['clip']} | {show(c['median'])} px, {c['lost']} of {c['frames']} frames lost | "
            f"at most 2 px, not lost | {verdict(c['median'] <= MOST and not c['lost'])} |" for c in named]
    flows = [f"| {c['clip']} | {c['flow']['frames']} | {show(c['flow']['seen'])} | {_number(c['flow']['median'])} | "
             f"{show(c['flow']['ms'])} |" for c in named]
    made = found["simulated"]
    return [
        "| film | part | size, frames | frames lost | farthest from its start, px | error at the first frame, px | "
        "error in all frames, median (largest), n | of one step, median | ms a frame |",
        "|---|---|---|---|---|---|---|---|---|", *rows, "",
        "| template, there and back | figure | must | |", "|---|---|---|---|", *bars, "",
        "| flow of the target's box | frames | share of points seen to the end | error there and back, median px | "
        "ms a frame |", "|---|---|---|---|---|", *flows, "",
        f"Simulated tissue, {FILMS} films: median displacement error {cell(made['displacement'])} px, "
        f"{show(100 * made['seen'])} % of points seen; strain error {cell(made['strain'])} percentage points.",
    ]  # fmt: skip


def _number(value: float | None) -> str:
    return "lost" if value is None else show(value)


STUDY = Study("followed_targets", "Targets followed through ultrasound", DATA, run, lines)
