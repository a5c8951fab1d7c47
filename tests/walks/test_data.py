"""look, check, split: before any method is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Run = Callable[..., CompletedProcess[str]]


def test_look_at_a_folder_and_a_file(command: Run, discs_folder: Path) -> None:
    done = command("look", discs_folder, "--json")
    document = json.loads(done.stdout)
    assert document["kind"] == "data set" and document["n_cases"] == 24 and document["n_subjects"] == 12
    assert document["splits"] == {"train": 14, "val": 4, "test": 6} and set(document["tasks"]) == {
        "segment",
        "classify",
    }
    done = command("look", discs_folder / "images" / "case00.png", discs_folder)
    assert done.returncode == 0 and "48 x 48" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("next: isocenter ")


def test_look_describes_what_cannot_be_read(here: Run, tmp_path: Path, discs_folder: Path) -> None:
    torn = tmp_path / "torn.png"
    torn.write_bytes((discs_folder / "images" / "case00.png").read_bytes()[:200])
    done = here("look", torn)
    assert "error:" in done.stdout and "torn.png" in done.stdout and "Traceback" not in done.stderr
    (tmp_path / "text.png").write_text("no picture")
    done = here("look", tmp_path / "text.png")
    assert done.returncode == 1 and "unreadable" in done.stdout
    assert here("look", tmp_path / "text.png", discs_folder).returncode == 3


def test_check_says_what_it_can_prove_and_costs(here: Run, discs_folder: Path) -> None:
    done = here("check", discs_folder)
    assert done.returncode == 0, done.stderr
    assert "can prove:" in done.stdout and "cost:" in done.stdout and "--task" in done.stdout
    document = json.loads(here("check", discs_folder, "--task", "classify", "--json").stdout)
    assert document["ok"] and document["counts"]["test"] == {"big": 2, "small": 4}


def test_split_writes_a_new_table_that_train_can_read(here: Run, discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs", split=False)
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    table = tmp_path / "new" / "split.csv"
    done = here("split", folder, "--test", 0.25, "--val", 0.25, "-o", table, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["splits"] == {"train": 12, "test": 6, "val": 6} or sum(
        json.loads(done.stdout)["splits"].values()
    ) == 24
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before
    looked = json.loads(here("look", table, "--json").stdout)
    assert looked["n_subjects"] == 12 and set(looked["splits"]) == {"train", "val", "test"}
    again = here("split", folder, "-o", table)
    assert again.returncode == 1 and "--overwrite" in again.stderr
    same = json.loads(
        here("split", folder, "--test", 0.25, "--val", 0.25, "-o", tmp_path / "b" / "s.csv", "--json").stdout
    )
    assert same["splits"] == json.loads(done.stdout)["splits"]
    assert (tmp_path / "b" / "s.csv").read_text() == table.read_text(), "the same seed deals the same"


def test_folds(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    done = here("split", discs_folder, "--folds", 4, "-o", tmp_path / "f.csv", "--json")
    splits = json.loads(done.stdout)["splits"]
    assert set(splits) == {"fold1", "fold2", "fold3", "fold4"} and sum(splits.values()) == 24
    done = here("split", discs_folder, "--folds", 13, "-o", tmp_path / "g.csv")
    assert done.returncode == 1 and "too few groups" in done.stderr
