"""A panorama by the command: what a person types, reads, opens again, and is refused."""

import csv
import json

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Geometry, Image
from isocenter.faces.cli import main
from isocenter.io import read_image, write
from isocenter.simulate.tiles import Cutting, cut


def scene(shape, seed=0):
    rng = np.random.default_rng(seed)
    made = np.sum([ndimage.gaussian_filter(rng.normal(size=shape), s) * s for s in (1.5, 5.0)], axis=0)
    return np.clip(110 + 28 * made / made.std(), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walk") / "my fields"
    for i, one in enumerate(cut(Image.from_array(scene((180, 300))), Cutting(grid=(1, 2), overlap=0.3), seed=3)):
        write(one.image, folder / f"field{i}.png")
    return folder


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_of_fields_is_joined_told_and_looked_at(fields, tmp_path, capsys):
    out = tmp_path / "slide"
    assert main(["mosaic", str(fields), "-o", str(out)]) == 0
    told = capsys.readouterr()
    assert "2 of 2 images joined" in told.out and "brightness to" in told.out
    assert "field0 - field1" in told.out and told.err.count("%") >= 2
    [pair] = rows(out / "overlaps.csv")
    assert pair["how"] == "key points" and float(pair["residual"]) < 0.1 and pair["used"] == "True"
    assert float(pair["step_after"]) < 0.01 < float(pair["step_before"])
    assert {r["tile"] for r in rows(out / "tiles.csv")} == {"field0", "field1"}
    command = told.out.splitlines()[-1].removeprefix("next: isocenter ")
    assert command == f"look {out / 'panorama.tif'}"
    assert main(command.split()) == 0


def test_json_is_one_document(fields, tmp_path, capsys):
    assert main(["mosaic", str(fields), "-o", str(tmp_path / "whole.tif"), "--json", "--quiet"]) == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert told.err == "" and document["format"] == 1 and len(document["tiles"]) == 2
    assert document["files"] == [str(tmp_path / "whole.tif")]
    assert document["shape"] == list(read_image(tmp_path / "whole.tif").shape)


def test_the_same_twice_is_the_same_to_the_byte(fields, tmp_path):
    for name in ("a", "b"):
        assert main(["mosaic", str(fields), "-o", str(tmp_path / name), "--quiet", "--blend", "feather"]) == 0
    for file in ("panorama.tif", "overlaps.csv", "overview.png"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_spacing_that_files_do_not_say_can_be_said(fields, tmp_path, capsys):
    assert main(["mosaic", str(fields), "-o", str(tmp_path / "mm"), "--spacing", "0.2,0.2"]) == 0
    assert "0.2 x 0.2 mm" in capsys.readouterr().out
    assert read_image(tmp_path / "mm/panorama.tif").geometry.spacing == pytest.approx((0.2, 0.2))


@pytest.mark.parametrize(
    ("files", "more", "code", "said"),
    [
        (["field0.png"], [], 1, "one image is no mosaic"),
        (["field0.png", "none.png"], [], 1, "no such file"),
        (["field0.png", "other.png"], [], 1, "no two of the images show the same"),
        (["field0.png", "deep.tif"], [], 1, "differ in pixel type"),
        (["field0.png", "colour.png"], [], 1, "differ in axes"),
        (["field0.png", "mm.nii.gz"], [], 1, "spacing of some images is known"),
        (["field0.png", "field1.png"], ["--kind", "wild"], 2, "invalid choice"),
        (["empty"], [], 1, "holds no image"),
    ],
)  # fmt: skip
def test_what_is_refused_is_one_line(fields, tmp_path, capsys, files, more, code, said):
    for i in range(2):
        (tmp_path / f"field{i}.png").write_bytes((fields / f"field{i}.png").read_bytes())
    own = scene((140, 150), 8)
    write(Image.from_array(own), tmp_path / "other.png")
    write(Image.from_array(own.astype(np.uint16) * 100), tmp_path / "deep.tif")
    write(Image.from_array(np.stack([own] * 3), axes="cyx", channels=("red", "green", "blue")), tmp_path / "colour.png")
    write(Image.from_array(own, geometry=Geometry.from_spacing(own.shape, (1.0, 1.0))), tmp_path / "mm.nii.gz")
    (tmp_path / "empty").mkdir()
    words = [str(tmp_path / f) for f in files]
    assert main(["mosaic", *words, "-o", str(tmp_path / "out"), *more]) == code
    told = capsys.readouterr()
    assert said in told.err and told.out == ""
    assert not (tmp_path / "out").exists()


def test_a_stranger_among_fields_ends_with_code_3(fields, tmp_path, capsys):
    write(Image.from_array(scene((120, 130), 8)), tmp_path / "stranger.png")
    words = [str(fields / "field0.png"), str(fields / "field1.png"), str(tmp_path / "stranger.png")]
    assert main(["mosaic", *words, "-o", str(tmp_path / "out")]) == 3
    assert "not placed: stranger" in capsys.readouterr().out


def test_real_bed_positions_with_wrong_headers_come_together(real_data, tmp_path):
    image = read_image(real_data("ct-abdomen-organs") / "example_ct_sm.nii.gz")
    pixels, grid = image.pixels().astype(np.int16), image.geometry
    axis = next(k for k, c in enumerate(grid.orientation) if c in "IS")
    n = grid.shape[axis]
    for number, (low, high, wrong) in enumerate(((0, n * 6 // 10, 0.0), (n * 4 // 10, n, 4.0))):
        start, shape = [0] * 3, list(grid.shape)
        start[axis], shape[axis] = low, high - low
        part = grid.cropped(start, shape)
        matrix = part.matrix + np.pad(np.full((3, 1), wrong), ((0, 1), (3, 0)))
        moved = Geometry(part.shape, tuple(map(tuple, matrix.tolist())))
        bed = Image.from_array(np.take(pixels, range(low, high), axis), geometry=moved)
        write(bed, tmp_path / f"bed{number}.nii.gz")
    words = [str(tmp_path / f"bed{k}.nii.gz") for k in (1, 0)]
    assert main(["mosaic", *words, "-o", str(tmp_path / "body"), "--quiet", "--exposure", "none"]) == 0
    made = read_image(tmp_path / "body/panorama.nii.gz")
    assert np.abs(np.subtract(made.shape, image.shape)).max() == 0
    assert np.median(np.abs(made.pixels().astype(float) - pixels)) < 3
