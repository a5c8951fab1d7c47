from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import isocenter as iso
from isocenter.bundle import shipped
from isocenter.errors import MissingFileError, NotFoundError, OutputError, UnreadableError, UsageError
from isocenter.verbs._patient import Patient, predict_all


@pytest.fixture(scope="module")
def bundles(discs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one bundle that knows discs."""
    folder = tmp_path_factory.mktemp("own")
    iso.train("classify", discs_folder, method="linear", out=folder / "size.bundle", threads=1)
    return folder


@pytest.fixture(scope="module")
def patient(discs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures, one that is torn, and a letter."""
    folder = tmp_path_factory.mktemp("erika_mustermann")
    for name in ("case20.png", "case21.png"):
        shutil.copy(discs_folder / "images" / name, folder / f"mustermann_{name}")
    (folder / "torn.png").write_bytes(b"no picture")
    (folder / "letter.txt").write_text("Dear colleague", encoding="utf-8")
    return folder


def test_all_bundles_on_one_page(bundles: Path, patient: Path, tmp_path: Path) -> None:
    made = predict_all(patient, out=tmp_path / "out", bundles=[bundles], threads=1)
    assert isinstance(made, Patient) and made.exit_code == 0
    own = [a for a in made.asked if a.bundle == "size"]
    assert [(a.image, a.status) for a in own] == [(f"mustermann_case2{i}", "answered") for i in range(2)]
    assert len(made.asked) == 2 * (1 + len(shipped())) and {a.status for a in made.asked} == {"answered", "refused"}
    assert [p.code for p in made.problems] == ["unreadable"] and len(made.inputs) == 2
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "mustermann" not in page.lower() and "nuclei" in page and "research use" in page.lower()
    kept = json.loads((tmp_path / "out" / "private" / "answers.json").read_text(encoding="utf-8"))
    assert kept == made.as_json() and kept["n_answered"] == len(made.answered)
    assert kept["asked"][0]["bundle"] == "blood-cells"
    lines = made.lines()
    assert any(line.startswith("size: ") and "probability" in line for line in lines)
    assert lines[-1].startswith("next: isocenter explain ") and "size.bundle" in lines[-1]
    assert any(line.startswith("refused: ") and "torn.png" in line for line in lines)
    with pytest.raises(OutputError, match="overwrite"):
        predict_all(patient, out=tmp_path / "out", bundles=[bundles])
    again = predict_all(patient, out=tmp_path / "out", overwrite=True)
    assert again.report == made.report and not [a for a in again.asked if a.bundle == "size"]


def test_nobody_was_made_for_a_photograph(tmp_path: Path) -> None:
    from skimage import data as pictures

    Pillow.fromarray(pictures.chelsea()).save(tmp_path / "cat.png")
    made = predict_all(tmp_path / "cat.png")
    assert made.exit_code == 1 and not made.answered and made.report is None and made.folder is None
    lines = made.lines()
    assert "isocenter train" in lines[-2] and "--bundles" in lines[-2] and lines[-1].startswith("next: isocenter look ")


def test_what_is_no_image_says_what_to_do(patient: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="Name an image"):
        predict_all(tmp_path / "gone.png")
    with pytest.raises(UnreadableError, match="Name an image"):
        predict_all(patient / "letter.txt")
    with pytest.raises(UsageError, match="isocenter look"):
        predict_all([patient / "letter.txt", patient / "torn.png"])
    with pytest.raises(UsageError, match="no image among"):
        predict_all(["age=61"])
    with pytest.raises(UsageError, match="refuse or answer"):
        predict_all(patient, outside="maybe")
    with pytest.raises(NotFoundError):
        predict_all(patient, bundles=[tmp_path / "none"])


def test_images_bound_by_name(bundles: Path, patient: Path) -> None:
    words = [f"left={patient / 'mustermann_case20.png'}", f"right={patient / 'mustermann_case21.png'}", "age=61"]
    made = predict_all(words, bundles=[bundles], threads=1)
    own = [a.image for a in made.answered if a.bundle == "size"]
    assert own == ["mustermann_case20: left", "mustermann_case20: right"]
    assert len(made.inputs) == 1, "one case: one checksum over its files"


def test_a_volume_where_all_bundles_are_flat(tmp_path: Path) -> None:
    from skimage import data as pictures

    volume = np.stack([pictures.camera()[::4, ::4]] * 8)
    iso.write(iso.Image.from_array(volume), tmp_path / "ct.nii.gz")
    made = predict_all(tmp_path / "ct.nii.gz")
    assert made.exit_code == 1 and all("trained on flat images" in a.why for a in made.asked)
