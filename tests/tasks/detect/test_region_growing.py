from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Boxes, Case, Image, NotEvaluated
from isocenter.errors import NotFoundError
from isocenter.tasks.detect.region_growing import RegionGrowing


@pytest.mark.parametrize("rank", [2, 3])
def test_it_learns_size_and_side(made, share_found, rank: int) -> None:
    cases = made(rank=rank, dark=rank == 2)
    fitted = RegionGrowing().fit(cases.split("train"), cases.split("val"))
    assert fitted.bright is (rank == 3)
    assert fitted.kinds.classes == ("big", "small")
    assert share_found(fitted, cases.split("test")) > 0.85


def test_it_comes_back_from_its_state(made) -> None:
    cases = made()
    fitted = RegionGrowing().fit(cases.split("train"), cases.split("val"))
    again = RegionGrowing.from_state(json.loads(json.dumps(fitted.about)), fitted.state())
    assert again == fitted
    a, b = (m.predict(cases.split("test")[0]) for m in (fitted, again))
    assert np.array_equal(a.edges, b.edges)
    assert np.array_equal(a.scores, b.scores)


def test_touching_objects_are_parted() -> None:
    y, x = np.mgrid[:40, :70]
    one, two = (y - 20) ** 2 + (x - 20) ** 2 < 196, (y - 20) ** 2 + (x - 46) ** 2 < 196
    values = np.where(one, 1.0, 0.0) + np.where(two & ~one, 1.3, 0.0)
    found = RegionGrowing().predict(Case.of(Image.from_array(values.astype(np.float32))))
    assert len(found) == 2
    assert np.allclose(np.sort(found.edges.mean(1)[:, 1]), [20, 46], atol=2)
    assert found.classes == ("object",)


def test_a_ring_is_filled() -> None:
    y, x = np.mgrid[:40, :40]
    away = np.hypot(y - 20, x - 20)
    ring = ((away < 14) & (away > 9)).astype(np.float32)
    found = RegionGrowing(tolerance=5.0).predict(Case.of(Image.from_array(ring)))
    assert len(found) == 1
    assert np.abs(found.edges[0] - [[6.5, 6.5], [33.5, 33.5]]).max() <= 1


def test_odd_images_are_answered(odd: Image) -> None:
    found = RegionGrowing().predict(Case.of(odd))
    assert isinstance(found, Boxes)
    assert found.geometry == odd.geometry


def test_what_it_cannot_answer() -> None:
    assert isinstance(RegionGrowing().predict(Case.of(Image.from_array(np.full((9, 9), np.inf)))), NotEvaluated)
    with pytest.raises(NotFoundError, match="no channel"):
        RegionGrowing(channel="blue").predict(Case.of(Image.from_array(np.eye(9))))


def test_a_choice_that_was_made_stays(made) -> None:
    cases = made()
    asked = RegionGrowing(channel="mean", bright=True, tolerance=2.0, apart=1.0)
    assert replace(asked.fit(cases.split("train"), cases.split("val")), kinds=asked.kinds) == asked
