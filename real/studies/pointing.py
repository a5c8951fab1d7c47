"""Where the classifier of breast ultrasound looks: its maps and the regions cut from them, beside the centre.

The classifier (malignant, benign, normal; 96 x 96 pixels) has never seen a mask. Its maps are asked for what speaks
against `normal`. On 54 images with a lesion of train and val occlusion points into the lesion in 0.63, the centre in
0.28, Grad-CAM in 0.17: its network tells by texture all over the image, which a map of 6 x 6 places cannot show.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import isocenter as iso
from isocenter.verbs._explain_over import explain_over
from real.breast_malignant import ROW
from real.run import cases_of, data_mark, progress, recipe_mark, sources_mark, trained
from real.study import Study, cell, tests_of, verdict
from real.table import show

NETWORK = "densenet121"
AGAINST = "not normal"
CHECKS = {"pointing_game": "pointing game", "iou_same_size": "IoU, map cut at the lesion's size"}


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """The row's network, its maps on test by three methods, and regions from the best of them."""
    settings = next(c.settings for c in ROW.candidates if c.name == NETWORK)
    row = replace(ROW, name=f"{ROW.name}-{NETWORK}", settings=settings, candidates=())
    marks = {"recipe": recipe_mark(row, seed), "data": data_mark(data / row.data), "sources": sources_mark()}
    bundle = str(trained(row, data, marks, threads=threads, seed=seed))
    folder = str(data / ROW.data)
    asked = {"seed": seed, "threads": threads, "report": progress}
    maps = explain_over(
        bundle, folder, methods=("grad-cam", "occlusion", "centre"), split="test", checks=False,
        settings={"target": AGAINST}, **asked,
    )  # fmt: skip
    part = {"use": "explain/occlusion", "of": {"use": bundle}, "target": AGAINST}
    regions = iso.compare(
        "segment", folder, methods=["locate", "centre_box"], split="test", settings={"locate.of": part}, **asked
    )
    val = iso.evaluate(bundle, cases_of(row, data), split="test", seed=seed, threads=threads)
    return {
        "auc": asdict(val.metrics["auc"]["normal"]),
        "maps": {name: s.as_json()["metrics"] for name, s in maps.scores.items()},
        "tests": tests_of(maps.tests),
        "regions": {name: s.as_json()["metrics"] for name, s in regions.methods.items()},
        "regions_tests": tests_of(regions.tests),
    }


def lines(found: dict[str, Any]) -> list[str]:
    """Maps and regions, each against the centre."""
    maps, regions = found["maps"], found["regions"]
    rows = [
        f"| {name} | " + " | ".join(cell(scores[key]["all"]) for key in CHECKS) + " |" for name, scores in maps.items()
    ]
    cut = [
        f"| {name} | {cell(s['jaccard']['all'])} | {cell(s['dice']['all'])} |" for name, s in regions.items()
    ]  # fmt: skip
    bars = [
        (f"{name}, {what}", maps[name][key]["all"]["value"] - maps["centre"][key]["all"]["value"])
        for name in maps if name != "centre" for key, what in CHECKS.items()
    ]  # fmt: skip
    bars.append(("locate, IoU of the region", regions["locate"]["jaccard"]["all"]["value"]
                 - regions["centre_box"]["jaccard"]["all"]["value"]))  # fmt: skip
    paired = [t for t in (*found["tests"], *found["regions_tests"]) if t["test"] == "paired bootstrap"]
    return [
        f"AUC of normal against the rest on the small images' test: {cell(found['auc'])}.", "",
        f"| map | {' | '.join(CHECKS.values())} |", "|---|---|---|", *rows, "",
        "| region | IoU | Dice |", "|---|---|---|", *cut, "",
        "| above the centre | difference | |", "|---|---|---|",
        *(f"| {what} | {show(value)} | {verdict(value > 0)} |" for what, value in bars), "",
        "Paired, by subject: " + "; ".join(
            f"{t['metric']} {t['a']} - {t['b']} {show(t['difference'])} ({show(t['low'])} to {show(t['high'])})"
            for t in paired) + ".",
    ]  # fmt: skip


STUDY = Study("pointing", "Where it looks", "breast-us-busi", run, lines)
