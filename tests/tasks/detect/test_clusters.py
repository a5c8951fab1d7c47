from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Boxes, Case, Image, NotEvaluated
from isocenter.errors import NotFoundError, RecipeError
from isocenter.tasks.detect.clusters import Clusters


@pytest.mark.parametrize("rank", [2, 3])
def test_it_learns_size_and_side(made, share_found, rank: int) -> None:
    cases = made(rank=rank, dark=True)
    fitted = Clusters().fit(cases.split("train"), cases.split("val"))
    assert fitted.bright is False
    assert fitted.kinds.classes == ("big", "small")
    assert len(fitted.kinds.limits) == 2
    assert share_found(fitted, cases.split("test")) > 0.9


def test_it_learns_the_channel(made, share_found) -> None:
    cases = made(colour=True)
    fitted = Clusters(how="dbscan").fit(cases.split("train"), cases.split("val"))
    assert fitted.channel in ("0", "1", "mean", "red", "green", "r", "g")
    assert share_found(fitted, cases.split("test")) > 0.9


def test_it_comes_back_from_its_state(made) -> None:
    cases = made()
    fitted = Clusters(how="mean_shift").fit(cases.split("train"), cases.split("val"))
    again = Clusters.from_state(json.loads(json.dumps(fitted.about)), fitted.state())
    assert again == fitted
    a, b = (m.predict(cases.split("test")[0]) for m in (fitted, again))
    assert np.array_equal(a.edges, b.edges)
    assert np.array_equal(a.scores, b.scores)


def lobes() -> Case:
    pixels = np.zeros((40, 60), np.float32)
    pixels[10:16, 10:16] = pixels[10:16, 20:26] = 1.0
    pixels[28:34, 45:51] = 1.0
    return Case.of(Image.from_array(pixels))


def test_near_parts_are_one_object_to_dbscan() -> None:
    apart = Clusters(how="dbscan", reach=3.0).predict(lobes())
    assert len(apart) == 3
    joined = Clusters(how="dbscan", reach=12.0).predict(lobes())
    assert sorted(joined.edges.tolist()) == [[[9.5, 9.5], [15.5, 25.5]], [[27.5, 44.5], [33.5, 50.5]]]
    assert joined.classes == ("object",)


def test_touching_objects_are_parted_by_mean_shift() -> None:
    y, x = np.mgrid[:40, :70]
    discs = ((y - 20) ** 2 + (x - 20) ** 2 < 196) | ((y - 20) ** 2 + (x - 46) ** 2 < 196)
    case = Case.of(Image.from_array(discs.astype(np.float32)))
    assert len(Clusters(how="dbscan").predict(case)) == 1
    found = Clusters(how="mean_shift", reach=10.0).predict(case)
    assert len(found) == 2
    middles = np.sort(found.edges.mean(1)[:, 1])
    assert np.allclose(middles, [20, 46], atol=2)


def test_many_pixels_are_thinned_without_moving_boxes() -> None:
    pixels = np.zeros((300, 300), np.float32)
    pixels[100:200, 50:250] = 1.0
    [edges] = Clusters(how="mean_shift", reach=300.0).predict(Case.of(Image.from_array(pixels))).edges
    assert np.abs(edges - [[99.5, 49.5], [199.5, 249.5]]).max() <= 6


def test_odd_images_are_answered(odd: Image) -> None:
    for how in ("dbscan", "mean_shift"):
        found = Clusters(how=how).predict(Case.of(odd))
        assert isinstance(found, Boxes)
        assert found.geometry == odd.geometry
    if odd.shape[0] * odd.shape[1] < 4:
        assert len(found) == 0


def test_what_it_cannot_answer() -> None:
    assert isinstance(Clusters().predict(Case.of(Image.from_array(np.full((9, 9), np.nan)))), NotEvaluated)
    with pytest.raises(NotFoundError, match="no channel"):
        Clusters(channel="blue").predict(lobes())
    from isocenter.data import build

    with pytest.raises(RecipeError, match="one of its choices"):
        build(Clusters, {"how": "kmeans"})


def test_a_choice_that_was_made_stays(made) -> None:
    cases = made()
    asked = Clusters(channel="mean", bright=True, how="dbscan", reach=4.0)
    fitted = asked.fit(cases.split("train"), cases.split("val"))
    assert replace(fitted, kinds=asked.kinds) == asked
