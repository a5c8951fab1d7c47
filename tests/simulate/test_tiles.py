"""Tiles show the picture where their matrices say, at their exposure."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Image
from isocenter.errors import InputError
from isocenter.ops.transforms import apply_matrix
from isocenter.ops.warping import sampled
from isocenter.simulate.tiles import Cutting, cut


def picture(shape=(150, 180), channels=1):
    rng = np.random.default_rng(0)
    made = ndimage.gaussian_filter(rng.normal(size=(channels, *shape)), (0, 3, 3))
    return np.uint8(120 + 22 * made / made.std()).squeeze()


def test_a_tile_is_the_picture_at_its_place_times_its_gain():
    whole = picture()
    made = cut(Image.from_array(whole), Cutting(offset=5.0, noise=0.0), seed=1)
    assert len(made) == 6
    assert len({m.gain for m in made}) == 6
    for one in made:
        pixels = one.image.pixels().astype(float)
        at = np.array([[10.0, 12.0], [20.0, 30.0], [30.0, 15.0]])
        there = apply_matrix(one.matrix, at[:, ::-1])[:, ::-1]
        assert (there >= 0).all() and (there <= np.array(whole.shape) - 1).all()
        expected = sampled(whole, there, order=3) * one.gain + one.offset
        assert np.abs(pixels[tuple(at.astype(int).T)] - expected).max() <= 0.51
        assert 0.6 < one.gain <= 1 and abs(one.offset) <= 5
        corners = np.array([[0.0, 0.0], [pixels.shape[1] - 1.0, pixels.shape[0] - 1.0]])
        ends = apply_matrix(one.matrix, corners)
        assert ends.min() > -1 and (ends.max(axis=0) < np.array(whole.shape)[::-1]).all()


def test_the_same_seed_gives_the_same_tiles_and_channels_stay():
    whole = Image.from_array(picture(channels=3), axes="cyx", channels=("r", "g", "b"))
    first, again, other = (cut(whole, Cutting(grid=(1, 2)), seed=s)[0] for s in (3, 3, 4))
    assert np.array_equal(first.image.pixels(), again.image.pixels())
    assert not np.array_equal(first.matrix, other.matrix)
    assert (first.image.axes, first.image.channels, first.image.dtype) == ("cyx", ("r", "g", "b"), "uint8")


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(InputError, match="too small"):
        cut(Image.from_array(np.zeros((40, 40), np.uint8)))
    with pytest.raises(InputError, match="integers"):
        cut(Image.from_array(np.zeros((200, 200))))
