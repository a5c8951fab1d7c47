"""What had to change, and what it did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Geometry, NotEvaluated, Perturbation, Probabilities, Segmentation
from isocenter.errors import LabelError

GRID = Geometry.from_spacing((4, 5), None)
WELL, ILL = (Probabilities(("well", "ill"), v) for v in ((0.9, 0.1), (0.2, 0.8)))


def change(values: np.ndarray, **more: object) -> Perturbation:
    plain = {"before": WELL, "after": ILL, "aim": WELL, "method": "pgd", "span": (0.0, 255.0), "unit": "grey levels"}
    return Perturbation(values.astype(np.float32), GRID, **{**plain, **more})


def test_its_size_is_a_share_of_the_range_in_the_norm_of_the_attack() -> None:
    values = np.zeros((1, 4, 5))
    values[0, 1, 1], values[0, 2, 2] = 3, -4
    assert change(values).largest == 4
    assert change(values).size == pytest.approx(4 / 255)
    assert change(values, norm="l2").size == pytest.approx(5 / 255)
    assert change(values, span=(-1000.0, 1000.0), norm="l2").size == pytest.approx(5 / 2000)


def test_whether_the_answer_is_another() -> None:
    none = np.zeros((1, 4, 5))
    assert change(none).altered
    assert not change(none, after=replace(WELL, values=(0.7, 0.3))).altered
    assert change(none, after=replace(WELL, decided=("ill",))).altered, "a threshold decides, not the larger share"
    assert change(none, after=NotEvaluated("no")).altered
    labels = Segmentation(np.zeros((4, 5), np.uint8), ("background", "a"), GRID)
    other = replace(labels, labels=np.eye(4, 5, dtype=np.uint8))
    assert not change(none, before=labels, after=labels, aim=labels).altered
    assert change(none, before=labels, after=other, aim=labels).altered


def test_the_line_says_how_large_and_what_came_of_it() -> None:
    line = change(np.full((1, 4, 5), 2.0)).line()
    said = "a change of 0.00784 (linf, share of the range), at most 2 grey levels alters the answer: well -> ill"
    assert line == f"pgd: {said}"
    assert "does not alter" in change(np.zeros((1, 4, 5)), after=WELL).line()


@pytest.mark.parametrize("shape", [(4, 5), (1, 5, 4), (1, 1, 4, 5)])
def test_another_grid_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(LabelError, match="another grid"):
        change(np.zeros(shape))
