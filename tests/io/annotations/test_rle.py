from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import LabelError
from isocenter.io.annotations import rle
from isocenter.io.annotations.marks import cropped

SHAPE = (13, 17)


def masks() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    found = [rng.random(SHAPE) < share for share in (0.02, 0.3, 0.9)]
    found += [np.ones(SHAPE, bool)]
    for at in ((0, 0), (12, 16), (0, 16), (5, 7)):
        one = np.zeros(SHAPE, bool)
        one[at] = True
        found.append(one)
    return found


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("mask", masks())
def test_runs_are_those_of_pycocotools(mask: np.ndarray) -> None:
    theirs = pytest.importorskip("pycocotools.mask")
    crop = cropped(mask)
    assert crop is not None
    text = rle.packed(rle.encode(crop, SHAPE))
    assert text == theirs.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    assert np.array_equal(theirs.decode({"size": list(SHAPE), "counts": text}).astype(bool), mask)


@pytest.mark.parametrize("mask", masks())
@pytest.mark.parametrize("packed", [True, False])
def test_runs_come_back(mask: np.ndarray, packed: bool) -> None:
    crop = cropped(mask)
    assert crop is not None
    runs = rle.encode(crop, SHAPE)
    counts = rle.packed(runs) if packed else runs
    start, found = rle.crop_of({"size": list(SHAPE), "counts": counts}, SHAPE) or (None, None)
    assert np.array_equal(start, crop[0]) and np.array_equal(found, crop[1])


def test_an_empty_mask_is_none_and_bytes_are_text() -> None:
    assert rle.crop_of({"size": [2, 3], "counts": [6]}, (2, 3)) is None
    start, mask = rle.crop_of({"counts": rle.packed([0, 6]).encode()}, (2, 3)) or (None, None)
    assert start is not None and mask is not None and mask.all()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"size": [2, 3], "counts": [5]}, "do not fill"),
        ({"size": [2, 3], "counts": [7, -1]}, "do not fill"),
        ({"size": [3, 2], "counts": [6]}, "another size"),
        ({"size": [2, 3], "counts": "\x7f"}, "not packed"),
        ({"size": [2, 3], "counts": chr(48 + 0x20)}, "break off"),
        ([1, 2], "not run lengths"),
    ],
)
def test_damaged_runs_are_refused(said: object, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        rle.crop_of(said, (2, 3))
