"""Several methods in one table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Run = Callable[..., CompletedProcess[str]]


def test_classical_methods_and_a_bundle_with_paired_tests_and_a_report(
    command: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path
) -> None:
    methods = f"histogram,given,{disc_bundle}"
    done = command("compare", "segment", discs_folder, "--methods", methods, "-o", tmp_path / "out", "--set",
                   "given.column=mask", "--set", "histogram.target=0", "--json", "--threads", 1)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert list(document["methods"]) == ["histogram", "given", "disc"]
    # The truth itself, as a method, is faultless and so the best on val.
    assert document["best"] == "given" and document["methods"]["given"]["metrics"]["dice"]["disc"]["value"] == 1.0
    assert {(t["a"], t["b"]) for t in document["tests"]} >= {("histogram", "given"), ("histogram", "disc")}
    fields = {"a", "b", "metric", "target", "difference", "low", "high", "p", "p_holm", "test", "flags"}
    assert all(set(t) == fields for t in document["tests"])
    # Three subjects are too few for a p.
    assert all(t["p"] is None and "few_subjects" in t["flags"] for t in document["tests"])
    assert (tmp_path / "out" / "report.html").is_file() and (tmp_path / "out" / "cases.csv").is_file()


def test_the_best_is_named_on_val(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    done = here("compare", "segment", discs_folder, "--methods", "histogram,given", "--set", "given.column=mask",
                "--set", "histogram.target=0", "-o", tmp_path / "out", "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert "best on val, named before test was opened: given" in done.stdout


def test_folds_answer_every_case_once(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    done = here("compare", "classify", discs_folder, "--methods", "linear,given", "--set", "given.column=label",
                   "--folds", 3, "-o", tmp_path / "out", "--json", "--threads", 1)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["split"] == "3 folds" and document["methods"]["linear"]["n_cases"] == 24
    assert document["methods"]["linear"]["n_subjects"] == 12
    # Twelve subjects are enough for a p.
    assert any(t["p"] is not None for t in document["tests"])


def test_what_is_malformed(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    line = ("compare", "segment", discs_folder, "-o", tmp_path / "out", "--methods")
    done = here(*line, "histogram,histogram")
    assert done.returncode == 2 and "every method once" in done.stderr
    done = here(*line, "histogram,histgram")
    assert done.returncode == 1 and "segment/histogram" in done.stderr
    done = here(*line, "histogram,morphology", "--set", "levls=3")
    assert done.returncode == 1 and "Did you mean levels?" in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_a_folder_named_reports_are_numbered(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    for n in (1, 2):
        done = here("compare", "segment", discs_folder, "--methods", "histogram", "--threads", 1, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "runs" / f"compare-{n}" / "report.html").is_file()
