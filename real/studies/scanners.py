"""One slide by two scanners brought together by key points: what scale is found.

No landmark is known; the pixel sizes that the files state give a scale of 0.656. The settings are those of the class,
the map is a similarity, and each scanner is the fixed one in turn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from isocenter.catalog import find
from isocenter.data import Case, Image, NotEvaluated
from isocenter.io import read
from real.study import Study, verdict
from real.table import show

DATA, FOLDER = "registration-2d", "openslide"
WANTED, NEAR = 0.656, 0.005


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """Scale in pixels of the finer scanner to those of the coarser one, each way round."""
    fine, coarse = (read(data / DATA / FOLDER / f"OS-2-{name}.ome.tif").image() for name in ("ndpi", "vsi"))
    return {"forth": found(fine, coarse), "back": found(coarse, fine)}


def found(fixed: Image, moving: Image) -> dict[str, Any]:
    """Pixels of the moving image for one pixel of the fixed one, and the evidence."""
    method: Any = find("register", "landmarks")(family="similarity")
    answer = method.predict(Case("slide", {"fixed": fixed, "moving": moving}, "fixed"))
    if isinstance(answer, NotEvaluated):
        return {"scale": None, "why": answer.reason}
    at = np.array([[0.0, 0.0], [0.0, 1000.0]])
    moved = answer.indices(at)
    return {"scale": float(np.linalg.norm(moved[1] - moved[0]) / 1000), **dict(answer.evidence)}


def lines(told: dict[str, Any]) -> list[str]:
    """Both ways, and the bar."""
    forth, back = told["forth"], told["back"]
    scale = forth["scale"]
    ok = scale is not None and abs(scale - WANTED) <= NEAR
    both = [("0.2271 um to 0.3460 um", forth), ("0.3460 um to 0.2271 um", back)]
    rows = [
        f"| {name} | {show(one['scale'])} | {one.get('inliers', 0):.0f} of {one.get('matches', 0):.0f} |"
        for name, one in both
    ]
    return ["| fixed to moving | scale | pairs that agree |", "|---|---|---|", *rows, "",
            f"One slide (n = 1, no interval); must {WANTED} within {NEAR}: {verdict(ok)}."]  # fmt: skip


STUDY = Study("scanners", "One slide by two scanners", DATA, run, lines)
