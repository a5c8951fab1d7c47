from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from isocenter import layouts
from isocenter.data import Cases
from isocenter.errors import OutputError
from isocenter.inspect import divide, write_split


@pytest.fixture
def data(table: Any, picture: Callable[..., np.ndarray]) -> Path:
    for i in range(20):
        mask = table.save(f"masks/{i}.png", (picture(i) > 128).astype(np.uint8) * 255)
        cells = {"mask": mask, "label": ["ill", "well"][i % 2], "subject": f"p{i // 2}", "age": "007"}
        table.add(f"images/{i}.png", picture(i), **cells)
    return table.done({
        "truth": {"segment": {"column": "mask", "labels": {"background": 0, "lesion": 255}},
                  "classify": {"column": "label", "positive": "ill"}},
        "facts": ["age"], "table": "manifest.csv",
    })


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx"])
@pytest.mark.parametrize("place", ["", "elsewhere/deep"])
def test_the_new_table_reads_like_the_old_one(data: Path, suffix: str, place: str) -> None:
    cases = divide(layouts.read(data, task="classify"), seed=1)
    written = write_split(cases, data / place / f"split{suffix}")
    again = layouts.read(written.table, task="classify")
    assert [e.split for e in again.entries] == [e.split for e in cases.entries] and again.splits == written.splits
    assert (again.classes, again.positive, again[0].facts) == (cases.classes, "ill", {"age": 7.0})
    assert [e.files for e in again.entries] == [e.files for e in cases.entries]
    segment = layouts.read(written.table, task="segment")
    assert segment.classes == ("lesion",) and segment[3].truth() is not None
    assert (written.cases_json is not None) == bool(place) and written.lines()[0].startswith(str(written.table))
    assert json.dumps(written.as_json())


def test_text_stays_text(data: Path) -> None:
    write_split(divide(layouts.read(data)), data / "s.xlsx")
    assert layouts.read(data / "s.xlsx").entries[0].notes["age"] == "007"


def test_nothing_is_overwritten(data: Path) -> None:
    cases = divide(layouts.read(data))
    before = (data / "manifest.csv").read_bytes()
    with pytest.raises(OutputError, match="exists"):
        write_split(cases, data / "manifest.csv")
    assert (data / "manifest.csv").read_bytes() == before
    write_split(cases, data / "s.csv")
    write_split(cases, data / "s.csv", overwrite=True)


def test_another_sets_declaration_is_not_touched(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "cases.json").write_text('{"format": 1}')
    with pytest.raises(OutputError, match=r"another cases.json"):
        write_split(divide(layouts.read(data)), other / "s.csv")
    assert list(other.iterdir()) == [other / "cases.json"]


def test_joined_rows_stay_rows(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    cases = divide(layouts.read(real_data("sts-pet-ct-mr"), task="segment"), seed=2)
    again = layouts.read(write_split(cases, tmp_path / "s.csv").table, task="segment")
    assert [e.split for e in again.entries] == [e.split for e in cases.entries]
    assert set(again[0].images) == {"PET", "CT", "MR_T1"} and again[0].truth() is not None


def test_arrays_of_an_archive_keep_their_places(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    cases = layouts.read(real_data("adrenal-shape-3d"), task="classify").subset(range(0, 60, 3))
    again = layouts.read(write_split(divide(cases), tmp_path / "s.csv").table, task="classify")
    assert again[5].image().shape == (64, 64, 64) and again.positive == "1"


def test_conventions_without_a_table_get_one(table: Any, tmp_path: Path) -> None:
    for i in range(12):
        table.save(f"set/{'ab'[i % 2]}/{i}.png", np.full((4, 5), i, np.uint8))
    cases = divide(layouts.read(tmp_path / "set", task="classify", positive="b"), seed=0)
    again = layouts.read(write_split(cases, tmp_path / "out" / "s.csv").table, task="classify")
    assert [(e.split, e.labels) for e in again.entries] == [(e.split, e.labels) for e in cases.entries]
    assert again.positive == "b"


def test_what_no_table_can_name_is_refused(tmp_path: Path, labelled: Callable[..., Cases]) -> None:
    with pytest.raises(OutputError, match="cannot name"):
        write_split(divide(labelled(["a", "b"] * 10)), tmp_path / "s.csv")
    with pytest.raises(OutputError, match="not a table"):
        write_split(labelled(["a"]), tmp_path / "s.json")
    assert not list(tmp_path.iterdir())


def test_rows_without_a_truth_stay_on_the_side_of_their_patient(table: Any, picture: Callable[..., np.ndarray]) -> None:
    for i in range(20):
        table.add(f"{i}.png", picture(i), label=["a", "b", ""][i % 3], subject=f"p{i // 2}")
    table.add("alone.png", picture(30), label="", subject="nobody else")
    cases = divide(layouts.read(table.done(), task="classify"))
    assert sum(cases.unused.values()) == len(cases.left) == 7
    again = layouts.read(write_split(cases, table.path / "s.csv").table)
    assert len(again) == 21 and again.splits[""] == 1
    sides: dict[str, set[str]] = {}
    for entry in again.entries:
        sides.setdefault(entry.subject, set()).add(entry.split)
    assert all(len(found) == 1 for found in sides.values())


def test_its_own_declaration_may_be_written_again(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    for seed in (0, 1):
        written = write_split(divide(layouts.read(data), seed=seed), other / "s.csv", overwrite=True)
        assert written.cases_json == other / "cases.json"
    with pytest.raises(OutputError, match=r"another cases.json"):
        write_split(divide(layouts.read(data)), other / "t.csv", overwrite=True)


def test_what_a_workbook_cannot_hold_is_refused(table: Any, picture: Callable[..., np.ndarray]) -> None:
    for i in range(6):
        table.add(f"{i}.png", picture(i), note="a\x07b")
    cases = divide(layouts.read(table.done()))
    with pytest.raises(OutputError, match="control characters"):
        write_split(cases, table.path / "s.xlsx")
    assert not (table.path / "s.xlsx").exists() and write_split(cases, table.path / "s.csv").table.is_file()


ATTACKS = ("=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "'=quoted", "-")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx"])
def test_no_cell_is_a_formula_and_every_cell_comes_back(
    table: Any, picture: Callable[..., np.ndarray], suffix: str
) -> None:
    for i, note in enumerate(ATTACKS * 3):
        table.add(f"{i}.png", picture(i), label="+" if i % 2 else "-", subject=f"p{i}", note=note, change=str(-i / 2))
    cases = divide(layouts.read(table.done(), task="classify"))
    # As a user wrote them, so they are read: an apostrophe in front is taken off.
    before = [e.notes["note"] for e in cases.entries]
    target = table.path / "new" / f"split{suffix}"
    write_split(cases, target)
    after = layouts.read(target, task="classify")
    assert [e.notes["note"] for e in after.entries] == before and after.classes == cases.classes
    assert [e.labels for e in after.entries] == [e.labels for e in cases.entries]
    assert [e.notes["change"] for e in after.entries] == [e.notes["change"] for e in cases.entries]
    if suffix == ".xlsx":
        import openpyxl

        book = openpyxl.load_workbook(target)
        assert {c.data_type for row in book.active.iter_rows() for c in row} == {"s"}
        return
    text = target.read_text(encoding="utf-8")
    cells = [c for line in csv.reader(text.splitlines(), delimiter="\t" if suffix == ".tsv" else ",") for c in line]
    risky = [c for c in cells if c.startswith(("=", "+", "@", "-")) and not c.lstrip("-").replace(".", "").isdigit()]
    assert not risky and "'=1+1" in cells and "-0.5" in cells


def nnunet(folder: Path, channels: int) -> Path:
    """Six small cases in the layout of nnU-Net."""
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(6):
        for c in range(channels):
            save(rng.normal(size=(4, 6, 6)).astype(np.float32), folder / "imagesTr" / f"c{i}_{c:04d}.nii.gz")
        mask = np.zeros((4, 6, 6), np.uint8)
        mask[1:3, 2:4, 2:4] = 1
        save(mask, folder / "labelsTr" / f"c{i}.nii.gz")
    names = {str(c): f"T{c + 1}" for c in range(channels)}
    about = {"channel_names": names, "numTraining": 6, "file_ending": ".nii.gz"}
    about["labels"] = {"background": 0, "lesion": 1}
    (folder / "dataset.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def save(array: np.ndarray, path: Path) -> None:
    import nibabel

    nibabel.save(nibabel.Nifti1Image(array.T, np.eye(4)), path)


def test_one_file_a_case_becomes_a_table(tmp_path: Path) -> None:
    cases = divide(layouts.read(nnunet(tmp_path / "set", 1), task="segment"))
    written = write_split(cases, tmp_path / "out" / "split.csv")
    again = layouts.read(written.table, task="segment")
    assert again.classes == ("lesion",) and again.splits == cases.splits
    assert np.array_equal(again[0].image().pixels(), cases[0].image().pixels())


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_several_files_a_case_are_refused_not_cut_down_to_the_first(tmp_path: Path, suffix: str) -> None:
    cases = divide(layouts.read(nnunet(tmp_path / "set", 2), task="segment"))
    assert cases[0].image().axes == "czyx"
    with pytest.raises(OutputError, match=r"c0: a table cannot name this image: it takes several files.*needed czyx"):
        write_split(cases, tmp_path / "out" / f"split{suffix}")
    assert not (tmp_path / "out").exists()


def test_axes_that_a_file_does_not_say_are_refused(tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 255, (8, 12, 12, 3)).astype(np.uint8)
    np.savez(tmp_path / "set.npz", images=colour, labels=np.arange(8) % 2)
    cases = divide(layouts.read(tmp_path / "set.npz", task="classify"))
    with pytest.raises(OutputError, match=r"axes that its file does not say.*needed cyx"):
        write_split(cases, tmp_path / "split.csv")
    assert not (tmp_path / "split.csv").exists()


def test_several_labels_at_once_are_declared(tmp_path: Path) -> None:
    marks = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 1], [1, 1, 1]] * 3, np.uint8)
    pixels = np.random.default_rng(0).integers(0, 255, (12, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "set.npz", images=pixels, labels=marks)
    cases = divide(layouts.read(tmp_path / "set.npz", task="classify"))
    written = write_split(cases, tmp_path / "out" / "split.csv")
    assert written.cases_json is not None
    truth = json.loads(written.cases_json.read_text(encoding="utf-8"))["truth"]["classify"]
    assert truth == {"column": "label", "labels": {"0": "0", "1": "1", "2": "2"}, "multilabel": True}
    again = layouts.read(written.table, task="classify")
    assert again.multilabel and [e.labels for e in again.entries] == [e.labels for e in cases.entries]
    assert not [p for p in again.problems if p.code == "several-labels"], "declared, so nothing is guessed"


@pytest.mark.parametrize("task", ["detect", "instances"])
def test_boxes_and_objects_keep_their_column(task: str, tmp_path: Path) -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[2:4, 5:8] = 255
    rng = np.random.default_rng(0)
    for i in range(8):
        for kind, array in (("images", rng.integers(0, 99, (9, 9)).astype(np.uint8)), ("masks", mask)):
            folder = tmp_path / "set" / f"c{i}" / kind
            folder.mkdir(parents=True)
            PIL.Image.fromarray(array).save(folder / "a.png")
    cases = divide(layouts.read(tmp_path / "set", task=task))
    written = write_split(cases, tmp_path / "out" / "split.csv")
    header = written.table.read_text(encoding="utf-8-sig").splitlines()[0]
    assert ("boxes" if task == "detect" else "instances") in header.split(",")
    again = layouts.read(written.table, task=task)
    assert again.splits == cases.splits and [len(c.truth()) for c in again] == [1] * 8  # type: ignore[arg-type]
