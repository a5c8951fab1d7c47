"""Metrics of a registration, from landmarks, from the true map, or from regions in both images.

====================  ================================================================================================
what                  value
====================  ================================================================================================
truth is a map        errors at a grid of at most 21 points an axis, from edge to edge of the fixed image
truth is landmarks    errors at the landmarks
truth is regions      ``dice`` alone; the errors leave, and ``n`` says so
`NotEvaluated`        the images as they are: errors and Dice before registration, never within 5 px; folding and
                      inverse consistency leave
a point without place the diagonal of the moving image (the map folds, or sends it to infinity)
====================  ================================================================================================

Errors are distances in the moving image's world. Tables give the mean over cases (``all``) and the ``median``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from isocenter.data import IGNORE, Correspondence, NotEvaluated, Segmentation, Transform
from isocenter.data.findings.transform import to_index, to_world
from isocenter.data.warping import warped
from isocenter.errors import GeometryError, LabelError
from isocenter.metrics.by_case import ALL, means, tables
from isocenter.metrics.metric import Estimate, Metric, Record, mean_estimate
from isocenter.ops.array import Array

Answer: TypeAlias = Transform | NotEvaluated
Truth: TypeAlias = Transform | Correspondence
MEDIAN = "median"
# Points an axis at which two maps are compared.
POINTS = 21
NEAR = 5.0


def checked(answer: Any, truth: Any) -> None:
    """Refuses what cannot be compared.

    Raises
    ------
    LabelError
        The answer is no transform, or the truth neither one nor a correspondence.
    GeometryError
        They are about other images.
    """
    for value, kinds in ((answer, (Transform, NotEvaluated)), (truth, (Transform, Correspondence))):
        if not isinstance(value, kinds):
            raise LabelError("register compares transforms", got=type(value).__name__,
                             wanted=" or ".join(k.__name__ for k in kinds))
    if isinstance(answer, Transform) and not (
        answer.fixed.same_grid(truth.fixed) and answer.moving.same_grid(truth.moving)
    ):
        got, wanted = (f"{t.fixed.shape}, {t.moving.shape}" for t in (answer, truth))
        raise GeometryError("the transform is between other images", got=got, wanted=wanted)


def pairs(truth: Truth) -> tuple[Array, Array] | None:
    """World points (n, w) of the fixed and of the moving image that are the same; None where only regions are."""
    if isinstance(truth, Correspondence):
        return truth.points
    at, _ = truth.sampled(POINTS)
    fixed = to_world(truth.fixed, at)
    moving = truth.points(fixed)
    known = np.isfinite(moving).all(axis=1)
    return fixed[known], moving[known]


def errors(answer: Answer, truth: Truth) -> tuple[Array, Array] | None:
    """Distance (n,) of every pair after registration, in the world's unit and in pixels of the moving image."""
    found = pairs(truth)
    if found is None:
        return None
    fixed, moving = found
    there = fixed if isinstance(answer, NotEvaluated) else answer.points(fixed)
    grid = truth.moving
    world = np.linalg.norm(there - moving, axis=1)
    pixels = np.linalg.norm(to_index(grid, there) - to_index(grid, moving), axis=1)
    return (np.where(np.isfinite(world), world, grid.diagonal),
            np.where(np.isfinite(pixels), pixels, float(np.linalg.norm(grid.shape))))


def _of(value: float | None, answer: Answer, unit: str = "", px: float | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {"values": {ALL: value}, "unit": unit}
    if unit:
        row["px"] = {"values": {ALL: px}}
    return row if answer else {**row, "answered": False}


def tre_record(answer: Answer, truth: Truth) -> dict[str, Any]:
    """Mean error over the points of one case: ``values``, ``unit``, and the same under ``px``."""
    found = errors(answer, truth)
    world, pixels = (None, None) if found is None else (float(found[0].mean()), float(found[1].mean()))
    return _of(world, answer, truth.moving.unit, pixels)


def relative_record(answer: Answer, truth: Truth) -> dict[str, Any]:
    """Median error over the points of one case, in diagonals of the moving image."""
    found = errors(answer, truth)
    return _of(None if found is None else float(np.median(found[0]) / truth.moving.diagonal), answer)


def share_record(answer: Answer, truth: Truth) -> dict[str, Any]:
    """1 where the mean error is below 5 pixels of the moving image, else 0."""
    found = errors(answer, truth)
    return _of(None if found is None else float(bool(answer) and found[1].mean() < NEAR), answer)


def folding_record(answer: Answer, truth: Truth) -> dict[str, Any]:
    """Share of the fixed image's pixels, in %, at which the map folds or has no value."""
    if isinstance(answer, NotEvaluated):
        return _of(None, answer)
    return _of(float(100.0 * (~(answer.jacobian() > 0)).mean()), answer)


def inverse_record(answer: Answer, truth: Truth) -> dict[str, Any]:
    """Mean distance between points of the fixed image and where the map and then its inverse bring them."""
    if isinstance(answer, NotEvaluated):
        return _of(None, answer, truth.fixed.unit)
    at, there = answer.sampled(POINTS)
    # What lies outside the moving image is no matter of it.
    seen = ((there > -0.5) & (there < np.asarray(answer.moving.shape) - 0.5)).all(axis=1) | ~np.isfinite(there).all(1)
    if not seen.any():
        return _of(None, answer, truth.fixed.unit)
    fixed = to_world(answer.fixed, at[seen])
    back = answer.inverse().points(answer.points(fixed))
    world = np.linalg.norm(back - fixed, axis=1)
    pixels = np.linalg.norm(to_index(answer.fixed, back) - at[seen], axis=1)
    far = answer.fixed.diagonal, float(np.linalg.norm(answer.fixed.shape))
    both = [float(np.where(np.isfinite(v), v, f).mean()) for v, f in zip((world, pixels), far, strict=True)]
    return _of(both[0], answer, truth.fixed.unit, both[1])


def dice_record(answer: Answer, truth: Truth) -> dict[str, Any]:
    """Dice of each region of the moving image, brought to the fixed one by nearest neighbour, with that region there.

    A region that neither image holds does not enter.
    """
    if isinstance(truth, Transform) or truth.regions is None:
        return {"values": {}, "unit": ""}
    fixed, moving = truth.regions
    there = answer if isinstance(answer, Transform) else Transform.identity(truth.fixed, truth.moving)
    found = warped(there, moving)
    row: dict[str, Any] = {"values": {name: _dice(found, fixed, name) for name in fixed.regions}, "unit": ""}
    return row if answer else {**row, "answered": False}


def _dice(found: Segmentation, fixed: Segmentation, name: str) -> float | None:
    theirs = found.labels == found.names.index(name) if name in found.names else np.zeros(fixed.labels.shape, bool)
    own = fixed.labels == fixed.names.index(name)
    # Where nobody says what is there, nobody is wrong.
    theirs &= fixed.labels != IGNORE
    total = int(theirs.sum()) + int(own.sum())
    return 2.0 * int((theirs & own).sum()) / total if total else None


def _both(records: Sequence[Record], positive: str | None = None) -> Mapping[str, Estimate]:
    table, unit, flags = tables(records)
    values = table.get(ALL, np.full(len(records), np.nan))
    return {ALL: mean_estimate(values, unit=unit, flags=flags), MEDIAN: _median(values, unit, flags)}


def _median(values: Array, unit: str, flags: tuple[str, ...]) -> Estimate:
    """The median over cases that count as often as their weights say: midway where half lie on either side."""
    entered = ~np.isnan(values)
    order = np.argsort(np.where(entered, values, np.inf), kind="stable")[: int(entered.sum())]
    ranked = values[order]

    def at(weights: Array) -> Array:
        if not len(ranked):
            return np.full(len(weights), np.nan)
        reached = np.cumsum(weights[:, order], axis=1)
        half = 0.5 * reached[:, -1:]
        low, high = ((reached >= half).argmax(axis=1), (reached > half).argmax(axis=1))
        return np.where(half[:, 0] > 0, 0.5 * (ranked[low] + ranked[high]), np.nan)

    return Estimate(at, entered, unit, flags)


BIRL = "Borovec et al., IEEE TMI 39 (2020) 3042"
REGISTER = (
    Metric("tre", "mm", "lower", (0.0, None), "mean distance between landmarks after registration (of a true map: grid "
           "points), in the moving image", "Fitzpatrick and West, IEEE TMI 20 (2001) 917", tre_record, _both, True),
    Metric("tre_relative", "", "lower", (0.0, None), "median landmark error of a case over the image's diagonal", BIRL,
           relative_record, _both, True),
    Metric("share_5px", "", "higher", (0.0, 1.0), "share of cases whose mean error is below 5 px", "", share_record,
           means, True),
    Metric("folding", "%", "lower", (0.0, 100.0), "share of the fixed image's pixels at which the map folds "
           "(Jacobian determinant <= 0)", "", folding_record, means, True),
    Metric("inverse_consistency", "mm", "lower", (0.0, None), "mean distance between a point and where the map and its "
           "inverse bring it; landmarks outside the moving image leave", "Christensen and Johnson, IEEE TMI 20 (2001) "
           "568", inverse_record, _both, True),
    Metric("dice", "", "higher", (0.0, 1.0), "2 |A and B| / (|A| + |B|) of the moving image's region, brought to the "
           "fixed one, with the region there", "Dice, Ecology 1945", dice_record, means, True),
)
