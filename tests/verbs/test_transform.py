from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Boxes, Geometry, Image, Instances, Transform
from isocenter.errors import GeometryError, InputError, OutputError, UnreadableError, UsageError
from isocenter.io import read_image, read_labels, write
from isocenter.io.annotations import opened
from isocenter.io.landmarks import read_landmarks, write_landmarks
from isocenter.io.transforms import read_transform
from isocenter.verbs.transform import transform

GRID = Geometry.from_spacing((40, 60), (1.0, 1.0))
LABELS = np.zeros((40, 60), np.uint8)
LABELS[10:16, 20:30], LABELS[12:14, 40:50] = 1, 7
EDGES = np.array([[[9.5, 19.5], [15.5, 29.5]], [[11.5, 39.5], [13.5, 49.5]]])


@pytest.fixture
def scene(tmp_path: Path) -> dict[str, Path]:
    """An image with a mask, points, boxes and objects on it."""
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60)).astype(np.uint8)
    files = {n: tmp_path / f for n, f in (("image", "a.png"), ("masks", "mask.png"), ("points", "p.csv"),
                                          ("boxes", "boxes.csv"), ("objects", "cells.geojson"))}  # fmt: skip
    write(Image.from_array(pixels), files["image"])
    write(Image.from_array(LABELS), files["masks"])
    plain = Geometry((40, 60))
    write_landmarks(np.array([[20.0, 10], [49, 13], [3, 38]]), files["points"], plain, names=("p", "q", "r"))
    boxes = Boxes(EDGES, np.array([0, 1]), ("a", "b"), plain, np.array([0.9, 0.5]))
    write(boxes, files["boxes"], like=read_image(files["image"]))
    write(Instances.from_label_map(LABELS, plain), files["objects"])
    return files


def beside(files: dict[str, Path]) -> dict[str, Any]:
    return {k: [v] for k, v in files.items() if k != "image"}


def test_everything_moves_alike_and_is_written(scene: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = transform(scene["image"], moves=[("rotate", 90), ("crop", "5:,:")], out=out, **beside(scene))
    names = {"a.png", "mask.png", "p.csv", "boxes.csv", "cells.geojson", "transform.tfm"}
    assert {p.name for p in out.iterdir()} == names
    before = read_image(scene["image"]).pixels()
    assert np.array_equal(read_image(out / "a.png").pixels(), np.rot90(before, axes=(-2, -1))[..., 5:, :])
    labels = read_labels(out / "mask.png")[0]
    assert np.array_equal(labels, np.rot90(LABELS)[5:])
    points = read_landmarks(out / "p.csv", Geometry((55, 40)))
    assert list(points) == ["p", "q", "r"]
    x, y = points["p"]
    assert labels[round(y), round(x)] == 1 and np.allclose([x, y], [10, 59 - 20 - 5])
    marks = opened(out / "boxes.csv").marks("a.png", (55, 40))
    for edges, number in zip(marks.edges, (1, 7), strict=True):
        held = np.argwhere(labels == number)
        assert np.allclose(edges, [held.min(0) - 0.5, held.max(0) + 0.5], atol=0.51)
    again = opened(out / "cells.geojson").marks("a.png", (55, 40))
    assert len(again.names) == 2
    assert made.left[str(scene["points"])] == 0 and made.image.geometry.shape == (55, 40)
    assert "pixels only change places" in made.lines()[0] and made.lines()[-1].startswith("next: isocenter look")
    assert json.loads(json.dumps(made.as_json()))["exact"] is True


def test_there_and_back_through_files_is_where_it_was(scene: dict[str, Path], tmp_path: Path) -> None:
    there = transform(scene["image"], moves=[("rotate", 30), ("scale", 2)], out=tmp_path / "there", **beside(scene))
    moved = tmp_path / "there"
    back = transform(
        moved / "a.png", by=moved / "transform.tfm", to=scene["image"], inverse=True, out=tmp_path / "back",
        masks=[moved / "mask.png"], points=[moved / "p.csv"], boxes=[moved / "boxes.csv"],
    )  # fmt: skip
    assert back.image.shape == (40, 60)
    both = back.transform.then(there.transform)
    assert np.allclose(both.matrix, np.eye(3), atol=1e-9)  # type: ignore[arg-type]
    points = read_landmarks(tmp_path / "back/p.csv", Geometry((40, 60)))
    assert np.allclose(np.array(list(points.values())), [[20, 10], [49, 13], [3, 38]], atol=1e-3)
    labels = read_labels(tmp_path / "back/mask.png")[0]
    assert (labels != LABELS).mean() < 0.02 and set(np.unique(labels)) == {0, 1, 7}
    marks = opened(tmp_path / "back/boxes.csv").marks("a.png", (40, 60))
    assert (marks.edges[:, 0] <= EDGES[:, 0] + 0.01).all() and (marks.edges[:, 1] >= EDGES[:, 1] - 0.01).all()


def test_a_transform_file_goes_in_either_direction(tmp_path: Path) -> None:
    fixed = Geometry.from_spacing((6, 20, 24), (2.0, 1.0, 1.0), origin=(3.0, 0.0, 0.0))
    moving = Geometry.from_spacing((7, 22, 20), (2.0, 1.0, 1.5))
    turn = np.eye(4)
    turn[:3, :3] = [[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]]
    turn[:3, 3] = [2.0, -1.0, 0.5]
    known = Transform.of_matrix(turn, fixed, moving)
    rng = np.random.default_rng(0)
    files = {n: tmp_path / f"{n}.nii.gz" for n in ("fixed", "moving")}
    for name, grid in (("fixed", fixed), ("moving", moving)):
        write(Image.from_array(rng.integers(0, 900, grid.shape).astype(np.int16), geometry=grid), files[name])
    write(known, tmp_path / "t.tfm")
    write(known, tmp_path / "field.nii.gz")
    at = np.array([[4.0, 5, 6], [10, 8, 4]])
    write_landmarks(known.points(at), tmp_path / "m.csv", moving, names=("a", "b"))
    for by in (tmp_path / "t.tfm", tmp_path / "field.nii.gz", known):
        made = transform(files["moving"], by=by, to=files["fixed"], points=[tmp_path / "m.csv"])
        assert made.image.geometry.same_grid(fixed) and made.image.dtype == "int16"
        assert np.allclose(made.beside[str(tmp_path / "m.csv")], at, atol=0.02)
    other = transform(files["fixed"], by=tmp_path / "t.tfm", to=files["moving"], inverse=True, out=tmp_path / "o")
    assert other.image.geometry.same_grid(moving)
    again = read_transform(tmp_path / "o/transform.tfm", moving, fixed)
    assert np.allclose(again.matrix, np.linalg.inv(turn), atol=1e-6)  # type: ignore[arg-type]
    whole = transform(files["moving"], by=known, to=fixed, moves=[("flip", "x")])
    plain = transform(files["moving"], by=known, to=fixed)
    assert np.array_equal(whole.image.pixels(), plain.image.pixels()[..., ::-1])


def test_onto_another_grid_alone(tmp_path: Path) -> None:
    pixels = np.arange(6 * 8, dtype=np.int16).reshape(6, 8)
    image = Image.from_array(pixels, geometry=Geometry.from_spacing((6, 8), (1.0, 1.0)))
    part = Geometry.from_spacing((3, 4), (1.0, 1.0), origin=(2.0, 1.0))
    assert np.array_equal(iso.transform(image, to=part).image.pixels(), pixels[1:4, 2:6])
    made = iso.transform(image, to=Geometry.from_spacing((3, 4), (1.0, 1.0), origin=(-2.0, 0.0)), outside=-5)
    assert made.image.pixels().tolist() == [[-5, -5, 0, 1], [-5, -5, 8, 9], [-5, -5, 16, 17]]


def test_a_mask_named_as_its_image_is_not_lost(scene: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    write(Image.from_array(LABELS), tmp_path / "labels/a.png")
    made = transform(scene["image"], moves=[("flip", "y")], masks=[tmp_path / "labels/a.png"], out=tmp_path / "o")
    assert [p.name for p in made.files] == ["a.png", "a_mask.png", "transform.tfm"]
    assert np.array_equal(read_labels(tmp_path / "o/a_mask.png")[0], LABELS[::-1])
    assert np.array_equal(read_image(tmp_path / "o/a.png").pixels(), read_image(scene["image"]).pixels()[..., ::-1, :])


def test_what_leaves_the_image_is_counted(scene: dict[str, Path]) -> None:
    made = transform(scene["image"], moves=[("crop", "0:20,0:35")], **beside(scene))
    counts = {Path(k).name: v for k, v in made.left.items()}
    assert counts == {"p.csv": 2, "boxes.csv": 1, "cells.geojson": 1}
    assert any("p.csv: 2 entries outside" in line for line in made.lines())
    assert len(made.beside[str(scene["objects"])]) == 1


def test_a_perspective_leaves_a_field_and_one_file_is_the_image_alone(scene: dict[str, Path], tmp_path: Path) -> None:
    view = [("perspective", "1,1,58,0,59,39,0,38")]
    made = transform(scene["image"], moves=view, out=tmp_path / "view")
    assert {p.name for p in made.files} == {"a.png", "transform.npz"}
    alone = transform(scene["image"], moves=[("size", "20,30")], out=tmp_path / "small.tif")
    assert alone.files == (tmp_path / "small.tif",) and read_image(tmp_path / "small.tif").shape == (20, 30)
    with pytest.raises(UsageError, match="image alone"):
        transform(scene["image"], moves=view, out=tmp_path / "b.png", masks=[scene["masks"]])


def test_nothing_on_the_image_is_no_error(scene: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text(",X,Y\n")
    empty = tmp_path / "boxes0.csv"
    write(Boxes.none(("a",), Geometry((40, 60))), empty)
    made = transform(scene["image"], moves=[("rotate", 20)], points=[tmp_path / "none.csv"], boxes=[empty],
                     out=tmp_path / "o")  # fmt: skip
    assert made.left == {str(tmp_path / "none.csv"): 0, str(empty): 0}
    assert read_landmarks(tmp_path / "o/none.csv", made.image.geometry) == {}
    assert len(made.beside[str(empty)]) == 0


def test_inputs_are_never_touched_and_nothing_is_replaced_unasked(scene: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="input would be replaced"):
        transform(scene["image"], moves=[("flip", "x")], out=tmp_path, overwrite=True)
    transform(scene["image"], moves=[("flip", "x")], out=tmp_path / "o")
    with pytest.raises(OutputError, match="--overwrite"):
        transform(scene["image"], moves=[("flip", "y")], out=tmp_path / "o")
    transform(scene["image"], moves=[("flip", "y")], out=tmp_path / "o", overwrite=True)
    assert np.array_equal(read_image(tmp_path / "o/a.png").pixels(), read_image(scene["image"]).pixels()[::-1])


def test_bad_input_is_said_in_words(scene: dict[str, Path], tmp_path: Path) -> None:
    image = scene["image"]
    with pytest.raises(UsageError, match="nothing is to be done"):
        transform(image)
    with pytest.raises(UsageError, match="Did you mean linear"):
        transform(image, moves=[("flip", "x")], order="linea")
    with pytest.raises(UsageError, match="unknown option"):
        transform(image, moves=[("flip", "x")], mask=["a"])  # type: ignore[call-arg]
    with pytest.raises(GeometryError, match="singular"):
        transform(image, moves=[("affine", "1,1,0,1,1,0")])
    write(Image.from_array(np.ones((9, 9), np.uint8)), tmp_path / "other.png")
    with pytest.raises(GeometryError, match="another grid"):
        transform(image, moves=[("flip", "x")], masks=[tmp_path / "other.png"])
    with pytest.raises(GeometryError, match="of another image"):
        transform(image, by=Transform.identity(GRID, GRID), to=image)
    (tmp_path / "b.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 64)
    with pytest.raises(UnreadableError, match=r"\.tfm"):
        transform(image, by=tmp_path / "b.h5", to=image)
    with pytest.raises(UsageError, match="two files of one name"):
        transform(image, moves=[("flip", "x")], masks=[scene["masks"], scene["masks"]])
    with pytest.raises(InputError):
        transform(tmp_path / "none.png", moves=[("flip", "x")])


def test_other_programs_objects_and_names_of_new_files(tmp_path: Path) -> None:
    made = transform(np.zeros((5, 6), np.uint8), moves=[("flip", "x")], out=tmp_path / "arrays")
    assert {p.name for p in made.files} == {"image.tif", "transform.tfm"}
    np.save(tmp_path / "v.npy", np.zeros((4, 5, 6), np.int16))
    said: Any = {"axes": "zyx", "spacing": (2.0, 1.0, 1.0)}
    solid = transform(tmp_path / "v.npy", moves=[("rotate", "y:90")], out=tmp_path / "v", **said)
    assert {p.name for p in solid.files} == {"v.npy", "transform.tfm"}
    assert solid.image.geometry.spacing == pytest.approx((1.0, 1.0, 2.0)) and solid.image.shape == (6, 5, 4)
