"""Some 500 nuclei on 1024 x 1024 pixels and some 2000 on 2048 x 2048: the shipped bundle against a classical pipeline.

With ISOCENTER_DATA the picture is laid out of fields of nuclei-dsb2018 (split val), else of simulated cells. Threads
are those of the process: `taskset -c 0,1` gives the figure of two cores.
"""

from __future__ import annotations

import csv
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

import isocenter as iso
from benchmarks.start import said, seconds
from benchmarks.timing import interleaved, table
from isocenter.data import Geometry, Instances
from isocenter.infer.contouring import decoded, maps_of
from isocenter.infer.preparing import prepared
from isocenter.metrics.instances import ap50, found
from isocenter.simulate import cells

FIELD, ROUNDS = 256, 3
# Goals of the whole answer in seconds on two cores, and of what follows the network as a share of it.
GOALS = {1024: (4.0, 0.30), 2048: (5.0, 0.25)}


def run() -> list[str]:
    """Whole answers interleaved with the peer's, parts of ours, and the command line from process start to files."""
    fields = real() or simulated()
    nuclei = iso.load("nuclei")
    return [line for side in GOALS for line in _at(side, fields, nuclei)] + _command(fields)


def _at(side: int, fields: list[tuple[np.ndarray, np.ndarray]], nuclei: object) -> list[str]:
    pixels, truth = mosaic(fields, side)
    case = iso.Case("mosaic", {"image": iso.Image.from_array(pixels, axes="cyx", channels=("red", "green", "blue"))})
    known = Instances.from_label_map(truth, Geometry.from_spacing(truth.shape, None))
    agreed = {}
    for name, answer in (("isocenter", nuclei.predict(case)), ("peer", classical(pixels))):
        if isinstance(answer, np.ndarray):
            answer = Instances.from_label_map(answer, known.geometry)
        agreed[name] = (len(answer), ap50(found(answer, known).classes["object"]))
    timings = interleaved(
        {"isocenter": lambda: nuclei.predict(case), "scikit-image": lambda: classical(pixels)}, rounds=ROUNDS
    )
    parts, (seconds_, share) = parts_of(nuclei, case), GOALS[side]
    after = parts["objects"] / sum(parts.values())
    return [
        *table(f"{len(known)} nuclei on {side} x {side}, goal {seconds_} s on two cores", timings),
        *(f"  {name}: {n} objects, ap50 {value:.3f} (1 picture)" for name, (n, value) in agreed.items()),
        "  " + ", ".join(f"{name} {1000 * v:.0f} ms cpu" for name, v in parts.items())
        + f"; objects are {after:.0%} of it, goal {share:.0%}",
    ]


def parts_of(nuclei: object, case: iso.Case) -> dict[str, float]:
    """Processor seconds of what our answer consists of, the best of some rounds each."""
    image, plan = case.image(), nuclei.plan
    engine, taken = nuclei.engine(plan), {}
    for _ in range(ROUNDS):
        at = [time.process_time()]
        array = prepared(image.channels_first(), image, plan).array
        at.append(time.process_time())
        maps = maps_of(engine, array, plan)
        at.append(time.process_time())
        numbers, labels, scores = decoded(maps, plan)
        Instances.from_label_map(
            numbers, image.geometry, classes=plan.classes[1:], labels=labels.tolist(), scores=scores.tolist()
        )
        at.append(time.process_time())
        for name, used in zip(("picture", "network", "objects"), np.diff(at), strict=True):
            taken[name] = min(taken.get(name, np.inf), float(used))
    return taken


def _command(fields: list[tuple[np.ndarray, np.ndarray]]) -> list[str]:
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for side in GOALS:
            picture = Path(folder) / f"{side}.png"
            Picture.fromarray(mosaic(fields, side)[0].transpose(1, 2, 0).copy()).save(picture)
            command = ["isocenter", "predict", "nuclei", str(picture), "--quiet", "--overwrite", "-o", folder]
            times = [seconds(command) for _ in range(ROUNDS)]
            lines.append(f"isocenter predict nuclei {side}.png -o out/   {said(times)}  goal 10 s")
    return lines


def classical(pixels: np.ndarray) -> np.ndarray:
    """Otsu, distance to the edge, watershed from its summits: scikit-image's own example, for bright nuclei."""
    grey = pixels.mean(0)
    mask = ndimage.binary_opening(grey > threshold_otsu(grey))
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask), 1.0)
    seeds = np.zeros(mask.shape, np.int32)
    for i, at in enumerate(peak_local_max(depth, min_distance=5, labels=ndimage.label(mask)[0]), start=1):
        seeds[tuple(at)] = i
    return np.asarray(watershed(-depth, seeds, mask=mask), np.int32)


def mosaic(fields: list[tuple[np.ndarray, np.ndarray]], side: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (3, side, side) and one number a nucleus; fields that repeat are turned."""
    pixels, truth = np.zeros((3, side, side), np.uint8), np.zeros((side, side), np.int32)
    each = side // FIELD
    for i in range(each * each):
        grey, numbers = (np.rot90(a, i // len(fields)) for a in fields[i % len(fields)])
        place = tuple(slice(k * FIELD, (k + 1) * FIELD) for k in divmod(i, each))
        pixels[(slice(None), *place)] = grey
        truth[place] = np.where(numbers > 0, numbers + truth.max(), 0)
    return pixels, truth


def real() -> list[tuple[np.ndarray, np.ndarray]]:
    """Fluorescence fields of 256 x 256 of split val; none without the data."""
    root = Path(os.environ.get("ISOCENTER_DATA", "")) / "nuclei-dsb2018"
    if not (root / "manifest.csv").is_file():
        return []
    out = []
    with (root / "manifest.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] == "val" and row["stain"] == "fluorescence":
                grey = np.asarray(Picture.open(root / row["image"]).convert("L"))
                if grey.shape == (FIELD, FIELD):
                    out.append((grey, np.asarray(Picture.open(root / row["mask"])).astype(np.int32)))
    return out


def simulated() -> list[tuple[np.ndarray, np.ndarray]]:
    """Sixteen fields of cells; `cells.numbered` draws the same cells from the same seed."""
    out = []
    for seed in range(16):
        pixels, _ = cells.cells((FIELD, FIELD), np.random.default_rng(seed))
        numbers, _ = cells.numbered((FIELD, FIELD), np.random.default_rng(seed))
        out.append((pixels, numbers))
    return out
