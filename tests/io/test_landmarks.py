"""Landmarks go to CSV and come back, on the grid of their image."""

import numpy as np
import pytest

from isocenter.data import Geometry
from isocenter.data.findings.matches import Matches
from isocenter.errors import IsocenterError, TableError
from isocenter.io.landmarks import joined, read_landmarks, write_landmarks, write_matches

PLAIN = Geometry((20, 30))
MM = Geometry.from_spacing((4, 20, 30), (3.0, 2.0, 0.5), origin=(1.0, 2.0, 3.0))


@pytest.mark.parametrize("grid", [PLAIN, MM])
def test_what_is_written_is_read(tmp_path, grid):
    points = np.random.default_rng(0).random((5, grid.ndim)) * 9
    path = write_landmarks(points, tmp_path / "a.csv", grid, names=("a", "b", "c", "d", "e"))
    found = read_landmarks(path, grid)
    assert list(found) == ["a", "b", "c", "d", "e"]
    assert np.allclose(np.array(list(found.values())), points, atol=1e-4)


def test_a_pixel_is_x_then_y_with_centres_at_whole_numbers(tmp_path):
    (tmp_path / "a.csv").write_text(",X,Y\n1,7,3\n")
    assert read_landmarks(tmp_path / "a.csv", PLAIN)["1"].tolist() == [7, 3]
    grid = Geometry.from_spacing((20, 30), (2.0, 0.5))
    assert read_landmarks(tmp_path / "a.csv", grid)["1"].tolist() == [3.5, 6.0]


def test_landmarks_join_on_their_names(tmp_path):
    a = {"1": np.zeros(2), "2": np.ones(2), "x": np.zeros(2)}
    b = {"2": np.full(2, 5.0), "1": np.full(2, 4.0)}
    fixed, moving = joined(a, b, "row 1")
    assert fixed.tolist() == [[0, 0], [1, 1]]
    assert moving.tolist() == [[4, 4], [5, 5]]
    with pytest.raises(TableError, match="in common"):
        joined(a, {"q": np.zeros(2)}, "row 1")


BROKEN = ("", "a,b\n1,2\n", ",X,Y\n1,2\n", ",X,Y\n1,2,nan\n", ",X,Y\n1,2,3\n1,4,5\n", ",X,Y\n1,a,5\n")


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_table_of_landmarks_is_refused(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(TableError):
        read_landmarks(tmp_path / "a.csv", PLAIN)


def test_a_missing_file_and_bytes_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x81" * 9)
    for name in ("a.csv", "b.csv"):
        with pytest.raises(IsocenterError):
            read_landmarks(tmp_path / name, PLAIN)


def test_empty_rows_tabs_and_numbers_without_names_are_read(tmp_path):
    (tmp_path / "a.tsv").write_text("X\tY\n1\t2\n\t\n3\t4.5\n")
    found = read_landmarks(tmp_path / "a.tsv", PLAIN)
    assert {k: v.tolist() for k, v in found.items()} == {"1": [1, 2], "3": [3, 4.5]}
    path = write_landmarks(np.array([[1.5, 2.25]]), tmp_path / "b.csv", PLAIN)
    assert path.read_text() == ",X,Y\n0,1.5,2.25\n"


def test_capitals_and_order_of_columns_do_not_matter(tmp_path):
    (tmp_path / "a.csv").write_text("y,name,x\n2,apex,1\n")
    assert read_landmarks(tmp_path / "a.csv", PLAIN)["apex"].tolist() == [1, 2]


def test_matches_are_pixels_of_both_images_and_whether_they_agree(tmp_path):
    mm = Geometry.from_spacing((9, 9), (0.5, 0.25))
    found = Matches(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[3.0, 4.0], [5.0, 6.5]]), np.array([True, False]))
    path = write_matches(found, tmp_path / "m.csv", mm, PLAIN)
    head, first, second = path.read_text().splitlines()
    assert head == "pair,fixed_x,fixed_y,moving_x,moving_y,agrees"
    assert (first, second) == ("0,4,4,3,4,1", "1,0,2,5,6.5,0")
