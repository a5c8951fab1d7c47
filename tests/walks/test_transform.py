"""Images moved by the command, with what lies on them: typed, read again, and refused."""

import json

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Transform
from isocenter.faces.cli import main
from isocenter.io import read_image, read_labels, write
from isocenter.io.landmarks import read_landmarks, write_landmarks

GRID = Geometry.from_spacing((8, 20, 30), (3.0, 1.0, 1.0), origin=(5.0, -7.0, 40.0))
LABELS = np.zeros(GRID.shape, np.uint8)
LABELS[2:5, 4:9, 10:18] = 3


@pytest.fixture
def files(tmp_path):
    pixels = np.random.default_rng(0).integers(-1000, 1000, GRID.shape).astype(np.int16)
    write(Image.from_array(pixels, geometry=GRID), tmp_path / "ct.nii.gz")
    write(Image.from_array(LABELS, geometry=GRID), tmp_path / "liver.nii.gz")
    write_landmarks(GRID.to_world(np.array([[3.0, 6, 12], [7, 19, 29]])), tmp_path / "p.csv", GRID, names=("a", "b"))
    return tmp_path


def moved(files, *words, code=0):
    given = [str(files / "ct.nii.gz"), "--masks", str(files / "liver.nii.gz"), "--points", str(files / "p.csv")]
    assert main(["transform", *given, "-o", str(files / "out"), *words]) == code
    return files / "out"


def test_a_volume_with_its_mask_and_points_is_turned_and_cut(files, capsys):
    out = moved(files, "--rotate", "90", "--crop", "1:,:,:", "--flip", "z")
    told = capsys.readouterr().out
    assert "8 x 20 x 30 px (3 x 1 x 1 mm) -> 7 x 30 x 20 px" in told and "pixels only change places" in told
    expected = np.rot90(LABELS, 1, (1, 2))[1:][::-1]
    numbers, grid = read_labels(out / "liver.nii.gz")
    assert np.array_equal(numbers, expected)
    image = read_image(out / "ct.nii.gz")
    assert image.dtype == "int16" and image.geometry.same_grid(grid)
    whole = np.rot90(read_image(files / "ct.nii.gz").pixels(), 1, (1, 2))[1:][::-1]
    assert np.array_equal(image.pixels(), whole)
    points = read_landmarks(out / "p.csv", image.geometry)
    place = tuple(image.geometry.to_index(points["a"][None])[0].round().astype(int))
    assert numbers[place] == 3
    assert main(["look", str(out / "ct.nii.gz")]) == 0


def test_a_transform_file_brings_everything_to_the_other_image_and_back(files, capsys):
    other = Geometry.from_spacing((9, 22, 28), (2.5, 1.1, 1.2), origin=(3.0, -8.0, 41.0))
    write(Image.from_array(np.zeros(other.shape, np.int16), geometry=other), files / "mr.nii.gz")
    turn = np.eye(4)
    turn[:2, :2] = [[0.98, -0.2], [0.2, 0.98]]
    turn[:3, 3] = [1.0, -2.0, 0.5]
    write(Transform.of_matrix(turn, other, GRID), files / "mr_to_ct.tfm")
    out = moved(files, "--by", str(files / "mr_to_ct.tfm"), "--to", str(files / "mr.nii.gz"))
    assert read_image(out / "ct.nii.gz").geometry.same_grid(other)
    assert set(np.unique(read_labels(out / "liver.nii.gz")[0])) == {0, 3}
    back = ["transform", str(out / "ct.nii.gz"), "--by", str(files / "mr_to_ct.tfm"), "--to", str(files / "ct.nii.gz")]
    assert main([*back, "--inverse", "--points", str(out / "p.csv"), "-o", str(files / "back")]) == 0
    assert read_image(files / "back/ct.nii.gz").geometry.same_grid(GRID)
    points = read_landmarks(files / "back/p.csv", GRID)
    first = read_landmarks(files / "p.csv", GRID)
    assert all(np.allclose(points[k], first[k], atol=1e-3) for k in first)
    capsys.readouterr()


def test_volumes_follow_a_field_as_they_follow_its_matrix(files):
    turn = np.eye(4)
    turn[:3, 3] = [2.0, 3.0, -3.0]
    known = Transform.of_matrix(turn, GRID, GRID)
    for name in ("t.tfm", "f.nii.gz", "f.npz"):
        write(known, files / name)
        assert main(["transform", str(files / "ct.nii.gz"), "--by", str(files / name), "-o",
                     str(files / f"{name}.nii.gz"), "--quiet"]) == 0  # fmt: skip
    images = [read_image(files / f"{name}.nii.gz").pixels() for name in ("t.tfm", "f.nii.gz", "f.npz")]
    whole = read_image(files / "ct.nii.gz").pixels()
    assert np.array_equal(images[0][1:, :17, :28], whole[:-1, 3:, 2:])
    for other in images[1:]:
        assert np.abs(other.astype(int) - images[0])[1:-1, 1:-4, 1:-3].max() <= 1


def test_json_says_the_matrix_and_what_is_outside(files, capsys):
    moved(files, "--crop", ":,:10,:20", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["exact"] and document["shape"] == [8, 10, 20]
    assert np.allclose(document["matrix"], np.eye(4))
    assert document["outside"] == {str(files / "p.csv"): 1}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "nothing is to be done"), (["--rotate", "x"], 2, "needed degrees"),
        (["--flip", "t"], 1, "no such axis"),
        (["--crop", "50:60,:,:"], 1, "nothing of the image"), (["--affine", "0,0,0,0,0,0,0,0,0,0,0,0"], 1, "singular"),
        (["--by", "none.tfm"], 1, "no such file"), (["--size", "9999,9999,9999"], 1, "many times larger"),
        (["--perspective", "0,0,1,0,1,1,0,1"], 1, "flat image"), (["--order", "best", "--flip", "x"], 2, "--order"),
    ],
)  # fmt: skip
def test_what_is_refused_is_one_line_and_leaves_nothing(files, capsys, words, code, said):
    out = moved(files, *words, code=code)
    told = capsys.readouterr()
    assert said in told.err and len(told.err.strip().splitlines()) == 1 and told.out == ""
    assert not out.exists()
