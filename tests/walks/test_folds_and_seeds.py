"""Several seeds, folds, val cut from train, columns apart, abstaining: each end to end on a tiny set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Case, NotEvaluated, Segmentation

Run = Callable[..., CompletedProcess[str]]
TINY = (
    *("--set", "width=4", "--set", "depth=2", "--set", "study.epochs=1", "--set", "study.steps=2"),
    *("--patch", "32,32", "--batch-size", 2, "--threads", 1, "--quiet"),
)


def document(done: CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    assert "NaN" not in done.stdout and "Infinity" not in done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_seeds_and_folds_of_a_network(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    bundle = tmp_path / "x.bundle"
    line = ("train", "segment", discs_folder, "-o", bundle, *TINY, "--seeds", 2, "--folds", 2, "--seed", 7)
    found = document(here(*line, "--json"))
    assert set(found["seeds"]) == {"7", "8"}
    values = {seed: m["dice"]["all"]["value"] for seed, m in found["seeds"].items()}
    assert values["7"] != values["8"]
    best = max(values, key=lambda s: values[s])
    kept = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))["made"]["seed"]
    assert str(kept) == best and f"of 2 seeds, {best} was the best on val" in " ".join(found["notes"])
    # Test is not among the folds: it must stay unseen.
    assert found["folds"]["split"] == "2 folds" and found["folds"]["n_cases"] == 18
    assert found["folds"]["engine"] == "onnxruntime" and found["folds"]["metrics"]["dice"]["all"]["n"] == 18
    assert not bundle.with_name("x.bundle.part").exists()
    page = (tmp_path / "x.report" / "report.html").read_text(encoding="utf-8")
    assert "fold" in page or "seed" in page
    text = here(*line, "--overwrite")
    assert "spread over 2 seeds on val, dice all: mean" in text.stdout and "over 2 folds, every case" in text.stdout


def test_compare_over_folds_trains_anew_in_each(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = document(here(
        "compare", "segment", discs_folder, "--methods", "histogram,unet", "--folds", 2, *TINY, "-o", tmp_path / "out",
        "--json",
    ))
    assert found["split"] == "2 folds" and found["best"] == "histogram"
    assert found["methods"]["unet"]["engine"] == "onnxruntime" and found["methods"]["histogram"]["engine"] == "numpy"
    assert {m: s["n_cases"] for m, s in found["methods"].items()} == {"histogram": 24, "unet": 24}
    assert any(n.startswith("chosen on val inside each fold: histogram 2 of 2") for n in found["notes"])
    lead = [t for t in found["tests"] if t["metric"] == "dice"]
    assert lead and all(t["low"] > 0 for t in lead), "bright discs are easy for a threshold, two steps teach nothing"
    assert found["training"]["unet"]["seconds"] > 0
    assert (tmp_path / "out" / "report.html").is_file()


def test_every_subject_in_turn(here: Run, discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs", subjects=6)
    found = document(here(
        "compare", "classify", folder, "--methods", "linear", "--folds", "subject", "--threads", 1, "--quiet", "-o",
        tmp_path / "out", "--json",
    ))
    assert found["split"] == "every subject in turn" and found["methods"]["linear"]["n_subjects"] == 6
    done = here("compare", "classify", folder, "--methods", "linear", "--folds", 99, "-o", tmp_path / "two")
    assert done.returncode == 1 and "too few groups" in done.stderr and not (tmp_path / "two").exists()


def test_val_from_train_keeps_patients_whole_and_test_untouched(
    here: Run, discs: Callable[..., Path], tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    folder = discs(tmp_path / "discs")
    table = folder / "manifest.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",val", ",train"), encoding="utf-8")
    found = document(here(
        "train", "segment", folder, "-o", tmp_path / "x.bundle", *TINY, "--val-from", "train", "--json",
    ))
    assert found["splits"]["test"] == 6 and found["splits"]["train"] + found["splits"]["val"] == 18
    assert found["splits"]["val"] % 2 == 0, "two cases a patient"
    assert any("val was cut from train by group" in n for n in found["notes"])
    assert found["val"]["n_cases"] == found["splits"]["val"]
    prints = json.loads((tmp_path / "x.bundle" / "bundle.json").read_text(encoding="utf-8"))["fingerprint"]
    assert (len(prints["train"]), len(prints["val"])) == (found["splits"]["train"], found["splits"]["val"])


def test_val_is_not_cut_where_there_is_one(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    done = here(
        "train", "classify", discs_folder, "--method", "linear", "-o", tmp_path / "x.bundle", "--val-from", "train"
    )
    assert done.returncode == 2 and "have a val split already" in done.stderr and "--val-from" in done.stderr


class Careful:
    """Answers only pictures of left eyes, and calls bright pixels disc."""

    task, name = "segment", "careful"

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        if case.notes.get("eye") == "R":
            return NotEvaluated("a right eye", "R", "L")
        image = case.image()
        return Segmentation((image.pixels() > 105).astype(np.uint8), ("background", "disc"), image.geometry)


def test_abstaining_counts_as_empty_or_is_reported_beside(discs_folder: Path) -> None:
    plain = iso.evaluate(Careful(), discs_folder)
    told = iso.evaluate(Careful(), discs_folder, abstain="report", by="eye")
    whole = told.metrics["dice"]["disc"]
    assert whole.value == plain.metrics["dice"]["disc"].value and whole.n == 6
    assert 0.45 < whole.value <= 0.5 and "coverage" not in plain.metrics
    answered = told.metrics["dice_answered"]["disc"]
    assert answered.value > 0.95 and answered.n == 3 and "answered_only" in answered.flags
    assert told.metrics["coverage"]["all"].value == 0.5
    assert any("3 of 6 cases not evaluated" in n for n in told.notes)
    # Apart as a whole: the same way of counting.
    left, right = told.by["eye L"].metrics, told.by["eye R"].metrics
    assert left["coverage"]["all"].value == 1.0 and right["coverage"]["all"].value == 0.0
    assert left["dice"]["disc"].value == answered.value and right["dice"]["disc"].value == 0.0
    assert "dice_answered" not in right


def test_by_a_column_on_the_command_line(here: Run, discs_folder: Path) -> None:
    line = ("evaluate", "segment/histogram", discs_folder, "--quiet", "--threads", 1)
    found = document(here(*line, "--by", "eye", "--abstain", "report", "--json"))
    assert list(found["by"]) == ["eye L", "eye R"] and found["metrics"]["coverage"]["all"]["value"] == 1.0
    assert all(m["dice"]["disc"]["n"] == 3 for m in found["by"].values())
    text = here(*line, "--by", "label").stdout
    assert "label big: " in text or "label small: " in text
    done = here(*line, "--by", "eyes")
    assert done.returncode == 1 and "no column 'eyes'" in done.stderr and "eye" in done.stderr
    assert here(*line, "--abstain", "maybe").returncode == 2
