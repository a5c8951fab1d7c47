"""From a folder to a bundle, interrupted or not."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]
TINY = ("--epochs", "2", "--steps", "4", "--patch", "32,32", "--set", "width=8", "--batch-size", "2", "--threads", "1")


def digests(bundle: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(bundle.iterdir())}


def test_linear_from_folder_to_bundle_to_score(command: Run, discs_folder: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "big.bundle"
    done = command("train", "classify", discs_folder, "--method", "linear", "-o", bundle, "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"next: isocenter evaluate {bundle} {discs_folder} --split test"
    assert not bundle.with_name("big.bundle.part").exists() and not bundle.with_name("big.bundle.lock").exists()
    assert (tmp_path / "big.report" / "report.html").is_file()
    scored = command("evaluate", bundle, discs_folder, "--json", "--threads", 1)
    assert json.loads(scored.stdout)["metrics"]["auc"]["all"]["value"] == 1.0
    seen = command("evaluate", bundle, discs_folder, "--split", "train")
    assert seen.returncode == 1 and "were studied by this bundle" in seen.stderr


def test_a_bundle_says_what_made_it_and_where_each_value_came_from(
    here: Run, discs_folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "big.bundle"
    here("train", "classify", discs_folder, "--method", "linear", "-o", bundle, "--set", "penalty=0.1", "--seed", 5)
    about = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    assert about["origins"]["penalty"] == "--set" and about["about"]["recipe"]["penalty"] == 0.1
    assert about["made"]["seed"] == 5 and about["made"]["isocenter"]
    assert len(about["fingerprint"]["train"]) == 14 and len(about["fingerprint"]["val"]) == 4
    assert "case00" not in json.dumps(about["fingerprint"]) and "p00" not in json.dumps(about)


def test_unsplit_data_are_split_and_that_is_said_and_kept(
    here: Run, discs: Callable[..., Path], tmp_path: Path
) -> None:
    folder = discs(tmp_path / "discs", split=False)
    done = here("train", "classify", folder, "--method", "linear", "-o", tmp_path / "x.bundle", "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert "note: the data came unsplit: split by group with seed 0" in done.stdout
    assert "split" not in (folder / "manifest.csv").read_text(encoding="utf-8").splitlines()[0], "inputs stay untouched"
    following = done.stdout.splitlines()[-1].removeprefix("next: isocenter ").split()
    scored = here(*following, "--json", "--threads", 1)
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["split"] == "test"


def test_without_val_it_is_refused_until_somebody_says_whence(
    here: Run, discs: Callable[..., Path], tmp_path: Path
) -> None:
    folder = discs(tmp_path / "discs")
    table = folder / "manifest.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",val", ",train"), encoding="utf-8")
    line = ("train", "classify", folder, "--method", "linear", "-o", tmp_path / "x.bundle", "--threads", 1)
    done = here(*line)
    assert done.returncode == 1 and "--val-from train" in done.stderr
    done = here(*line, "--val-from", "train")
    assert done.returncode == 0 and "val was cut from train by group" in done.stdout, done.stderr


def test_leakage_is_refused_or_recorded(here: Run, discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    table = folder / "manifest.csv"
    # The last patient of test also stands in train.
    table.write_text(table.read_text(encoding="utf-8").replace("p11,R,51,test", "p11,R,51,train"), encoding="utf-8")
    line = ("train", "classify", folder, "--method", "linear", "-o", tmp_path / "x.bundle", "--threads", 1)
    done = here(*line)
    assert done.returncode == 1 and "one group stands on 2 sides" in done.stderr
    assert not (tmp_path / "x.bundle").exists() and not (tmp_path / "x.bundle.part").exists()
    assert here(*line, "--allow", "leakage").returncode == 2
    done = here(*line, "--allow", "leakage", "--because", "two eyes, two diseases")
    assert done.returncode == 0 and "leakage allowed: two eyes, two diseases" in done.stdout, done.stderr
    assert "two eyes, two diseases" in (tmp_path / "x.bundle" / "card.md").read_text(encoding="utf-8")


def test_the_same_training_gives_the_same_bytes_and_an_unfinished_one_is_resumed(
    command: Run, discs_folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    whole = tmp_path / "whole.bundle"
    done = command("train", "segment", discs_folder, "-o", whole, *TINY)
    assert done.returncode == 0, done.stderr
    bundle = tmp_path / "killed.bundle"
    words = ["train", "segment", str(discs_folder), "-o", str(bundle), *TINY]
    with subprocess.Popen(
        [sys.executable, "-m", "isocenter", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        time.sleep(2.5)
        process.send_signal(signal.SIGKILL)
    assert not bundle.exists() or digests(bundle) == digests(whole), "a bundle is whole or absent"
    done = command(*words, "--resume")
    assert done.returncode == 0, done.stderr
    assert digests(bundle) == digests(whole)


def test_an_unfinished_run_is_neither_lost_nor_mixed(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    part = tmp_path / "x.bundle.part"
    part.mkdir()
    (part / "plan.json").write_text("{}")
    line = ("train", "classify", discs_folder, "--method", "linear", "-o", tmp_path / "x.bundle", "--threads", 1)
    done = here(*line)
    assert done.returncode == 1 and "--resume" in done.stderr and (part / "plan.json").is_file()
    assert here(*line, "--overwrite").returncode == 0
    done = here(*line)
    assert done.returncode == 1 and "exists" in done.stderr


def test_several_seeds_report_their_spread(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    done = here(
        "train",
        "classify",
        discs_folder,
        "--method",
        "linear",
        "-o",
        tmp_path / "x.bundle",
        "--seeds",
        2,
        "--folds",
        3,
        "--json",
        "--threads",
        1,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert set(document["seeds"]) == {"0", "1"}
    assert document["folds"]["split"] == "3 folds" and document["folds"]["n_cases"] == 18


def test_ctrl_c_ends_with_130_and_the_way_to_go_on(discs_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    words = ["train", "segment", str(discs_folder), "-o", str(tmp_path / "x.bundle"), *TINY, "--epochs", "100000"]
    # A runner in the background ignores SIGINT and its children inherit that; a person's shell does not.
    start = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    start += "from isocenter.faces.cli import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", start, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stderr is not None and process.stdout is not None
        for line in process.stderr:
            if line.startswith("train"):
                process.send_signal(signal.SIGINT)
                break
        said = process.stderr.read()
        assert process.stdout.read() == ""
    assert process.returncode == 130
    last = said.strip().splitlines()[-1]
    assert "interrupted" in last and last.endswith("--resume") and "Traceback" not in said
    assert not (tmp_path / "x.bundle").exists()
