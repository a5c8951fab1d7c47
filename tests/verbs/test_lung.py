"""`measure --lung` of pictures, films and data sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from isocenter.data import Image
from isocenter.errors import InputError, MissingFileError, UsageError
from isocenter.faces.cli import main
from isocenter.simulate.lung import LungScene, lung
from isocenter.verbs._lung import LABELS, NOTES, lung_tables
from isocenter.verbs.measure import Measuring, measure

SHAPE = (160, 160)


def drawn(seed: int = 0, frames: int = 2) -> np.ndarray:
    return lung(SHAPE, np.random.default_rng(seed), LungScene(depth=0.3, b_lines=1), frames=frames)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures of two subjects, and one that is none."""
    for name, array in (("a", drawn(0)[0]), ("b", drawn(1)[0]), ("c", np.full(SHAPE, 9, np.uint8))):
        Pillow.fromarray(array).save(tmp_path / f"{name}.png")
    rows = ["file,label,subject", "a.png,healthy,p1", "b.png,ill,p2", "c.png,ill,p3"]
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_film_is_frames_and_a_summary_and_files(tmp_path: Path) -> None:
    film = Image.from_array(drawn(), axes="tyx", spacing=(0.3, 0.3), modality="US")
    made = measure(film, lung=True, out=tmp_path / "lung.xlsx")
    assert list(made.tables) == ["summary", "frames"]
    assert len(made.tables["frames"].rows) == 2
    assert {row["probe"] for row in made.tables["summary"].rows} == {"linear"}
    assert made.files == (tmp_path / "lung.xlsx",) and made.notes == NOTES and made.exit_code == 0
    text = "\n".join(made.lines())
    assert "pleura_depth_mm" in text and "no diagnosis" in text
    assert measure(drawn()[0], lung=True).notes[-1].startswith("the spacing is unknown")


def test_other_images_are_refused_and_unknown_ones_told() -> None:
    with pytest.raises(InputError, match="no ultrasound: got CR, needed US"):
        measure(Image.from_array(drawn()[0], modality="CR"), lung=True)
    assert any("no file says whether it shows ultrasound" in note for note in measure(drawn()[0], lung=True).notes)


def test_every_case_of_a_data_set_is_measured_and_a_bad_one_told(folder: Path) -> None:
    made = measure(folder, lung=True)
    assert [row["case"] for row in made.tables["frames"].rows] == ["a", "b"]
    assert [row["subject"] for row in made.tables["frames"].rows] == ["p1", "p2"]
    assert len(made.problems) == 1 and made.problems[0].where.endswith("c.png") and made.exit_code == 3
    alone = lung_tables(folder / "a.png", {})
    assert alone.tables["frames"].rows[0]["pleura_depth_px"] == made.tables["frames"].rows[0]["pleura_depth_px"]


def test_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["measure", str(folder / "a.png"), "--lung", "--probe", "linear", "--spacing", "0.5,0.5", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 0 and told["frames"][0]["b_lines"] == 1
    row = told["frames"][0]
    assert np.isclose(row["pleura_depth_mm"], 0.5 * row["pleura_depth_px"])


def test_a_refusal_of_the_only_image_is_raised(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lung ultrasound"):
        measure(folder / "c.png", lung=True)
    with pytest.raises(MissingFileError):
        measure(tmp_path / "none.mp4", lung=True)


def test_options_about_labels_have_no_meaning(folder: Path) -> None:
    picture = folder / "a.png"
    assert set(LABELS) <= set(Measuring.__annotations__)
    for name in LABELS:
        with pytest.raises(UsageError, match=f"--{name}"):
            measure(picture, lung=True, **{name: 1})
    for more in ({"image": picture}, {"relations": True}, {"stain": "hdab"}):
        with pytest.raises(UsageError, match="--lung"):
            measure(picture, lung=True, **more)
    with pytest.raises(UsageError, match="linear, convex"):
        measure(picture, lung=True, probe="phased")
    with pytest.raises(UsageError, match="--lung"):
        measure(picture, probe="linear")


def test_a_data_set_without_a_lung_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    Pillow.fromarray(np.full(SHAPE, 9, np.uint8)).save(tmp_path / "c.png")
    (tmp_path / "manifest.csv").write_text("file,label\nc.png,ill\n")
    with pytest.raises(InputError, match="lung ultrasound"):
        measure(tmp_path, lung=True)
