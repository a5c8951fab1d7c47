"""From a folder to a table with intervals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]


def test_a_classical_method_on_a_folder(command: Run, discs_folder: Path) -> None:
    done = command("evaluate", "segment/histogram", discs_folder, "--split", "test", "--threads", 1)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "segment by histogram on discs, split test: 6 cases, 3 subjects"
    assert any(line.startswith("dice ") and "disc" in line and "few_subjects" in line for line in lines)
    assert lines[-1].startswith("next: isocenter compare segment ")


def test_the_json_document_is_that_of_the_design(here: Run, discs_folder: Path) -> None:
    done = here("evaluate", "segment/histogram", discs_folder, "--json", "--threads", 1, "--by", "eye")
    document = json.loads(done.stdout)
    assert document["format"] == 1 and document["task"] == "segment" and document["split"] == "test"
    assert (document["n_cases"], document["n_subjects"], document["n_refused"]) == (6, 3, 0)
    assert set(document["interval"]) == {"kind", "by", "level", "resamples"}
    score = document["metrics"]["dice"]["disc"]
    assert (
        set(score) == {"value", "low", "high", "n", "unit", "flags"} and score["low"] <= score["value"] <= score["high"]
    )
    assert score["value"] > 0.95 and score["n"] == 6
    assert document["threads"] == 1 and document["engine"] == "numpy" and document["peak_mb"] > 0
    assert set(document["by"]) == {"eye L", "eye R"}
    assert "NaN" not in done.stdout


def test_a_bundle_and_a_report(here: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path) -> None:
    done = here("evaluate", disc_bundle, discs_folder, "-o", tmp_path / "report", "--json", "--threads", 1)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["engine"] == "onnxruntime" and document["metrics"]["dice"]["disc"]["value"] > 0.95
    page = Path(document["report"]).read_text(encoding="utf-8")
    assert "<html" in page and "http://" not in page.replace("http://www.w3.org", "")
    assert (tmp_path / "report" / "cases.csv").is_file()


@pytest.mark.parametrize("split", ["tset", "holdout"])
def test_a_split_that_does_not_exist_is_refused(here: Run, discs_folder: Path, split: str) -> None:
    done = here("evaluate", "segment/histogram", discs_folder, "--split", split)
    assert done.returncode == 1 and f"no split '{split}'" in done.stderr and done.stdout == ""


def test_a_method_is_not_scored_on_what_it_learns_from(here: Run, discs_folder: Path) -> None:
    done = here("evaluate", "segment/histogram", discs_folder, "--split", "train")
    assert done.returncode == 2 and "learns from train" in done.stderr


def test_a_network_must_be_trained_first(here: Run, discs_folder: Path) -> None:
    done = here("evaluate", "segment/unet", discs_folder)
    assert done.returncode == 1 and "isocenter train segment" in done.stderr


def test_second_observers_stand_in_the_same_table(here: Run, real_data: Callable[[str], Path]) -> None:
    data = real_data("retina-chase-db1")
    done = here("evaluate", "segment/given", data, "--set", "column=mask_second_observer", "--json", "--threads", 1)
    document = json.loads(done.stdout)
    # The figure that the set's own description gives for the second observer on these four images.
    assert document["metrics"]["dice"]["vessel"]["value"] == pytest.approx(0.777, abs=0.001)
    assert document["n_cases"] == 4 and document["n_subjects"] == 2
    assert "few_subjects" in document["metrics"]["dice"]["vessel"]["flags"]


def test_one_bad_case_among_many(here: Run, discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    torn = folder / "images" / "case23.png"
    torn.write_bytes(torn.read_bytes()[:300])
    done = here("evaluate", "segment/histogram", folder, "--json", "--threads", 1)
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert document["n_refused"] == 1 and document["n_cases"] == 5
    assert document["problems"][0]["code"] == "unreadable" and "case23" in document["problems"][0]["where"]
