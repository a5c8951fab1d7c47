from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pandas
import pytest

from isocenter.errors import AmbiguousError, MissingFileError, TableError, UnreadableError
from isocenter.layouts import table_files

ROWS = [["image", "label", "n"], ["a.png", "benign", "1"], ["b.png", "malignant", ""]]


def cells(table: table_files.Table) -> list[dict[str, str]]:
    return [dict(row.cells) for row in table.rows]


def workbook(path: Path, **sheets: Any) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_csv_tsv_xlsx_and_frames_are_the_same_thing(folder: Any) -> None:
    table = table_files.read(folder.csv(ROWS))
    tabs = table_files.read(folder.csv(ROWS, "t.tsv", "\t"))
    sheet = table_files.read(workbook(folder.path / "t.xlsx", one=[["image", "label", "n"], ["a.png", "benign", 1.0],
                                                                  ["b.png", "malignant", None]]))
    frame = table_files.of_frame(pandas.DataFrame({"image": ["a.png", "b.png"], "label": ["benign", "malignant"],
                                                   "n": [1.0, None]}), folder.path / "x")
    assert cells(table) == cells(tabs) == cells(sheet) == cells(frame)
    assert [row.number for row in table.rows] == [2, 3]
    assert table.columns == ("image", "label", "n") and table.base == folder.path


def test_semicolons_and_a_byte_order_mark_are_understood(folder: Any) -> None:
    path = folder.path / "t.csv"
    path.write_bytes("\ufeffimage;größe\na.png;1,5\n".encode())
    assert cells(table_files.read(path)) == [{"image": "a.png", "größe": "1,5"}]


def test_empty_lines_and_columns_without_a_name_are_left_out(folder: Any) -> None:
    path = folder.text("t.csv", "image,,label\na.png,x,1\n\n,,\nb.png,y,2\n")
    table = table_files.read(path)
    assert table.columns == ("image", "label")
    assert [(row.number, row["label"]) for row in table.rows] == [(2, "1"), (5, "2")]


def test_a_row_that_does_not_fit_is_named(folder: Any) -> None:
    with pytest.raises(TableError, match="row 3 does not fit the header") as error:
        table_files.read(folder.text("t.csv", "image,label\na.png,1\nb.png,1,2\n"))
    assert "3 cells" in error.value.got and error.value.wanted == "2"


def test_two_columns_of_one_name_are_refused(folder: Any) -> None:
    with pytest.raises(TableError, match="two columns have one name"):
        table_files.read(folder.text("t.csv", "image,label,label\na,b,c\n"))


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_table_is_refused(folder: Any, text: str) -> None:
    with pytest.raises(TableError, match="empty"):
        table_files.read(folder.text("t.csv", text))


def test_other_encodings_and_kinds_are_refused(folder: Any) -> None:
    (folder.path / "t.csv").write_bytes("image,größe\n".encode("latin-1"))
    with pytest.raises(UnreadableError, match="UTF-8"):
        table_files.read(folder.path / "t.csv")
    (folder.path / "t.xlsx").write_bytes(b"no workbook")
    with pytest.raises(UnreadableError, match="workbook"):
        table_files.read(folder.path / "t.xlsx")
    with pytest.raises(MissingFileError):
        table_files.read(folder.path / "gone.csv")


def test_a_quote_that_never_ends_is_refused(folder: Any) -> None:
    with pytest.raises(UnreadableError, match="not a table"):
        table_files.read(folder.text("t.csv", 'image,label\n"a.png,1\n'))


def test_of_several_filled_sheets_one_must_be_named(tmp_path: Path) -> None:
    rows = [["image"], ["a.png"]]
    with pytest.raises(AmbiguousError, match=r"first, second"):
        table_files.read(workbook(tmp_path / "a.xlsx", first=rows, second=rows))
    named = table_files.read(workbook(tmp_path / "b.xlsx", legend=[["x"], ["y"]], Cases=rows))
    assert named.columns == ("image",)
    assert table_files.read(workbook(tmp_path / "c.xlsx", first=rows, empty=[])).columns == ("image",)


def test_require_names_the_nearest_column(folder: Any) -> None:
    table = table_files.read(folder.csv(ROWS))
    assert table.require("label", "truth") == "label"
    with pytest.raises(TableError, match="Did you mean label"):
        table.require("labels", "truth")


def test_parquet_is_read_or_says_what_is_missing(folder: Any) -> None:
    path = folder.path / "t.parquet"
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(UnreadableError, match="Parquet"):
        table_files.read(path)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_the_apostrophe_that_keeps_spreadsheets_quiet_is_taken_off(folder: Any, name: str) -> None:
    rows = [["image", "'=note"], ["a.png", "'=1+1"], ["b.png", "'-"], ["c.png", "''x"], ["d.png", "'said'"]]
    table = table_files.read(folder.csv(rows, name, "\t" if name.endswith("tsv") else ","))
    assert table.columns == ("image", "=note")
    assert [row["=note"] for row in table.rows] == ["=1+1", "-", "'x", "'said'"]
