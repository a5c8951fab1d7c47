"""What would flatter or mislead is refused: cases studied before, classes never met, labels outside the set."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image as Pillow

import isocenter as iso
from isocenter.errors import LabelError, LeakageError

Run = Callable[..., CompletedProcess[str]]
Make = Callable[..., Path]


@pytest.mark.parametrize("fixture", ["trained_segmenter", "trained_classifier"])
@pytest.mark.parametrize("split", ["train", "val", "all"])
def test_a_network_is_not_scored_on_what_it_studied(
    here: Run, request: pytest.FixtureRequest, discs_folder: Path, fixture: str, split: str
) -> None:
    bundle = request.getfixturevalue(fixture)
    done = here("evaluate", bundle, discs_folder, "--split", split)
    assert done.returncode == 1 and "were studied by this bundle" in done.stderr and done.stdout == ""
    assert here("evaluate", bundle, discs_folder, "--split", "test", "--quiet", "--threads", 1).returncode == 0


def test_a_copy_under_another_name_is_known_by_its_pixels(
    here: Run, trained_segmenter: Path, discs: Make, tmp_path: Path
) -> None:
    folder = discs(tmp_path / "discs")
    table = folder / "manifest.csv"
    # A picture of train, renamed, stored as TIFF, under another patient's name, in test.
    pixels = np.asarray(Pillow.open(folder / "images" / "case00.png"))
    iso.write(pixels, folder / "images" / "other.tif")
    row = "images/other.tif,masks/case00.png,big,p99,L,70,test\n"
    table.write_text(table.read_text(encoding="utf-8") + row, encoding="utf-8")
    done = here("evaluate", trained_segmenter, folder, "--split", "test")
    assert done.returncode == 1 and "1 case of 7 were studied by this bundle" in done.stderr


def test_compare_refuses_a_bundle_that_has_studied_the_cases(
    here: Run, trained_segmenter: Path, discs_folder: Path, tmp_path: Path
) -> None:
    line = ("compare", "segment", discs_folder, "--methods", f"histogram,{trained_segmenter}", "-o", tmp_path / "out")
    done = here(*line, "--split", "val")
    assert done.returncode == 1 and "were studied by this bundle" in done.stderr
    done = here(*line, "--folds", 3)
    assert done.returncode == 1 and "were studied by this bundle" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_same_in_python_before_it_was_ever_saved(discs_folder: Path) -> None:
    made = iso.train("classify", discs_folder, method="linear", threads=1)
    with pytest.raises(LeakageError, match="14 cases of 14 were studied"):
        iso.evaluate(made, discs_folder, split="train")
    assert iso.evaluate(made, discs_folder).metrics["auc"]["all"].value == 1.0


def relabelled(folder: Path, split: str, to: str) -> Path:
    """The table with the class of every big disc of one split changed."""
    table = folder / "manifest.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    changed = [x.replace(",big,", f",{to},") if x.endswith(f",{split}") else x for x in lines]
    table.write_text("\n".join(changed) + "\n", encoding="utf-8")
    about = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    about["truth"]["classify"] = {"column": "label"}
    (folder / "cases.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_class_that_train_lacks(here: Run, discs: Make, tmp_path: Path, split: str) -> None:
    folder = relabelled(discs(tmp_path / "discs"), split, "huge")
    done = here("train", "classify", folder, "--method", "linear", "-o", tmp_path / "x.bundle")
    assert done.returncode == 1 and "unknown to train" in done.stderr and "huge" in done.stderr
    assert not (tmp_path / "x.bundle").exists() and not (tmp_path / "x.bundle.part").exists()
    if split == "test":
        done = here("evaluate", "classify/linear", folder)
        assert done.returncode == 1 and "unknown to train" in done.stderr
        done = here("compare", "classify", folder, "--methods", "linear", "-o", tmp_path / "out")
        assert done.returncode == 1 and "unknown to train" in done.stderr


def test_a_class_that_a_bundle_has_never_met(
    here: Run, trained_classifier: Path, discs: Make, tmp_path: Path
) -> None:
    folder = relabelled(discs(tmp_path / "discs"), "test", "huge")
    done = here("evaluate", trained_classifier, folder)
    assert done.returncode == 1 and "does not know 1 class" in done.stderr and "huge" in done.stderr


def test_a_class_outside_the_declared_set(here: Run, discs: Make, tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    about = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    about["truth"]["classify"]["labels"] = {"big": "big", "tiny": "tiny"}
    (folder / "cases.json").write_text(json.dumps(about), encoding="utf-8")
    done = here("evaluate", "classify/linear", folder)
    assert done.returncode == 1 and "a class outside the declared set" in done.stderr and "got small" in done.stderr
    looked = here("check", folder, "--task", "classify", "--json")
    assert looked.returncode == 1 and "outside the declared set" in looked.stdout


def test_a_mask_with_numbers_outside_the_declared_set(here: Run, discs: Make, tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    path = folder / "masks" / "case22.png"
    mask = np.array(Pillow.open(path))
    mask[:3, :3] = 77
    Pillow.fromarray(mask).save(path)
    done = here("evaluate", "segment/histogram", folder, "--json", "--threads", 1)
    # One bad case among many: the rest goes on.
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert found["n_refused"] == 1 and found["n_cases"] == 5 and found["problems"][0]["code"] == "label"
    assert "77 (9 pixels)" in found["problems"][0]["got"] and "255 disc" in found["problems"][0]["wanted"]
    done = here("check", folder, "--task", "segment")
    assert done.returncode == 1 and "values outside the declared set: got 77" in done.stdout
    with pytest.raises(LabelError, match="outside the declared set"):
        next(c for c in _cases(folder) if c.id.endswith("case22")).truth()


def _cases(folder: Path) -> iso.Cases:
    from isocenter import layouts

    return layouts.read(folder, task="segment")


def test_a_bundle_asked_about_other_regions(here: Run, trained_segmenter: Path, discs: Make, tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    about = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    about["truth"]["segment"]["labels"] = {"background": 0, "lesion": 255}
    (folder / "cases.json").write_text(json.dumps(about), encoding="utf-8")
    done = here("evaluate", trained_segmenter, folder)
    assert done.returncode == 1 and "does not know 1 class" in done.stderr and "lesion" in done.stderr


def test_a_moved_bundle_still_knows_what_it_studied(
    here: Run, trained_segmenter: Path, discs_folder: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.bundle"
    shutil.copytree(trained_segmenter, moved)
    done = here("evaluate", moved, discs_folder, "--split", "val")
    assert done.returncode == 1 and "4 cases of 4 were studied by this bundle" in done.stderr
