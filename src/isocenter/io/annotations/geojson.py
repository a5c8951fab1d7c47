"""GeoJSON (RFC 7946) as QuPath reads it: a feature an object, x and y in pixels counted from the image's corner.

Classes and the measurement ``score`` stand as QuPath 0.4 on names them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import OBJECT, Boxes, Instances
from isocenter.errors import UnreadableError
from isocenter.io import limits
from isocenter.io.annotations.marks import flat
from isocenter.io.annotations.outlines import Outline, Outlines
from isocenter.io.annotations.polygons import outlined, rectangle
from isocenter.io.overlay import PALETTE
from isocenter.ops.array import Array

SWELLING = 10


def claims(path: Path) -> bool:
    """Whether the name is that of GeoJSON."""
    return path.suffix.lower() == ".geojson"


def read(path: str | Path) -> Outlines:
    """The areas of a file; points and lines are refused, because they hold no pixel.

    Raises
    ------
    UnreadableError
        Not GeoJSON, or a feature that is no area.
    """
    with limits.typed(path, "GeoJSON"):
        limits.fits(path, Path(path).stat().st_size * SWELLING)
        try:
            said = json.loads(Path(path).read_bytes())
        except (ValueError, RecursionError) as error:
            raise UnreadableError("not JSON", where=str(path), got=str(error).split("\n")[0]) from error
        single = isinstance(said, dict) and said.get("type") == "Feature"
        items = said if isinstance(said, list) else [said] if single else said.get("features")
        if items is None:
            raise UnreadableError("not GeoJSON", where=str(path), wanted="a FeatureCollection")
        found = [_feature(path, i, item) for i, item in enumerate(items)]
    return Outlines.of(str(path), found, format="GeoJSON", item="feature")


def _feature(path: str | Path, i: int, item: Mapping[str, Any]) -> Outline:
    shape, said = item["geometry"], item.get("properties") or {}
    if shape["type"] not in ("Polygon", "MultiPolygon"):
        raise UnreadableError(f"feature {i + 1} is no area", where=str(path), got=shape["type"], wanted="Polygon")
    parts = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
    rings = tuple(np.asarray(ring, np.float64)[:, :2] for part in parts for ring in part)
    kind = said.get("classification") or {}
    name = str(kind.get("name") or kind.get("names", [""])[-1] or OBJECT) if isinstance(kind, dict) else str(kind)
    return name, rings, _score(said.get("measurements"))


def _score(said: Any) -> float | None:
    # QuPath 0.4 on writes an object, older ones a list of names and values.
    values = {m.get("name"): m.get("value") for m in said} if isinstance(said, list) else said or {}
    value = values.get("score")
    return None if value is None else float(value)


def document(value: Boxes | Instances) -> dict[str, Any]:
    """Boxes as annotations, objects as detections, with class, colour and score.

    Raises
    ------
    OutputError
        A volume.
    """
    flat(value, "GeoJSON")
    features = []
    for i in range(len(value)):
        kind = int(value.labels[i])
        parts = outlined((value.starts[i], value.masks[i])) if isinstance(value, Instances) else [
            [rectangle(value.edges[i])]
        ]  # fmt: skip
        shapes = [[_closed(ring) for ring in part] for part in parts]
        said: dict[str, Any] = {
            "objectType": "detection" if isinstance(value, Instances) else "annotation",
            "classification": {"name": value.classes[kind], "color": list(PALETTE[kind % len(PALETTE)])},
        }
        if value.scores is not None:
            said["measurements"] = {"score": float(value.scores[i])}
        geometry = {"type": "Polygon", "coordinates": shapes[0]} if len(shapes) == 1 else {
            "type": "MultiPolygon", "coordinates": shapes,
        }  # fmt: skip
        # The same outline has the same identifier, so that a file is written twice alike.
        name = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([i, geometry]))
        features.append({"type": "Feature", "id": str(name), "geometry": geometry, "properties": said})
    return {"type": "FeatureCollection", "features": features}


def _closed(ring: Array) -> list[Sequence[float]]:
    points: list[Sequence[float]] = [[int(v) if v == int(v) else v for v in p] for p in ring.tolist()]
    return [*points, points[0]]


def write(path: Path, value: Boxes | Instances, image: str = "") -> None:
    """Writes one image's boxes or objects; raises as `document`."""
    path.write_text(json.dumps(document(value), allow_nan=False) + "\n", encoding="utf-8")
