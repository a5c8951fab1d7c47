from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Geometry, Image
from isocenter.errors import AmbiguousError, GeometryError, UsageError
from isocenter.io import grid


def test_axes_are_brought_to_our_order_without_losing_a_number(rng: np.random.Generator) -> None:
    array = rng.integers(0, 99, (4, 5, 3, 2))
    ours = grid.ordered("yxct", array)
    assert ours.shape == (2, 3, 4, 5)
    assert ours.flags.c_contiguous
    assert ours[1, 2, 3, 4] == array[3, 4, 2, 1]


def test_axes_in_our_order_already_are_not_copied(rng: np.random.Generator) -> None:
    array = rng.integers(0, 99, (3, 4, 5))
    assert np.shares_memory(grid.ordered("zyx", array), array)


@pytest.mark.parametrize("axes", ["zy", "zyxx", "xyq", "zzyx", "tcz", "ZYX"])
def test_axes_that_do_not_name_each_axis_once_are_refused(axes: str) -> None:
    with pytest.raises(UsageError, match=r"scan\.npy: axes do not fit"):
        grid.stated("scan.npy", axes, (3, 4, 5))


def test_any_order_of_known_letters_is_taken() -> None:
    assert grid.stated("scan.npy", "yxc", (4, 5, 3)) == "yxc"


def test_the_question_for_axes_names_the_answers() -> None:
    error = grid.unstated("scan.nii", (2, 3, 4, 5), ("tzyx", "czyx"))
    assert isinstance(error, AmbiguousError)
    assert "scan.nii" in str(error) and "axes='tzyx' or axes='czyx'" in str(error) and "(2, 3, 4, 5)" in str(error)


def test_a_stated_spacing_gives_an_unknown_grid_its_size() -> None:
    known = grid.respaced("a.png", Geometry((4, 5), None, "frame"), (2.0, 0.5))
    assert known.spacing == (2.0, 0.5)
    assert known.frame == "frame"


def test_a_stated_spacing_keeps_directions_and_origin() -> None:
    turned = Geometry((4, 5), ((0.0, 3.0, 7.0), (-2.0, 0.0, 9.0), (0.0, 0.0, 1.0)))
    other = grid.respaced("a.png", turned, (1.0, 6.0))
    assert other.spacing == (1.0, 6.0)
    assert other.matrix is not None
    np.testing.assert_allclose(other.matrix, [[0, 6, 7], [-1, 0, 9], [0, 0, 1]])


def test_no_stated_spacing_changes_nothing() -> None:
    assert grid.respaced("a.png", Geometry((4, 5)), None) == Geometry((4, 5))


def test_another_number_of_spacings_than_axes_is_refused() -> None:
    with pytest.raises(UsageError, match="2 numbers"):
        grid.respaced("a.png", Geometry((4, 5)), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("bad", [(0.0, 1.0), (-1.0, 1.0), (np.nan, 1.0), (np.inf, 1.0)])
def test_a_spacing_that_is_no_length_is_refused(bad: tuple[float, float]) -> None:
    with pytest.raises(GeometryError, match=r"a\.png: not a spacing"):
        grid.respaced("a.png", Geometry((4, 5)), bad)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((0, 0, np.nan), "NaN or infinity"), ((1, 3, np.inf), "NaN or infinity"), ((0, 3, 1e30), "impossible"),
        ((0, 0, 1e9), "impossible"),
    ],
)
def test_an_impossible_affine_is_refused_with_the_file(change: tuple[int, int, float], words: str) -> None:
    m = np.eye(4)
    m[change[0], change[1]] = change[2]
    with pytest.raises(GeometryError, match=f"scan.nii: .*{words}"):
        grid.located("scan.nii", (3, 4, 5), m)


def test_a_flat_affine_is_refused_with_its_lengths() -> None:
    with pytest.raises(GeometryError, match=r"singular.*1, 0, 1"):
        grid.located("scan.nii", (3, 4, 5), np.diag([1.0, 0.0, 1.0, 1.0]))


def test_two_axes_along_one_line_are_refused() -> None:
    m = np.eye(4)
    m[:3, 1] = m[:3, 0]
    with pytest.raises(GeometryError, match=r"scan\.nii: the affine is singular"):
        grid.located("scan.nii", (3, 4, 5), m)


def test_microscopes_and_bodies_are_both_possible() -> None:
    assert grid.located("a.tif", (3, 4), np.diag([4e-6, 4e-6, 1.0])).spacing == (4e-6, 4e-6)
    assert grid.located("a.nii", (3, 4, 5), np.diag([50.0, 50.0, 50.0, 1.0])).spacing == (50.0,) * 3


def test_rows_hold_no_negative_zero() -> None:
    assert str(grid.rows(np.asarray([[-0.0, 1.0]]))) == "((0.0, 1.0),)"


def test_an_image_takes_a_spacing_by_hand() -> None:
    image = Image.from_array(np.zeros((4, 5)))
    assert grid.with_spacing(image, "a.png", (1.5, 2.5)).geometry.spacing == (1.5, 2.5)
    assert grid.with_spacing(image, "a.png", None) is image
