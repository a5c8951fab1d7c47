"""From an image to a written answer, as a person does it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
from PIL import Image

Run = Callable[..., CompletedProcess[str]]


def read_labels(path: Path) -> Any:
    return np.asarray(Image.open(path))


def test_a_bundle_answers_one_image_with_the_numbers_of_its_training(
    command: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path
) -> None:
    done = command("predict", disc_bundle, discs_folder / "images" / "case00.png", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    labels = read_labels(tmp_path / "out" / "case00.png")
    truth = read_labels(discs_folder / "masks" / "case00.png")
    assert set(np.unique(labels)) == {0, 255}
    assert 2 * np.sum((labels > 0) & (truth > 0)) / (np.sum(labels > 0) + np.sum(truth > 0)) > 0.95
    assert (tmp_path / "out" / "case00_overlay.png").is_file()
    assert done.stdout.splitlines()[-1].startswith("next: isocenter explain")


def test_the_record_names_what_made_the_answer(
    command: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path
) -> None:
    done = command("predict", disc_bundle, discs_folder / "images" / "case01.png", "-o", tmp_path / "out", "--json")
    assert json.loads(done.stdout)["items"][0]["status"] == "answered"
    item = json.loads((tmp_path / "out" / "predictions.json").read_text(encoding="utf-8"))["items"][0]
    assert len(item["sha256"]) == 64 and len(item["made"]["bundle_sha256"]) == 64
    assert item["made"]["method"] == "segment/unet" and item["made"]["engine"] == "onnxruntime"
    assert item["answer"]["disc pixels"] == int(np.sum(read_labels(tmp_path / "out" / "case01.png") > 0))


def test_one_bad_case_among_many_is_listed_and_the_rest_goes_on(
    command: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "in"
    data.mkdir()
    for name in ("case00.png", "case01.png"):
        shutil.copy(discs_folder / "images" / name, data)
    whole = (discs_folder / "images" / "case02.png").read_bytes()
    (data / "torn.png").write_bytes(whole[: len(whole) // 2])
    done = command("predict", disc_bundle, data, "-o", tmp_path / "out")
    assert done.returncode == 3, done.stderr
    with (tmp_path / "out" / "problems.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1 and "torn.png" in rows[0]["where"] and rows[0]["code"] == "unreadable"
    assert sorted(p.name for p in (tmp_path / "out").glob("case0?.png")) == ["case00.png", "case01.png"]
    assert "Traceback" not in done.stderr


def test_a_second_run_does_only_what_is_missing(
    command: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path
) -> None:
    images = [discs_folder / "images" / f"case0{i}.png" for i in range(2)]
    out = tmp_path / "out"
    assert command("predict", disc_bundle, images[0], "-o", out).returncode == 0
    before = (out / "case00.png").stat().st_mtime_ns
    done = command("predict", disc_bundle, *images, "-o", out, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["skipped"] == 1
    assert (out / "case00.png").stat().st_mtime_ns == before
    assert (out / "case01.png").is_file()


def test_nothing_is_overwritten_unless_it_is_said(
    command: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path
) -> None:
    image = discs_folder / "images" / "case00.png"
    out = tmp_path / "out"
    out.mkdir()
    (out / "case00.png").write_bytes(b"mine")
    done = command("predict", disc_bundle, image, "-o", out)
    assert done.returncode == 1 and "--overwrite" in done.stderr and (out / "case00.png").read_bytes() == b"mine"
    assert command("predict", disc_bundle, image, "-o", out, "--overwrite").returncode == 0
    assert (out / "case00.png").read_bytes() != b"mine"


def test_a_named_file_decides_the_format(command: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "answer.nii.gz"
    done = command("predict", disc_bundle, discs_folder / "images" / "case00.png", "-o", target)
    assert done.returncode == 0, done.stderr
    assert target.is_file() and json.loads((tmp_path / "answer.nii.gz.json").read_text())["status"] == "answered"
    done = command("predict", disc_bundle, discs_folder / "images", "-o", tmp_path / "other.png")
    assert done.returncode == 2 and "one file for several inputs" in done.stderr


def test_prediction_of_a_2d_image_is_quick_and_free_of_torch(
    command: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path, repository: Path
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('torch is blocked')\n", encoding="utf-8")
    blocked = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(repository / "src")])}
    image, times = discs_folder / "images" / "case00.png", []
    for i in range(3):
        start = time.perf_counter()
        done = command("predict", disc_bundle, image, "-o", tmp_path / f"out{i}", "--threads", 1, env=blocked)
        times.append(time.perf_counter() - start)
        assert done.returncode == 0, done.stderr
    # From the start of the process to its end.
    assert min(times) <= 2.5
