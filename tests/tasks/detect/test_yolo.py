from __future__ import annotations

import pytest

from isocenter import catalog
from isocenter.data import Case, Image, Watch, knobs, merged
from isocenter.errors import RecipeError
from isocenter.tasks.detect.yolo import Yolo

QUICK = {"study.epochs": 3, "study.steps": 20, "study.batch_size": 6, "study.learning_rate": 0.01, "width": 8}


@pytest.fixture(scope="module")
def trained(made):
    cases = made(14)
    return merged(Yolo(), QUICK).fit(cases.split("train"), cases.split("val"), watch=Watch())


def test_it_learns_where_things_are(made, share_found, trained) -> None:
    assert trained.about["score"] > 0.5
    assert share_found(trained, made(14).split("test")) > 0.4


def test_it_says_what_it_chose_and_why(trained) -> None:
    origins = trained.about["origins"]
    assert "objects of" in origins["network.strides"]
    assert "greatest F1" in origins["plan.thresholds"]
    assert len(trained.about["plan"]["thresholds"]) == 2
    assert trained.about["network"]["name"] == "yolo"


def test_other_grids_are_answered_too(trained) -> None:
    for shape in ((50, 33), (7, 90), (1, 1)):
        found = trained.predict(Case.of(Image.from_array(Image.from_array(_noise(shape)).pixels())))
        assert found.geometry.shape == shape


def _noise(shape: tuple[int, int]):
    import numpy as np

    return (np.random.default_rng(0).random(shape) * 255).astype(np.uint8)


def test_version_3_is_a_choice(made, share_found) -> None:
    cases = made(14)
    fitted = merged(Yolo("yolov3"), QUICK | {"study.steps": 3}).fit(cases.split("train"), cases.split("val"))
    assert fitted.about["network"]["name"] == "yolov3"
    assert "k-means" in fitted.about["origins"]["network.anchors"]
    assert 0 <= share_found(fitted, cases.split("test")) <= 1


def test_what_to_keep_is_a_choice(made, trained) -> None:
    settings = trained.about["plan"]["settings"]
    assert (settings["least"], settings["overlap"], settings["most"]) == (0.01, 0.5, 300)
    assert set(settings) == {"least", "overlap", "most", "reach", "seen", "pixel"}
    cases = made(8)
    few = merged(Yolo(), QUICK | {"study.epochs": 1, "study.steps": 1, "keep.most": 2, "keep.least": 0.0})
    fitted = few.fit(cases.split("train"), cases.split("val"))
    assert len(fitted.predict(cases.split("test")[0])) == 2


def test_the_catalog_finds_it_and_every_field_is_described() -> None:
    assert catalog.find("detect", "yolo") is Yolo
    rows = {k.name: k for k in knobs(Yolo)}
    assert {"network", "width", "study.epochs", "keep.overlap"} <= set(rows)
    with pytest.raises(RecipeError, match="Did you mean yolo"):
        merged(Yolo(), {"network": "yolov4"})
