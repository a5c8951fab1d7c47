from __future__ import annotations

import pytest

from isocenter import catalog
from isocenter.data import Watch, merged
from isocenter.tasks.detect.ssd import SSD

QUICK = {"study.epochs": 3, "study.steps": 20, "study.batch_size": 6, "study.learning_rate": 0.01, "width": 8}


def test_it_learns_where_things_are(made, share_found) -> None:
    cases = made(14)
    fitted = merged(SSD(), QUICK).fit(cases.split("train"), cases.split("val"), watch=Watch())
    assert fitted.about["score"] > 0.4
    assert share_found(fitted, cases.split("test")) > 0.3
    anchors = fitted.about["network"]["anchors"]
    assert all(len(level) == 4 for level in anchors)
    assert "k-means" in fitted.about["origins"]["network.anchors"]
    assert fitted.about["network"]["encoder"] == "light"


@pytest.mark.parametrize("rank", [2, 3])
def test_vgg_16_is_a_choice_and_volumes_are_seen(made, rank: int) -> None:
    cases = made(8, rank=rank)
    brief = {"study.epochs": 1, "study.steps": 1, "study.batch_size": 2, "width": 4, "encoder": "vgg16"}
    fitted = merged(SSD(), brief).fit(cases.split("train"), cases.split("val"))
    assert fitted.about["network"]["encoder"] == "vgg16"
    assert fitted.predict(cases.split("test")[0]).edges.shape[2] == rank


def test_the_catalog_finds_it() -> None:
    assert catalog.find("detect", "ssd") is SSD
    assert "Liu" in catalog.summary("detect", "ssd")
