from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.report.tile_grid import GAP, LINE, Tile, tile_grid


def test_tiles_stand_in_rows_with_their_words():
    tiles = [Tile(np.eye(4) * i, f"channel {i}") for i in range(1, 6)]
    sheet = tile_grid(tiles, columns=2, side=40, title="Layer")
    rows, columns = 3, 2
    assert sheet.shape == (LINE + GAP + GAP + rows * (40 + LINE + GAP), GAP + columns * (40 + GAP), 3)
    assert sheet.dtype == np.uint8 and (sheet[-3, -3] == 255).all()
    top = LINE + 2 * GAP
    first = sheet[top : top + 40, GAP : GAP + 40]
    assert (first[:10, :10] == 255).all() and (first[:10, 10:] == 0).all(), "each tile has its own range"
    assert sheet[top + 40 : top + 40 + LINE, GAP : GAP + 40].min() < 128, "words are written"
    last = sheet[top + 2 * (40 + LINE + GAP) :, GAP + 40 + GAP :]
    assert (last == 255).all(), "the sixth place stays empty"


def test_proportions_and_colours_are_kept():
    colour = np.zeros((10, 30, 3), np.uint8)
    colour[..., 0] = 200
    sheet = tile_grid([Tile(colour)], columns=3, side=60)
    assert sheet.shape[1] == GAP + 60 + GAP and (sheet[GAP + 5, GAP + 5] == (200, 0, 0)).all()
    assert (sheet[GAP + 25 :, GAP + 5] == 255).all()
    large = Tile(np.random.default_rng(0).random((300, 200)))
    assert tile_grid([large], columns=1, side=50).shape[0] == GAP + 50 + LINE + GAP


def test_nothing_to_draw():
    with pytest.raises(InputError, match="nothing to draw"):
        tile_grid([], columns=2)
