"""Corrections: accepted as versions with author and date, refused where they cannot belong to the answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter import io
from isocenter.data import Image
from isocenter.errors import GeometryError, LabelError, NotFoundError, OutputError, UsageError
from isocenter.verbs.correct import correct


def answered(folder: Path, task: str = "instances/watershed_split") -> Path:
    """A picture of four bright squares, and what a method answers."""
    numbers = np.zeros((40, 40), np.uint8)
    for i in range(4):
        numbers[4 + 16 * (i // 2) : 14 + 16 * (i // 2), 4 + 16 * (i % 2) : 14 + 16 * (i % 2)] = 200
    (folder / "in").mkdir(parents=True)
    io.write(Image.from_array(numbers), folder / "in" / "slide.png")
    iso.predict(task, folder / "in" / "slide.png", out=folder / "out", threads=1)
    return folder / "out"


def edited(folder: Path, labels: np.ndarray, name: str = "mine.tif") -> Path:
    io.write(Image.from_array(labels), folder / name)
    return folder / name


def test_each_edit_is_a_version_and_the_answer_stays(tmp_path: Path) -> None:
    out = answered(tmp_path)
    first = (out / "slide.tif").read_bytes()
    labels, _ = io.read_labels(out / "slide.tif")
    labels = labels.astype(np.uint16)
    labels[labels == 1] = 0
    made = correct(out, "slide", edited(tmp_path, labels), by="A. Reader")
    assert made.item["version"] == 1 and made.item["changed_pixels"] == 100 and made.item["corrects"] == "slide.tif"
    assert made.item["date"].endswith("+00:00") and (out / "slide.tif").read_bytes() == first
    labels[30:33, 36:39] = 9
    again = correct(out, "slide", edited(tmp_path, labels, "more.tif"), by="B. Reader")
    assert again.item["version"] == 2 and again.item["corrects"] == "slide.v1.tif" and again.item["changed_pixels"] == 9
    record = json.loads((out / "corrections.json").read_text(encoding="utf-8"))
    assert [(i["file"], i["author"]) for i in record["items"]] == [
        ("slide.v1.tif", "A. Reader"), ("slide.v2.tif", "B. Reader"),
    ]  # fmt: skip
    assert again.lines()[-1] == f"next: isocenter check {out / 'corrected.csv'}"
    assert again.as_json()["sha256"] == again.item["sha256"]


def test_corrections_are_a_data_set_of_their_newest_versions(tmp_path: Path) -> None:
    out = answered(tmp_path)
    labels = io.read_labels(out / "slide.tif")[0].astype(np.uint16)
    for keep in (2, 3):
        labels[labels == keep] = 0
        table = correct(out, "slide", edited(tmp_path, labels, f"{keep}.tif"), by="A. Reader").table
    from isocenter.layouts import read

    cases = read(table, task="instances")
    assert len(cases) == 1 and len(cases[0].truth()) == 2
    assert cases.entries[0].notes["author"] == "A. Reader"
    scores = iso.evaluate("instances/watershed_split", table, split="all", threads=1)
    # Two of the four answered objects are still true.
    assert scores.metrics["ap50"]["object"].value == 0.5


def test_regions_keep_to_those_of_the_answer(tmp_path: Path) -> None:
    out = answered(tmp_path, "segment/histogram")
    labels = io.read_labels(out / "slide.png")[0].astype(np.uint8)
    labels[0, 0] = 7
    with pytest.raises(LabelError, match=r"does not know.*got 7"):
        correct(out, "slide", edited(tmp_path, labels, "odd.png"), by="A. Reader")
    labels[0, 0] = 1
    assert correct(out, "slide", edited(tmp_path, labels, "good.png"), by="A. Reader").item["changed_pixels"] == 1


def test_what_cannot_be_a_correction_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    out = answered(tmp_path)
    same = io.read_labels(out / "slide.tif")[0].astype(np.uint16)
    cases: list[tuple[type[Exception], str, str, np.ndarray, str]] = [
        (GeometryError, "another grid", "slide", np.ones((10, 10), np.uint16), "R"),
        (UsageError, "nothing was changed", "slide", same, "R"),
        (UsageError, "author", "slide", same, " "),
        (LabelError, "below 0.*Save it with numbers", "slide", same.astype(np.int16) - 1, "R"),
        (NotFoundError, "slide", "slid", same, "R"),
    ]
    for i, (error, words, name, labels, by) in enumerate(cases):
        with pytest.raises(error, match=words):
            correct(out, name, edited(tmp_path, labels, f"{i}.tif"), by=by)
    assert not list(out.glob("*.v1.*")) and not (out / "corrections.json").exists()
    with pytest.raises(NotFoundError, match="no answers lie here"):
        correct(tmp_path / "in", "slide", tmp_path / "1.tif", by="R")
    (out / "corrections.json").write_text("{", encoding="utf-8")
    with pytest.raises(OutputError, match="record of corrections"):
        correct(out, "slide", tmp_path / "1.tif", by="R")
