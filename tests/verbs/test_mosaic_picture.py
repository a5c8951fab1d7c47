from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Transform
from isocenter.data.mosaic import Mosaic
from isocenter.data.overlaps import Overlap
from isocenter.io import read_image
from isocenter.ops.exposure import exposures
from isocenter.verbs._mosaic_picture import COLOURS, JOINED, LEFT_OUT, drawn


def made(panorama: Image, tiles: list[Geometry], shift: float) -> Mosaic:
    rank = panorama.ndim + 1
    transforms = []
    for i, grid in enumerate(tiles):
        matrix = np.eye(rank)
        matrix[rank - 2, -1] = -shift * i
        transforms.append(Transform.of_matrix(matrix, panorama.geometry, grid))
    pair = Overlap(0, 1, np.eye(rank), "key points", 9, 0.9, 0.3)
    return Mosaic(panorama, tuple(transforms), (pair,), exposures([], 2), 0)


def colours(path: Path) -> set[tuple[int, ...]]:
    return {tuple(c) for c in read_image(path).pixels().reshape(3, -1).T}


@pytest.mark.parametrize(("used", "line", "other"), [(True, JOINED, LEFT_OUT), (False, LEFT_OUT, JOINED)])
def test_outlines_and_ties_have_their_colours(tmp_path: Path, used: bool, line: tuple[int, ...], other: object) -> None:
    panorama = Image.from_array(np.full((80, 60), 90, np.uint8))
    mosaic = made(panorama, [Geometry((50, 60)), Geometry((50, 60))], 30.0)
    mosaic = replace(mosaic, overlaps=(replace(mosaic.overlaps[0], used=used),))
    path = drawn(mosaic, ("a", "b"), tmp_path / "p.png")
    found = colours(path)
    assert line in found and other not in found
    assert COLOURS[0] in found and COLOURS[1] in found
    assert read_image(path).shape == (3, 320, 240)


def test_a_tile_that_was_not_placed_is_not_drawn(tmp_path: Path) -> None:
    panorama = Image.from_array(np.full((80, 60), 90, np.uint8))
    mosaic = made(panorama, [Geometry((50, 60)), Geometry((50, 60))], 30.0)
    mosaic = replace(mosaic, transforms=(mosaic.transforms[0], None))
    found = colours(drawn(mosaic, ("a", "b\u5f71"), tmp_path / "p.png"))
    assert COLOURS[1] not in found and JOINED not in found


def test_a_volume_is_seen_from_the_front_with_the_head_up(tmp_path: Path) -> None:
    pixels = np.zeros((20, 30, 40), np.int16)
    pixels[15:] = 100
    grid = Geometry.from_spacing((20, 30, 40), (4.0, 1.0, 1.0))
    panorama = Image.from_array(pixels, geometry=grid)
    tile = Geometry.from_spacing((12, 30, 40), (4.0, 1.0, 1.0))
    mosaic = made(panorama, [tile, tile], 32.0)
    path = drawn(mosaic, ("low", "high"), tmp_path / "p.png")
    picture = np.moveaxis(read_image(path).pixels(), 0, -1).astype(int)
    assert picture.shape == (320, 160, 3)
    assert picture[20, 100].tolist() == [255] * 3 and picture[200, 100].tolist() == [0] * 3
    rows = np.flatnonzero((picture == COLOURS[1]).all(2).any(1))
    assert rows.min() <= 2 and 180 <= rows.max() <= 196
