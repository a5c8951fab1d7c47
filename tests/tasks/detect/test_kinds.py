from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.data import Geometry, as_settings, build
from isocenter.tasks.detect._kinds import LEAST_SD, Kinds, features, learnt

GEOMETRY = Geometry.from_spacing((40, 60), None)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, float).reshape(-1, 2, 2)


def test_features_are_size_and_colour_of_the_middle() -> None:
    array = np.zeros((2, 40, 60), np.float32)
    array[0, 10:20, 10:30] = 1.0
    array[1, 12:18, 14:26] = 2.0
    [row] = features(boxes((9.5, 9.5, 19.5, 29.5)), array)
    assert row[0] == pytest.approx(np.log(np.sqrt(10 * 20)))
    assert row[1] == 1.0
    assert row[2] == pytest.approx(2.0)


def test_a_box_smaller_than_a_pixel_has_features() -> None:
    array = np.arange(12.0).reshape(1, 3, 4).astype(np.float32)
    [row] = features(boxes((1.8, 2.9, 2.2, 3.4)), array)
    assert np.isfinite(row).all()
    assert row[1] in array


def test_classes_are_learnt_and_named_by_the_nearest() -> None:
    rng = np.random.default_rng(0)
    rows = [np.c_[rng.normal(m, 0.05, 20), rng.normal(c, 0.3, 20)] for m, c in ((1.0, 0.0), (3.0, 0.0), (3.0, 4.0))]
    kinds = learnt(("a", "b", "c"), rows, [np.full(20, k) for k in range(3)])
    assert np.allclose(np.array(kinds.means)[:, 0], [1, 3, 3], atol=0.05)
    assert kinds.spread[0] == LEAST_SD
    assert 0.2 < kinds.spread[1] < 0.4
    assert kinds.smallest == pytest.approx(np.e / 3, rel=0.1)
    array = np.zeros((1, 40, 60), np.float32)
    array[0, :, 30:] = 4.0
    side = np.exp(3.0)
    found = kinds.named(boxes((0, 0, side, side), (0, 35, side, 35 + side), (30, 2, 32.7, 4.7)), array, GEOMETRY)
    assert found.labels.tolist() == [1, 2, 0]
    assert (found.scores > 0.8).all()
    odd = kinds.named(boxes((0, 0, 39, 59)), array, GEOMETRY)
    assert odd.scores[0] < 0.1


def test_rare_classes_count_like_frequent_ones() -> None:
    rng = np.random.default_rng(1)
    wide, narrow = rng.normal(0, 2.0, (5, 1)), rng.normal(9, 0.2, (500, 1))
    kinds = learnt(("wide", "narrow"), [wide, narrow], [np.zeros(5, int), np.ones(500, int)])
    assert kinds.spread[0] > 0.8


def test_limits_become_one_half() -> None:
    kinds = Kinds(("a",), ((2.0, 0.0),), (0.5, 1.0))
    array = np.zeros((1, 40, 60), np.float32)
    edges = boxes((0, 0, 10, 10), (0, 0, 30, 30))
    plain = kinds.named(edges, array, GEOMETRY).scores
    limited = Kinds(("a",), kinds.means, kinds.spread, (float(plain.mean()),)).named(edges, array, GEOMETRY).scores
    assert limited[0] > 0.5 > limited[1]


def test_before_study_there_is_one_nameless_class() -> None:
    found = Kinds().named(boxes((1, 1, 5, 5), (-20, -20, -10, -10)), np.zeros((1, 40, 60), np.float32), GEOMETRY)
    assert found.classes == ("object",)
    assert len(found) == 1, "a box outside the image is none"
    assert found.scores.tolist() == [1.0]


def test_it_is_plain_values() -> None:
    kinds = Kinds(("a", "b"), ((1.0, 2.0), (3.0, 4.0)), (0.5, 0.5), (0.2, 0.3))
    assert build(Kinds, json.loads(json.dumps(as_settings(kinds)))) == kinds
