"""Damaged files of every format: read as far as they make sense, else refused by a typed error that names the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Instances
from isocenter.errors import IsocenterError
from isocenter.io import write
from isocenter.io.annotations import BOXES, OBJECTS, opened

SHAPE = (12, 16)
GRID = Geometry.from_spacing(SHAPE, (0.5, 0.25))


def boxes() -> Boxes:
    edges = np.array([[[0.5, 1.5], [4.5, 6.5]], [[3.25, 2.0], [9.0, 11.75]]])
    return Boxes(edges, np.array([0, 1]), ("a", "b"), GRID, np.array([0.5, 0.25]))


def objects() -> Instances:
    ring = np.ones((4, 5), bool)
    ring[1:3, 2] = False
    return Instances(np.array([[1, 2], [6, 8]]), (ring, np.ones((3, 4), bool)), np.array([0, 1]), ("a", "b"), GRID)


def swallow(path: Path) -> str:
    """How reading a file ends: ``"read"``, or the code of our error."""
    try:
        marks = opened(path).marks(str(path.with_suffix(".png")), SHAPE)
        bad = marks.faults(SHAPE)
        for i in range(len(marks.names)):
            marks.text(i)
            if marks.crop is not None and i not in bad:
                marks.crop(i)
        marks.leaving(SHAPE)
    except IsocenterError as error:
        assert error.what
        return error.code
    return "read"


FILES: dict[str, Callable[[], Boxes | Instances]] = {f"boxes{end}": boxes for end in BOXES}
FILES |= {f"objects{end}": objects for end in OBJECTS}


@pytest.mark.parametrize("name", FILES)
def test_cut_short_anywhere(name: str, tmp_path: Path) -> None:
    path = write(FILES[name](), tmp_path / name)
    whole = path.read_bytes()
    assert swallow(path) == "read"
    step = max(1, len(whole) // 40)
    ends = set()
    for length in range(0, len(whole), step):
        path.write_bytes(whole[:length])
        ends.add(swallow(path))
    assert ends <= {"read", "unreadable", "label", "missing-file"}, ends


@pytest.mark.parametrize("name", FILES)
def test_bytes_that_changed(name: str, tmp_path: Path) -> None:
    path = write(FILES[name](), tmp_path / name)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    ends = set()
    for _ in range(60):
        changed = whole.copy()
        at = rng.integers(0, len(whole), 3)
        changed[at] = rng.integers(0, 256, 3)
        path.write_bytes(changed.tobytes())
        ends.add(swallow(path))
    assert ends <= {"read", "unreadable", "label", "missing-file", "ambiguous", "resource", "geometry"}, ends


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"\0" * 300, b"\xff\xfe\x00", b"[" * 100_000, b"nonsense\n\n"])
def test_other_content_under_that_name(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    wanted = {"unreadable", "label"}
    # An empty text is a YOLO file without objects.
    assert swallow(path) in (wanted | {"read"} if name.endswith(".txt") and not content else wanted)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_there(name: str, tmp_path: Path) -> None:
    assert swallow(tmp_path / name) == "missing-file"


@pytest.mark.parametrize(
    "document",
    [
        {"images": [{"id": [1], "file_name": "a.png"}], "categories": [], "annotations": []},
        {"images": [], "categories": [{"id": 1}], "annotations": []},
        {"images": [], "categories": [], "annotations": [1]},
        {"images": [], "categories": [], "annotations": [{"image_id": 1}]},
        {"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "x"}],
         "annotations": [{"image_id": 1, "category_id": 1, "bbox": ["x", 1, 2, 3]}]},
        {"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "x"}],
         "annotations": [{"image_id": 1, "category_id": True, "bbox": [1, 1, -2, 3]}]},
        {"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "x"}],
         "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 1e400, 3]}]},
        {"images": [{"id": 1, "file_name": "a.png", "height": "tall", "width": 2}], "categories": []},
    ],
)  # fmt: skip
def test_coco_of_the_wrong_kinds(document: object, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert swallow(tmp_path / "a.json") in ("unreadable", "label", "read", "missing-file")
