from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter.data import IGNORE, Attribution, Geometry, Image, Segmentation
from isocenter.errors import OutputError
from isocenter.io import encoded

NAMES = ("background", "anterior", "posterior")


def found(values: list[list[int]], names: tuple[str, ...] = NAMES) -> Segmentation:
    array = np.asarray(values, np.uint8)
    return Segmentation(array, names, Geometry(array.shape))


def test_without_codes_the_index_is_written() -> None:
    labels = found([[0, 1], [2, IGNORE]])
    assert encoded.numbered(labels, None) is labels.labels


def test_codes_are_the_numbers_of_the_data_set() -> None:
    codes = {"background": 0, "anterior": 255, "posterior": 7, "ignore": 127}
    numbers = encoded.numbered(found([[0, 1], [2, IGNORE]]), codes)
    assert numbers.tolist() == [[0, 255], [7, 127]]
    assert numbers.dtype == np.uint8


@pytest.mark.parametrize(("code", "dtype"), [(255, "uint8"), (256, "uint16"), (70_000, "int32"), (-3, "int32")])
def test_the_smallest_type_that_holds_the_codes(code: int, dtype: str) -> None:
    numbers = encoded.numbered(found([[0, 1]], ("background", "x")), {"background": 0, "x": code})
    assert numbers.dtype == dtype
    assert numbers.tolist() == [[0, code]]


def test_a_region_without_a_number_is_refused() -> None:
    with pytest.raises(OutputError, match="no number for a region: got posterior"):
        encoded.numbered(found([[0, 1]]), {"background": 0, "anterior": 1})


def test_two_regions_never_share_a_number() -> None:
    with pytest.raises(OutputError, match="two regions would get one number"):
        encoded.numbered(found([[0, 1, 2]]), {"background": 0, "anterior": 1, "posterior": 1})
    with pytest.raises(OutputError, match="Give ignore a number of its own"):
        encoded.numbered(found([[1, IGNORE]]), {"background": 0, "anterior": 255, "posterior": 3})


def test_a_number_shared_by_a_region_that_is_absent_does_no_harm() -> None:
    assert encoded.numbered(found([[0, 1]]), {"background": 0, "anterior": 1, "posterior": 1}).tolist() == [[0, 1]]


def test_what_values_look_like_as_numbers() -> None:
    grid = Geometry((2, 3))
    heat = encoded.block(Attribution(np.zeros((2, 3)), grid, "liver", "grad-cam"))
    assert (heat.kind, heat.axes, heat.array.dtype) == ("values", "yx", np.float32)
    labels = encoded.block(found([[0, 1]]))
    assert (labels.kind, labels.axes, labels.names) == ("labels", "yx", NAMES)
    image = encoded.block(Image.from_array(np.zeros((2, 3, 4)), axes="cyx", channels=("a", "b")))
    assert (image.kind, image.axes, image.names) == ("pixels", "cyx", ("a", "b"))


def test_bytes_are_never_made_by_rounding() -> None:
    small = np.asarray([[0, 255]], np.uint8)
    assert encoded.as_bytes(Path("a.png"), small) is small
    assert encoded.as_bytes(Path("a.png"), np.asarray([[0, 255]])).dtype == np.uint8
    assert encoded.as_bytes(Path("a.png"), np.asarray([[0.0, 256.0]])).dtype == np.uint16
    for bad in ([[0, 65_536]], [[-1, 0]], [[0.5, 1]], [[np.inf, 1]]):
        with pytest.raises(OutputError, match=r"a\.png: values that 8 or 16 bits cannot hold"):
            encoded.as_bytes(Path("a.png"), np.asarray(bad))
