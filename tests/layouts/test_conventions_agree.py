"""One set of boxes and objects written in every convention reads as the same cases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isocenter import io, layouts
from isocenter.data import Boxes, Cases, Geometry, Instances
from isocenter.errors import LabelError, OutputError
from isocenter.inspect import write_split
from isocenter.io.annotations import coco, table, voc, yolo
from isocenter.io.annotations.marks import cropped

SHAPE = (24, 32)
GRID = Geometry(SHAPE)
CLASSES = ("cell", "nucleus")


def objects(seed: int) -> Instances:
    """Up to four objects of two classes, none on the last seed, some over each other."""
    rng = np.random.default_rng(seed)
    crops = []
    for _ in range(4 if seed < 3 else 0):
        mask = np.zeros(SHAPE, bool)
        y, x = rng.integers(0, 12, 2)
        mask[y : y + int(rng.integers(2, 10)), x : x + int(rng.integers(2, 15))] = True
        crop = cropped(mask)
        assert crop is not None
        crops.append(crop)
    starts = np.asarray([c[0] for c in crops], np.int64).reshape(-1, 2)
    labels = np.asarray([0, 1, 1, 0][: len(crops)], np.int64)
    return Instances(starts, tuple(c[1] for c in crops), labels, CLASSES, GRID)


FOUND = {f"im{i}": objects(i) for i in range(4)}


def pictures(folder: Path) -> None:
    folder.mkdir(parents=True)
    for i, name in enumerate(FOUND):
        PIL.Image.fromarray(np.full(SHAPE, 10 * i, np.uint8)).save(folder / f"{name}.png")


def as_voc(root: Path) -> None:
    pictures(root / "JPEGImages")
    (root / "Annotations").mkdir()
    for name, found in FOUND.items():
        voc.write(root / "Annotations" / f"{name}.xml", found, f"{name}.png")


def as_yolo(root: Path) -> None:
    pictures(root / "images")
    (root / "labels").mkdir()
    (root / "classes.txt").write_text("\n".join(CLASSES))
    for name, found in FOUND.items():
        yolo.write(root / "labels" / f"{name}.txt", found)


def as_coco(root: Path) -> None:
    pictures(root / "images")
    (root / "annotations").mkdir()
    made = coco.document([(f"{name}.png", found) for name, found in FOUND.items()])
    (root / "annotations" / "instances.json").write_text(json.dumps(made))


def as_table(root: Path) -> None:
    pictures(root / "images")
    lines = ["image,class,xmin,ymin,xmax,ymax"]
    for name, found in FOUND.items():
        rows = table.rows(found.boxes()) or [dict.fromkeys(("class", "xmin", "ymin", "xmax", "ymax"), "")]
        lines += [
            ",".join([f"images/{name}.png", *(str(row[k]) for k in ("class", "xmin", "ymin", "xmax", "ymax"))])
            for row in rows
        ]
    (root / "boxes.csv").write_text("\n".join(lines) + "\n")
    cells = [f"images/{name}.png,boxes.csv" for name in FOUND]
    (root / "manifest.csv").write_text("\n".join(["image,boxes", *cells]) + "\n")


def as_files(root: Path, end: str) -> None:
    pictures(root / "images")
    cells = []
    for name, found in FOUND.items():
        io.write(found, root / "objects" / f"{name}{end}", like=io.read_image(root / "images" / f"{name}.png"))
        cells.append(f"images/{name}.png,objects/{name}{end}")
    (root / "manifest.csv").write_text("\n".join(["image,instances", *cells]) + "\n")


def as_masks(root: Path) -> None:
    for name, found in FOUND.items():
        (root / name / "images").mkdir(parents=True)
        PIL.Image.fromarray(np.zeros(SHAPE, np.uint8)).save(root / name / "images" / f"{name}.png")
        for kind in CLASSES:
            (root / name / "masks" / kind).mkdir(parents=True)
        for i in range(len(found)):
            whole = np.zeros(SHAPE, np.uint8)
            whole[found.where(i)] = 255 * found.masks[i]
            place = root / name / "masks" / CLASSES[int(found.labels[i])] / f"{i}.png"
            PIL.Image.fromarray(whole).save(place)


WRITERS: dict[str, Callable[[Path], None]] = {
    "voc": as_voc, "yolo": as_yolo, "coco": as_coco, "table": as_table, "mask_folders": as_masks,
    "geojson": lambda root: as_files(root, ".geojson"), "roiset": lambda root: as_files(root, ".zip"),
    "nrrd": lambda root: as_files(root, ".seg.nrrd"), "json": lambda root: as_files(root, ".json"),
}  # fmt: skip
LAYOUT = dict.fromkeys(("geojson", "roiset", "nrrd", "json"), "table")


def key(box: np.ndarray, label: int) -> tuple[float, ...]:
    return (label, *np.round(box.ravel(), 6).tolist())


def boxes_of(cases: Cases) -> list[list[tuple[float, ...]]]:
    found = []
    for case in cases:
        truth = case.truth()
        assert isinstance(truth, Boxes) and truth.classes == CLASSES
        found.append(sorted(key(b, int(k)) for b, k in zip(truth.edges, truth.labels, strict=True)))
    return found


@pytest.mark.parametrize("name", WRITERS)
def test_boxes_are_the_same_in_every_convention(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / "set")
    cases = layouts.read(tmp_path / "set", task="detect")
    wanted = [
        sorted(key(b, int(k)) for b, k in zip(f.boxes().edges, f.labels, strict=True)) for f in FOUND.values()
    ]
    assert cases.layout == LAYOUT.get(name, name) and boxes_of(cases) == wanted
    assert not [p for p in cases.problems if p.severity != "note"]


@pytest.mark.parametrize("name", ["coco", "mask_folders", "geojson", "roiset", "nrrd", "json"])
def test_objects_are_the_same_in_every_convention(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / "set")
    cases = layouts.read(tmp_path / "set", task="instances")
    assert cases.classes == CLASSES and len(cases) == len(FOUND)
    for case, wanted in zip(cases, FOUND.values(), strict=True):
        truth = case.truth()
        assert isinstance(truth, Instances) and len(truth) == len(wanted)
        pixels = []
        for found in (truth, wanted):
            whole = np.zeros((len(found), *SHAPE), bool)
            for i in range(len(found)):
                whole[(i, *found.where(i))] = found.masks[i]
            pixels.append(sorted((int(k), m.tobytes()) for k, m in zip(found.labels, whole, strict=True)))
        assert pixels[0] == pixels[1]


@pytest.mark.parametrize("name", ["voc", "coco", "yolo", "mask_folders"])
def test_a_split_of_a_convention_reads_like_it(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / "set")
    cases = layouts.read(tmp_path / "set", task="detect").with_splits(["train", "train", "val", "test"])
    again = layouts.read(write_split(cases, tmp_path / "out" / "split.csv").table, task="detect")
    assert boxes_of(again) == boxes_of(cases) and again.splits == {"train": 2, "val": 1, "test": 1}


def test_files_of_boxes_are_no_truth_of_objects(tmp_path: Path) -> None:
    as_voc(tmp_path / "set")
    cells = [f"JPEGImages/{name}.png,Annotations/{name}.xml" for name in FOUND]
    (tmp_path / "set" / "manifest.csv").write_text("\n".join(["image,instances", *cells]) + "\n")
    with pytest.raises(LabelError, match="boxes alone"):
        layouts.read(tmp_path / "set", task="instances")[0].truth()


def test_a_split_cannot_name_the_text_file_that_yolo_leaves_out(tmp_path: Path) -> None:
    as_yolo(tmp_path / "set")
    (tmp_path / "set" / "labels" / "im3.txt").unlink()
    cases = layouts.read(tmp_path / "set", task="detect").with_splits(["train", "train", "val", "test"])
    assert len(boxes_of(cases)[3]) == 0
    with pytest.raises(OutputError, match="empty text file"):
        write_split(cases, tmp_path / "out" / "split.csv")
