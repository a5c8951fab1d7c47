from __future__ import annotations

from typing import Any

import pytest

from isocenter.errors import AmbiguousError, NotFoundError, TableError
from isocenter.layouts import columns, table_files
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.cases_json import Declared
from isocenter.layouts.rows import Maker, Unit

EXAMS = [
    ["image", "mask", "exam", "mod", "subject", "split", "dx"],
    ["a/pet.png", "a/petm.png", "a", "PET", "p1", "train", "1"],
    ["a/ct.png", "a/ctm.png", "a", "CT", "p1", "train", "1"],
    ["b/pet.png", "b/petm.png", "b", "PET", "p2", "test", "0"],
]
JOINED = Declared(columns={"case": "exam", "role": "mod"})


def units(folder: Any, rows: list[list[str]], ask: Ask, declared: Declared, notes: Notes | None = None) -> list[Unit]:
    table = table_files.read(folder.csv(rows))
    truth = columns.truth(table, declared, ask) if ask.task else columns.Truth()
    return list(Maker.of(table, declared, ask, truth).units(notes or Notes()))


def test_one_row_is_one_case(folder: Any) -> None:
    header = ["image", "label", "subject", "group", "split"]
    rows = [["x/a.png", "1", "p", "g", "train"], ["x/b.png", "0", "", "", ""]]
    a, b = units(folder, [header, *rows], Ask("classify"), Declared())
    assert (a.id, a.subject, a.group, a.split, a.truth) == ("x/a", "p", "g", "train", "1")
    assert (b.id, b.subject, b.group, b.lead) == ("x/b", "", "", "image")


def test_group_defaults_to_subject(folder: Any) -> None:
    assert units(folder, [["image", "subject"], ["a.png", "p"]], Ask(), Declared())[0].group == "p"


def test_rows_of_one_case_are_joined_by_role(folder: Any) -> None:
    a, b = units(folder, EXAMS, Ask("segment", role="PET"), JOINED)
    assert a.images == {"PET": ("a/pet.png",), "CT": ("a/ct.png",)}
    assert (a.id, a.lead, a.truth) == ("a", "PET", "a/petm.png")
    assert list(b.images) == ["PET"]


def test_a_truth_that_differs_between_roles_needs_a_role(folder: Any) -> None:
    rows = [*EXAMS[:3]]
    with pytest.raises(AmbiguousError, match=r"'PET'|PET and CT|PET, CT"):
        units(folder, rows, Ask("segment"), JOINED)
    notes = Notes()
    (ct,) = units(folder, EXAMS, Ask("segment", role="CT"), JOINED, notes)
    assert ct.truth == "a/ctm.png" and notes.unused == {"no image 'CT'": 1}
    with pytest.raises(NotFoundError, match="Did you mean PET"):
        units(folder, EXAMS, Ask("segment", role="PT"), JOINED)


def test_a_truth_that_agrees_needs_no_role_where_one_image_is_everywhere(folder: Any) -> None:
    declared = Declared(columns=JOINED.columns, truth={"classify": columns.Truth("dx")})
    a, b = units(folder, EXAMS, Ask("classify"), declared)
    assert (a.lead, a.truth, b.truth) == ("PET", "1", "0")
    with pytest.raises(AmbiguousError, match="PET and CT"):
        units(folder, EXAMS[:3], Ask("classify"), declared)


def test_cases_of_a_question_about_the_whole_need_not_share_an_image(folder: Any) -> None:
    declared = Declared(columns=JOINED.columns, truth={"classify": columns.Truth("dx")})
    rows = [*EXAMS, ["c/ct.png", "", "c", "CT", "p3", "test", "1"], ["d/us.png", "", "d", "US", "p4", "val", "0"]]
    with pytest.raises(AmbiguousError, match="--role PET, or --role any"):
        units(folder, rows, Ask("classify"), declared)
    assert [u.id for u in units(folder, rows, Ask("classify", role="PET"), declared)] == ["a", "b"]
    found = units(folder, rows, Ask("classify", role="any"), declared)
    assert [(u.id, u.lead, tuple(u.images), u.truth) for u in found] == [
        ("a", "PET", ("PET", "CT"), "1"), ("b", "PET", ("PET",), "0"), ("c", "CT", ("CT",), "1"),
        ("d", "US", ("US",), "0"),
    ]  # fmt: skip
    # A mask lies on the grid of one image, and a truth that differs between images stays ambiguous.
    with pytest.raises(NotFoundError):
        units(folder, rows, Ask("segment", role="any"), JOINED)
    apart = [*EXAMS[:2], [*EXAMS[2][:6], "0"]]
    with pytest.raises(AmbiguousError, match="differs between PET, CT"):
        units(folder, apart, Ask("classify", role="any"), declared)
    # An image of that very name is meant by its name.
    named = [EXAMS[0], *([*row[:3], "any" if row[3] == "CT" else row[3], *row[4:]] for row in EXAMS[1:])]
    assert [u.lead for u in units(folder, named, Ask("classify", role="any"), declared)] == ["any"]


def test_rows_that_disagree_on_split_are_refused(folder: Any) -> None:
    rows = [list(r) for r in EXAMS]
    rows[2][5] = "test"
    with pytest.raises(TableError, match=r"case 'a' disagree on 'split'.*rows 2, 3"):
        units(folder, rows, Ask("segment", role="PET"), JOINED)


def test_a_role_twice_or_empty_is_refused(folder: Any) -> None:
    rows = [list(r) for r in EXAMS]
    rows[2][3] = "PET"
    with pytest.raises(TableError, match="stands twice, in rows 2 and 3"):
        units(folder, rows, Ask(), JOINED)
    rows[2][3] = ""
    with pytest.raises(TableError, match="is empty"):
        units(folder, rows, Ask(), JOINED)
    with pytest.raises(TableError, match="nothing names the image"):
        units(folder, EXAMS, Ask(), Declared(columns={"case": "exam"}))


def test_frames_of_one_subject_and_split_are_one_film(folder: Any) -> None:
    rows = [["image", "t", "subject", "split"]] + [
        [f"f{i}.png", str(i), "p", "train" if i < 11 else "test"] for i in (10, 9, 2, 11, 12)
    ]
    film, later = units(folder, rows, Ask("track", target="t"), Declared(columns={"frame": "t"}))
    assert film.images == {"image": ("f2.png", "f9.png", "f10.png")} and film.id == "f2..f10"
    assert later.split == "test" and len(later.rows) == 2
    rows.append(["g.png", "2.0", "p", "train"])
    with pytest.raises(TableError, match="are one frame"):
        units(folder, rows, Ask(), Declared(columns={"frame": "t"}))


def test_a_question_about_one_frame_takes_them_apart_and_says_so(folder: Any) -> None:
    rows = [["image", "t", "label"], ["a.png", "1", "x"], ["b.png", "2", "y"]]
    notes = Notes()
    assert len(units(folder, rows, Ask("classify"), Declared(columns={"frame": "t"}), notes)) == 2
    assert [p.code for p in notes.problems] == ["frames-apart"]


def test_ids_are_unique_and_stable(folder: Any) -> None:
    rows = [["image", "label"], ["a.png", "1"], ["a.jpg", "0"], ["b.png", "1"], ["b.png", "0"]]
    notes = Notes()
    assert [u.id for u in units(folder, rows, Ask(), Declared(), notes)] == ["a.png", "a.jpg", "b.png", "b.png#2"]
    assert notes.problems[0].code == "image-twice" and "rows 5" in notes.problems[0].got


def test_pairs_with_one_image_in_common_are_told_apart(folder: Any) -> None:
    rows = [["fixed", "moving"], ["a.png", "b.png"], ["a.png", "c.png"]]
    notes = Notes()
    assert [u.id for u in units(folder, rows, Ask(), Declared(), notes)] == ["a.png+b.png", "a.png+c.png"]
    assert not notes.problems


def test_rows_without_an_image_are_counted(folder: Any) -> None:
    notes = Notes()
    assert len(units(folder, [["image", "label"], ["", "1"], ["a.png", "1"]], Ask(), Declared(), notes)) == 1
    assert notes.unused == {"no image": 1}


def test_cells_on_which_rows_differ_are_those_of_the_leading_image(folder: Any) -> None:
    a = units(folder, EXAMS, Ask("segment", role="PET"), JOINED)[0]
    assert (a.cell("dx"), a.cell("mod"), a.cell("mask")) == ("1", "PET", "a/petm.png")
