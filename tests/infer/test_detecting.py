from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Boxes, Image, Normalisation, NotEvaluated, Plan
from isocenter.errors import BundleError, InputError
from isocenter.infer.detecting import DEFAULTS, chosen, detect, on_own_grid, rated

PLAN = Plan("detect", 2, 1, ("cell", "clot"), size=(16, 24), normalisation=Normalisation("none"), divisor=(8, 8))


def answer(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def blocks(batch: np.ndarray) -> np.ndarray:
    """An engine that finds the rectangle of bright pixels: a clot where it is very bright."""
    out = []
    for image in batch[:, 0]:
        at = np.argwhere(image > 0.5)
        low, high = (at.min(0) - 0.5, at.max(0) + 0.5) if len(at) else (np.zeros(2), np.ones(2))
        top = float(image.max())
        out.append([[*low, *high, 0.9 * (0.5 < top < 2), 0.8 * (top >= 2)]])
    return np.array(out, np.float32)


def test_boxes_come_back_to_the_images_own_grid() -> None:
    pixels = np.zeros((32, 48), np.float32)
    pixels[8:16, 20:40] = 1.0
    found = detect(blocks, Image.from_array(pixels), PLAN)
    assert isinstance(found, Boxes)
    assert found.edges.tolist() == [[[7.5, 19.5], [15.5, 39.5]]]
    assert found.labels.tolist() == [0]
    assert found.scores.tolist() == pytest.approx([0.9])
    assert found.geometry.shape == (32, 48)


def test_padding_is_taken_off_again() -> None:
    plan = replace(PLAN, size=None)
    pixels = np.zeros((13, 21), np.float32)
    pixels[5:9, 8:12] = 3.0
    found = detect(blocks, Image.from_array(pixels), plan)
    assert found.edges.tolist() == [[[4.5, 7.5], [8.5, 11.5]]]
    assert found.labels.tolist() == [1]


def test_an_image_without_objects_has_no_boxes() -> None:
    found = detect(blocks, Image.from_array(np.zeros((9, 9), np.float32)), PLAN)
    assert len(found) == 0
    assert found.classes == ("cell", "clot")


def test_boxes_end_at_the_edge_of_the_image() -> None:
    def beyond(batch: np.ndarray) -> np.ndarray:
        return np.array([[[-9.0, -9, 5, 5, 0.9, 0], [40, 40, 50, 50, 0.9, 0]]], np.float32)

    found = detect(beyond, Image.from_array(np.ones((16, 24), np.float32)), PLAN)
    assert found.edges.tolist() == [[[-0.5, -0.5], [5, 5]]]


def test_pixels_that_are_no_numbers_are_not_answered() -> None:
    assert isinstance(detect(blocks, Image.from_array(np.full((9, 9), np.nan)), PLAN), NotEvaluated)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BundleError, match="another question"):
        detect(blocks, Image.from_array(np.ones((9, 9))), replace(PLAN, task="segment"))
    with pytest.raises(InputError, match="images of 2 axes"):
        detect(blocks, Image.from_array(np.ones((9, 9, 9))), PLAN)


def test_the_surest_of_overlapping_boxes_of_one_class_stays() -> None:
    rows = answer([0, 0, 10, 10, 0.9, 0.2], [0, 1, 10, 11, 0.8, 0.01], [0, 7, 10, 17, 0.7, 0])
    edges, labels, scores = chosen(rows, PLAN)
    assert scores.tolist() == pytest.approx([0.9, 0.7, 0.2])
    assert labels.tolist() == [0, 0, 1]
    assert edges[1].tolist() == [[0, 7], [10, 17]]
    loose = replace(PLAN, settings={"overlap": 0.95, "least": 0.005})
    assert len(chosen(rows, loose)[0]) == 5


def test_few_sound_boxes_remain() -> None:
    many = answer(*([10.0 * i, 0, 10 * i + 5, 5, 0.5 + i / 1000, 0] for i in range(400)))
    assert len(chosen(many, PLAN)[0]) == DEFAULTS["most"]
    top = chosen(many, replace(PLAN, settings={"most": 3}))[2]
    assert top.tolist() == pytest.approx([0.899, 0.898, 0.897])
    unsound = answer([0, 0, np.nan, 5, 0.9, 0], [5, 5, 2, 9, 0.9, 0], [0, 0, np.inf, 5, 0.9, 0])
    assert len(chosen(unsound, PLAN)[0]) == 0


@pytest.mark.parametrize("rank", [2, 3])
def test_the_way_to_the_own_grid_keeps_the_corners(rank: int) -> None:
    working, own = (12, 20, 8)[:rank], (24, 10, 8)[:rank]
    whole = np.array([[[-0.5] * rank, [w - 0.5 for w in working]]])
    back = on_own_grid(whole, working, working, own)
    assert np.allclose(back[0, 0], -0.5)
    assert np.allclose(back[0, 1], np.asarray(own) - 0.5)


def test_the_limit_of_a_class_becomes_one_half_and_no_order_changes() -> None:
    found = rated(np.array([0.2, 0.7, 0.1, 0.9, 0.0, 1.0]), np.array([0.2, 0.7] * 3))
    assert found[:2].tolist() == pytest.approx([0.5, 0.5])
    assert found[2] < 0.5 < found[3]
    assert ((found >= 0) & (found <= 1)).all()
    for limit in (0.2, 0.7, 0.5):
        many = rated(np.linspace(0, 1, 99), np.full(99, limit))
        assert (np.diff(many) > 0).all()
    assert np.allclose(many, np.linspace(0, 1, 99), atol=1e-6)


def test_the_plans_limits_are_those_of_the_answer() -> None:
    pixels = np.zeros((32, 48), np.float32)
    pixels[8:16, 20:40] = 1.0
    found = detect(blocks, Image.from_array(pixels), replace(PLAN, thresholds=(0.9, 0.1)))
    assert found.scores.tolist() == pytest.approx([0.5], abs=1e-6)
