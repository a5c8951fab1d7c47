"""Whatever a table, a declaration or a folder holds: a refusal that a person can read, never a traceback."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Cases
from isocenter.errors import IsocenterError
from isocenter.inspect import look

CELLS = [
    "", "a.png", "b.png", "gone.png", "\0", "x" * 5000 + ".png", "a report. It goes on and on. " * 40, "1", "1.0",
    "nan", "x.npz#images[0]", "x.npz#images[99]", "x.npz#other[0]", "#", "a.png#x", "NaN", "-1e999", "ä", "=1+1",
    " a.png ", "train", "test", "\u202e", "a\tb", '"', "manifest.csv", "~", "C:\\x.png",
]
COLUMNS = ["image", "file", "mask", "label", "subject", "group", "split", "fixed", "moving", "Image", "frame", "", "x"]
VALUES: list[Any] = [
    None, 1, 0, -1, 2**70, 1.5, "image", "label", "x", [], {}, ["x"], {"file": "a"}, True, "manifest.csv", "é",
]
KEYS = [
    "format", "table", "tables", "case", "role", "frame", "subject", "group", "split", "facts", "truth", "allow", "odd",
]


def told(action: Callable[[], object]) -> None:
    try:
        action()
    except IsocenterError as error:
        assert "\n" not in error.line() and len(error.line()) < 20_000


@pytest.fixture
def place(folder: Any) -> Path:
    folder.png("a.png"), folder.png("b.png", np.ones((4, 5), np.uint8))
    np.savez(folder.path / "x.npz", images=np.zeros((2, 6, 7)))
    return folder.path


def random_table(rng: random.Random) -> str:
    columns = [rng.choice(COLUMNS) for _ in range(rng.randint(1, 5))]
    rows = [[rng.choice(CELLS) for _ in range(len(columns) + (rng.random() < 0.05))] for _ in range(rng.randint(0, 5))]
    return "\n".join(",".join(cells) for cells in [columns, *rows])


@pytest.mark.parametrize("seed", range(12))
def test_random_tables(place: Path, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(30):
        (place / "manifest.csv").write_text(random_table(rng), encoding="utf-8")
        for task in (None, "segment", "classify", "track"):
            told(lambda task=task: read_all(layouts.survey(place, task=task)))
            told(lambda task=task: layouts.read(place / "manifest.csv", task=task, group="x", role="a"))
        assert look(place, read=layouts.survey).lines()


def read_all(cases: Cases) -> None:
    for entry in cases.entries:
        told(lambda entry=entry: entry.open().truth())


@pytest.mark.parametrize("seed", range(8))
def test_random_declarations(place: Path, seed: int) -> None:
    rng = random.Random(seed)
    (place / "manifest.csv").write_text("image,mask,label,frame\na.png,b.png,x,1\nb.png,b.png,y,2\n")
    for _ in range(50):
        document: dict[str, Any] = {"format": 1} if rng.random() < 0.9 else {}
        for key in rng.sample(KEYS, rng.randint(1, 4)):
            document[key] = rng.choice(VALUES)
        if rng.random() < 0.5:
            about = {k: rng.choice(VALUES) for k in rng.sample(["column", "role", "labels", "positive"], 2)}
            document["truth"] = {rng.choice(["segment", "classify", "track"]): about}
        (place / "cases.json").write_text(json.dumps(document))
        for task in (None, "segment", "classify"):
            told(lambda task=task: read_all(layouts.survey(place, task=task)))


@pytest.mark.parametrize("name", ["dataset.json", "Dataset.json"])
def test_random_documents_of_other_conventions(place: Path, name: str) -> None:
    rng = random.Random(0)
    keys = ["training", "test", "modality", "channel_names", "labels", "numTraining", "file_ending", "dataset", "name"]
    (place / "imagesTr").mkdir()
    (place / "imagesTr" / "a_0000.png").write_bytes((place / "a.png").read_bytes())
    for _ in range(80):
        document = {k: rng.choice([*VALUES, {"0": "a"}, {"a": 1}, [{"image": "a.png"}]]) for k in rng.sample(keys, 4)}
        (place / name).write_text(json.dumps(document))
        told(lambda: read_all(layouts.survey(place, task="segment")))


@pytest.mark.parametrize("path", ["\0", "x" * 5000, "", "{", "{a}/{b}", "/dev/null", "a.npz#b[0]", "~nobody/at/all"])
def test_paths_that_are_none(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told(lambda: layouts.read(path))
    assert look(path, read=layouts.survey).kind == "unreadable"


def test_links_that_go_in_circles(place: Path) -> None:
    (place / "loop").symlink_to(place)
    assert len(layouts.read(place).entries) == 2
    (place / "self.png").symlink_to(place / "self.png")
    assert len(layouts.read(place).entries) == 2


def test_a_report_in_a_cell_is_text(place: Path) -> None:
    text = "No focal lesion. Heart size normal. " * 20
    (place / "manifest.csv").write_text(f'image,label,report\na.png,0,"{text}"\nb.png,1,"{text}"\n')
    cases = layouts.read(place, task="classify", facts=["report"])
    assert cases[0].facts["report"] == text.strip() and cases.tasks == ("classify",)
    (place / "manifest.csv").write_text(f'image,label\na.png,"{text}"\nb.png,none\n')
    assert len(layouts.read(place, task="classify").classes) == 2
