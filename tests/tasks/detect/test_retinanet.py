from __future__ import annotations

from isocenter import catalog
from isocenter.data import Watch, merged
from isocenter.tasks.detect.retinanet import RetinaNet

QUICK = {"study.epochs": 3, "study.steps": 20, "study.batch_size": 6, "study.learning_rate": 0.01, "width": 8}


def test_it_learns_where_things_are(made, share_found) -> None:
    cases = made(14)
    fitted = merged(RetinaNet(), QUICK).fit(cases.split("train"), cases.split("val"), watch=Watch())
    assert fitted.about["score"] > 0.4
    assert share_found(fitted, cases.split("test")) > 0.3


def test_volumes_are_seen_whole(made) -> None:
    cases = made(8, rank=3)
    brief = {"study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "width": 4}
    fitted = merged(RetinaNet(), brief).fit(cases.split("train"), cases.split("val"))
    found = fitted.predict(cases.split("test")[0])
    assert found.edges.shape[1:] == (2, 3)
    assert fitted.about["network"]["rank"] == 3
    assert all(len(size) == 3 for level in fitted.about["network"]["anchors"] for size in level)


def test_the_catalog_finds_it() -> None:
    assert catalog.find("detect", "retinanet") is RetinaNet
