from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Instances
from isocenter.errors import LabelError, UnreadableError
from isocenter.io.annotations import geojson

SHAPE = (10, 20)
GRID = Geometry(SHAPE)


def objects() -> Instances:
    ring = np.ones((3, 4), bool)
    ring[1, 1] = False
    apart = np.zeros((3, 3), bool)
    apart[0, 0] = apart[1, 1] = apart[2, 2] = True
    return Instances(
        np.array([[1, 2], [5, 9]]), (ring, apart), np.array([1, 0]), ("a", "b"), GRID, np.array([0.5, 0.25])
    )


def test_objects_are_detections_with_class_and_score(tmp_path: Path) -> None:
    geojson.write(tmp_path / "a.geojson", objects())
    said = json.loads((tmp_path / "a.geojson").read_text())
    first, second = said["features"]
    assert said["type"] == "FeatureCollection" and first["properties"]["objectType"] == "detection"
    assert first["properties"]["classification"]["name"] == "b"
    assert first["properties"]["measurements"] == {"score": 0.5}
    assert first["geometry"]["type"] == "Polygon" and len(first["geometry"]["coordinates"]) == 2
    assert second["geometry"]["type"] == "MultiPolygon" and len(second["geometry"]["coordinates"]) == 3
    rings = first["geometry"]["coordinates"]
    assert all(r[0] == r[-1] for r in rings) and first["id"] != second["id"]
    assert geojson.document(objects()) == said, "the same objects are the same file"


def test_the_very_pixels_come_back(tmp_path: Path) -> None:
    geojson.write(tmp_path / "a.geojson", objects())
    found = geojson.read(tmp_path / "a.geojson")
    marks = found.marks("a.png", SHAPE)
    assert found.classes == ("a", "b") and marks.names == ("b", "a") and found.size("a") is None
    again = marks.instances([0, 1], [1, 0], classes=("a", "b"), geometry=GRID)
    assert np.array_equal(again.label_map(), objects().label_map())
    assert marks.scores is not None and marks.scores.tolist() == [0.5, 0.25]
    assert geojson.claims(tmp_path / "a.geojson")


def test_boxes_are_annotations(tmp_path: Path) -> None:
    box = Boxes(np.array([[[1.25, 2.0], [4.5, 7.0]]]), np.array([0]), ("a",), GRID)
    assert geojson.document(box)["features"][0]["properties"]["objectType"] == "annotation"
    geojson.write(tmp_path / "a.geojson", box)
    assert np.allclose(geojson.read(tmp_path / "a.geojson").marks("a", SHAPE).edges, box.edges)


def feature(**more: Any) -> dict[str, Any]:
    square = [[[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]]
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": square}, "properties": None} | more


@pytest.mark.parametrize(
    ("said", "name", "score"),
    [
        (feature(), "object", None),
        ([feature(properties={"classification": {"names": ["Tumor", "Positive"]}})], "Positive", None),
        ({"type": "FeatureCollection", "features": [feature(properties={
            "classification": {"name": "x"}, "measurements": [{"name": "score", "value": 0.5}]})]}, "x", 0.5),
    ],
)  # fmt: skip
def test_other_versions_are_read(said: Any, name: str, score: float | None, tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text(json.dumps(said))
    found = geojson.read(tmp_path / "a.geojson")
    assert found.names == (name,) and found.scores == (score,)
    crop = found.marks("a", SHAPE).crop
    assert crop is not None and crop(0)[1].sum() == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ('{"a": 1}', "not GeoJSON"),
        (json.dumps(feature(geometry={"type": "Point", "coordinates": [1, 1]})), "no area"),
        (json.dumps(feature(geometry={"type": "Polygon"})), "GeoJSON"),
    ],
)
def test_what_is_no_area_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(UnreadableError, match=message):
        geojson.read(tmp_path / "a.geojson")


def test_outlines_beyond_the_image(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text(json.dumps(feature()))
    marks = geojson.read(tmp_path / "a.geojson").marks("a", (1, 1))
    assert marks.faults((1, 1)) == {0: "outside the image"} and marks.crop is not None
    with pytest.raises(LabelError, match="feature 1"):
        marks.crop(0)
