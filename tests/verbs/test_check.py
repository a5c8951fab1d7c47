from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from isocenter.data import Cases
from isocenter.errors import MissingFileError
from isocenter.simulate import cohort
from isocenter.verbs.check import check


def test_a_folder_is_checked_for_its_first_question(discs_folder: Path) -> None:
    made = check(discs_folder)
    assert made.found.task == "segment" and made.found.ok and made.exit_code == 0 and made.others == ("classify",)
    assert json.loads(json.dumps(made.as_json(), allow_nan=False))["other_tasks"] == ["classify"]
    assert made.lines()[-1] == f"next: isocenter train segment {discs_folder} -o BUNDLE --time 20m"


def test_cases_know_their_question(sizes: Cases) -> None:
    made = check(sizes)
    assert made.found.task == "classify" and made.found.counts["test"]


def test_what_is_wrong_is_described_not_refused(discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    shutil.copy(folder / "images" / "case00.png", folder / "images" / "case23.png")
    made = check(folder)
    assert not made.found.ok and made.exit_code == 1 and any(p.code == "leakage" for p in made.found.problems)
    assert made.lines()[-2:] == [
        "1 error above: correct that first", f"next: isocenter split {folder} --test 0.2 --val 0.1 -o TABLE.csv",
    ]


def test_what_cannot_be_read_is_corrected_and_checked_again(discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "my discs", split=False)
    (folder / "images" / "case00.png").write_bytes(b"")
    assert check(folder).lines()[-1] == f"next: isocenter check '{folder}'"


def test_without_train_nothing_is_trained_next(discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    table = next(folder.glob("*.csv"))
    table.write_text("\n".join(
        line for line in table.read_text("utf-8").splitlines() if "train" not in line and ",val" not in line
    ), encoding="utf-8")
    assert check(folder).lines()[-1] == f"next: isocenter evaluate segment/histogram {folder} --split test"
    assert "evaluate BUNDLE" in check(folder, task="classify").lines()[-1]


def test_unsplit_data_should_be_split_next(discs: Callable[..., Path], tmp_path: Path) -> None:
    assert "isocenter split" in check(discs(tmp_path / "discs", split=False)).lines()[-1]


def test_without_truth_the_images_alone_are_checked(discs_folder: Path, tmp_path: Path) -> None:
    made = check(discs_folder / "images")
    assert made.found.task == "" and made.found.cost is None and made.found.n_cases == 24
    assert any("images alone" in line for line in made.lines())
    assert made.lines()[-1] == f"next: isocenter predict segment/histogram {discs_folder / 'images'} -o OUT"
    with pytest.raises(MissingFileError):
        check(tmp_path / "gone")


@pytest.mark.parametrize("name", [
    "cardiac-mr-sunnybrook", "cells-tracking-cellphe", "chest-xray-lungs", "retina-chase-db1", "sts-pet-ct-mr",
])
def test_real_sets_can_be_checked(real_data: Callable[[str], Path], name: str) -> None:
    made = check(real_data(name))
    assert made.found.ok and made.found.n_cases > 1 and json.dumps(made.as_json(), allow_nan=False)


def test_a_group_that_is_no_subject_can_be_named(discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    assert check(folder).found.ok and not check(folder, group="eye").found.ok


@pytest.mark.parametrize(("task", "usual", "at_once"), [
    ("instances", "contours", "instances/watershed_split"), ("detect", "yolo", "detect/clusters"),
])  # fmt: skip
def test_objects_have_a_usual_network_and_a_method_that_needs_no_training(task: str, usual: str, at_once: str) -> None:
    cases = cohort(8, seed=0, kind="cells", task=task, shape=(32, 32))
    made = check(cases)
    assert made.found.task == task and made.found.method == usual and made.found.cost is not None
    assert made.lines()[-1] == f"next: isocenter train {task} DATA -o BUNDLE --time 20m"
    assert f"evaluate {at_once} " in check(cases.split("test")).lines()[-1]
    assert made.found.objects["train"]["small"] > 0


def test_a_network_that_is_not_counted_is_said() -> None:
    made = check(cohort(8, seed=0, kind="cells", task="instances", shape=(32, 32)), method="mask_rcnn")
    assert made.found.cost is None and "cost: not known for mask_rcnn" in made.lines()


def test_boxes_are_checked_and_counted(real_data: Callable[[str], Path]) -> None:
    made = check(real_data("blood-cells-bccd"), task="detect")
    assert {c: sum(n[c] for n in made.found.objects.values()) for c in ("RBC", "WBC", "Platelets")} == {
        "RBC": 3348, "WBC": 301, "Platelets": 292,
    }  # fmt: skip
    assert made.found.ok and "objects" in made.as_json()
    lines = made.lines()
    assert sum("without area was left out" in line for line in lines) == 2
    assert any("train: 2804 objects (Platelets 209, RBC 2381, WBC 214)" in line for line in lines)


def test_pairs_are_checked_and_nothing_is_to_be_trained(tmp_path: Path) -> None:
    for name in ("a", "b"):
        pixels = np.random.default_rng(ord(name)).integers(0, 255, (40, 50)).astype(np.uint8)
        Pillow.fromarray(pixels).save(tmp_path / f"{name}.png")
    (tmp_path / "l.csv").write_text(",X,Y\n1,2,3\n2,9,9\n")
    head = "fixed,moving,fixed_landmarks,moving_landmarks,split,subject\n"
    (tmp_path / "manifest.csv").write_text(head + "a.png,b.png,l.csv,l.csv,train,p\nb.png,a.png,l.csv,l.csv,test,q\n")
    found = check(tmp_path)
    assert found.found.task == "register"
    assert "isocenter evaluate register/landmarks" in found.lines()[-1]
    assert "no truth" not in "\n".join(found.lines())
    (tmp_path / "l.csv").write_text(",X\n1,2\n")
    assert any(p.code == "table" for p in check(tmp_path).found.problems)
