"""Worse scans of the same case."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Image
from isocenter.errors import UsageError
from isocenter.inspect.worsening import settled, worsened
from isocenter.ops.corruptions import USUAL

CASE = Case.of(Image.from_array(np.random.default_rng(0).integers(0, 255, (20, 22)).astype(np.uint8)))


@pytest.mark.parametrize("name", ["noise", "gain", "jpeg"])
def test_the_image_alone_is_worse_in_its_own_type(name: str) -> None:
    new = worsened(CASE, name, 4, seed=3)
    before, after = CASE.image().pixels(), new.image().pixels()
    assert after.dtype == before.dtype and after.shape == before.shape and not np.array_equal(before, after)
    assert np.array_equal(after, worsened(CASE, name, 4, seed=3).image().pixels())
    assert new.id == CASE.id and np.array_equal(worsened(CASE, name, 0).image().pixels(), before)


def test_what_is_asked_for_is_spelt_out() -> None:
    assert settled(("usual",), (), modality=None) == (USUAL, (1, 2, 3, 4, 5))
    assert settled(("noise",), (5, 1), modality="CT") == (("noise",), (1, 5))
    assert "bias_field" in settled(("usual",), (), modality="MR")[0]


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="Did you mean noise"):
        settled(("noize",), (), modality=None)
    with pytest.raises(UsageError, match="1 to 5"):
        settled(("noise",), (0,), modality=None)
