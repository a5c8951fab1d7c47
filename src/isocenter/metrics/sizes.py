"""How many objects are found: recall by class and by thirds of the area, so that a mean hides no small ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.metrics.detect import BoxSide
from isocenter.metrics.instances import MaskSide
from isocenter.metrics.metric import Estimate, Metric, Record, ratio
from isocenter.metrics.objects import Row, column, names_of, with_all
from isocenter.ops.array import Array
from isocenter.ops.boxes import area
from isocenter.ops.matching import assigned, partners

KEY = "recall_50"
THIRDS = ("smallest third", "middle third", "largest third")
LEAST = 0.5


def box_row(side: BoxSide) -> Row:
    """Areas of the true boxes and of those found at IoU 0.5, in square (cubic) pixels, and the number answered.

    Boxes of the answer count from a score of 0.5, as in F1.
    """
    side = side.acted
    found = partners(side.ious, LEAST)
    return _row(area(side.true), area(side.true)[found[found >= 0]], len(side.edges))


def mask_row(side: MaskSide) -> Row:
    """Areas of the true objects and of those found at IoU 0.5, in pixels, and the number answered."""
    pairs = side.overlaps
    near = np.flatnonzero(side.ious >= LEAST)
    chosen = near[assigned(pairs.a[near], pairs.b[near], side.ious[near])]
    return _row(side.true, pairs.areas_b[pairs.b[chosen]], len(side.answered))


def _row(areas: Array, hits: Array, called: int) -> Row:
    # Text: one cell of a table, whatever the number of objects.
    share = len(hits) / len(areas) if len(areas) else None
    return {"true": len(areas), "areas": _text(areas), "hits": _text(hits), "called": called, "values": share}


def _text(areas: Array) -> str:
    return " ".join(f"{a:.6g}" for a in areas)


def _numbers(text: str) -> Array:
    return np.asarray(text.split(), np.float64)


def limits(records: Sequence[Record]) -> tuple[float, float]:
    """The two areas that part the true objects of a set, all classes together, into thirds.

    Raises
    ------
    ValueError
        There is no object.
    """
    areas = np.concatenate([_numbers(t) for r in records for t in _together(r, "areas")])
    low, high = np.quantile(areas, [1 / 3, 2 / 3], method="inverted_cdf")
    return float(low), float(high)


def _together(record: Record, part: str) -> list[str]:
    """What all classes together hold: of a record with several their union stands under its own name."""
    held = record.get(part, {})
    return [held[record["merged"]]] if record.get("merged") in held else list(held.values())


def recall(records: Sequence[Record], positive: str | None = None) -> dict[str, Estimate]:
    """Share of the true objects that is found, over the set: by class, ``all``, and by thirds of their area.

    Thirds are those of the true objects of these records, all classes together, each with its upper limit; the limits
    stand in the flags.
    """
    found: dict[str, Estimate] = {}
    for name in names_of(records):
        hits = np.asarray([len(r["hits"].get(name, "").split()) for r in records], np.float64)
        found[name] = _estimate(hits, column(records, "true", name))
    return {**with_all(records, found), **_thirds(records)}


def _thirds(records: Sequence[Record]) -> dict[str, Estimate]:
    if not any(t for r in records for t in _together(r, "areas")):
        return {}
    low, high = limits(records)
    small, large = (f"{v:.0f}" if v >= 100 else f"{v:.4g}" for v in (low, high))
    said = (f"area up to {small} px", f"area above {small} up to {large} px", f"area above {large} px")
    counted = {part: np.stack([_in_thirds(r, part, low, high) for r in records]) for part in ("areas", "hits")}
    return {
        name: _estimate(counted["hits"][:, k], counted["areas"][:, k], said[k])
        for k, name in enumerate(THIRDS) if counted["areas"][:, k].any()
    }


def _in_thirds(record: Record, part: str, low: float, high: float) -> Array:
    areas = np.concatenate([np.zeros(0), *(_numbers(t) for t in _together(record, part))])
    return np.bincount(np.searchsorted([low, high], areas, side="left"), minlength=3).astype(np.float64)


def _estimate(hits: Array, total: Array, *flags: str) -> Estimate:
    return Estimate(lambda w: ratio(w @ hits, w @ total), total > 0, flags=flags)


def counts(records: Sequence[Record]) -> dict[str, tuple[int, int, int]]:
    """Class to (true objects, those found at IoU 0.5, objects answered) over a set, the rarest class first."""
    names = dict.fromkeys(c for r in records for c in r.get("true", {}) if c != r.get("merged") or len(r["true"]) == 1)
    found = {
        c: (
            sum(int(r["true"].get(c, 0)) for r in records),
            sum(len(r["hits"].get(c, "").split()) for r in records),
            sum(int(r["called"].get(c, 0)) for r in records),
        )
        for c in names
    }
    return dict(sorted(found.items(), key=lambda item: item[1][0]))


TEXT = "share of true objects found at IoU 0.5 over the set: by class, and by thirds of the true objects' area"
SOURCE = "van Rijsbergen, Information Retrieval 1979; sizes apart: Lin et al., Microsoft COCO, ECCV 2014"
BOXES = Metric(KEY, "", "higher", (0.0, 1.0), TEXT, SOURCE, box_row, recall, True)
OBJECTS = Metric(KEY, "", "higher", (0.0, 1.0), TEXT, SOURCE, mask_row, recall, True)
