"""The points of a detector's curves: precision over recall, and sensitivity over false positives an image."""

from __future__ import annotations

import numpy as np

from isocenter.data import OBJECT, Scores
from isocenter.metrics.metric import Record
from isocenter.ops.array import Array
from isocenter.ops.matching import FALSE, TRUE

PRECISION, FREE_RESPONSE = "ap50", "froc"


def curve(scores: Scores, key: str, target: str = "") -> Array | None:
    """The points that a threshold on the score reaches, from the strictest to the laxest.

    Parameters
    ----------
    scores
        Of the task detect.
    key
        ``"ap50"``: recall and precision at IoU 0.5 (the 100 surest boxes an image); ``"froc"``: false positives an
        image and sensitivity, a find being a centre within the ellipse in the true box.
    target
        A class; default all classes together, or the only one.

    Returns
    -------
    float64 (2, k): x and y; None where the truth holds no such object or the scores have no such records.
    """
    records = [c.records.get(key, {}) for c in scores.cases]
    name = target or _together(records)
    total = sum(int(r.get("true", {}).get(name, 0)) for r in records)
    if not total:
        return None
    sure = np.array([s for r in records for s in r.get("scores", {}).get(name, "").split()], np.float64)
    # Of several criteria in one record the first is meant.
    kinds = np.array([int(w[0]) for r in records for w in r.get("kinds", {}).get(name, "").split()], np.int64)
    order = np.argsort(-sure, kind="stable")
    sure, kinds = sure[order], kinds[order]
    right, wrong = np.cumsum(kinds == TRUE), np.cumsum(kinds == FALSE)
    # Boxes of equal score are taken or left together.
    ends = np.flatnonzero(np.append(sure[1:] != sure[:-1], True)) if len(sure) else np.zeros(0, np.int64)
    right, wrong = right[ends], wrong[ends]
    if key == FREE_RESPONSE:
        return np.array([np.append(0.0, wrong / len(records)), np.append(0.0, right / total)])
    called = np.maximum(right + wrong, 1)
    return np.array([right / total, right / called])


def _together(records: list[Record]) -> str:
    merged = next((str(r["merged"]) for r in records if "merged" in r), "")
    return merged or next((c for r in records for c in r.get("true", {})), OBJECT)
