from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import isocenter as iso
from isocenter.data import Geometry, Image
from isocenter.errors import InputError, MissingFileError, OutputError, UnreadableError, UsageError
from isocenter.io import read_image, write
from isocenter.io.transforms import read_transform
from isocenter.simulate.tiles import Cut, Cutting, cut
from isocenter.verbs.mosaic import mosaic


def scene(shape: tuple[int, ...], seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    made = np.sum([ndimage.gaussian_filter(rng.normal(size=shape), s) * s for s in (1.5, 5.0)], axis=0)
    return np.clip(110 + 28 * made / made.std(), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def cuts() -> tuple[Cut, ...]:
    return cut(Image.from_array(scene((180, 380))), Cutting(grid=(1, 3), overlap=0.3, jitter=2.0), seed=1)


@pytest.fixture
def folder(tmp_path: Path, cuts: tuple[Cut, ...]) -> Path:
    for i, one in enumerate(cuts):
        write(one.image, tmp_path / "fields" / f"field{i}.png")
    return tmp_path / "fields"


def test_a_folder_becomes_a_panorama_with_all_that_says_how_well(folder: Path, tmp_path: Path) -> None:
    made = mosaic(folder, out=tmp_path / "out")
    out = tmp_path / "out"
    names = {"panorama.tif", "overview.png", "tiles.csv", "overlaps.csv", "mosaic.json", "transforms"}
    assert {p.name for p in out.iterdir()} == names
    assert made.exit_code == 0
    assert read_image(out / "panorama.tif").shape == made.panorama.shape
    rows = list(csv.DictReader((out / "tiles.csv").read_text("utf-8-sig").splitlines()))
    assert [r["tile"] for r in rows] == ["field0", "field1", "field2"] and {r["placed"] for r in rows} == {"True"}
    assert all(abs(float(r["turn"])) < 5 and 0.5 < float(r["gain"]) < 2 for r in rows)
    document = json.loads((out / "mosaic.json").read_text("utf-8"))
    assert document["format"] == 1 and len(document["overlaps"]) == 2 and document["not_placed"] == []
    assert max(o["step_after"] for o in document["overlaps"]) < 0.02
    text = "\n".join(made.lines())
    assert "3 of 3 images joined" in text and "key points" in text and "places of overlaps agree" in text
    assert made.lines()[-1] == f"next: isocenter look {out / 'panorama.tif'}"


def test_transforms_bring_a_tile_to_its_place(folder: Path, tmp_path: Path, cuts: tuple[Cut, ...]) -> None:
    made = mosaic(folder, out=tmp_path / "out")
    back = read_transform(tmp_path / "out/transforms/field1.tfm", made.panorama.geometry, cuts[1].image.geometry)
    assert np.allclose(back.matrix, made.made.transforms[1].matrix)  # type: ignore[union-attr, arg-type]
    row = made.tiles()[1]
    middle = (np.array(cuts[1].image.shape) - 1) / 2
    assert np.allclose(back.inverse().indices(middle[None])[0][::-1], [row["x"], row["y"]], atol=1e-3)


def test_a_stranger_ends_with_code_3_and_is_named(folder: Path, tmp_path: Path) -> None:
    write(Image.from_array(scene((100, 110), 7)), folder / "stranger.png")
    made = mosaic(folder, out=tmp_path / "whole.png")
    assert made.exit_code == 3 and made.lost == ("stranger",)
    assert any("not placed: stranger" in line for line in made.lines())
    assert made.as_json()["not_placed"] == ["stranger"] and made.files == (tmp_path / "whole.png",)
    assert not made.tiles()[3]["placed"]


def test_images_in_memory_and_options(cuts: tuple[Cut, ...]) -> None:
    made = iso.mosaic([c.image for c in cuts], exposure="none", blend="none")
    assert made.names == ("tile0", "tile1", "tile2") and made.files == ()
    assert (made.made.exposures.gains == 1).all()
    spaced = iso.mosaic(*[c.image.pixels() for c in cuts[:3]], spacing=(0.5, 0.5), kind="rigid")
    assert spaced.panorama.geometry.spacing == pytest.approx((0.5, 0.5))
    assert "0.5 x 0.5 mm" in spaced.lines()[0]
    seen: list[str] = []
    mosaic([c.image for c in cuts], report=lambda p: seen.append(p.what))
    assert "blending" in seen


def test_volumes_go_to_nifti_with_their_affine(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    whole = (ndimage.gaussian_filter(rng.normal(size=(40, 40, 40)), 2) * 4000).astype(np.int16)
    for i, start in enumerate((0, 18)):
        grid = Geometry.from_spacing((22, 40, 40), (3.0, 2.0, 2.0), origin=(1.0, 2.0, 3.0 * start))
        write(Image.from_array(whole[start : start + 22], geometry=grid), tmp_path / f"bed{i}.nii.gz")
    made = mosaic(tmp_path / "bed0.nii.gz", tmp_path / "bed1.nii.gz", out=tmp_path / "body")
    back = read_image(tmp_path / "body/panorama.nii.gz")
    assert back.shape == (40, 40, 40) and back.geometry.same_grid(made.panorama.geometry)
    assert (tmp_path / "body/overview.png").exists()
    assert np.abs(back.pixels()[1:-1, 1:-1, 1:-1] - whole[1:-1, 1:-1, 1:-1]).mean() < 10


def test_what_lies_there_is_not_replaced_unasked(folder: Path, tmp_path: Path) -> None:
    mosaic(folder, out=tmp_path / "out")
    with pytest.raises(OutputError, match="--overwrite"):
        mosaic(folder, out=tmp_path / "out")
    mosaic(folder, out=tmp_path / "out", overwrite=True)


def test_bad_input_is_said_in_words(folder: Path, tmp_path: Path, cuts: tuple[Cut, ...]) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableError, match="holds no image"):
        mosaic(tmp_path / "empty", out=tmp_path / "o")
    with pytest.raises(InputError, match="one image is no mosaic"):
        mosaic(folder / "field0.png")
    with pytest.raises(MissingFileError):
        mosaic(folder / "field0.png", folder / "none.png")
    with pytest.raises(UsageError, match="cannot be mixed"):
        mosaic(folder / "field0.png", cuts[0].image)
    with pytest.raises(UsageError, match="exposure"):
        mosaic(folder, exposur="none")  # type: ignore[call-arg]
    with pytest.raises(InputError, match="one image is no mosaic"):
        mosaic()
