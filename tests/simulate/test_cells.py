"""Fields of cells."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.simulate.cells import cells, numbered


@pytest.mark.parametrize("shape", [(96, 96), (48, 80), (12, 40, 40)])
def test_labels_and_numbers_are_of_one_field(shape: tuple[int, ...]) -> None:
    pixels, labels = cells(shape, np.random.default_rng(3))
    numbers, kinds = numbered(shape, np.random.default_rng(3))
    assert pixels.dtype == labels.dtype == np.uint8 and pixels.shape == shape
    assert np.array_equal(labels, kinds[numbers])
    assert set(np.unique(kinds)) == {0, 1, 2}
    assert len(kinds) > 8 and set(np.unique(numbers)) == set(range(len(kinds)))
    assert pixels[labels == 1].mean() > pixels[labels == 2].mean() > pixels[labels == 0].mean() + 20


def test_some_cells_touch() -> None:
    numbers, _ = numbered((96, 96), np.random.default_rng(0))
    beside = (numbers[:, 1:] != numbers[:, :-1]) & (numbers[:, 1:] > 0) & (numbers[:, :-1] > 0)
    assert beside.any()


def test_a_field_without_cells() -> None:
    pixels, labels = cells((32, 32), np.random.default_rng(0), lesions=0)
    assert not labels.any() and pixels.any()
