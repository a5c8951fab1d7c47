from __future__ import annotations

from pathlib import Path

import pytest

from isocenter.layouts import cells


@pytest.mark.parametrize(
    ("a", "b"), [("1", "1.0"), ("01", "1"), (" 2.50", "2.5"), ("-0", "0"), ("1e2", "100"), (".5", "0.5"), ("a", " a ")]
)
def test_equal_numbers_are_one_text(a: str, b: str) -> None:
    assert cells.canonical(a) == cells.canonical(b)


@pytest.mark.parametrize("text", ["nan", "inf", "1_000", "0x10", "123456789012345678901", "1e400", "T1", ""])
def test_what_is_no_plain_number_stays_text(text: str) -> None:
    assert cells.canonical(text) == text


def test_numbers_sort_by_size_and_before_text() -> None:
    assert sorted(["10", "b", "9", "a", "-1"], key=cells.order) == ["-1", "9", "10", "a", "b"]


def test_suffixes_are_those_of_images() -> None:
    assert [cells.suffix(n) for n in ("a.nii.gz", "a.NII", "b.tar.gz", "v1.2", "x.ome.tif")] == [
        ".nii.gz", ".NII", "", "", ".ome.tif"
    ]


def test_a_cell_may_name_an_array(tmp_path: Path) -> None:
    assert cells.split_array("a/b.npz#x[3]") == ("a/b.npz", "#x[3]")
    assert cells.split_array("odd#name.png") == ("odd#name.png", "")
    assert cells.located(tmp_path, "b.npz#x[3]") == f"{tmp_path}/b.npz#x[3]"
    (tmp_path / "real.npz#file.npz").touch()
    assert cells.located(tmp_path, "real.npz#file.npz") == str(tmp_path / "real.npz#file.npz")


def test_located_is_absolute_even_for_a_relative_table() -> None:
    assert cells.located(Path("here"), "../x.png") == str(Path.cwd() / "x.png")


def test_a_file_is_one_that_is_there_or_is_named_like_one(tmp_path: Path) -> None:
    (tmp_path / "odd.xyz").touch()
    (tmp_path / "benign").mkdir()
    named = [cells.names_file(tmp_path, c) for c in ("gone.png", "odd.xyz", "x.npz#a[1]", "benign", "v1.2", "no/where")]
    assert named == [True, True, True, False, False, False]


def test_identity_is_the_path_without_suffix(tmp_path: Path) -> None:
    assert cells.identity(tmp_path, "images/a.b.nii.gz") == "images/a.b"
    assert cells.identity(tmp_path, str(tmp_path / "sub" / "a.png")) == "sub/a"
    assert cells.identity(tmp_path, "/elsewhere/a.png") == "a"
    assert cells.identity(tmp_path, "x.npz#train_images[12]") == "x#train_images[12]"
