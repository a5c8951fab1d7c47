"""Which training cases are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Cases, Geometry, Image
from isocenter.tasks._looked import evenly, in_memory, looked_at


def cases(n: int, side: int = 4) -> Cases:
    return Cases.from_arrays([np.zeros((side, side), np.uint8)] * n, task="segment")


@pytest.mark.parametrize(
    ("n", "most", "wanted"),
    [(5, 5, [0, 1, 2, 3, 4]), (5, 9, [0, 1, 2, 3, 4]), (9, 4, [0, 3, 5, 8]), (7, 1, [0]), (1, 3, [0]), (0, 3, [])],
)
def test_positions_are_spread_from_the_first_to_the_last(n: int, most: int, wanted: list[int]) -> None:
    assert evenly(cases(n), most) == wanted


def test_few_cases_of_large_images_are_looked_at() -> None:
    assert looked_at(cases(30)) == sorted(set(looked_at(cases(30))))
    assert len(looked_at(cases(30))) == 24
    assert looked_at(cases(3)) == [0, 1, 2]
    assert looked_at(cases(9, 3000)) == [0, 3, 5, 8]
    assert len(looked_at(cases(30, 1000))) == 6


def test_pixels_of_the_leading_image_are_read_once() -> None:
    read = []

    def load() -> np.ndarray:
        read.append(1)
        return np.arange(6.0).reshape(2, 3)

    image = Image(load, (2, 3), "yx", "float64", Geometry((2, 3)))
    other = Image.from_array(np.zeros((4, 4)))
    case = in_memory(Case("a", {"image": image, "mask": other}))
    assert [case.image().pixels()[1, 2] for _ in range(3)] == [5.0] * 3
    assert read == [1]
    assert case.images["mask"] is other and list(case.images) == ["image", "mask"]
